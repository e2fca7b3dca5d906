"""Peaks finer than the data: how counts scatter in short windows, by the workload's own index of dispersion."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]

POISSON = 1.0
USUAL_SLOPE = 1.0
"""Of a rate that wanders more slowly than the windows. What coarser windows say of finer ones is a guess: halfway
between it and the slope that was measured, five Twitter counts by the hour tell those by five minutes best
(docs/forecasting.md)."""
LEAST_WINDOWS = 30
"""Triples of neighbouring windows below which an index is not told."""
BUSIEST = 30
"""Windows of a day that may hold its busiest moment: the others are out of reach."""
BISECTIONS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispersion:
    """How the index of dispersion (variance over mean of a window's count) shrinks with the window.

        I(w) = floor + (I(w0) - floor) (w / w0)^slope

    floor: what is left in the shortest windows: 1 for independent arrivals (Poisson), the squared coefficient of
    variation of the gaps where the source states it (renewal theory: Cox & Miller, The Theory of Stochastic
    Processes, 1965, ch. 9). slope: 1 where the rate itself wanders more slowly than the window, 0 for bursts
    shorter than it.
    """

    window_s: int
    index: float
    floor: float
    slope: float

    def at(self, window_s: float) -> float:
        """Return the index in windows of another length, in seconds.

        >>> Dispersion(window_s=600, index=61.0, floor=1.0, slope=1.0).at(10)
        2.0
        """
        above = max(self.index - self.floor, 0.0)
        return (
            self.floor + above * (window_s / self.window_s) ** self.slope if above else min(self.index, self.floor)
        )


def index_of_dispersion(counts: Floats) -> float:
    """Return the variance over the mean of the counts (n,) in consecutive windows, NaN = gap; NaN where untold.

    The variance is that about the straight line through neighbours, so that the hours of the day do not count:

        Var = mean (N[i-1] - 2 N[i] + N[i+1])^2 / 6

    >>> index_of_dispersion(np.tile([4.0, 8.0], 20))  # second differences of 8: 64 / 6 over a mean of 6
    1.7777777777777777
    """
    second = counts[:-2] - 2 * counts[1:-1] + counts[2:]
    known = second[np.isfinite(second)]
    mean = float(np.nanmean(counts)) if np.isfinite(counts).any() else 0.0
    if len(known) < LEAST_WINDOWS or mean <= 0:
        return float("nan")
    return float(np.mean(known**2) / 6 / mean)


def dispersion(counts: Floats, window_s: int, *, arrival_cv: float | None = None) -> Dispersion | None:
    """Return how counts (n,) in consecutive windows scatter, None where too few were seen.

    The slope lies halfway between USUAL_SLOPE and the least-squares line of log(I - floor) against log w over
    windows of one, two and four times the length, between 0 and 1.
    """
    index = index_of_dispersion(counts)
    if np.isnan(index):
        return None
    floor = POISSON if arrival_cv is None else max(arrival_cv**2, POISSON)
    times = np.array([1, 2, 4])
    above = np.array([index_of_dispersion(_joined(counts, k)) for k in times]) - floor
    told = np.isfinite(above) & (above > 0)
    slope = float(np.polyfit(np.log(times[told]), np.log(above[told]), 1)[0]) if told.sum() > 1 else USUAL_SLOPE
    slope = (min(max(slope, 0.0), 1.0) + USUAL_SLOPE) / 2
    return Dispersion(window_s=window_s, index=index, floor=floor, slope=slope)


def busiest_within(counts: Floats, parts: int, index: float, p: float) -> Floats:
    """Return (N,) the quantile p of the busiest of the finer windows of each day.

    counts: (N, W) in the windows that were seen, each of which holds `parts` finer ones; index: of dispersion in
    the finer windows, whose counts are taken as independent gamma around their share mu of the count:

        P(max <= x) = prod F(x; shape = mu / index, scale = index)^parts = p

    solved by bisection; never below the mean of the busiest window's parts, never above all of it.
    """
    width = min(BUSIEST, counts.shape[1])
    top = np.sort(np.nan_to_num(counts), axis=1)[:, -width:]
    share, most = top / parts, top[:, -1]
    low, high = share[:, -1].copy(), most.copy()
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        shape = np.maximum(share, 1e-9) / index
        each = np.asarray(stats.gamma.logcdf(middle[:, None], shape, scale=index))
        below = parts * each.sum(axis=1) < np.log(p)
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray((low + high) / 2)


def _joined(counts: Floats, times: int) -> Floats:
    whole = len(counts) // times * times
    return np.asarray(counts[:whole].reshape(-1, times).sum(axis=1))
