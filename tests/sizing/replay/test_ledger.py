"""The bill: three months worked by hand, and the same need for all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sizing.replay.ledger import bill, held_units
from sizing.replay.market import ReplayTerm
from tests.sizing.replay.cases import MONTH_AND_YEAR

HOURS = np.array([100.0, 100.0, 50.0])
BUSY = np.array([[100.0, 60.0, 0.0], [100.0, 100.0, 20.0], [50.0, 0.0, 0.0]])
PRICES = np.array([2.0, 1.0, 1.0])


def test_three_months_by_hand():
    # One year signed in month 0 (2.00 less 40% for 250 hours), one month in month 1 (1.00 less 10% for 100 hours).
    # On demand: GPU 2 in month 0 (60 h at 2), GPU 3 in month 1 (20 h at 1), nothing in month 2.
    found = bill(np.array([[0, 1], [1, 0], [0, 0]]), BUSY, HOURS, PRICES, MONTH_AND_YEAR)

    assert found.reserved_usd == pytest.approx([120.0, 120.0 + 90.0, 60.0])
    assert found.on_demand_usd == pytest.approx([120.0, 20.0, 0.0])
    assert found.usd.sum() == pytest.approx(120 + 210 + 60 + 140)
    assert found.held.tolist() == [1, 2, 1]


def test_what_is_above_the_cap_is_unserved_at_three_times_on_demand():
    found = bill(np.zeros((3, 2), dtype=int), BUSY, HOURS, PRICES, MONTH_AND_YEAR, on_demand_max_gpus=1)

    assert found.unserved_gpu_hours.tolist() == [60, 120, 0]
    assert found.unserved_usd.tolist() == [360, 360, 0]
    assert found.on_demand_usd.tolist() == [200, 100, 50]


@given(arrays(np.int64, (3, 2), elements=st.integers(0, 4)))
def test_every_purchase_serves_the_same_need(units):
    found = bill(units, BUSY, HOURS, PRICES, MONTH_AND_YEAR)

    assert found.served_gpu_hours.tolist() == BUSY.sum(axis=1).tolist()
    assert (found.unserved_gpu_hours == 0).all()


def test_a_term_ends_on_time():
    quarter = (ReplayTerm(months=3, discount=0.2),)

    assert held_units(np.array([[2], [1], [0], [0], [0]]), quarter).tolist() == [2, 3, 3, 1, 0]
