from dataclasses import replace

import pytest

from sizing.fleet import plan_fleet
from sizing.profile import Slo
from sizing.queueing import check as check_module
from sizing.queueing.check import check_planned, shown_s


@pytest.fixture(scope="module")
def world(worlds):
    return worlds(requests_per_day=600_000.0, paths=10, days=30)


@pytest.fixture(scope="module")
def fleet(world, small):
    demand, traffic = world
    return plan_fleet(demand, traffic, small, category="online", horizons=(30,))


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(check_module, "CHECK_REQUESTS", 2_000)


def test_fewest_hold_and_one_fewer_does_not(fleet, world, slo):
    found = check_planned(fleet, world[1], slo, world[0].moments, days=30, seed=1)

    assert found.planned.replicas == fleet.horizons[0].gpus_p80 - fleet.horizons[0].spare_gpus
    assert found.fewest.holds
    assert found.fewer is None or (not found.fewer.holds and found.fewer.replicas == found.fewest.replicas - 1)
    assert found.missing == found.fewest.replicas - found.planned.replicas
    assert found.planned.holds == (found.missing <= 0)


def test_same_seed_same_answer(fleet, world, slo):
    asked = {"days": 30, "seed": 7}
    first, again = (check_planned(fleet, world[1], slo, world[0].moments, **asked) for _ in range(2))

    assert first == again


def test_a_fleet_that_is_too_small_is_told_how_many_more(fleet, world, slo):
    horizon = replace(fleet.horizons[0], gpus_p80=1, spare_gpus=0)
    found = check_planned(replace(fleet, horizons=(horizon,)), world[1], slo, world[0].moments, days=30, seed=1)

    assert not found.planned.holds
    assert found.missing is None or found.missing > 0


def test_a_promise_that_an_idle_replica_breaks_is_not_searched_for(fleet, world):
    found = check_planned(fleet, world[1], Slo(ttft_s=0.001), world[0].moments, days=30, seed=1)

    assert found.alone == 0.0
    assert (found.fewest, found.fewer, found.missing) == (None, None, None)


def test_no_promise_and_no_work_are_not_checked(fleet, world, slo):
    idle = replace(fleet, load=fleet.load * 0)

    assert check_planned(fleet, world[1], Slo(), world[0].moments, days=30, seed=1) is None
    assert check_planned(idle, world[1], slo, world[0].moments, days=30, seed=1) is None


def test_what_never_came_is_unknown():
    assert shown_s(float("inf")) is None
    assert shown_s(0.5) == 0.5
