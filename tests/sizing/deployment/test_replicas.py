from dataclasses import replace

import numpy as np
import pytest

from sizing.deployment.replicas import replica_bounds
from sizing.fleet import FleetPlan, plan_fleet


@pytest.fixture
def planned(worlds, profiled):
    demand, traffic = worlds(requests_per_day=20_000_000.0)
    return plan_fleet(demand, traffic, profiled(), category="online"), demand


def test_bounds_are_quantiles_over_paths_and_weeks_of_each_hour(planned):
    fleet, demand = planned
    bounds = replica_bounds(fleet, demand, 28)
    # 2026-11-23 is a Monday, so the first days of the paths are Monday, Tuesday, ...
    tuesdays = fleet.hourly_gpus()[:, 1:28:7, 5].ravel() / 2

    assert bounds.minimum[24 + 5] == np.quantile(tuesdays, 0.1, method="higher")
    assert bounds.expected[24 + 5] == np.quantile(tuesdays, 0.5, method="higher")
    assert bounds.maximum[24 + 5] == np.quantile(tuesdays, 0.95, method="higher")


def test_there_are_168_hours_and_they_rise_from_least_to_most(planned):
    fleet, demand = planned
    bounds = replica_bounds(fleet, demand, 30)

    assert {len(bounds.minimum), len(bounds.expected), len(bounds.maximum)} == {168}
    assert all(
        low <= mid <= high for low, mid, high in zip(bounds.minimum, bounds.expected, bounds.maximum, strict=True)
    )
    assert min(bounds.minimum) < max(bounds.minimum)  # nights


def test_days_that_a_short_horizon_does_not_reach_take_all_days(planned):
    fleet, demand = planned
    bounds = replica_bounds(fleet, demand, 3)
    first = fleet.hourly_gpus()[:, :3, 7].ravel() / 2

    assert bounds.maximum[24 * 6 + 7] == np.quantile(first, 0.95, method="higher")


def test_a_steady_fleet_has_one_bound(planned, monkeypatch):
    fleet, demand = planned
    flat = np.full((20, 40, 24), 6)
    monkeypatch.setattr(FleetPlan, "hourly_gpus", lambda self: flat)
    bounds = replica_bounds(replace(fleet), demand, 30)

    assert set(bounds.minimum) == set(bounds.maximum) == {3}
