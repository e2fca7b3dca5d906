from types import SimpleNamespace

import numpy as np
import pytest

from sizing.queueing import held
from sizing.queueing.held import check_fleet, planned_load
from sizing.queueing.simulated import Attained, Checked


def attained(replicas, holds):
    return Attained(
        replicas=replicas, holds=holds, ttft_s=1.0, tpot_s=0.04, within=0.99, goodput_per_s=1.0, requests=10,
        unfinished=0, preemptions=0, busy=0.5,
    )  # fmt: skip


def checked(load, analytic, found, days=30):
    return Checked(
        days=days, load=load, requests_per_s=load, percentile=0.99, analytic_replicas=analytic,
        analytic=attained(analytic, analytic >= found), attained=attained(found, holds=True), fewer=None, runs=1,
    )  # fmt: skip


def test_planned_load_is_the_busiest_hour_of_the_horizon_at_the_eighth_of_ten_paths():
    load = np.arange(1.0, 11.0)[:, None] * np.array([1.0, 2.0, 50.0])
    fleet = SimpleNamespace(load=load, hour_peak=np.full((10, 3), 1.5))

    assert planned_load(fleet, 2) == pytest.approx(9 * 2 * 1.5)


def test_loads_near_one_that_was_simulated_are_not_simulated_again(monkeypatch):
    asked = []

    def simulate(_curve, _traffic, days, load, _done, _seed):
        asked.append(load)
        return checked(load, 4, 6, days)

    monkeypatch.setattr(held, "_checked", simulate)

    found = check_fleet(None, None, {30: 10.0, 90: 10.1, 365: 12.0, 366: 0.0}, seed=1)

    assert asked == [10.0, 12.0]
    assert [each.days for each in found] == [30, 90, 365]


def test_correction_is_to_the_middle_of_the_last_replica_or_none():
    assert checked(10.0, 4, 4).factor == 1.0
    assert checked(10.0, 4, 6).factor == pytest.approx(5.5 / 4)
    assert checked(10.0, 4, 6).corrected_by == 2
    curve = SimpleNamespace(replicas=lambda load: np.array(3.6))
    assert held._factor(checked(10.0, 4, 6), curve) == pytest.approx(5.5 / 3.6)
