"""The plan asked what could change: nothing changed is 0, more is more, and dates cut the paths where they say."""

from datetime import date, timedelta

import numpy as np
import pytest

from flows.changes import Totals, _change, lever_sentence, price_effects, price_outlook
from flows.price_moves import plan_moves
from flows.scenario_settings import LeverSettings, StressSettings
from flows.spend import Spend
from flows.whatif import CannotServeError, WhatIf
from sizing.scenarios.prices import PriceItem


@pytest.fixture(scope="module")
def whatif(walked) -> WhatIf:
    plan = walked["plan"]
    settings = plan.settings.model_copy(update={"stress": StressSettings(paths=10)})
    demands = [outlook.demand for outlook in walked["outlooks"]]
    return WhatIf(
        plan.model_copy(update={"settings": settings}),
        walked["facts"],
        walked["past"].traffic,
        demands,
        walked["sized"],
        walked["priced"],
        plan_moves(plan, demands[0]),
    )


@pytest.fixture(scope="module")
def totals(whatif) -> Totals:
    planned = whatif.planned(0)
    return Totals(gpus=planned.gpus, spend=Spend(usd=planned.usd, committed_usd=planned.usd, unpriced=()))


def _lever(**values) -> LeverSettings:
    return LeverSettings.model_validate(values)


def _more(whatif, *levers):
    """Return USD more by path and day of the last stretch, and its first day."""
    last = whatif.segments(levers)[-1]
    return last.outcome.usd - last.planned.usd, last.first_day


def test_a_change_of_nothing_changes_nothing(whatif):
    usd, _ = _more(whatif, _lever(requests=1.0))

    assert usd == pytest.approx(0.0, abs=1e-9)
    assert (whatif.segments([_lever()])[0].outcome.gpus == whatif.planned(0).gpus).all()


def test_more_traffic_is_never_cheaper_and_never_takes_fewer_gpus(whatif):
    part = whatif.segments([_lever(requests=2.0)])[0]

    assert (part.outcome.gpus >= part.planned.gpus).all()
    assert (part.outcome.usd.sum(axis=1) >= part.planned.usd.sum(axis=1)).all()


def test_an_api_bill_goes_with_its_price(whatif):
    """code-agents stay on the API at these volumes; twice its price is at most twice its bill."""
    usd, _ = _more(whatif, _lever(prices=[{"what": "api", "factor": 2.0}]))
    planned = whatif.planned(0)

    assert (usd.sum(axis=1) >= -1e-9).all()
    assert (usd.sum(axis=1) <= planned.usd.sum(axis=1) + 1e-9).all()


def test_a_later_start_leaves_the_days_before_it(whatif, totals):
    start = date.fromisoformat(str(whatif.days[60]))
    change = _change(whatif, "scenario", "later", (_lever(requests=2.0, start=start),), totals)

    assert change.start == start
    assert change.horizons[0].difference_usd.mean == 0
    assert change.horizons[0].gpus_p80 == change.horizons[0].planned_gpus_p80
    assert change.horizons[-1].difference_usd.mean > 0


def test_one_off_costs_are_paid_once_from_the_horizon_on_that_holds_them(whatif, totals):
    start = date.fromisoformat(str(whatif.days[40]))
    change = _change(whatif, "scenario", "cost", (_lever(start=start, cost_usd=500.0),), totals)

    assert [h.difference_usd.mean for h in change.horizons] == pytest.approx([0.0, 500.0, 500.0], abs=1e-6)
    for each in change.horizons:
        assert each.usd == pytest.approx(each.planned_usd + each.difference_usd.mean)


def test_two_levers_cut_the_plan_where_each_begins(whatif):
    first, second = (date.fromisoformat(str(whatif.days[n])) for n in (20, 50))
    parts = whatif.segments([_lever(requests=2.0, start=second), _lever(output_tok=2.0, start=first)])

    assert [part.first_day for part in parts] == [20, 50]
    assert parts[1].cases[0].demand.requests[0, 60] == pytest.approx(2 * whatif.cases[0].demand.requests[0, 60])
    assert parts[0].cases[0].demand.requests[0, 60] == pytest.approx(whatif.cases[0].demand.requests[0, 60])


def test_a_start_after_the_plan_is_said(whatif, totals):
    far = date.fromisoformat(str(whatif.days[-1])) + timedelta(days=30)
    change = _change(whatif, "scenario", "far", (_lever(requests=2.0, start=far),), totals)

    assert change.start == far
    assert "after the planned days" in change.notes[0]
    assert all(h.difference_usd.mean == 0 for h in change.horizons)


