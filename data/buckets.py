"""Log buckets of token lengths: one table of whole-number edges, so that every engine counts alike."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

MAX_TOK = 100_000_000
"""Largest length that a request may state; a row above it is rejected as unreadable."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Buckets whose edges grow by numerator/denominator, so that a bucket's middle is within `relative_error`.

    Bucket b >= 1 holds the lengths n with g^(b-1) < n <= g^b, g = numerator/denominator, that is
    b = max(1, ceil(ln n / ln g)); bucket 0 holds the zeros. The edges are floor(g^b) in whole numbers: no engine's
    logarithm decides. Many of the first buckets hold no whole number and do not occur.

    Source: DDSketch, Masson et al. 2019, https://arxiv.org/abs/1908.10693.
    """

    name: str
    numerator: int
    denominator: int

    @property
    def relative_error(self) -> float:
        """Return the largest error of `middles`, (g - 1)/(g + 1)."""
        return (self.numerator - self.denominator) / (self.numerator + self.denominator)


FINE = Grid("fine", 101, 99)
"""1%: daily percentiles."""
COARSE = Grid("coarse", 11, 9)
"""10%: the joint histogram of prompt and output."""


@cache
def upper_edges(grid: Grid) -> npt.NDArray[np.int64]:
    """Return the largest length of each bucket, from bucket 0 to the one that holds MAX_TOK.

    >>> upper_edges(COARSE)[[0, 1, 4, 12]].tolist()
    [0, 1, 2, 11]
    """
    edges, power, divisor = [0], 1, 1
    while edges[-1] < MAX_TOK:
        power, divisor = power * grid.numerator, divisor * grid.denominator
        edges.append(power // divisor)
    return np.array(edges, dtype=np.int64)


def bucket_of(grid: Grid, tok: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Return the bucket of each length (whole tokens, 0 to MAX_TOK).

    >>> bucket_of(FINE, [0, 1, 2, 100]).tolist()
    [0, 1, 35, 231]
    """
    return np.searchsorted(upper_edges(grid), np.asarray(tok, dtype=np.int64), side="left").astype(np.int64)


def middles(grid: Grid, buckets: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return one length for each bucket, within `relative_error` of every length in it.

    The harmonic middle 2 lo hi / (lo + hi) of the smallest and largest whole number in the bucket.
    """
    index = np.asarray(buckets, dtype=np.int64)
    high = upper_edges(grid)[index].astype(np.float64)
    low = np.where(index > 0, upper_edges(grid)[np.maximum(index - 1, 0)] + 1, 0).astype(np.float64)
    return np.where(high > 0, 2 * low * high / np.maximum(low + high, 1), 0.0)


def quantiles(
    grid: Grid, buckets: npt.ArrayLike, requests: npt.ArrayLike, shares: Iterable[float]
) -> npt.NDArray[np.float64]:
    """Return the length at each share of the counted requests (nearest rank), or NaN where none was counted.

    buckets, requests: (B,) bucket numbers in any order and how many requests fell into each.
    """
    order = np.argsort(np.asarray(buckets))
    counts = np.asarray(requests, dtype=np.float64)[order]
    reached = np.cumsum(counts)
    wanted = np.asarray(tuple(shares), dtype=np.float64)
    if not len(counts) or reached[-1] <= 0:
        return np.full(len(wanted), np.nan)
    rank = np.ceil(wanted * reached[-1] - 1e-9)
    position = np.searchsorted(reached, np.maximum(rank, 1), side="left")
    return middles(grid, np.asarray(buckets)[order][position])


def edge_rows() -> list[tuple[str, int, int, int]]:
    """Return (grid, bucket, above_tok, upto_tok) of every bucket that holds a whole number, for the store."""
    rows = []
    for grid in (FINE, COARSE):
        edges = upper_edges(grid).tolist()
        rows.append((grid.name, 0, -1, 0))
        rows += [
            (grid.name, b, above, upto) for b, (above, upto) in enumerate(pairwise(edges), start=1) if above < upto
        ]
    return rows
