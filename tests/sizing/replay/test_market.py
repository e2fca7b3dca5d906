"""Prices by month and terms by length."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sizing.replay.market import PricePath, ReplayMarket, ReplayTerm, paid_twice, terms_for


@given(st.floats(0, 0.9), st.floats(0, 0.9))
def test_no_term_gives_more_off_than_a_longer_one(year, month):
    off = [term.discount for term in terms_for(year, [ReplayTerm(months=1, discount=month)])]

    assert off == sorted(off)
    assert off[-1] == year


def test_a_steady_fall_was_under_way_before_and_a_jump_was_not():
    fall = ReplayMarket(on_demand_usd_per_gpu_hour=4.0, terms=(), path=PricePath(name="f", change_per_year=-0.5))
    jump = ReplayMarket(
        on_demand_usd_per_gpu_hour=4.0, terms=(), path=PricePath(name="j", jump_month=2, jump_to=0.5)
    )

    assert fall.seen_prices(13)[[0, 12, 24]] == pytest.approx([8.0, 4.0, 2.0])
    assert jump.seen_prices(4)[-5:].tolist() == [4.0, 4.0, 4.0, 2.0, 2.0]


def test_prices_that_are_listed_are_held_at_their_last():
    assert PricePath(name="l", multipliers=(1.0, 0.8)).over(4).tolist() == [1.0, 0.8, 0.8, 0.8]


def test_a_gpu_that_is_not_held_pays_for_what_is_unserved_above_the_cap():
    busy = np.array([30.0, 20.0, 10.0])

    assert paid_twice(busy, None).tolist() == [30, 20, 10]
    assert paid_twice(busy, 1).tolist() == [30 + 2 * 20, 20 + 2 * 10, 10]
