"""What a change makes of a plan, horizon by horizon: differences path by path, on the same paths."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from forecasting.spread import Spread

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

Number = TypeVar("Number", np.int64, np.float64)

GPU_QUANTILES = (0.5, 0.8, 0.95)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A change over one horizon: GPUs more at p50, p80 and p95 of the largest daily fleet, and USD more.

    usd: over the paths, None where a price is unknown.
    """

    days: int
    gpus: tuple[int, int, int]
    usd: Spread | None


def gpu_quantiles(gpus: Ints, days: int) -> tuple[int, int, int]:
    """Return p50, p80 and p95 over the paths of the largest daily fleet within the first days of (S, D) GPUs.

    A quantile is a path's own fleet, never one between two: half a GPU cannot be rented.

    >>> gpu_quantiles(np.array([[1, 2, 9], [3, 4, 1], [5, 6, 1]]), 2)
    (4, 6, 6)
    """
    largest = np.sort(gpus[:, :days].max(axis=1))
    p50, p80, p95 = (int(n) for n in np.quantile(largest, GPU_QUANTILES, method="higher"))
    return p50, p80, p95


def spliced(base: npt.NDArray[Number], parts: Sequence[tuple[int, npt.NDArray[Number]]]) -> npt.NDArray[Number]:
    """Return base (S, D) with each part (S, D - first) in its place from its first day on, later ones on top."""
    out = np.array(base)
    for first, values in parts:
        out[:, first:] = values
    return out


def differences(
    planned_gpus: Ints, changed_gpus: Ints, usd: Floats | None, horizons: Sequence[int]
) -> list[Difference]:
    """Return the difference over each horizon. usd: (S, D) more than planned, None = unknown."""
    found = []
    for days in horizons:
        before, after = gpu_quantiles(planned_gpus, days), gpu_quantiles(changed_gpus, days)
        more = (after[0] - before[0], after[1] - before[1], after[2] - before[2])
        spread = None if usd is None else Spread.of(usd[:, :days].sum(axis=1))
        found.append(Difference(days=days, gpus=more, usd=spread))
    return found
