from dataclasses import replace

import numpy as np
import pytest

from sizing.deployment.energy import PowerRules, fleet_energy
from sizing.fleet import plan_fleet

RULES = PowerRules(idle_share=0.4, active_share=0.9, host_w_per_gpu=100.0, pue=1.2, carbon_g_per_kwh=500.0)


@pytest.fixture
def steady(worlds, profiled):
    """One path of 30 days: half a replica's work in every hour, on two replicas of two GPUs."""
    demand, traffic = worlds(paths=1, days=30)
    fleet = plan_fleet(demand, traffic, profiled(), category="batch", mean_utilisation=1.0)
    return replace(
        fleet,
        load=np.full((1, 30), 0.5),
        hour_share=np.full((30, 24), 1 / 24),
        need_gpus=np.full((1, 30), 4),
        filled=1.0,
        horizons=(replace(fleet.horizons[0], gpus_p80=4),),
    )


def test_energy_by_hand(steady):
    # A backlog fleet gives back what it need not run: one replica (2 GPUs) in every hour, with 1 GPU of work.
    use = fleet_energy(steady, 30, tdp_w=700.0, gpus=4, rules=RULES)
    hours = 30 * 24

    assert use.gpu_kwh.mean == pytest.approx(hours * 0.7 * (0.4 * 2 + 0.5 * 1))
    assert use.always_on_kwh == pytest.approx(hours * 0.7 * (0.4 * 4 + 0.5 * 1))
    assert use.it_kwh == pytest.approx(use.gpu_kwh.mean + hours * 2 * 0.1)
    assert use.facility_kwh == pytest.approx(1.2 * use.it_kwh)
    assert use.carbon_kg == pytest.approx(use.facility_kwh * 0.5)
    assert use.peak_kw == pytest.approx(4 * 0.8)


@pytest.mark.parametrize(
    ("unstated", "unknown"),
    [
        ("host_w_per_gpu", ["it_kwh", "facility_kwh", "carbon_kg"]),
        ("pue", ["facility_kwh", "carbon_kg"]),
        ("carbon_g_per_kwh", ["carbon_kg"]),
    ],
)
def test_what_rests_on_an_unstated_figure_is_unknown(steady, unstated, unknown):
    use = fleet_energy(steady, 30, tdp_w=700.0, gpus=4, rules=replace(RULES, **{unstated: None}))

    names = ("it_kwh", "facility_kwh", "carbon_kg")
    assert [name for name in names if getattr(use, name) is None] == unknown
    assert use.gpu_kwh is not None


def test_a_gpu_without_a_tdp_has_no_known_energy(steady):
    use = fleet_energy(steady, 30, tdp_w=None, gpus=4, rules=RULES)

    assert use.peak_kw is use.gpu_kwh is use.always_on_kwh is use.carbon_kg is None


def test_a_fleet_never_draws_more_than_its_active_share_of_tdp(worlds, profiled):
    demand, traffic = worlds(requests_per_day=20_000_000.0)
    fleet = plan_fleet(demand, traffic, profiled(), category="online")
    use = fleet_energy(fleet, 30, tdp_w=700.0, gpus=1, rules=PowerRules())
    running = fleet.hourly_gpus()[:, :30].sum(axis=(1, 2)).mean() * 0.7

    assert 0.43 * running < use.gpu_kwh.mean < 0.86 * running
    assert use.always_on_kwh > use.gpu_kwh.mean