def test_what_cannot_be_served_is_unknown_with_the_reason(whatif, totals):
    lever = _lever(workloads=["chat"], prompt_tok=500.0)

    with pytest.raises(CannotServeError):
        whatif.segments([lever])
    change = _change(whatif, "scenario", "too long", (lever,), totals)
    assert change.would_do[0].startswith("Not possible as stated.")
    assert all(h.usd is None and h.gpus_p80 is None and h.planned_usd is not None for h in change.horizons)


def test_a_migration_hosts_on_the_gpu_that_is_named(whatif):
    part = whatif.segments([_lever(workloads=["chat"], gpu="h200")])[0]

    assert {line.line.gpu for line in part.outcome.priced[0].lines[30]} == {"h200"}


def test_a_lost_region_is_paid_twice_while_it_is_gone(whatif):
    part = whatif.segments([_lever(region_lost=1.0, lost_days=10)])[0]
    more = part.outcome.usd - part.planned.usd

    assert (more >= -1e-9).all()
    assert more[:, 10:] == pytest.approx(0.0, abs=1e-9)
    twice = whatif.segments([_lever(region_lost=0.5, lost_days=10)])[0]
    assert (twice.outcome.usd <= part.outcome.usd + 1e-9).all()


def test_a_smooth_fall_starts_with_its_lever(whatif):
    start = date.fromisoformat(str(whatif.days[100]))
    moves = whatif._moves([_lever(yearly_fall=0.5, start=start)])
    item = next(iter(moves))

    assert moves[item][:, :101] == pytest.approx(whatif.moves[item][:, :101])
    assert moves[item][:, 200] == pytest.approx(whatif.moves[item][:, 100] * 0.5 ** (100 / 365))


def test_every_price_that_could_be_paid_has_paths(walked):
    plan = walked["plan"]
    items = set(plan_moves(plan, walked["outlooks"][0].demand))

    assert {PriceItem("gpu", gpu) for w in plan.settings.workloads for gpu in w.gpus} <= items
    assert {item.name for item in items if item.kind == "api"} == {
        f"{w.api.provider}/{w.api.model}" for w in plan.settings.workloads if w.api
    }


def test_prices_that_stand_add_nothing_to_the_range():
    usd = np.random.default_rng(1).lognormal(0, 0.2, (50, 40))
    still = Spend(usd=usd, committed_usd=usd, unpriced=())
    (found,) = price_effects(still, still, (30,))

    assert found.both == found.demand_only
    assert found.prices_only.p90 == pytest.approx(found.prices_only.p10)
    assert price_effects(Spend(usd=usd, committed_usd=usd, unpriced=("x",)), still, (30,)) == []


def test_prices_alone_are_the_paths_of_prices_at_mean_demand():
    # Half of the paths pay double: $10 a day of mean demand are $10 or $20.
    still = np.full((2, 10), 10.0)
    moved = still * np.array([[1.0], [2.0]])
    (found,) = price_effects(
        Spend(usd=moved, committed_usd=moved, unpriced=()),
        Spend(usd=still, committed_usd=still, unpriced=()),
        (10,),
    )

    assert (found.demand_only.mean, found.prices_only.mean, found.both.mean) == (100.0, 150.0, 150.0)


def test_a_lever_is_said_in_words():
    lever = _lever(requests=2.0, prices=[{"what": "api", "factor": 1.5}], start=date(2027, 1, 1))

    assert lever_sentence(lever) == "requests x 2, price of api x 1.5, from 2027-01-01"
    assert lever_sentence(_lever(cost_usd=4.0)) == ""


def test_how_prices_move_is_said(plan_of):
    usd = np.ones((3, 365))
    spend = Spend(usd=usd, committed_usd=usd, unpriced=())

    class Plan:
        settings = plan_of().settings

    found = price_outlook(Plan, spend, spend)
    assert {jump.kind for jump in found.jumps} == {"api", "gpu"}
    falls = Plan.settings.prices.model_copy(
        update={"scenario": Plan.settings.prices.scenario.model_copy(update={"yearly_fall": 0.5, "name": "Cheap"})}
    )
    Plan.settings = Plan.settings.model_copy(update={"prices": falls})
    assert price_outlook(Plan, spend, spend).sentence.startswith("Cheap: all prices fall by 50% a year")
    assert price_outlook(Plan, spend, spend).jumps == []
