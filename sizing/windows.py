"""How work gathers in short windows: the ratio of a busy 10 s to its day, from what was seen."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.traffic import SUMS, Traffic
from data.units import DAY_S
from forecasting.demand import Moments
from sizing.profile import ReplicaProfile

Floats = npt.NDArray[np.float64]

FINE_WINDOW_S = 10
"""Longest window that still shows bursts: a request waits about as long in a queue as such a window lasts."""

PLANNED_PERCENTILE = 0.99
"""Share of windows that a fleet covers where nothing else is said."""

QUIET_SHARE = 0.1
"""Days below this share of the median day's work (outages) say nothing about the shape of a day."""


ANSWER_SUMS = ("output_tok_sum", "prompt_output_sum", "output_tok_sq_sum")
"""The sums whose work is decoding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BusyWindows:
    """How work gathers in the newest days; loads are replicas' worth of work, ratios are to the day's mean.

    mean_load: of the days seen. p95, p99: quantiles of the work of windows, so they hold the hours of the day as
    well as the bursts. hours_p95, hours_p99: the same of hourly means, so they hold the hours alone.
    planned, hours_planned: the same at the percentile that is planned on, 99% where nothing else is said.
    hour_planned: that window over the mean of its own hour, each window counted by its hour's work.
    windows: how many stand behind them. fine_s: the longest windows that are planned on. by_day: False where not
    one whole day was seen, and the mean is that of all that was.
    """

    window_s: int
    mean_load: float
    p95: float
    p99: float
    hours_p95: float
    hours_p99: float
    hour_planned: float
    planned: float
    hours_planned: float
    windows: int
    by_day: bool
    fine_s: int = FINE_WINDOW_S

    @property
    def fine(self) -> bool:
        """Whether the windows are short enough to plan on."""
        return self.window_s <= self.fine_s

    def planned_load(self, load: Floats) -> Floats:
        """Return the load of the busiest windows that are planned on, on days of mean load (...,)."""
        return self._at_load(load, self.hours_planned, self.planned)

    def p99_load(self, load: Floats) -> Floats:
        """Return the load of the 99% busiest windows of days of mean load (...,): see _at_load."""
        return self._at_load(load, self.hours_p99, self.p99)

    def p95_load(self, load: Floats) -> Floats:
        """Return the load of the 95% busiest windows of days of mean load (...,)."""
        return self._at_load(load, self.hours_p95, self.p95)

    def hour_load(self, load: Floats) -> Floats:
        """Return the load of the busiest windows that are planned on, in hours of mean load (...,)."""
        return self._at_load(load, 1.0, self.hour_planned)

    def _at_load(self, load: Floats, steady: float, busiest: float) -> Floats:
        """Rescale: the hours of the day grow with the load, bursts about them with its square root.

            steady load + (busiest - steady) sqrt(load mean_load)

        More traffic is more users, not the same ones all at once: the variance of a window's work grows like its
        mean (a constant index of dispersion), so bursts of a large workload are relatively smaller. At the load
        that was seen this is the historical distribution itself.
        """
        return np.asarray(steady * load + max(busiest - steady, 0.0) * np.sqrt(load * self.mean_load))


def busy_windows(
    traffic: Traffic,
    profile: ReplicaProfile,
    moments: Moments,
    *,
    percentile: float = PLANNED_PERCENTILE,
    fine_s: int = FINE_WINDOW_S,
) -> BusyWindows | None:
    """Return how this workload's work gathers on this replica, or None where nothing was seen.

    moments stand in for second sums that an aggregated source does not state. percentile: the share of windows
    that a fleet is to cover. fine_s: the longest windows that may be planned on.
    """
    work = window_work_s(traffic.windows, profile, moments)
    return gathered(work, traffic.window_s, percentile=percentile, fine_s=fine_s)


def gathered(
    work: "pd.Series[float]",
    window_s: int,
    *,
    percentile: float = PLANNED_PERCENTILE,
    fine_s: int = FINE_WINDOW_S,
) -> BusyWindows | None:
    """Return how replica-seconds by window gather, or None where there are none."""
    if work.empty or not work.sum() > 0:
        return None
    seen = seen_ratios(work, window_s)
    hour_mean = work.groupby(pd.DatetimeIndex(work.index).floor("h")).transform("mean")
    busy = hour_mean > 0
    return BusyWindows(
        window_s=window_s,
        mean_load=seen.mean_load,
        p95=float(np.quantile(seen.window, 0.95)),
        p99=float(np.quantile(seen.window, 0.99)),
        hours_p95=float(np.quantile(seen.hour, 0.95)),
        hours_p99=float(np.quantile(seen.hour, 0.99)),
        planned=float(np.quantile(seen.window, percentile)),
        hours_planned=float(np.quantile(seen.hour, percentile)),
        hour_planned=_weighted_quantile(
            (work / hour_mean)[busy].to_numpy(), hour_mean[busy].to_numpy(), percentile
        ),
        windows=len(work),
        by_day=seen.by_day,
        fine_s=fine_s,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenRatios:
    """The windows of whole days: window, hour: (W,) work of each window, and of its hour's mean window, over its
    day's mean. mean_load: replicas' worth of work of the days seen. by_day: as in BusyWindows.
    """

    window: Floats
    hour: Floats
    mean_load: float
    by_day: bool


def seen_ratios(work: "pd.Series[float]", window_s: int) -> SeenRatios:
    """Return how the work of windows (replica-seconds) stands to that of their own days; some of it is above 0."""
    hour_mean = work.groupby(pd.DatetimeIndex(work.index).floor("h")).transform("mean")
    day_mean, by_day = _own_day(work, window_s)
    seen = day_mean > 0
    return SeenRatios(
        window=np.asarray((work / day_mean)[seen], dtype=np.float64),
        hour=np.asarray((hour_mean / day_mean)[seen], dtype=np.float64),
        mean_load=float(work[seen].mean()) / window_s,
        by_day=by_day,
    )


def window_work_s(windows: pd.DataFrame, profile: ReplicaProfile, moments: Moments) -> "pd.Series[float]":
    """Return replica-seconds to be done in each window; windows whose token sums are unknown are left out.

    Prompts are done when they come; the tokens of an answer over the time that they take at the profile's TPOT, so
    that long answers do not look like bursts.
    """
    sums = filled_sums(windows, moments)
    index, answers = pd.DatetimeIndex(windows.index), np.isin(SUMS, ANSWER_SUMS)
    prompts = pd.Series(profile.work_s(np.where(answers, 0.0, sums)), index=index, dtype=float)
    decode = pd.Series(profile.work_s(np.where(answers, sums, 0.0)), index=index, dtype=float)
    answer_s = profile.output_tok * profile.tpot_s
    return (prompts + _spread(decode, answer_s, index)).dropna()


def filled_sums(table: pd.DataFrame, moments: Moments) -> Floats:
    """Return (N, 9) SUMS of a table, second sums that are unknown taken from means and moments.

    Cached tokens that a source does not state are 0, as everywhere: prefill is then overstated, never understated.
    """
    sums = table[list(SUMS)].to_numpy(dtype=np.float64, copy=True)
    r, p, c, o = sums[:, 0], sums[:, 1], np.nan_to_num(sums[:, 2]), sums[:, 3]
    each = np.divide(1.0, r, out=np.zeros_like(r), where=r > 0)
    m = moments
    squares = (m.prompt_sq * p * p, m.cached_sq * c * c, m.prompt_cached * p * c, m.prompt_output * p * o)
    sums[:, 2] = c
    for column, value in enumerate((*squares, m.output_sq * o * o), start=4):
        sums[:, column] = np.where(np.isnan(sums[:, column]), value * each, sums[:, column])
    return sums


def work_share_above(
    traffic: Traffic, profile: ReplicaProfile, threshold_tok: int, moments: Moments
) -> float | None:
    """Return the share (0..1) of GPU work that prompts longer than `threshold_tok` make up, None if unknown."""
    columns = [f"long_{threshold_tok}_{name}" for name in SUMS]
    if not set(columns) <= set(traffic.daily.columns):
        return None
    days = traffic.daily[columns].notna().all(axis=1) & traffic.daily["prompt_tok_sum"].notna()
    if not days.any():
        return None
    total = float(profile.work_s(filled_sums(traffic.daily[days], moments)).sum())
    long = float(profile.work_s(traffic.daily.loc[days, columns].to_numpy(float)).sum())
    return min(1.0, max(0.0, long / total)) if total > 0 else None


def _spread(work: "pd.Series[float]", over_s: float, index: pd.DatetimeIndex) -> "pd.Series[float]":
    """Return work moved evenly over the windows of the `over_s` seconds from its own on; the total stays."""
    if len(index) < 2:
        return work
    window_s = float(np.diff(index.to_numpy()).min() / np.timedelta64(1, "s"))
    return work.rolling(max(1, round(over_s / window_s)), min_periods=1).mean()


def _own_day(work: "pd.Series[float]", window_s: int) -> tuple["pd.Series[float]", bool]:
    """Return (mean work of each window's day, True), 0 for cut and quiet days; else (mean of all, False)."""
    day = pd.DatetimeIndex(work.index).floor("D")
    count, mean = work.groupby(day).transform("size"), work.groupby(day).transform("mean")
    whole = count >= DAY_S // window_s
    if whole.any():
        whole &= mean > QUIET_SHARE * mean[whole].median()
    if not whole.any():
        return pd.Series(work.mean(), index=work.index), False
    return mean.where(whole, 0.0), True


def _weighted_quantile(values: Floats, weights: Floats, q: float) -> float:
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, q * reached[-1])])
