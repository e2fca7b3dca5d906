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

QUIET_SHARE = 0.1
"""Days below this share of the median day's work (outages) say nothing about the shape of a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BusyWindows:
    """Work in busy windows over the mean work of the same day, from the newest days seen.

    p95, p99: quantiles over all windows, so they hold the hours of the day as well as the bursts.
    hour_p99: the same over the mean of the window's own hour, each window counted by its hour's work.
    windows: how many stand behind them. by_day: False where not one whole day was seen, and the mean is that
    of all that was.
    """

    window_s: int
    p95: float
    p99: float
    hour_p99: float
    windows: int
    by_day: bool

    @property
    def fine(self) -> bool:
        """Whether the windows are short enough to plan on."""
        return self.window_s <= FINE_WINDOW_S


def busy_windows(traffic: Traffic, profile: ReplicaProfile, moments: Moments) -> BusyWindows | None:
    """Return how this workload's work gathers on this replica, or None where nothing was seen.

    moments stand in for second sums that an aggregated source does not state.
    """
    work = window_work_s(traffic.windows, profile, moments)
    if work.empty or not work.sum() > 0:
        return None
    by_day, daily = _over_own_day(work, traffic.window_s)
    hour_mean = work.groupby(pd.DatetimeIndex(work.index).floor("h")).transform("mean")
    busy = hour_mean > 0
    return BusyWindows(
        window_s=traffic.window_s,
        p95=float(np.quantile(daily, 0.95)),
        p99=float(np.quantile(daily, 0.99)),
        hour_p99=_weighted_quantile((work / hour_mean)[busy].to_numpy(), hour_mean[busy].to_numpy(), 0.99),
        windows=len(work),
        by_day=by_day,
    )


def window_work_s(windows: pd.DataFrame, profile: ReplicaProfile, moments: Moments) -> "pd.Series[float]":
    """Return replica-seconds of each window; windows whose token sums are unknown are left out."""
    sums = filled_sums(windows, moments)
    work = pd.Series(profile.work_s(sums), index=pd.DatetimeIndex(windows.index), dtype=float)
    return work.dropna()


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


def _over_own_day(work: "pd.Series[float]", window_s: int) -> tuple[bool, Floats]:
    """Return (True, work over the mean of its day) for whole days, else (False, work over the mean of all)."""
    day = pd.DatetimeIndex(work.index).floor("D")
    seen, mean = work.groupby(day).transform("size"), work.groupby(day).transform("mean")
    whole = seen >= DAY_S // window_s
    if whole.any():
        whole &= mean > QUIET_SHARE * mean[whole].median()
    if not whole.any():
        return False, np.asarray(work / work.mean(), dtype=np.float64)
    return True, np.asarray((work / mean)[whole], dtype=np.float64)


def _weighted_quantile(values: Floats, weights: Floats, q: float) -> float:
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, q * reached[-1])])
