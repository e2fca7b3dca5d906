"""Policies: the facts that the design rests on, and what must hold whatever the need."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.catalog.commit_offers import TermOffer
from sizing.commit.optimum import Risk
from sizing.commit.policies import field_of, policies, price_of_ladder_usd, single_shot

YEAR = 365


def played(case, *, first=0, past=None, risk=None):
    field = field_of(case, first, past)
    best = single_shot(field, risk or Risk())
    return {policy.name: policy for policy in policies(field, best, risk or Risk())}, best


def a_year(cases, discount, fall):
    """One GPU in every hour of a year; a month at 10% off, a year at `discount`, prices falling smoothly."""
    index = (1 - fall) ** (np.arange(YEAR) / YEAR)
    return cases(np.ones((1, YEAR, 24)), terms=((30, 0.1), (365, discount)), price_index=index)


def mean(policy):
    return float(policy.usd.mean())


@pytest.mark.parametrize(("fall", "asked"), [(0.0, 0.10), (0.3, 0.23), (0.5, 0.33)])
def test_the_discount_that_a_year_needs_to_beat_rolling_months(cases, fall, asked):
    """10% where prices stay, 23% where they fall 30% a year, 33% where they halve (10% off for a month)."""
    for discount, wins in ((asked - 0.01, False), (asked + 0.01, True)):
        found, _ = played(a_year(cases, discount, fall))
        year, month = found["rolling 365 days"], found["rolling 30 days"]
        assert year.now == {"365 days": 1}
        assert (mean(year) < mean(month)) == wins


def test_with_halving_prices_the_ladder_is_right_at_30_percent_and_wrong_at_60(cases):
    for discount, right in ((0.3, True), (0.6, False)):
        found, _ = played(a_year(cases, discount, 0.5))
        assert (mean(found["ladder"]) < mean(found["rolling 365 days"])) == right


def test_staying_free_costs_the_discount_where_the_need_and_prices_stay(cases):
    """8,760 hours at $2.70 instead of $1.80."""
    found, best = played(a_year(cases, 0.4, 0.0))

    assert price_of_ladder_usd(found["ladder"], best) == pytest.approx(0.9 * 8_760)


def test_nothing_on_offer_leaves_on_demand_alone(cases):
    found, _ = played(cases(2, terms=()))

    assert list(found) == ["on demand"]
    assert mean(found["on demand"]) == pytest.approx(2 * 60 * 24 * 3)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1_000), discount=st.floats(0.1, 0.6))
def test_on_one_known_path_nothing_beats_the_best_plan(cases, random_needs, seed, discount):
    need = random_needs(120, paths=1, seed=seed)
    found, best = played(cases(need, terms=((30, 0.1), (90, discount))))

    assert min(mean(policy) for policy in found.values()) >= best.usd.mean() * (1 - 1e-6)


def test_a_policy_never_looks_ahead(cases, random_needs):
    """Three times the need in the last month, on one path: nothing bought before it changes."""
    need = random_needs(120, paths=12, seed=5)
    other = need.copy()
    other[0, 90:] *= 3
    one, two = (played(cases(n, terms=((30, 0.2),)))[0]["look-back"] for n in (need, other))

    assert two.usd[0] - one.usd[0] == pytest.approx((2 * need[0, 90:]).sum() * 3, rel=0.2)
    assert two.usd[1:] == pytest.approx(one.usd[1:])


def test_deciding_again_follows_what_the_path_has_become(cases):
    """Half the paths lose their need after a month: rolling months stop, a quarter signed today goes on."""
    need = np.full((20, 90, 24), 4.0)
    need[:10, 30:] = 0.0
    need += np.linspace(0, 0.5, 20)[:, None, None] * (need > 0)  # so that paths can be told apart

    found, _ = played(cases(np.ceil(need), terms=((30, 0.3), (90, 0.3))))

    assert mean(found["rolling 30 days"]) < mean(found["rolling 90 days"])


def test_a_console_needs_a_past_to_look_back_on(cases):
    case = cases(np.full((3, 60, 24), 5.0), terms=((60, 0.3),))

    assert played(case)[0]["look-back"].now == {}
    assert played(case, past=np.full((30, 24), 4.0))[0]["look-back"].now == {"60 days": 4}


def test_no_policy_holds_more_than_is_to_be_had(cases, random_needs):
    scarce = TermOffer(name="month", days=30, discount=0.4, max_gpus=2)
    found, _ = played(cases(random_needs(120), terms=(scarce,)))

    assert all(sum(policy.now.values()) <= 2 for policy in found.values())


def test_the_mix_waits_where_waiting_is_worth_more(cases, random_needs):
    """The need doubles over the year on every path: more is signed as it grows."""
    need = random_needs(YEAR, spread=0.001) * np.linspace(1, 2, YEAR)[None, :, None]
    found, best = played(cases(np.ceil(need), terms=((30, 0.1), (365, 0.35))))

    assert found["mix"].usd.mean() <= best.usd.mean() * 1.01
    assert 0 < found["mix"].now["365 days"] < sum(best.units)
