"""Intervals from the pipeline's own past errors: conformal, pooled over neighbouring horizons, monotone in h."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy import special

from forecasting.calendar import WEEK_DAYS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

KNOTS = (0.005, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.995)
"""Probabilities at which the error distribution is kept; between them it is linear in the normal score."""
SCORES_AT_KNOTS = special.ndtri(KNOTS)
SHAPE = (-3.6, -2.0, -1.45, -1.0, -0.45, 0.0, 0.45, 1.0, 1.45, 2.0, 3.6)
"""Quantiles of log errors in units of the 80% half-width: wider in the tails than a normal (2.01 at 0.005)."""
DRIFT_30_DAYS = 0.18
"""Half-width (log) that a level drifts by in 30 days where a series cannot tell for itself."""
PRIOR_STRETCHES = 9.0
"""Weight of that drift curve, in independent stretches of the horizon's length."""
UNKNOWN_HALF_WIDTH = 0.35
"""Half-width (log) of the first week where a series has too few errors of its own."""
OWN_LEVEL = 0.83
"""Quantile of past |errors| taken as the 80% half-width: what comes is a little rougher than what was."""
SURGE_WEEKS, SURGE_SHARE, SURGE_FADE_DAYS = 8, 0.5, 90.0
MOST_SURGE = 1.2
LEAST_HALF_WIDTH = 1e-4
LEVELS_KEPT = 26
"""Highest known level: the largest of the newest 26 medians of 28 days (two years)."""
MEDIAN_CAP, UPPER_CAP = 3.0, 8.0
"""Data alone never forecasts a median above 3 times, nor any quantile above 8 times, the highest known level."""


