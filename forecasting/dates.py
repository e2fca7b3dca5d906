"""Days of the year that stand out every year, learned from the series itself: no country needs to be known."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd
from dateutil.easter import easter

from forecasting.calendar import WEEK_DAYS, History

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MOST_YEARS = 8
LEAST_DAYS = 358
"""One year of history, less a week: before that no date was seen twice."""
SIGMAS, LEAST_LOG = 2.5, 0.1
"""A day stands out where it lies this many robust deviations, and this far on the log scale, off its weekday."""
AGREEING = 0.75
"""Share of the past years, and two of them at least, in which it must have stood out to the same side."""
SHARE = (0.0, 0.7, 0.8, 0.95)
"""How much of the median deviation is expected again after one year, two, three and more."""
YEAR_END = (1224, 1225, 1226, 1231, 101)
"""Month and day of the dates that are special nearly everywhere: for them one past year is enough."""
SEEN_AHEAD_DAYS = 322
"""Up to this horizon last year's date lies 4 weeks before the origin, Easter's moves included."""
EASTER_BEFORE, EASTER_AFTER = 7, 60


def date_effects(history: History, origins: Ints, horizon: int) -> Floats:
    """Return (O, H) log deviations that the dates after each origin are expected to show.

    A day is matched with past years in four ways: by date, by nth weekday of its month counted from the start
    (Thanksgiving) and from the end (Memorial Day), and by its distance from Easter. The strongest effect that
    past years agree on is taken; noise agrees with itself by chance in well under one day in a hundred.
    """
    n = len(history.x)
    out = np.zeros((len(origins), horizon))
    if n < LEAST_DAYS:
        return out
    deviation, sigma = _deviation(history)
    matched = matching_days(history.first, n + horizon)
    years = -(-horizon // SEEN_AHEAD_DAYS)  # a day further ahead may not use the newest matches
    effects = np.array([_effect(deviation, sigma, matched, history.first, skip) for skip in range(years)])
    h = np.arange(horizon)
    for i, t in enumerate(origins.tolist()):
        out[i] = effects[h // SEEN_AHEAD_DAYS, t + h]
    return out


@lru_cache(maxsize=8)
def matching_days(first: np.datetime64, days: int) -> Ints:
    """Return (4, MOST_YEARS, days): position of the day that matches k years before, -1 where there is none."""
    start = int(first.astype("datetime64[D]").astype(np.int64))
    day = start + np.arange(days)
    index = pd.DatetimeIndex(day.astype("datetime64[D]").astype("datetime64[ns]"))
    year, month, of_month = (np.asarray(v, dtype=np.int64) for v in (index.year, index.month, index.day))
    left = np.asarray(index.days_in_month, dtype=np.int64) - of_month
    weekday = (day + 3) % WEEK_DAYS  # 1970-01-01 was a Thursday
    out = np.full((4, MOST_YEARS, days), -1, dtype=np.int64)
    from_easter = day - _easter(year)
    for k in range(1, MOST_YEARS + 1):
        begin, end = _month(year - k, month)
        out[0, k - 1] = np.minimum(begin + of_month - 1, end)
        nth = begin + (weekday - (begin + 3)) % WEEK_DAYS + WEEK_DAYS * ((of_month - 1) // WEEK_DAYS)
        out[1, k - 1] = np.where(nth <= end, nth, start - 1)
        nth = end - ((end + 3) - weekday) % WEEK_DAYS - WEEK_DAYS * (left // WEEK_DAYS)
        out[2, k - 1] = np.where(nth >= begin, nth, start - 1)
        near = (from_easter >= -EASTER_BEFORE) & (from_easter <= EASTER_AFTER)
        out[3, k - 1] = np.where(near, _easter(year - k) + from_easter, start - 1)
    return np.maximum(out - start, -1)


def _effect(deviation: Floats, sigma: Floats, matched: Ints, first: np.datetime64, skip: int) -> Floats:
    """(days,) effect of each day from the years before it, the newest `skip` left out."""
    n = len(deviation)
    at = np.where((matched[:, skip:] >= 0) & (matched[:, skip:] < n), matched[:, skip:], n)
    past = np.append(deviation, np.nan)[at]
    out_by = np.maximum(SIGMAS * np.append(sigma, np.nan)[at], LEAST_LOG)
    seen = np.isfinite(past).sum(axis=1)
    with np.errstate(invalid="ignore"):
        agree = np.abs(np.where(np.abs(past) > out_by, np.sign(past), 0.0).sum(axis=1))
    certain = (agree >= 2) & (agree >= AGREEING * seen)
    certain[0] |= (agree[0] == 1) & (seen[0] == 1) & _year_end(first, past.shape[2])
    effect = np.zeros(seen.shape)
    for way, day in zip(*np.nonzero(certain), strict=True):
        effect[way, day] = SHARE[min(seen[way, day], 3)] * np.nanmedian(past[way, :, day])
    return np.asarray(np.take_along_axis(effect, np.abs(effect).argmax(axis=0)[None], axis=0)[0])


def _deviation(history: History) -> tuple[Floats, Floats]:
    """(n,) log deviation of each day from its week's level and its weekday's usual one; (n,) its robust sd."""
    week = pd.Series(history.x).rolling(WEEK_DAYS, center=True, min_periods=1)
    level = week.median().rolling(WEEK_DAYS, center=True, min_periods=1).mean()
    rough = np.log1p(history.y) - level.to_numpy(dtype=np.float64)
    n = len(rough)
    padded = np.full(-(-n // WEEK_DAYS) * WEEK_DAYS, np.nan)
    padded[:n] = rough
    weeks = pd.DataFrame(padded.reshape(-1, WEEK_DAYS))
    usual = weeks.rolling(9, center=True, min_periods=1).median()
    deviation = (weeks - usual).to_numpy(dtype=np.float64).reshape(-1)[:n]
    sigma = 1.4826 * pd.Series(deviation).abs().rolling(181, center=True, min_periods=14).median().bfill().ffill()
    return deviation, sigma.to_numpy(dtype=np.float64)


def _month(year: Ints, month: Ints) -> tuple[Ints, Ints]:
    """First and last day of the month, in days since 1970."""
    begin = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    first, after = (m.astype("datetime64[D]").astype(np.int64) for m in (begin, begin + 1))
    return first, after - 1


def _easter(year: Ints) -> Ints:
    """Western Easter Sunday of each year, in days since 1970."""
    found = {y: np.datetime64(easter(y), "D").astype(np.int64) for y in np.unique(year).tolist()}
    return np.array([found[y] for y in year.tolist()], dtype=np.int64)


def _year_end(first: np.datetime64, days: int) -> npt.NDArray[np.bool_]:
    index = pd.DatetimeIndex((first.astype("datetime64[D]") + np.arange(days)).astype("datetime64[ns]"))
    return np.isin(np.asarray(index.month * 100 + index.day), YEAR_END)
