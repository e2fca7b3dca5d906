"""Units of provisioned throughput: the vendor's worked example, brute force, and what must always hold."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.catalog.provisioned import UnitPrice, load_provisioned
from sizing.provisioned import (
    best_units,
    hourly_units,
    input_equivalent_tok,
    peak_units,
    provisioned_cost,
    sold_units,
    unit_bands,
)
from tests.sizing.test_api_cost import demand_of

GPT_5_2 = load_provisioned().find("azure", "gpt-5.2")
GEMINI = load_provisioned().find("google", "gemini-2.5-pro")


def term(name="monthly", usd=1.0):
    return UnitPrice(
        price_group="x", term=name, usd_per_unit_hour=usd, provider="p", source="s", checked=date(2026, 11, 24)
    )


@pytest.mark.parametrize(("cached", "units", "sold"), [(0, 105.88, 110), (100, 76.47, 80)])
def test_the_vendors_own_example_takes_110_units_and_80_with_half_cached(cached, units, sold):
    """1,000 a minute of 200 + 20 tokens: (200,000 x (1 - hit) + 8 x 20,000) / 3,400."""
    demand = replace(demand_of([200], [cached], [20]), requests=np.full((1, 1), 1_000.0 * 1_440))
    need = hourly_units(demand, GPT_5_2)

    assert need[0, 0] == pytest.approx(np.full(24, units), abs=0.01)
    assert sold_units(float(need.max()), GPT_5_2) == sold
    assert peak_units(need, demand, GPT_5_2) == sold


def test_long_prompts_burn_at_their_own_rate():
    """100,000 + 100 x 8 below the threshold, 300,000 x 2 + 100 x 12 above it."""
    demand = demand_of([100_000, 300_000], [0, 0], [100, 100])

    assert input_equivalent_tok(demand, GEMINI)[0, 0] == pytest.approx(100_800 + 601_200)


def test_what_a_unit_carries_being_unknown_leaves_the_cost_unknown():
    bedrock = load_provisioned().find("aws", "meta.llama2-70b")
    need = hourly_units(demand_of([10], [0], [10]), bedrock)

    assert need is None
    assert provisioned_cost(need, np.ones((1, 1)), bedrock, term()).usd is None


def test_a_steady_need_by_hand():
    """50 units in every hour at $0.4 = $480 a day, against $1 as you go ($1,200): all held, nothing overflows."""
    need = np.full((1, 30, 24), 50.0)
    cost = provisioned_cost(need, np.full((1, 30), 1_200.0), GPT_5_2, term(usd=0.4))

    assert cost.units == (50,)
    assert cost.usd[0] == pytest.approx(np.full(30, 480.0))
    assert (cost.used_share, cost.overflow_share) == (1.0, 0.0)


def test_a_third_of_the_hours_above_the_base_stays_as_you_go():
    """20 units always, 40 in 8 of 24 hours; a unit must be busy 40% of hours, the upper 20 are 33%: hold 20.

    20 x 24 x $0.4 = $192 and 20 x 8 x $1 = $160 a day.
    """
    need = np.full((1, 30, 24), 20.0)
    need[:, :, :8] = 40.0
    cost = provisioned_cost(need, need.sum(axis=2) * 1.0, GPT_5_2, term(usd=0.4))

    assert cost.units == (20,)
    assert cost.usd[0] == pytest.approx(np.full(30, 352.0))
    assert cost.overflow_share == pytest.approx(160 / 640)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.05, 1.5))
def test_no_other_number_of_units_that_is_sold_costs_less(seed, price):
    need = np.random.default_rng(seed).gamma(2.0, 20.0, (3, 4, 24))
    api = need.sum(axis=2) * 1.0
    best = best_units(need, api, GPT_5_2, price)

    def cost(n):
        return n * price * need.size + np.maximum(need - n, 0).sum()

    assert cost(best) <= min(cost(n) for n in range(15, 400, 5)) * (1 + 1e-9)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["hourly", "weekly", "monthly", "yearly"]))
def test_units_and_overflow_add_up_to_the_cost_and_tokens_are_served_once(seed, name):
    need = np.random.default_rng(seed).gamma(2.0, 20.0, (3, 20, 24))
    api = need.sum(axis=2) * 0.9
    cost = provisioned_cost(need, api, GPT_5_2, term(name, 0.5), first_day=5)

    assert cost.usd[:, :5] == pytest.approx(api[:, :5])  # not yet begun: as you go
    overflow = (cost.usd - cost.unit_usd).sum()
    assert overflow == pytest.approx(cost.overflow_share * api.sum())
    assert cost.unit_usd.sum() * 3 / 0.5 * cost.used_share == pytest.approx(need.sum() * (1 - cost.overflow_share))


def test_bands_say_how_often_each_step_is_busy():
    need = np.full((1, 30, 24), 20.0)
    need[:, :, :8] = 40.0
    found = unit_bands(need, need.sum(axis=2), GPT_5_2, term(usd=0.4))

    assert [b.commit for b in found] == [True] * 4 + [False] * 4
    assert found[-1].busy_share == pytest.approx(1 / 3)
