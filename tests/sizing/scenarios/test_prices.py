from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.catalog.price_jumps import PriceJumps, load_jumps
from data.errors import UserError
from sizing.scenarios.prices import PriceChange, PriceItem, at_signing, jump_paths, price_paths

SONNET, H100 = PriceItem("api", "anthropic/claude-sonnet-4-5"), PriceItem("gpu", "h100")
DAYS = np.datetime64("2026-11-23") + np.arange(366)
JUMPY = PriceJumps(
    cuts_per_year=0.06,
    raises_per_year=0.04,
    cut_factors=(0.5,),
    raise_factors=(2.0,),
    source="made up",
    checked=date(2026, 11, 24),
)


def test_the_shares_after_a_year_are_those_of_the_rates():
    # P(no jump) = exp(-0.1) = 90.5%; cut, and only ever cut: more than half of the rest.
    paths = jump_paths(JUMPY, 366, 40_000, np.random.default_rng(1))

    assert (paths[:, -1] == 1).mean() == pytest.approx(np.exp(-0.1), abs=0.006)
    assert (paths[:, -1] < 1).mean() == pytest.approx(0.057, abs=0.005)
    assert (paths[:, -1] > 1).mean() == pytest.approx(0.038, abs=0.005)


def test_the_mean_is_the_one_of_compound_poisson_jumps():
    # E = exp(0.06 (0.5 - 1) + 0.04 (2 - 1)) = exp(0.01)
    paths = jump_paths(JUMPY, 366, 40_000, np.random.default_rng(2))

    assert paths[:, -1].mean() == pytest.approx(np.exp(0.01), abs=0.006)


def test_a_price_stands_between_its_jumps_and_is_known_on_the_first_day():
    paths = jump_paths(replace(JUMPY, cuts_per_year=2.0), 366, 200, np.random.default_rng(3))

    assert (paths[:, 0] == 1).all()
    assert set(np.unique(np.round(np.diff(np.log2(paths)), 9))) <= {-3.0, -2.0, -1.0, 0.0, 1.0}


def test_one_item_more_changes_no_other():
    alone = price_paths([SONNET], DAYS, paths=50, seed=7)
    both = price_paths([H100, SONNET], DAYS, paths=50, seed=7)

    assert np.array_equal(alone[SONNET], both[SONNET])
    assert not np.array_equal(both[H100], both[SONNET])


@given(days=st.integers(1, 400), paths=st.integers(1, 30), seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_a_longer_horizon_keeps_shape_and_prices_stay_above_nothing(days, paths, seed):
    found = price_paths([SONNET], DAYS[:days] if days <= 366 else np.resize(DAYS, days), paths=paths, seed=seed)

    assert found[SONNET].shape == (paths, days)
    assert (found[SONNET] > 0).all()
    assert (found[SONNET][:, 0] == 1).all()


def test_no_jumps_and_no_changes_leave_prices_where_they_are():
    assert (price_paths([SONNET, H100], DAYS, paths=5, seed=1, jumps={})[H100] == 1).all()


def test_an_announced_change_counts_from_its_day_on_every_path():
    change = PriceChange(on=date(2026, 12, 1), what="api", factor=2.0)
    found = price_paths([SONNET, H100], DAYS, paths=3, seed=1, jumps={}, changes=[change])

    assert (found[SONNET][:, :8] == 1).all()
    assert (found[SONNET][:, 8:] == 2).all()  # 2026-11-23 + 8 days
    assert (found[H100] == 1).all()


def test_a_change_of_one_name_leaves_others_of_its_kind():
    other = PriceItem("gpu", "b200")
    change = PriceChange(on=date(2026, 11, 23), what="h100", factor=0.5)
    found = price_paths([H100, other], DAYS, paths=2, seed=1, jumps={}, changes=[change])

    assert (found[H100] == 0.5).all()
    assert (found[other] == 1).all()


def test_a_smooth_fall_takes_the_place_of_jumps():
    found = price_paths([H100], DAYS, paths=4, seed=1, yearly_fall=0.5)[H100]

    assert found[:, 365] == pytest.approx(0.5)
    assert (found == found[0]).all()


def test_a_term_keeps_the_price_of_its_first_day():
    price = np.arange(70.0)[None]

    paid = at_signing(price, 7, 30)

    assert paid[0, :7].tolist() == list(range(7))
    assert set(paid[0, 7:37]) == {7.0}
    assert set(paid[0, 37:67]) == {37.0}
    assert set(paid[0, 67:]) == {67.0}


@pytest.mark.parametrize("fall", [-0.1, 1.0])
def test_a_fall_that_cannot_be_is_refused(fall):
    with pytest.raises(UserError, match="yearly_fall"):
        price_paths([H100], DAYS, paths=2, seed=1, yearly_fall=fall)


def test_a_price_of_nothing_is_refused():
    with pytest.raises(UserError, match="factor 0"):
        PriceChange(on=date(2026, 12, 1), what="api", factor=0.0)


def test_the_default_rates_are_the_catalogs():
    mine = price_paths([SONNET], DAYS, paths=20, seed=3, jumps=load_jumps())

    assert np.array_equal(mine[SONNET], price_paths([SONNET], DAYS, paths=20, seed=3)[SONNET])
