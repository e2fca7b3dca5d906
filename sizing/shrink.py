"""Multipliers that settings share, shrunk to nothing where few points speak for them: a linear mixed model.

Each residual is the sum of one effect for every subset of its key (model, GPU, engine, precision), one for its
sweep, and noise, all normal with the standard deviations below. Under that model the residuals have a known
covariance, which whitens them for the fit of physics, and the effects have best linear unbiased predictors
(Henderson 1975, https://doi.org/10.2307/2529430), which are the multipliers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_solve, cholesky, solve_triangular

from sizing.calibration import LEVELS, RELEASE_LEVELS, Key

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spreads:
    """Standard deviations, in logs: of effects by how many parts of a key they join, of a sweep, of noise.

    releases: of effects of an engine's release: on all it runs, on one model, on one setting.
    limit: residuals beyond it (a run that went wrong) count as this large.
    """

    effects: tuple[float, float, float, float]
    releases: tuple[float, float, float]
    series: float
    noise: float
    limit: float

    def of(self, level: Sequence[int]) -> float:
        """Return the standard deviation of the effects of one level of a key."""
        if 4 in level:
            return self.releases[RELEASE_LEVELS.index(tuple(level))]
        return self.effects[len(level) - 1]


SLOW = Spreads(effects=(0.10, 0.08, 0.08, 0.08), releases=(0.04, 0.06, 0.08), series=0.05, noise=0.08, limit=1.0)
"""Of all times. Repeats of one measurement differ by 5-10%; held-out error hardly moves when these are halved or
doubled (docs/sizing.md)."""

WAIT = Spreads(effects=(0.15, 0.12, 0.12, 0.20), releases=(0.03, 0.05, 0.10), series=0.05, noise=0.20, limit=1.5)
"""Of the time to first token, which recipes change more than they change throughput."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """The mixed model of N residuals. names: of the K multipliers; shared: (K, N) covariance of multipliers and
    residuals; lower: (N, N) Cholesky factor of the residuals' covariance.
    """

    names: tuple[str, ...]
    shared: Floats
    lower: Floats
    limit: float

    def whiten(self, residuals: Floats) -> Floats:
        """Return (N,) residuals that are independent and of unit variance if the model is right."""
        return np.asarray(solve_triangular(self.lower, residuals, lower=True))

    def multipliers(self, residuals: Floats) -> dict[str, float]:
        """Return the log multiplier of every name."""
        clipped = np.clip(residuals, -self.limit, self.limit)
        weights = cho_solve((self.lower, True), clipped)
        return {name: float(value) for name, value in zip(self.names, self.shared @ weights, strict=True)}


def effects(keys: Sequence[Key], series: npt.NDArray[np.str_], spreads: Spreads) -> Effects:
    """Return the mixed model of residuals with these keys and sweeps."""
    names: dict[str, int] = {}
    places = np.array([[names.setdefault(key.at(level), len(names)) for level in LEVELS] for key in keys])
    design = np.zeros((len(keys), len(names)))
    np.put_along_axis(design, places, 1.0, axis=1)
    variance = np.zeros(len(names))
    for column, level in enumerate(LEVELS):
        variance[places[:, column]] = spreads.of(level) ** 2
    shared = (design * variance).T
    same_sweep = (series[:, None] == series[None, :]) * spreads.series**2
    covariance = design @ shared + same_sweep + np.eye(len(keys)) * spreads.noise**2
    lower = cholesky(covariance, lower=True)
    return Effects(names=tuple(names), shared=shared, lower=np.asarray(lower), limit=spreads.limit)


def total(table: dict[str, float], keys: Sequence[Key]) -> Floats:
    """Return (N,): the sum of each key's multipliers; a name that was never seen counts 0."""
    return np.array([sum(table.get(key.at(level), 0.0) for level in LEVELS) for key in keys], dtype=np.float64)
