"""What was known on the first of a month about the need of the months to come: busy hours over sample paths.

Half of the paths are the forecast's, half say that the need goes on as in the newest four weeks. The forecast
knows seasons and trends and how far levels wander; the newest weeks know what the days of a week look like now.
Over past months either alone signs worse terms than the two together (docs/replay.md).
"""

import zlib
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from forecasting.calendar import WEEK_DAYS, make_history
from forecasting.intervals import normal_scores, sample_paths
from forecasting.series import forecast_series
from sizing.replay.need import DAY_HOURS, PastNeed, whole_gpus

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

AHEAD_MONTHS = 18
"""A year and half a year more, so that a year signed some months on is still weighed over most of its length."""
PATHS = 200
TERM_MONTHS = (1, 3, 12)
GROUPS = 8
"""Paths are told apart, in a later month, by which eighth of them their level of the month before lies in."""
MOST_LAYERS = 96
"""GPUs are decided on one by one up to so many, beyond in equal lots: 1% of the need at most."""
SELDOM = 0.98
"""GPUs that are needed on fewer than 2% of the days of every month ahead are never worth a term: left out."""
LOOK_BACK_DAYS = 30
REPEATED_DAYS = 28
"""Whole weeks, so that weekdays stay weekdays."""
SHAPE_DAYS = 56


@dataclass(frozen=True, slots=True, kw_only=True)
class Foresight:
    """What one decision may know about the need. Months are those ahead, the first begins on the day decided.

    lot: GPUs of one layer k. hours: (J,). busy: (J, K) busy hours of the k-th lot that the forecast expects. firm:
    (J, K) those that nine of its paths in ten reach. looked_back: (K,) its busy share of the newest 30 known days.
    by_group: (J, G, K) expected busy hours in month j of the blended paths in group g at its beginning.
    to_group[L]: (J, G, G) chance that a path in group g when month j begins is in group h when j + L does.
    """

    lot: int
    hours: Floats
    busy: Floats
    firm: Floats
    looked_back: Floats
    by_group: Floats
    to_group: dict[int, Floats]


def foresee(need: PastNeed, month: int, *, seed: int) -> Foresight:
    """Return what was known of the need when `month` began; nothing of any later day is read."""
    today = int(need.starts[month])
    ends = month_ends(need.first, today)
    seen = need.gpus[:today]
    daily = need_paths(need, today, int(ends[-1]), seed=seed)
    forecast = by_hour(daily, seen)
    return summed(forecast, ends, seen, blended=with_repeats(forecast, seen))


def month_ends(first: np.datetime64, today: int) -> Ints:
    """Return (J,): the day number, counted from today, on which each of the months ahead ends."""
    day = first + today
    months = day.astype("datetime64[M]") + np.arange(1, AHEAD_MONTHS + 1)
    return np.asarray((months.astype("datetime64[D]") - day).astype(np.int64))


def need_paths(need: PastNeed, today: int, days: int, *, seed: int) -> Floats:
    """Return (S, days) GPUs of the sample paths from `today` on, as a plan on that day would have drawn them."""
    history = make_history(need.first, need.y[:today], where=need.name)
    found = forecast_series(history, days)
    rng = np.random.default_rng([seed, zlib.crc32(need.name.encode()), today])
    scores = normal_scores([found.persistence], [found.level_sd], np.eye(1), np.eye(1), paths=PATHS, rng=rng)
    return sample_paths(found.predictive, scores[0]) * need.gpus_per_y


def by_hour(daily: Floats, seen: Floats) -> Floats:
    """Return (S, D x H) whole GPUs of daily paths (S, D): a day's hours as in the newest weeks seen (n, H).

    By weekday, each day over its own mean; a day's mean is the path's, before rounding up.
    """
    hours = seen.shape[1]
    if hours == 1:
        return whole_gpus(daily)
    recent = seen[-SHAPE_DAYS:]
    weekday = np.arange(len(seen) - len(recent), len(seen)) % WEEK_DAYS
    mean = recent.mean(axis=1)  # NaN where an hour is unknown
    shape = np.ones((WEEK_DAYS, hours))
    for day in range(WEEK_DAYS):
        own = np.flatnonzero((weekday == day) & (np.nan_to_num(mean) > 0))
        if own.size:
            shape[day] = (recent[own] / mean[own, None]).mean(axis=0)
    ahead = (len(seen) + np.arange(daily.shape[1])) % WEEK_DAYS
    return whole_gpus((daily[:, :, None] * shape[ahead][None]).reshape(len(daily), -1))


