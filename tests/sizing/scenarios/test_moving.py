from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sizing.compare import DailyCost
from sizing.scenarios.moving import moved_cost

DAYS = 10


def cost(usd: float = 10.0, reserved: float | None = None) -> DailyCost:
    mean = np.full(DAYS, usd)
    return DailyCost(
        workload="chat",
        option="on-demand" if reserved is None else "reserved-30d",
        label="h100",
        gpu="h100",
        usd=np.full((2, DAYS), usd),
        usd_low=mean / 2,
        usd_high=mean * 2,
        paid_gpu_hours=None,
        gpus=1,
        source="test",
        checked=None,
        reserved_usd=None if reserved is None else np.full(DAYS, reserved),
    )


DOUBLES = np.where(np.arange(DAYS) < 5, 1.0, 2.0) * np.ones((2, 1))
"""A price that doubles on the sixth day."""


def test_what_is_bought_by_the_day_pays_the_day():
    found = moved_cost(cost(), DOUBLES)

    assert found.usd[0].tolist() == [10.0] * 5 + [20.0] * 5
    assert found.usd_low.tolist() == [5.0] * 5 + [10.0] * 5


def test_a_term_keeps_the_price_it_began_at():
    # $6 of $10 are locked from day 2 on in terms of 4 days: days 2-5 at 1, days 6-9 at 2.
    found = moved_cost(cost(reserved=6.0), DOUBLES, first_day=2, term_days=4)

    assert found.usd[0].tolist() == [10.0] * 5 + [6.0 + 8.0] + [20.0] * 4
    assert found.reserved_usd.tolist() == [6.0] * 6 + [12.0] * 4


def test_a_contract_stands_though_the_overflow_moves():
    found = moved_cost(cost(reserved=6.0), DOUBLES, contract=True)

    assert found.usd[0].tolist() == [10.0] * 5 + [14.0] * 5
    assert found.reserved_usd.tolist() == [6.0] * DAYS


def test_an_unknown_cost_stays_unknown_and_a_price_that_stands_changes_nothing():
    unknown = replace(cost(), usd=None)

    assert moved_cost(unknown, DOUBLES) is unknown
    assert moved_cost(cost(), None).usd.tolist() == cost().usd.tolist()
    assert moved_cost(cost(reserved=3.0), np.ones((2, DAYS))).usd == pytest.approx(10.0)


@given(factor=st.floats(0.1, 10), reserved=st.floats(0, 10))
def test_a_price_that_is_higher_throughout_raises_all_of_it(factor, reserved):
    found = moved_cost(cost(reserved=reserved), np.full((2, DAYS), factor), first_day=3, term_days=4)

    assert found.usd == pytest.approx(10.0 * factor)
    assert found.reserved_usd == pytest.approx(reserved * factor)
