"""Counters that were read now and then, as what they rose by in windows of equal length.

A counter that falls was reset: it rises from 0 again (as in Prometheus's increase(), but without extrapolation).
What a counter rose by between two readings is spread evenly over the time between them; nothing is known of longer
silences, and nothing is made up for them.
"""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LENGTHS_S = (10, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 14_400, 21_600, 28_800, 43_200, 86_400)
"""Lengths of windows: each divides the day."""

SILENCE_S = 3_600.0
"""Readings further apart than this, and than five steps, have nothing between them."""


def step_of(series: list[Floats]) -> float:
    """Return the commonest time between two readings, seconds; NaN where no series has two.

    series: times of the readings, ascending.
    """
    gaps = np.concatenate([np.diff(times) for times in series]) if series else np.array([])
    if not len(gaps):
        return float("nan")
    values, counts = np.unique(np.round(gaps, 3), return_counts=True)
    return float(values[np.argmax(counts)])


def window_length_s(step_s: float) -> int:
    """Return the shortest length of window that holds a step.

    >>> window_length_s(15.0), window_length_s(420.0)
    (30, 600)
    """
    return next((length for length in LENGTHS_S if length >= step_s), LENGTHS_S[-1])


def rises(values: Floats) -> Floats:
    """Return what a counter rose by from each reading to the next, (n - 1,).

    >>> rises(np.array([5.0, 7.0, 3.0, 3.0])).tolist()
    [2.0, 3.0, 0.0]
    """
    steps = np.diff(values)
    return np.where(steps >= 0, steps, values[1:])


def in_windows(times: Floats, values: Floats, edges: Floats, step_s: float) -> Floats:
    """Return what a counter rose by in each window, (len(edges) - 1,); NaN where no reading covers any of it.

    times: (n,) seconds, ascending; values: (n,) readings; edges: the windows' borders.
    """
    total = np.full(len(edges) - 1, np.nan)
    if len(times) < 2:
        return total
    silent = np.diff(times) > max(SILENCE_S, 5 * step_s) + 0.5
    rise = rises(values)
    for first, last in _runs(silent):
        risen = np.concatenate([[0.0], np.cumsum(rise[first:last])])
        part = np.diff(np.interp(edges, times[first : last + 1], risen))
        covered = (edges[1:] > times[first]) & (edges[:-1] < times[last])
        total = np.where(covered, np.where(np.isnan(total), 0.0, total) + part, total)
    return total


def _runs(silent: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return (first, last) readings of each run without a silence, of two readings at least."""
    borders = [-1, *np.flatnonzero(silent).tolist(), len(silent)]
    return [(a + 1, b) for a, b in pairwise(borders) if b > a + 1]
