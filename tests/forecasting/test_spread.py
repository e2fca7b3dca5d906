"""A figure with its range."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from forecasting.spread import Spread


@given(st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=50))
def test_quantiles_come_in_order_whatever_the_samples(samples):
    one = Spread.of(samples)

    assert one.p10 <= one.p50 <= one.p80 <= one.p90 <= one.p95


def test_a_hundred_and_one_steps_give_round_quantiles():
    one = Spread.of(np.arange(101.0))

    assert (one.mean, one.p10, one.p50, one.p80, one.p90, one.p95) == (50.0, 10.0, 50.0, 80.0, 90.0, 95.0)
