"""Hindsight: as good as trying everything, and better than anybody."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sizing.replay.clairvoyant import clairvoyant_plan
from sizing.replay.ledger import bill
from sizing.replay.market import ReplayTerm, paid_twice

TERMS = (ReplayTerm(months=1, discount=0.1), ReplayTerm(months=2, discount=0.35))


@settings(max_examples=20, deadline=None)
@given(
    need=arrays(np.int64, (3, 5), elements=st.integers(0, 2)),
    prices=arrays(np.float64, 3, elements=st.sampled_from([1.0, 2.0, 3.0])),
    cap=st.sampled_from([None, 0, 1]),
)
def test_it_costs_what_the_best_of_all_plans_costs(need, prices, cap):
    busy = np.array([[(row >= k).sum() * 24.0 for k in (1, 2)] for row in need])
    hours = np.full(3, 120.0)

    def usd(units):
        return bill(units, busy, hours, prices, TERMS, on_demand_max_gpus=cap).usd.sum()

    found = usd(clairvoyant_plan(paid_twice(busy, cap), hours, prices, TERMS))
    tried = min(usd(np.array(each).reshape(3, 2)) for each in product(range(3), repeat=6))

    assert found == pytest.approx(tried)


def test_nothing_is_signed_where_nothing_pays():
    weight, hours = np.array([[10.0], [10.0]]), np.array([100.0, 100.0])

    assert clairvoyant_plan(weight, hours, np.ones(2), TERMS).sum() == 0


def test_months_without_any_need_cost_nothing():
    assert clairvoyant_plan(np.zeros((3, 2)), np.zeros(3), np.ones(3), TERMS).shape == (3, 2)
