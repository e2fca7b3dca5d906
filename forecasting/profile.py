"""The hour-of-week profile: how a day's requests spread over its hours, forecast from the newest weeks."""

from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.units import HOUR_S, WEEK_HOURS
from forecasting.calendar import WEEK_DAYS

Floats = npt.NDArray[np.float64]
Days = npt.NDArray[np.datetime64]

DAY_HOURS = 24
HALF_LIFE_DAYS = 21.0
"""A day three weeks old weighs half as much as yesterday."""
WEEKDAY_DAYS, KIND_DAYS, ALL_DAYS = 4.0, 2.0, 0.5
"""Weights, in days of yesterday's weight, with which a weekday leans on its kind of day (working days, weekend),
the kind on all days, and all days on an even one."""
LEVEL_DAYS = 0.1
"""Weight of an ordinary day in a weekday's level: days are known better than their hours."""
REQUESTS_OF_HALF_A_DAY = 24.0
"""A day of this many requests weighs half as much as a busy one: one request an hour says little of the hours."""
KINDS = ((0, 1, 2, 3, 4), (5, 6))


def hour_profile(hours: "pd.Series[float]", as_of: date, zone: ZoneInfo | None = None) -> Floats | None:
    """Return (168,) traffic by UTC hour from Monday 00:00, mean 1, as the clocks stand on as_of.

    hours: requests by naive UTC hour, gaps absent (`data.traffic.Traffic.hours`); only days with all of their
    hours before as_of count, and None is returned where there is none. Each day is divided by its own mean first,
    so that growth and level shifts do not tilt the profile. zone: where the workload's users live; hours before a
    change of their clocks are moved to where they lie on as_of.

        share[w, h] = (sum_d v_d s_d,h + 4 kind[w, h]) / (sum_d v_d + 4)    d: days of weekday w
        kind[w, h]  = (sum_d v_d s_d,h + 2 all[h]) / (sum_d v_d + 2)        d: working days, or weekends
        all[h]      = (sum_d v_d s_d,h + 0.5) / (sum_d v_d + 0.5)           d: all days
        v_d = 2^(-age_d / 21 days) n_d / (n_d + 24)                         n_d: requests of the day
    """
    table = _whole_days(hours, as_of, zone)
    if table.empty:
        return None
    total = table.to_numpy(dtype=np.float64).sum(axis=1)
    share = table.to_numpy(dtype=np.float64) / total[:, None] * DAY_HOURS
    days = pd.DatetimeIndex(table.index)
    age = (pd.Timestamp(as_of) - days).days.to_numpy(dtype=np.float64) - 1.0
    weight = 0.5 ** (age / HALF_LIFE_DAYS) * total / (total + REQUESTS_OF_HALF_A_DAY)
    weekday = days.day_of_week.to_numpy()
    profile = _day_levels(days, total, weight)[:, None] * _shares(share, weight, weekday)
    return np.asarray((profile / profile.mean()).reshape(WEEK_HOURS))


def followed_zone(hours: "pd.Series[float]", as_of: date, zone: ZoneInfo | None) -> ZoneInfo | None:
    """Return the zone whose clocks the traffic follows: the stated one, or None where its own past says otherwise.

    Where the clocks changed within the hours seen, whole days on both sides tell: days that are more alike in UTC
    than by the local clock come from machines, or from people elsewhere.
    """
    if zone is None or not len(hours):
        return zone
    local, utc = (_whole_days(hours, as_of, each) for each in (zone, None))
    shift = clock_shift_h(_days_of(utc), as_of, zone)
    if shift is None or min((shift == 0).sum(), (shift != 0).sum()) < WEEK_DAYS:
        return zone
    return zone if _apart(local) < _apart(utc) else None


def clock_shift_h(days: Days, as_of: date, zone: ZoneInfo | None) -> npt.NDArray[np.int64] | None:
    """Return (D,) whole hours by which the clocks of a zone are ahead of where they stand on as_of, None = never.

    Taken at noon UTC: the hours of the night in which they change follow the new time.

    >>> clock_shift_h(np.array(["2026-10-01", "2026-11-01"], dtype="datetime64[D]"),
    ...               date(2026, 10, 1), ZoneInfo("Europe/Berlin"))
    array([ 0, -1])
    """
    if zone is None:
        return None
    ahead = _offset_h(pd.DatetimeIndex(days.astype("datetime64[s]")), zone)
    shift = np.round(ahead - _offset_h(pd.DatetimeIndex([pd.Timestamp(as_of)]), zone)).astype(np.int64)
    return shift if shift.any() else None