class Predictive(Protocol):
    """The marginal distribution of every forecast day."""

    def ppf(self, p: Floats) -> Floats:
        """Return (K, H): the quantiles p (K,) of each day, non-decreasing in p and never negative."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPredictive:
    """Log-scale median plus an error distribution that widens with the horizon.

    centre: (H,) median of log1p. half_width: (H,) non-decreasing. shape: quantiles of the error at KNOTS in
    half-widths. ceiling: log1p of the highest value that any quantile may take.
    """

    centre: Floats
    half_width: Floats
    shape: Floats
    ceiling: float

    def ppf(self, p: Floats) -> Floats:
        """Return the quantiles, by interpolation in normal scores between the knots and held beyond them."""
        offset = np.interp(special.ndtri(p), SCORES_AT_KNOTS, self.shape)
        x = np.minimum(self.centre[None] + offset[:, None] * self.half_width[None], self.ceiling)
        return np.asarray(np.expm1(np.maximum(x, 0.0)))


def log_predictive(seen: Floats, centre: Floats, half_width: Floats) -> LogPredictive:
    """Centre and half-width with the caps on what data alone may forecast, from the levels seen so far."""
    weeks = len(seen) // 28
    highest = float(np.median(seen))
    if weeks:
        highest = float(np.median(seen[len(seen) - weeks * 28 :].reshape(weeks, 28), axis=1)[-LEVELS_KEPT:].max())
    level = np.expm1(highest)
    return LogPredictive(
        centre=np.minimum(centre, np.log1p(MEDIAN_CAP * level)),
        half_width=half_width,
        shape=np.array(SHAPE),
        ceiling=float(np.log1p(UPPER_CAP * level)),
    )


def half_widths(errors: Floats, horizon: int) -> Floats:
    """Return (horizon,) the 80% half-width of log errors (O, H) with NaN = not known, non-decreasing in h.

        log s(h) = (n(h) log own(h) + k log prior(h)) / (n(h) + k) + surge e^(-h / 90)
        prior(h)^2 = first^2 + drift^2 (h - 4) / 30

    errors: one row per weekly origin, oldest first. own(h): 83rd percentile of |error| over horizons within a
    factor 1.4 of h; n(h): how many stretches of h days the origins span; first: own width of the first week
    (its middle is day 4); drift: what a level moves in 30 days, as a random walk does; surge: half of what the
    newest 8 weeks' errors (log) exceed the usual ones by, because rough times cluster.
    """
    h = np.arange(1, horizon + 1)
    first = _pooled(errors, 1, WEEK_DAYS)
    first = UNKNOWN_HALF_WIDTH if np.isnan(first) else max(first, LEAST_HALF_WIDTH)
    prior = np.sqrt(first**2 + DRIFT_30_DAYS**2 * np.maximum(h - 4, 0) / 30)
    grid = np.unique(np.round(np.geomspace(1, horizon, 16)).astype(np.int64))
    logs = np.empty(len(grid))
    for i, at in enumerate(grid):
        own = _pooled(errors, int(at / 1.4), int(np.ceil(at * 1.4)))
        n = 0.0 if np.isnan(own) else _stretches(errors, int(at))
        own = prior[at - 1] if np.isnan(own) else max(own, LEAST_HALF_WIDTH)
        logs[i] = (n * np.log(own) + PRIOR_STRETCHES * np.log(prior[at - 1])) / (n + PRIOR_STRETCHES)
    widths = np.interp(np.log(h), np.log(grid), logs) + _surge(errors) * np.exp(-h / SURGE_FADE_DAYS)
    return np.maximum.accumulate(np.exp(widths))


def normal_scores(
    persistence: Sequence[Floats],
    level_sd: Sequence[Floats],
    noise_corr: Floats,
    level_corr: Floats,
    *,
    paths: int,
    rng: np.random.Generator,
) -> Floats:
    """Return (Q, S, H) standard normal scores of Q quantities whose days hang together as forecast errors do.

    A walk whose standard deviation follows level_sd (one non-decreasing (H,) a quantity, in any unit) carries the
    share `persistence` (H,) of each day's variance, noise of the day the rest. What is not known of the level on
    the first day stays wrong on all of them; what is only drift comes in step by step. So near days differ mostly
    by noise, far days by the level that all days of a path share. `noise_corr` and `level_corr` (Q, Q) join the
    quantities within the day and in the walk.
    """
    share, sd = np.array(persistence)[:, None, :], np.array(level_sd)[:, None, :]
    shape = (len(persistence), paths, share.shape[2])
    steps = np.tensordot(np.linalg.cholesky(level_corr), rng.standard_normal(shape), axes=1)
    gained = np.sqrt(np.maximum(np.diff(sd**2, axis=2, prepend=0.0), 0.0))
    walk = np.cumsum(gained * steps, axis=2) / np.maximum(sd, 1e-12)
    noise = np.tensordot(np.linalg.cholesky(noise_corr), rng.standard_normal(shape), axes=1)
    return np.asarray(np.sqrt(share) * walk + np.sqrt(1 - share) * noise)


def sample_paths(predictive: Predictive, scores: Floats) -> Floats:
    """Return (S, H) paths that have exactly the marginal distribution, in the order of the scores (S, H).

    Each day takes S evenly spaced quantiles, dealt out by the rank of its scores (Schaake shuffle; Clark et al.
    2004, https://doi.org/10.1175/1525-7541(2004)005<0243:TSSAMF>2.0.CO;2), so that means and quantiles over
    the paths are those of the forecast and paths keep their course.
    """
    paths = scores.shape[0]
    levels = predictive.ppf((np.arange(paths) + 0.5) / paths)
    by_day = np.ascontiguousarray(scores.T)  # each day's scores side by side sort twice as fast
    dealt = np.empty_like(by_day)
    np.put_along_axis(dealt, np.argsort(by_day, axis=1), levels.T, axis=1)
    return np.ascontiguousarray(dealt.T)


def persistence_share(errors: Floats, half_width: Floats, seen: Floats) -> Floats:
    """Return (H,) the share of each day's error variance that its neighbours share, 0 to 0.98.

    Noise of the day comes from the steps between neighbouring days' errors (O, H), which differ by twice its
    variance; where the history is too short for errors, from how such steps of the log series `seen` (n,) differ
    from those a week before (four times its variance). With neither, all of the first day's width is noise.
    """
    steps = np.diff(errors, axis=1) if errors.size else np.full((1, 1), np.nan)
    noise = _noise(steps, 2.0)
    if np.isnan(noise):
        noise = _noise(np.diff(seen[7:] - seen[:-7]), 4.0)
    if np.isnan(noise):
        noise = float(half_width[0])
    return np.asarray(np.clip(1 - (noise / np.maximum(half_width, 1e-9)) ** 2, 0.0, 0.98))


def _noise(steps: Floats, variances: float) -> float:
    """Half-width of the 80% band of one day's noise, from differences that hold `variances` times its variance."""
    known = steps[np.isfinite(steps)]
    if not known.size:
        return float("nan")
    return 1.28 * 1.4826 * float(np.median(np.abs(known))) / float(np.sqrt(variances))


def _surge(errors: Floats) -> float:
    """How much rougher (log) the newest weeks were than usual, halved; 0 where they were calmer or few."""
    if len(errors) < 3 * SURGE_WEEKS:
        return 0.0
    recent, usual = _pooled(errors[-SURGE_WEEKS:], 1, 14), _pooled(errors, 1, 14)
    if np.isnan(recent) or np.isnan(usual):
        return 0.0
    rougher = np.log(max(recent, LEAST_HALF_WIDTH) / max(usual, LEAST_HALF_WIDTH))
    return float(SURGE_SHARE * np.clip(rougher, 0.0, MOST_SURGE))


def _pooled(errors: Floats, start: int, stop: int) -> float:
    """OWN_LEVEL quantile of |error| over horizons start..stop (1-based, inclusive); NaN below 5 values."""
    part = np.abs(errors[:, max(start, 1) - 1 : stop])
    part = part[np.isfinite(part)]
    return float(np.quantile(part, OWN_LEVEL)) if part.size >= 5 else float("nan")


def _stretches(errors: Floats, h: int) -> float:
    """How many stretches of h days the known errors at h amount to (origins lie one week apart)."""
    if h > errors.shape[1]:
        return 0.0
    known = int(np.isfinite(errors[:, h - 1]).sum())
    return known * WEEK_DAYS / max(h, WEEK_DAYS)
