"""Robust levels: medians over several spans, weekday effects, a damped slope and the shape of past years."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecasting.calendar import WEEK_DAYS, History, spell_days

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

YEAR_DAYS = 364
"""52 whole weeks: the same weekday a year before."""
SLOW_DAYS = 182
MOST_YEARS = 8
ONE_YEAR_SHARE = 0.7
"""How much of a single past year's moves is taken as season: one year cannot tell season from wandering."""
WEEKDAY_WEEKS = 10
WEEKDAY_SHRINK = 0.3
STEEPEST_PER_DAY = 0.01
"""A slope is cut at 1% a day before it is damped: with phi = 0.98 it moves the level by at most 49%."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """One mixture of levels; all lengths in days.

        m(h) = L(h) + w[weekday] + slope_share b (phi + ... + phi^h) + year_share Y(h)
        L(h) = far + (near - far) e^(-h / fade) + slow_share (1 - e^(-h / slow_fade)) (slow - far)

    near, far, slow: medians of the newest 5, 21 and 182 days without weekday effects w; b: change between the
    newest two 28-day medians, per day; Y(h): how the level moved from the same point of past years.
    """

    near: int = 5
    far: int = 21
    fade: float = 40.0
    slow_share: float = 0.3
    slow_fade: float = 60.0
    slope_share: float = 0.1
    year_share: float = 0.8
    phi: float = 0.98


MIXTURES = (
    Levels(),
    Levels(fade=1e6, slow_share=0.0, slope_share=0.0),
    Levels(far=28, fade=5.0, slow_share=0.8, slow_fade=20.0, slope_share=0.0),
    Levels(fade=20.0, slow_share=0.0, slope_share=0.6, year_share=0.3),
)
"""Balanced; the newest level held; the long level; the trend. Chosen on nested origins (docs/forecasting.md)."""


def without_trend(mixtures: tuple[Levels, ...]) -> tuple[Levels, ...]:
    """Return the mixtures with no slope, for a growth scenario that the user states."""
    return tuple(replace(mixture, slope_share=0.0) for mixture in mixtures)


def predict_levels(history: History, origins: Ints, horizon: int, mixtures: tuple[Levels, ...]) -> Floats:
    """Return (M, O, H) log1p forecasts of each mixture from each origin (at least 60 days in)."""
    x = history.x
    effects = weekday_effects(x)[origins]
    recent = _recent(x, origins) - _spread(effects, origins - SLOW_DAYS, SLOW_DAYS)
    season = yearly_move(x, origins, horizon)
    weekday = _spread(effects, origins, horizon)
    return np.array([_predict(recent, season, m, horizon) + weekday for m in mixtures])


def level_shifts(history: History) -> tuple[str, ...]:
    """Return a sentence with the dates on which the level moved for good within the newest 182 days; () for none.

    A shift is dated by the first of its seven days; from then on the longer medians are set to the new level.
    """
    n = len(history.x)
    ends = np.arange(max(n - SLOW_DAYS, 6 * WEEK_DAYS) + 1, n + 1)
    if not ends.size:
        return ()
    shifted = np.zeros(n, dtype=np.bool_)
    recent = _recent(history.x, ends) - _spread(weekday_effects(history.x)[ends], ends - SLOW_DAYS, SLOW_DAYS)
    found = ends[_shifted(recent)[:, 0]] - WEEK_DAYS
    shifted[found[np.diff(found, prepend=-WEEK_DAYS) > WEEK_DAYS]] = True
    count = int(shifted.sum())
    if not count:
        return ()
    return (f"{count} level shift{'s' if count > 1 else ''} taken up: {spell_days(history.first, shifted)}",)


def weekday_effects(x: Floats) -> Floats:
    """Return (n + 1, 7): row t holds the weekday effects that x[:t] gives, column = position modulo 7.

    Median residual from the centred 7-day mean over the newest 10 weeks, times n / (n + 0.3) for n weeks.
    """
    n = len(x)
    centre = pd.Series(x).rolling(WEEK_DAYS, center=True, min_periods=WEEK_DAYS).mean().to_numpy()
    rows = -(-n // WEEK_DAYS)
    padded = np.full(rows * WEEK_DAYS, np.nan)
    padded[:n] = x - centre
    table = pd.DataFrame(padded.reshape(rows, WEEK_DAYS)).rolling(WEEKDAY_WEEKS, min_periods=1)
    median, count = table.median().to_numpy(), table.count().to_numpy()
    shrunk = np.nan_to_num(median * count / (count + WEEKDAY_SHRINK))
    out = np.zeros((n + 1, WEEK_DAYS))
    for column in range(WEEK_DAYS):
        last = (np.arange(n + 1) - 4 - column) // WEEK_DAYS  # row of the newest residual whose window has ended
        known = last >= 0
        out[known, column] = shrunk[last[known], column]
    return np.asarray(out - out.mean(axis=1, keepdims=True))


def yearly_move(x: Floats, origins: Ints, horizon: int) -> Floats:
    """Return (O, H): how the level moved h days on from this point of past years, without the year's growth.

        Y(h) = median over years k of S[t - 364 k + h] - L[t - 364 k] - h / 364 (L[t - 364 (k - 1)] - L[t - 364 k])

    S: smoothed x; L: median of the 21 days before. Times ONE_YEAR_SHARE where less than two years are known, zero
    where less than one is.
    """
    smooth = (
        pd.Series(x).rolling(7, center=True, min_periods=1).median().rolling(7, center=True, min_periods=1).mean()
    )
    level = smooth.to_numpy(dtype=np.float64)
    before = pd.Series(x).rolling(21, min_periods=1).median().to_numpy(dtype=np.float64)
    season = np.zeros((len(origins), horizon))
    h = np.arange(horizon) % YEAR_DAYS
    for i, t in enumerate(origins):
        years = min((int(t) - 21) // YEAR_DAYS, MOST_YEARS)
        if years < 1:
            continue
        starts = int(t) - YEAR_DAYS * np.arange(1, years + 1)[:, None]
        index = np.minimum(starts + h[None], int(t) - 8)  # centred smoothing must not see beyond t
        growth = before[starts + YEAR_DAYS - 1] - before[starts - 1]
        moves = level[index] - before[starts - 1] - growth * (h / YEAR_DAYS)[None]
        season[i] = np.median(moves, axis=0) * (1.0 if years > 1 else ONE_YEAR_SHARE)
    return season


def _recent(x: Floats, origins: Ints) -> Floats:
    """(O, 182): the days before each origin, NaN before the series began."""
    padded = np.concatenate([np.full(SLOW_DAYS, np.nan), x])
    return np.asarray(padded[origins[:, None] + np.arange(SLOW_DAYS)[None]])


def _spread(effects: Floats, start: Ints, days: int) -> Floats:
    """Effects (O, 7) by position modulo 7, over `days` days from each start."""
    position = (start[:, None] + np.arange(days)[None]) % WEEK_DAYS
    return np.take_along_axis(effects, position, axis=1)


def _predict(recent: Floats, season: Floats, m: Levels, horizon: int) -> Floats:
    h = np.arange(1, horizon + 1)[None]
    near, far, slow = (_median(recent, days) for days in (m.near, m.far, SLOW_DAYS))
    shifted = _shifted(recent)
    far, slow = np.where(shifted, near, far), np.where(shifted, near, slow)
    level = far + (near - far) * np.exp(-h / m.fade) + m.slow_share * (1 - np.exp(-h / m.slow_fade)) * (slow - far)
    slope = (_median(recent, 28) - np.median(recent[:, -56:-28], axis=1, keepdims=True)) / 28.0
    slope = np.clip(slope, -STEEPEST_PER_DAY, STEEPEST_PER_DAY)
    damped = m.phi * (1 - m.phi**h) / (1 - m.phi)
    return np.asarray(level + m.slope_share * slope * damped + m.year_share * season)


def _median(recent: Floats, days: int) -> Floats:
    part = recent[:, -days:]
    return np.asarray(
        np.nanmedian(part, axis=1, keepdims=True) if days > 56 else np.median(part, axis=1, keepdims=True)
    )


def _shifted(recent: Floats) -> npt.NDArray[np.bool_]:
    """(O, 1): whether the newest 7 days all lie far on one side of the 28 before: a level shift, not noise."""
    near = _median(recent, 7)
    old = recent[:, -35:-7]
    before = np.median(old, axis=1, keepdims=True)
    noise = 1.4826 * np.median(np.abs(old - before), axis=1, keepdims=True)
    jump = np.abs(near - before)
    beyond = np.abs(recent[:, -7:] - before).min(axis=1, keepdims=True) > 0.5 * jump
    return np.asarray((jump > np.maximum(6 * noise, np.log(1.5))) & beyond)
