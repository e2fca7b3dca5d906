import pytest

from flows.fleet_ways import fleet_ways
from flows.pricing import share_held
from sizing.money import SHOWN_ONLY


@pytest.fixture(scope="module")
def ways(walked):
    """The ways of each workload of the planned world, as its page has them."""
    return [side.choice for side in walked["sides"]]


def test_single_is_the_plans_own_cheapest_fleet(walked, ways):
    for way, priced in zip(ways, walked["priced"], strict=True):
        lines = [line.line for line in priced.lines[way.days] if line.line.gpu and line.line.usd is not None]
        lines = [line for line in lines if line.option not in SHOWN_ONLY | {"reserved-1y", "reserved-3y"}]
        assert way.ways[0].usd == pytest.approx(min(line.usd.mean for line in lines))


def test_savings_are_against_the_cheapest_fleet_of_one_kind(ways):
    for each in ways:
        single = each.ways[0]
        assert single.way == "single"
        for way in each.ways[1:]:
            if way.usd is not None:
                assert way.saves_usd == pytest.approx(single.usd - way.usd)
            else:
                assert way.sentence
    assert {w.way for w in ways[0].ways} == {"single", "second", "mixed", "disaggregated"}


def test_an_unknown_price_leaves_nothing_to_say(walked):
    from dataclasses import replace

    plan, demands = walked["plan"], [o.demand for o in walked["outlooks"]]
    needs = share_held(plan, demands, walked["sized"])
    priced = walked["priced"][0]
    bare = replace(priced, lines=dict.fromkeys(priced.lines, ()))

    assert (
        fleet_ways(
            plan, walked["facts"], plan.settings.workloads[0], walked["past"].traffic[0], demands[0],
            walked["sized"][0], needs[0], bare,
        )
        is None
    )  # fmt: skip
