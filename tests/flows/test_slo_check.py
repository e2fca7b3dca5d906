from dataclasses import replace

import pytest

from flows.slo_check import slo_check_of
from sizing.queueing.simulated import Attained, Checked


@pytest.fixture(scope="module")
def agents(walked):
    """What the walk found of the code agents: plan, settings, traffic, demand, candidates."""
    plan = walked["plan"]
    n = next(i for i, w in enumerate(plan.settings.workloads) if w.name == "code-agents")
    settings = plan.settings.model_copy(update={"slo": plan.settings.slo.model_copy(update={"check": True})})
    plan = plan.model_copy(update={"settings": settings})
    return (
        plan,
        plan.settings.workloads[n],
        walked["past"].traffic[n],
        walked["outlooks"][n].demand,
        walked["sized"][n],
    )


def test_planned_fleet_is_replayed_where_it_is_asked_for(agents):
    plan, workload, traffic, demand, sized = agents
    gpu = next(each for each in sized if each.fleet is not None)

    found = slo_check_of(plan, workload, traffic, demand, sized, gpu.gpu)

    assert (found.gpu, found.days, found.percentile, found.sized_by) == (gpu.gpu, 30, 0.95, "utilisation")
    horizon = gpu.fleet.horizons[0]
    assert found.planned.gpus == horizon.gpus_p80 - horizon.spare_gpus
    assert found.planned.holds == (found.fewest is not None and found.fewest.replicas <= found.planned.replicas)
    assert 0 <= found.planned.within <= 1


def test_nothing_is_replayed_unasked_nor_without_a_fleet_nor_for_work_that_waits(agents, walked):
    plan, workload, traffic, demand, sized = agents
    gpu = next(each.gpu for each in sized if each.fleet is not None)

    assert slo_check_of(walked["plan"], workload, traffic, demand, sized, gpu) is None
    assert slo_check_of(plan, workload, traffic, demand, sized, None) is None
    assert (
        slo_check_of(plan, workload.model_copy(update={"category": "batch"}), traffic, demand, sized, gpu) is None
    )


def test_fleet_that_its_percentile_sized_shows_the_replay_that_sized_it(agents, walked):
    _, workload, traffic, demand, sized = agents
    gpu = next(each for each in sized if each.fleet is not None)
    at = Attained(
        replicas=5, holds=True, ttft_s=2.0, tpot_s=0.05, within=0.96, goodput_per_s=1.0, requests=100,
        unfinished=0, preemptions=0, busy=0.4,
    )  # fmt: skip
    four = replace(at, replicas=4, holds=False, ttft_s=float("inf"))
    check = Checked(
        days=30, load=2.0, requests_per_s=1.0, percentile=0.95, analytic_replicas=4, analytic=four, attained=at,
        fewer=four, runs=2,
    )  # fmt: skip

    found = slo_check_of(
        walked["plan"],
        workload.model_copy(update={"sized_by": "percentile"}),
        traffic,
        demand,
        [replace(gpu, checks=(check,))],
        gpu.gpu,
    )

    assert (found.sized_by, found.planned.replicas, found.fewest.replicas, found.fewer.replicas) == (
        "percentile",
        5,
        5,
        4,
    )
    assert found.fewer.ttft_s is None
