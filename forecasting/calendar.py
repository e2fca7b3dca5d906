"""A daily series made ready for forecasting: gaps, outages, spikes and days that were cut off."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.errors import UserError

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

WEEK_DAYS = 7
LOW_COUNT_PER_DAY = 10.0
"""Below this mean a day's count is mostly Poisson noise (sd above 30%), so a count model takes over."""
SPIKE_MADS = 5.0
"""Hampel's threshold: a log residual this many robust standard deviations out is a spike."""
SPIKE_LOG = 0.3
"""A spike must also stand out by this much on the log scale (35%)."""
MOST_SPELT = 6
"""Runs of days that a sentence names; before them it says only how many there are."""
STOPPED_DAYS = 14
"""Zeros that run to the end for this long are a workload that stopped, not an outage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """One daily series up to the day before its forecast.

    first: its first day. y: (n,) as seen, NaN = unknown (gap, outage, masked event, day cut off).
    x: (n,) log1p of y with spikes drawn in and unknown days carried from the same weekday a week before.
    weekday: (n,) 0 = Monday. cleaned: one sentence per kind of repair.
    """

    first: np.datetime64
    y: Floats
    x: Floats
    weekday: npt.NDArray[np.int64]
    low_count: bool
    cleaned: tuple[str, ...]

    @property
    def known_days(self) -> int:
        """Number of days with a value that is taken as seen."""
        return int(np.isfinite(self.y).sum())


def make_history(first: np.datetime64, y: npt.ArrayLike, *, where: str, counts: bool = True) -> History:
    """Return the history of a daily series y (n,), NaN = unknown, that starts on `first`.

    `counts` says that y counts things, so that 0 is suspicious on a busy series and a small mean calls for the
    count model. Raises UserError on negative or infinite values and where nothing is known; `where` names the
    series in the message.
    """
    seen = _checked(np.array(y, dtype=np.float64), where)
    weekday = _weekdays(first, len(seen))
    low = counts and _is_low_count(seen)
    outage = _outages(seen, weekday) if counts and not low else np.zeros(len(seen), dtype=np.bool_)
    gaps = np.isnan(seen)
    seen[outage] = np.nan
    x = fill_by_week(np.log1p(seen))
    spikes = np.zeros(len(seen), dtype=np.bool_) if low else _spikes(x)
    x = np.where(spikes, _centred_median(x), x)
    cleaned = _sentences(first, gaps, outage, spikes & np.isfinite(seen))
    return History(first=first, y=seen, x=x, weekday=weekday, low_count=low, cleaned=cleaned)


def fill_by_week(x: Floats) -> Floats:
    """Return x (n,) with each NaN replaced by the same weekday a week before (at the start: after).

    >>> fill_by_week(np.array([1.0, 2, 3, 4, 5, 6, 7, np.nan]))[-1]
    np.float64(1.0)
    """
    if not np.isnan(x).any():
        return x
    rows = -(-len(x) // WEEK_DAYS)
    padded = np.full(rows * WEEK_DAYS, np.nan)
    padded[: len(x)] = x
    weeks = pd.DataFrame(padded.reshape(rows, WEEK_DAYS)).ffill().bfill()
    filled = weeks.fillna(float(np.nanmedian(x))).to_numpy(dtype=np.float64).reshape(-1)[: len(x)]
    return np.asarray(np.where(np.isnan(x), filled, x))


def spell_days(first: np.datetime64, mask: Bools) -> str:
    """Return the days of a mask (n,) that begins on `first`, as dates and runs of dates; the newest MOST_SPELT.

    >>> spell_days(np.datetime64("2026-03-01"), np.array([True, False, True, True]))
    '2026-03-01, 2026-03-03 to 2026-03-04'
    """
    at = np.flatnonzero(mask)
    runs = np.split(at, np.flatnonzero(np.diff(at) > 1) + 1) if at.size else []
    first = first.astype("datetime64[D]")
    said = [f"{first + run[0]}" if len(run) == 1 else f"{first + run[0]} to {first + run[-1]}" for run in runs]
    more = len(said) - MOST_SPELT
    return (f"{more} earlier, then " if more > 0 else "") + ", ".join(said[-MOST_SPELT:])


def _checked(y: Floats, where: str) -> Floats:
    if np.isinf(y).any() or (y < 0).any():
        day = int(np.flatnonzero(np.isinf(y) | (y < 0))[0])
        raise UserError(
            f"{where}: day {day + 1} of the series is {y[day]}; a forecast needs values of 0 or more."
            " Correct the value, or leave the day out."
        )
    if not np.isfinite(y).any():
        raise UserError(
            f"{where}: no day has a known value, so there is nothing to forecast. Ingest its logs first."
        )
    return y


def _weekdays(first: np.datetime64, n: int) -> npt.NDArray[np.int64]:
    start = int(first.astype("datetime64[D]").astype(np.int64))
    return np.asarray((start + 3 + np.arange(n)) % WEEK_DAYS)  # 1970-01-01 was a Thursday


def _is_low_count(y: Floats) -> bool:
    recent = y[-91:]
    recent = recent if np.isfinite(recent).any() else y
    return bool(np.nanmean(recent) < LOW_COUNT_PER_DAY)


def _outages(y: Floats, weekday: npt.NDArray[np.int64]) -> Bools:
    """Zero days inside busy weeks, unless this weekday is often zero or the zeros run to the end for weeks."""
    zero = y == 0
    if not zero.any():
        return np.asarray(zero)
    positive = pd.Series(np.where(zero, np.nan, y))
    usual = positive.rolling(29, center=True, min_periods=3).median().to_numpy()
    often = np.zeros(len(y), dtype=np.bool_)
    for day in range(WEEK_DAYS):
        at = np.flatnonzero(weekday == day)
        share = pd.Series(zero[at].astype(float)).rolling(17, center=True, min_periods=1).mean().to_numpy()
        often[at] = share > 0.4
    outage = zero & (usual >= LOW_COUNT_PER_DAY) & ~often
    nonzero = np.flatnonzero(~zero & np.isfinite(y))
    tail = len(y) - 1 - (nonzero[-1] if nonzero.size else -1)
    if tail >= STOPPED_DAYS:
        outage[-tail:] = False
    return np.asarray(outage)


def _centred_median(x: Floats) -> Floats:
    return pd.Series(x).rolling(15, center=True, min_periods=4).median().bfill().ffill().to_numpy(dtype=np.float64)


def _spikes(x: Floats) -> Bools:
    """Hampel's rule on residuals from the local median and the usual deviation of that weekday."""
    if len(x) < 2 * WEEK_DAYS:
        return np.zeros(len(x), dtype=np.bool_)
    residual = x - _centred_median(x)
    week = pd.Series(residual)
    for day in range(WEEK_DAYS):
        own = week.iloc[day::WEEK_DAYS]
        week.iloc[day::WEEK_DAYS] = own - own.rolling(9, center=True, min_periods=1).median()
    sigma = 1.4826 * week.abs().rolling(91, center=True, min_periods=7).median().bfill().ffill()
    return np.asarray(week.abs() > np.maximum(SPIKE_MADS * sigma, SPIKE_LOG), dtype=np.bool_)


def _sentences(first: np.datetime64, gaps: Bools, outages: Bools, spikes: Bools) -> tuple[str, ...]:
    found = (
        (gaps, "day without data bridged", "days without data bridged"),
        (outages, "zero day taken as an outage", "zero days taken as outages"),
        (spikes, "spike drawn in before levelling", "spikes drawn in before levelling"),
    )
    return tuple(
        f"{n} {one if n == 1 else many}: {spell_days(first, mask)}"
        for mask, one, many in found
        if (n := int(mask.sum()))
    )