def with_repeats(paths: Floats, seen: Floats) -> Floats:
    """Return paths (S, D x H) of which every second one repeats the newest four weeks that were seen (n, H)."""
    known = seen[np.isfinite(seen).all(axis=1)][-REPEATED_DAYS:].reshape(-1)
    if not known.size:
        return paths
    repeated = np.tile(known, -(-paths.shape[1] // known.size))[: paths.shape[1]]
    return np.where((np.arange(len(paths)) % 2 == 1)[:, None], repeated[None], paths)


def summed(forecast: Floats, ends: Ints, seen: Floats, *, blended: Floats | None = None) -> Foresight:
    """Return the tables of paths (S, D x H) of whole GPUs and of what was seen (n, H); ends are days.

    forecast: what `busy` and `firm` are of. blended: what by_group and to_group are of, the forecast where None.
    """
    recent = seen[np.isfinite(seen).all(axis=1)][-LOOK_BACK_DAYS:]
    at = ends * seen.shape[1]
    column_h = DAY_HOURS / seen.shape[1]
    starts = np.concatenate([[0], at[:-1]])
    paths = forecast if blended is None else blended
    often = max(
        float(np.quantile(each[:, a:b], SELDOM))
        for each in (forecast, paths)
        for a, b in zip(starts, at, strict=True)
    )
    most = int(max(often, recent.max(initial=0), 1))
    lot = -(-most // MOST_LAYERS)
    layers = -(-most // lot)

    def monthly(each: Floats) -> Floats:
        lots = [_lots(each[:, a:b], lot, layers) for a, b in zip(starts, at, strict=True)]
        return np.asarray(column_h * np.stack(lots, axis=1))

    busy = monthly(paths)
    plain = busy if blended is None else monthly(forecast)
    group = _groups(paths, starts)
    members = [np.eye(GROUPS)[g] for g in group]
    size = np.maximum([m.sum(axis=0) for m in members], 1.0)
    by_group = np.stack([(m.T @ busy[:, j]) / size[j][:, None] for j, m in enumerate(members)])
    to_group = {
        months: np.stack([m.T @ members[j + months] / size[j][:, None] if j + months < len(ends) else
                          np.zeros((GROUPS, GROUPS)) for j, m in enumerate(members)])
        for months in TERM_MONTHS
    }  # fmt: skip
    back = _lots(recent.reshape(1, -1), lot, layers)[0] / max(recent.size, 1)
    return Foresight(
        lot=lot,
        hours=(at - starts) * column_h,
        busy=plain.mean(axis=0),
        firm=np.quantile(plain, 0.1, axis=0),
        looked_back=back,
        by_group=by_group,
        to_group=to_group,
    )


def _lots(need: Floats, lot: int, layers: int) -> Floats:
    """(S, K): columns of the need (S, C) in which each lot is busy; a lot partly needed counts by part."""
    size = (len(need), layers + 2)
    row = np.arange(len(need))[:, None] * size[1]
    units = np.minimum(need / lot, layers)
    full = units.astype(np.int64)
    part = units - full
    at_least = np.bincount(np.ravel(row + full), minlength=size[0] * size[1]).reshape(size)[:, ::-1]
    over = np.bincount(np.ravel(row + full + 1), np.ravel(part), size[0] * size[1]).reshape(size)
    return np.asarray((np.cumsum(at_least, axis=1)[:, ::-1] + over)[:, 1 : layers + 1])


def _groups(paths: Floats, starts: Ints) -> Ints:
    """(J, S): the group of each path at the beginning of each month, by its mean need of the month before."""
    count = len(paths)
    found = [np.zeros(count, dtype=np.int64)]
    for a, b in pairwise(starts):
        level = paths[:, a:b].mean(axis=1)
        found.append(np.argsort(np.argsort(level, kind="stable"), kind="stable") * GROUPS // count)
    return np.array(found)
