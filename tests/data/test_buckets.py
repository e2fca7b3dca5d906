import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.buckets import COARSE, FINE, MAX_TOK, Grid, bucket_of, edge_rows, middles, quantiles, upper_edges

GRIDS = pytest.mark.parametrize("grid", [FINE, COARSE], ids=lambda grid: grid.name)


@GRIDS
def test_edges_are_the_powers_of_the_ratio_rounded_down(grid: Grid):
    edges = upper_edges(grid)

    for b in (1, 40, 300, len(edges) - 1):
        if b < len(edges):
            assert edges[b] == math.floor(Fraction(grid.numerator, grid.denominator) ** b)
    assert edges[-1] >= MAX_TOK


@GRIDS
@given(tok=st.integers(1, MAX_TOK))
def test_a_buckets_middle_is_within_the_stated_error_of_every_length_in_it(grid: Grid, tok: int):
    middle = middles(grid, bucket_of(grid, [tok]))[0]

    assert abs(middle - tok) <= grid.relative_error * tok * (1 + 1e-12)


@GRIDS
def test_buckets_follow_the_logarithm_that_defines_them(grid: Grid):
    tok = np.unique(np.geomspace(2, MAX_TOK, 5_000).astype(np.int64))
    ratio = grid.numerator / grid.denominator

    assert np.array_equal(bucket_of(grid, tok), np.ceil(np.log(tok) / np.log(ratio)).astype(int))


def test_zero_has_a_bucket_of_its_own_and_one_does_not_fall_into_it():
    assert bucket_of(FINE, [0, 1]).tolist() == [0, 1]
    assert middles(FINE, [0, 1]).tolist() == [0.0, 1.0]


@given(
    lengths=st.lists(st.integers(0, 300_000), min_size=1, max_size=200),
    share=st.sampled_from([0.01, 0.5, 0.9, 0.95, 0.99, 1.0]),
)
def test_a_quantile_of_counts_is_within_one_percent_of_the_nearest_rank(lengths: list[int], share: float):
    buckets, counts = np.unique(bucket_of(FINE, lengths), return_counts=True)

    found = quantiles(FINE, buckets, counts, [share])[0]

    exact = sorted(lengths)[math.ceil(share * len(lengths) - 1e-9) - 1]
    assert abs(found - exact) <= 0.01 * exact + 1e-9


def test_quantiles_of_nothing_are_unknown():
    assert np.isnan(quantiles(FINE, [], [], [0.5])).all()


def test_the_table_of_edges_covers_every_length_once():
    for grid in (FINE, COARSE):
        rows = sorted((above, upto) for name, _, above, upto in edge_rows() if name == grid.name)

        assert rows[0][0] == -1
        assert all(before[1] == after[0] for before, after in pairwise(rows))
        assert rows[-1][1] >= MAX_TOK
