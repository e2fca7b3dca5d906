"""How good a forecast was: quantile loss against the seasonal naive, and coverage."""

import numpy as np
import numpy.typing as npt

from forecasting.calendar import WEEK_DAYS

Floats = npt.NDArray[np.float64]

SCORED = (0.1, 0.5, 0.9)
"""Quantiles whose pinball losses are averaged."""


def pinball(actual: Floats, quantiles: Floats) -> float:
    """Return the mean pinball loss (doubled, so that the median's is the absolute error) of quantiles (3, D).

    >>> pinball(np.array([10.0]), np.array([[8.0], [10.0], [12.0]]))  # (2 * 0.1 * 2 + 0 + 2 * 0.1 * 2) / 3
    0.26666666666666666
    """
    q = np.array(SCORED)[:, None]
    gap = actual[None] - quantiles
    return float(np.mean(2 * np.maximum(q * gap, (q - 1) * gap)))


def coverage(actual: Floats, low: Floats, high: Floats) -> float:
    """Return the share of days inside [low, high]."""
    return float(np.mean((actual >= low) & (actual <= high)))


def naive_quantiles(y: Floats, horizon: int) -> Floats:
    """Return (3, H): last week repeated, with normal intervals from its own errors, widening by whole weeks.

    sigma(h) = rmse(y_t - y_{t-7}) sqrt(1 + floor((h - 1) / 7))
    """
    steps = np.arange(horizon)
    past = y[-1096:]
    point = past[-WEEK_DAYS:][steps % min(WEEK_DAYS, len(past))]
    gap = past[WEEK_DAYS:] - past[:-WEEK_DAYS]
    sigma = np.sqrt(np.mean(gap**2)) if gap.size else 0.0
    z = np.array([-1.281552, 0.0, 1.281552])[:, None]
    return np.maximum(point[None] + z * sigma * np.sqrt(steps // WEEK_DAYS + 1)[None], 0.0)
