"""Token lengths where a source states only a mean and some percentiles: two readings of the same few numbers.

`fit` gives the lognormal that stands in for moments nobody stated; `mixture_quantiles` gives percentiles of
several windows together that stay true to each window's stated ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq, minimize_scalar
from scipy.special import ndtr, ndtri

from data.traffic import PERCENTILES

Floats = npt.NDArray[np.float64]

_Z = np.asarray(ndtri(PERCENTILES), dtype=np.float64)
_MAX_SIGMA = 4.0
_LEAST_TOK = 0.5
"""Stands for a stated percentile of 0 tokens, which has no logarithm."""


@dataclass(frozen=True, slots=True)
class LogNormal:
    """ln X is normal with mean `mu` and standard deviation `sigma`."""

    mu: float
    sigma: float

    @property
    def mean(self) -> float:
        """E[X] = exp(mu + sigma^2 / 2)."""
        return float(np.exp(self.mu + self.sigma**2 / 2))

    def moment_above(self, power: int, threshold: float) -> float:
        """Return E[X^k; X > t], the part of a moment that lies above a length; t = 0 gives the whole moment.

            E[X^k; X > t] = exp(k mu + k^2 sigma^2 / 2) Phi((mu + k sigma^2 - ln t) / sigma)

        >>> round(LogNormal(0.0, 1.0).moment_above(1, 0.0), 3)
        1.649
        """
        whole = float(np.exp(power * self.mu + power**2 * self.sigma**2 / 2))
        if threshold <= 0:
            return whole
        return whole * float(ndtr((self.mu + power * self.sigma**2 - np.log(threshold)) / self.sigma))

    def slices(self, edges: Sequence[float]) -> tuple[Floats, Floats]:
        """Return (means, weights), (n,) each: the mean length between neighbouring quantiles, and its share.

        edges: (n + 1,) increasing probabilities from 0 to 1. The means, so weighted, add up to E[X] exactly.
        """
        shares = np.asarray(edges, dtype=np.float64)
        z = ndtri(shares)
        # E[X; X <= q] / E[X] = Phi(z_q - sigma)
        parts = np.diff(ndtr(z - self.sigma))
        weights = np.diff(shares)
        return self.mean * parts / weights, weights


def fit(mean_tok: float, percentiles_tok: Sequence[float]) -> LogNormal | None:
    """Return the lognormal of this mean whose log-percentiles are nearest to the stated ones, or None.

        mu = ln m - sigma^2 / 2;  sigma = argmin sum_p (mu + sigma z_p - ln q_p)^2

    percentiles_tok: lengths at PERCENTILES, NaN where not stated. None where the mean or every percentile is
    unknown or 0. The mean is kept exactly, because budgets add up means.
    """
    stated = np.asarray(percentiles_tok, dtype=np.float64)
    known = np.isfinite(stated)
    if not np.isfinite(mean_tok) or mean_tok <= 0 or not known.any():
        return None
    logs, z, log_mean = np.log(np.maximum(stated[known], _LEAST_TOK)), _Z[known], np.log(mean_tok)

    def misfit(sigma: float) -> float:
        return float(np.sum((log_mean - sigma**2 / 2 + sigma * z - logs) ** 2))

    sigma = float(minimize_scalar(misfit, bounds=(1e-3, _MAX_SIGMA), method="bounded").x)
    return LogNormal(float(log_mean - sigma**2 / 2), sigma)


def add_up(parts: Sequence[LogNormal]) -> LogNormal:
    """Return the lognormal with the mean and variance of a sum of independent parts (text + image tokens).

    Source: Fenton 1960, https://doi.org/10.1109/TCOM.1960.1097606.
    """
    mean = sum(part.mean for part in parts)
    variance = sum(part.mean**2 * np.expm1(part.sigma**2) for part in parts)
    sigma_sq = float(np.log1p(variance / mean**2))
    return LogNormal(float(np.log(mean) - sigma_sq / 2), sigma_sq**0.5)


def mixture_quantiles(percentiles_tok: npt.ArrayLike, weights: npt.ArrayLike) -> Floats:
    """Return the lengths at PERCENTILES of several windows together, or NaN where none states them.

    percentiles_tok: (W, P) each window's stated lengths at PERCENTILES; weights: (W,) their requests. Each
    window's log-length is taken as piecewise linear in the normal score through its stated points (the end pieces
    carried on), so that a single window gives back what it stated.
    """
    stated = np.asarray(percentiles_tok, dtype=np.float64)
    shares = np.asarray(weights, dtype=np.float64)
    use = np.isfinite(stated).all(axis=1) & (shares > 0)
    if not use.any():
        return np.full(len(PERCENTILES), np.nan)
    # Equal percentiles would make a step; a hair of slope keeps the curve invertible.
    logs = np.log(np.maximum(stated[use], _LEAST_TOK)) + 1e-12 * np.arange(len(PERCENTILES))
    shares = shares[use] / shares[use].sum()
    return np.array([_quantile(p, logs, shares) for p in PERCENTILES])


def _quantile(p: float, logs: Floats, shares: Floats) -> float:
    def excess(log_tok: float) -> float:
        return float(shares @ ndtr(_scores(log_tok, logs))) - p

    column = PERCENTILES.index(p)
    low, high = float(logs[:, column].min()) - 1e-6, float(logs[:, column].max()) + 1e-6
    return float(np.exp(brentq(excess, low, high, xtol=1e-13)))


def _scores(log_tok: float, logs: Floats) -> Floats:
    """Return the normal score of one length in each window, (W,)."""
    piece = np.clip((logs[:, 1:-1] < log_tok).sum(axis=1), 0, len(_Z) - 2)
    rows = np.arange(len(logs))
    low, high = logs[rows, piece], logs[rows, piece + 1]
    return np.asarray(_Z[piece] + (log_tok - low) / (high - low) * (_Z[piece + 1] - _Z[piece]))
