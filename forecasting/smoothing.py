"""Exponential smoothing with a damped trend and a weekly season: a bank of parameters, run once over the past."""

import numpy as np
import numpy.typing as npt

from forecasting.calendar import WEEK_DAYS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

ALPHAS = (0.03, 0.1, 0.3)
"""How much of an error the level takes up."""
GAMMAS = (0.03, 0.15)
"""How much of the rest the weekday takes up."""
TRENDS = ((0.0, 0.97), (0.05, 0.97), (0.05, 0.99))
"""(beta, phi): the share of the level's step that its slope takes up, and what is left of a slope a day later."""
WARM_UP_DAYS = 400
"""Days smoothed before the first origin: with alpha 0.03 nothing of the start is left."""
START_DAYS = 28


def smooth(x: Floats, origins: Ints, horizon: int, *, trend: bool = True) -> Floats:
    """Return (K, O, H) forecasts of the log series x (n,) from each origin, one for each of K parameter sets.

        e = x_t - l - phi b - s[weekday]
        l <- l + phi b + alpha e,   b <- phi b + alpha beta e,   s[weekday] <- s[weekday] + gamma (1 - alpha) e
        forecast(h) = l + (phi + ... + phi^h) b + s[weekday of h]

    One pass gives the forecast of every origin: the parameters are not fitted, the sets are weighed by their own
    past errors afterwards (`weights.weighted`). origins: ascending, each at least 14. `trend=False` leaves out
    the sets with a slope. Source: Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., ch. 8.
    """
    alpha, gamma, beta, phi = _bank(trend)
    first = max(0, int(origins[0]) - WARM_UP_DAYS)
    level, trends, season = _run(x[first:], origins - first, alpha, gamma, beta, phi)
    h = np.arange(horizon)
    damped = np.cumsum(phi[:, None] ** (h + 1), axis=1)
    out = level[:, :, None] + trends[:, :, None] * damped[:, None]
    return np.asarray(out + season[:, :, h % WEEK_DAYS])


def _bank(trend: bool) -> tuple[Floats, Floats, Floats, Floats]:
    trends = TRENDS if trend else TRENDS[:1]
    grid = [(a, g, b, phi) for a in ALPHAS for g in GAMMAS for b, phi in trends]
    alpha, gamma, beta, phi = np.array(grid).T
    return alpha, gamma, beta, phi


def _run(
    x: Floats, origins: Ints, alpha: Floats, gamma: Floats, beta: Floats, phi: Floats
) -> tuple[Floats, Floats, Floats]:
    """State before each origin: level (K, O), trend (K, O), season (K, O, 7) from the origin's weekday on."""
    level, slope, season = _start(x[: min(START_DAYS, int(origins[0]))], len(alpha))
    levels, slopes = np.empty((len(origins), len(alpha))), np.empty((len(origins), len(alpha)))
    seasons = np.empty((len(origins), WEEK_DAYS, len(alpha)))
    rise, turn = alpha * beta, gamma * (1 - alpha)
    values, t = x.tolist(), 0
    for i, origin in enumerate(origins.tolist()):
        for t in range(t, origin):  # noqa: B020 - goes on where the last origin stopped
            day = t % WEEK_DAYS
            slope = phi * slope
            level = level + slope
            error = values[t] - level - season[day]
            level = level + alpha * error
            slope = slope + rise * error
            season[day] += turn * error
        t = origin
        levels[i], slopes[i] = level, slope
        seasons[i] = np.roll(season, -(origin % WEEK_DAYS), axis=0)
    return levels.T, slopes.T, seasons.transpose(2, 0, 1)


def _start(x: Floats, sets: int) -> tuple[Floats, Floats, Floats]:
    """Median level, no slope, and how each weekday's mean differs over whole weeks."""
    weeks = len(x) // WEEK_DAYS
    table = x[: weeks * WEEK_DAYS].reshape(weeks, WEEK_DAYS)
    season = np.repeat((table.mean(axis=0) - table.mean())[:, None], sets, axis=1)
    return np.full(sets, np.median(x)), np.zeros(sets), season
