"""A plan's own past decided again: what it took, and what is said where it is too short."""

import numpy as np
import pytest

from flows import replay as replay_module
from flows.replay import past_need, replay_sentence, replay_workload, replay_workloads, too_short
from sizing.replay.policies import POLICIES


@pytest.fixture
def short_enough(monkeypatch):
    """Let the 90 days of the small world be enough."""
    monkeypatch.setattr(replay_module, "LEAST_HISTORY_DAYS", 30)
    monkeypatch.setattr(replay_module, "LEAST_MONTHS", 2)


def of(walked, n=0):
    return (
        walked["plan"],
        walked["plan"].settings.workloads[n],
        walked["past"].traffic[n],
        walked["outlooks"][n].demand,
    )


def test_a_past_too_short_is_unknown_and_says_from_when_it_is_not(walked):
    found = replay_workloads(walked["plan"], walked["facts"], walked["past"], walked["run"].as_of)

    assert [each.rows for each in found] == [()] * len(found)
    assert "unknown what the decisions would have been worth" in replay_sentence(found[0])
    assert "days of history are too few to decide 6 past months" in found[0].why_not


def test_the_past_takes_whole_gpus_of_the_fleet_hour_by_hour(walked, short_enough):
    sized = next(each for each in walked["sized"][0] if each.fleet is not None)
    plan, workload, traffic, demand = of(walked)
    need = past_need(plan, workload, traffic, demand, sized.fleet)
    share = traffic.daily["observed_share"].to_numpy()

    assert need.gpus.shape == (len(traffic.daily), 24)
    assert np.isnan(need.gpus[share < 1]).all()
    known = need.gpus[share >= 1]
    assert (known % sized.fleet.profile.gpus == 0).all()
    assert known.max() > 0
    assert need.y[share >= 1] * need.gpus_per_y == pytest.approx(known.mean(axis=1))


def test_a_workload_is_replayed_on_its_cheapest_gpu_at_the_plans_prices(walked, short_enough):
    plan, workload, traffic, demand = of(walked)
    assert too_short(traffic, walked["run"].as_of) == ""
    found = replay_workload(plan, workload, traffic, demand, walked["sized"][0])
    offers = next(each.offers for each in walked["sized"][0] if each.gpu == found.gpu)

    assert found.months == ("2026-10", "2026-11")
    assert {row.policy for row in found.rows} == set(POLICIES)
    assert found.rows[0].market.on_demand_usd_per_gpu_hour == offers["on-demand"].usd_per_gpu_hour
    assert found.one_year_discount == pytest.approx(
        1 - offers["reserved-1y"].usd_per_gpu_hour / offers["on-demand"].usd_per_gpu_hour
    )
    assert "2026-10 to 2026-11 decided again" in replay_sentence(found)


def test_without_a_price_it_is_unknown(walked, short_enough):
    plan, workload, traffic, demand = of(walked)
    found = replay_workload(plan, workload, traffic, demand, [])

    assert found.rows == ()
    assert "on-demand price" in found.why_not
