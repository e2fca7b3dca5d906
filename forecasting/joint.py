"""One set of paths for all that a workload asks: forecast series by series, joined as they were seen to move."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecasting.intervals import normal_scores, sample_paths
from forecasting.series import SeriesForecast

Floats = npt.NDArray[np.float64]

CORRELATION_DAYS = 180
LEAST_DAYS = 10
SHRINK_DAYS = 30.0
PEAK_LEVEL_CORRELATION = 0.9
"""Assumed: the level of the busiest window follows the level of the day (their noise is measured apart)."""


def is_volume(name: str) -> bool:
    """Return whether a series counts requests (of the day, or of its busiest window), not the length of one."""
    return name == "requests" or name.startswith("peak")


def joint_paths(
    series: dict[str, Floats],
    forecasts: dict[str, SeriesForecast],
    *,
    gap: int,
    paths: int,
    rng: np.random.Generator,
) -> dict[str, Floats]:
    """Return sample paths (S, D) of each forecast, without the first `gap` days, joined by residual correlation.

    series: (n,) what was seen of each, by the same names.
    """
    names = list(forecasts)
    noise = correlation({name: series[name] for name in names})
    scores = normal_scores(
        [forecasts[name].persistence for name in names],
        [forecasts[name].level_sd for name in names],
        noise,
        level_correlation(noise, names),
        paths=paths,
        rng=rng,
    )
    return {name: sample_paths(forecasts[name].predictive, scores[i])[:, gap:] for i, name in enumerate(names)}


def correlation(series: dict[str, Floats]) -> Floats:
    """Return (Q, Q) correlation of daily log residuals from their 15-day median, shrunk by n / (n + 30).

    Each pair over the days of the newest 180 that know both, none below 10 days; then made positive definite.
    """
    logs = pd.DataFrame({name: np.log1p(values) for name, values in series.items()}).tail(CORRELATION_DAYS)
    residual = logs - logs.rolling(15, center=True, min_periods=5).median()
    clipped = residual.clip(residual.quantile(0.02), residual.quantile(0.98), axis=1)
    known = clipped.notna().to_numpy(dtype=np.float64)
    shared = known.T @ known
    found = clipped.corr(min_periods=LEAST_DAYS).fillna(0.0).to_numpy(dtype=np.float64)
    out = found * shared / (shared + SHRINK_DAYS)
    np.fill_diagonal(out, 1.0)
    return _definite(out)


def level_correlation(noise: Floats, names: list[str]) -> Floats:
    """How levels move together: peaks with requests by assumption, token lengths as they do day by day."""
    out = noise.copy()
    volume = np.array([is_volume(name) for name in names])
    out[np.ix_(volume, ~volume)] = out[np.ix_(~volume, volume)] = 0.0
    out[np.ix_(volume, volume)] = np.where(np.eye(int(volume.sum())) > 0, 1.0, PEAK_LEVEL_CORRELATION)
    return out


def _definite(matrix: Floats) -> Floats:
    """The matrix with eigenvalues of at least 1e-6 and a diagonal of ones: pairs over different days may clash."""
    values, vectors = np.linalg.eigh(matrix)
    if values[0] >= 1e-6:
        return matrix
    lifted = (vectors * np.maximum(values, 1e-6)) @ vectors.T
    scale = 1 / np.sqrt(np.diag(lifted))
    return np.asarray(lifted * scale[:, None] * scale[None])
