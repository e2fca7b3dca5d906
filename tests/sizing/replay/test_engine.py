"""The replay: no look-ahead, the same again, nobody under hindsight."""

from dataclasses import replace

import numpy as np
import pytest

from sizing.replay.engine import replay_need, replay_needs, signed_units, worst_mean
from sizing.replay.foresight import foresee
from sizing.replay.market import PricePath, ReplayMarket, terms_for
from sizing.replay.policies import OURS, POLICIES
from tests.sizing.replay.cases import waves

MARKETS = [
    ReplayMarket(on_demand_usd_per_gpu_hour=4.0, terms=terms_for(discount), path=path, on_demand_max_gpus=cap)
    for discount, path, cap in (
        (0.0, PricePath(name="flat"), None),
        (0.3, PricePath(name="cut", jump_month=5, jump_to=0.5), None),
        (0.6, PricePath(name="fall", change_per_year=-0.5), 6),
    )
]


@pytest.fixture(scope="module")
def need():
    return waves(days=640, growth=0.4)


@pytest.fixture(scope="module")
def rows(need):
    return replay_need(need, MARKETS, 1)


def test_nobody_pays_less_than_hindsight(rows):
    assert len(rows) == len(MARKETS) * len(POLICIES)
    assert all(row.cost_usd >= row.clairvoyant_usd * (1 - 1e-9) for row in rows)


def test_everybody_is_asked_for_the_same_need(need, rows):
    total = float(need.busy().sum())

    assert [row.served_gpu_hours + row.unserved_gpu_hours for row in rows] == pytest.approx([total] * len(rows))
    assert all(row.unserved_gpu_hours == 0 for row in rows if row.market.on_demand_max_gpus is None)


def test_without_a_discount_all_cost_the_same(rows):
    assert len({row.cost_usd for row in rows if row.market.one_year_discount == 0}) == 1


def test_the_future_changes_no_decision_of_the_past(need):
    month = 6
    market = MARKETS[1]
    changed = replace(market, path=replace(market.path, jump_month=month + 1, jump_to=9.0))
    seen = [foresee(need, m, seed=1) for m in range(need.months)]
    later = replace(need, y=need.y * np.where(np.arange(len(need.y)) < need.starts[month + 1], 1, 5))
    other = [foresee(later, m, seed=1) for m in range(need.months)]
    flat = replace(market, path=replace(market.path, jump_month=month + 1))
    for policy in POLICIES.values():
        one, two = signed_units(policy, seen, flat), signed_units(policy, other, changed)
        assert (one[: month + 1] == two[: month + 1]).all()


def test_the_same_again(need, rows):
    assert [row.cost_usd for row in replay_need(need, MARKETS[:1], 1)] == [
        row.cost_usd for row in rows[: len(POLICIES)]
    ]


@pytest.mark.slow
def test_the_same_over_processes(need, rows):
    again = replay_needs([need, need], MARKETS, seed=1, workers=2)

    assert [row.cost_usd for row in again] == [row.cost_usd for row in rows] * 2


def test_the_worst_tenth_is_one_month_at_least():
    assert worst_mean(np.array([1.0, 5.0])) == 5.0


def test_regret_is_what_hindsight_would_have_saved(rows):
    ours = next(row for row in rows if row.policy == OURS and row.market is MARKETS[2])

    assert ours.regret_usd == pytest.approx(ours.cost_usd - ours.clairvoyant_usd)
    assert ours.regret_cvar_usd * ours.bill.held.size >= ours.regret_usd - 1e-6