def _whole_days(hours: "pd.Series[float]", as_of: date, zone: ZoneInfo | None) -> pd.DataFrame:
    """Requests by day and hour (N, 24) as the clocks stand on as_of: whole days with traffic, oldest first."""
    index = pd.DatetimeIndex(hours.index)
    if zone is not None and len(index):
        shift = clock_shift_h(index.normalize().to_numpy().astype("datetime64[D]"), as_of, zone)
        index = index if shift is None else index + pd.to_timedelta(shift, unit="h")
    seen = pd.Series(hours.to_numpy(dtype=np.float64), index=index)
    seen = seen[(index < pd.Timestamp(as_of)) & ~index.duplicated()]
    index = pd.DatetimeIndex(seen.index)
    table = pd.DataFrame({"day": index.normalize(), "hour": index.hour, "requests": seen.to_numpy()}).pivot(
        index="day", columns="hour", values="requests"
    )
    whole = table.reindex(columns=range(DAY_HOURS)).dropna()
    return whole[whole.sum(axis=1) > 0]


def _days_of(table: pd.DataFrame) -> Days:
    return np.asarray(pd.DatetimeIndex(table.index).to_numpy().astype("datetime64[D]"))


def _apart(table: pd.DataFrame) -> float:
    """Mean squared distance of the days' shares from the mean of their weekday: how alike they are."""
    share = table.div(table.mean(axis=1), axis=0)
    usual = share.groupby(pd.DatetimeIndex(share.index).day_of_week).transform("mean")
    return float(((share - usual) ** 2).to_numpy().mean())


def _shares(share: Floats, weight: Floats, weekday: npt.NDArray[np.int64]) -> Floats:
    """(7, 24) mean share of each hour by weekday, each leaning on what is known of more days."""
    everything = np.ones(len(weekday), dtype=np.bool_)
    all_days = _leaning(share, weight, everything, np.ones(DAY_HOURS), ALL_DAYS)
    out = np.empty((WEEK_DAYS, DAY_HOURS))
    for kind in KINDS:
        alike = _leaning(share, weight, np.isin(weekday, kind), all_days, KIND_DAYS)
        for day in kind:
            out[day] = _leaning(share, weight, weekday == day, alike, WEEKDAY_DAYS)
    return out


def _leaning(share: Floats, weight: Floats, of: npt.NDArray[np.bool_], prior: Floats, days: float) -> Floats:
    return np.asarray((weight[of] @ share[of] + days * prior) / (weight[of].sum() + days))


def _day_levels(days: pd.DatetimeIndex, total: Floats, weight: Floats) -> Floats:
    """(7,) how each weekday compares with the seven days centred on it, shrunk to 1."""
    by_day = pd.Series(total, index=days).asfreq("D")
    around = by_day.rolling(WEEK_DAYS, center=True, min_periods=WEEK_DAYS).mean()
    ratio = (by_day / around).reindex(days).to_numpy(dtype=np.float64)
    known, weekday = np.isfinite(ratio), days.day_of_week.to_numpy()
    out = np.ones(WEEK_DAYS)
    for day in range(WEEK_DAYS):
        own = known & (weekday == day)
        out[day] = (weight[own] @ ratio[own] + LEVEL_DAYS) / (weight[own].sum() + LEVEL_DAYS)
    return out


def _offset_h(moments: pd.DatetimeIndex, zone: ZoneInfo) -> Floats:
    """Hours that local time is ahead of UTC at noon UTC of each day."""
    noon = (moments + pd.Timedelta(hours=12)).tz_localize("UTC")
    local = noon.tz_convert(zone).tz_localize(None)
    apart = local - noon.tz_localize(None)
    return np.asarray(apart.total_seconds().to_numpy(dtype=np.float64) / HOUR_S)
