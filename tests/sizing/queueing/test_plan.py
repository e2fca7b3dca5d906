import numpy as np
import pytest

from sizing.availability import Availability
from sizing.profile import Slo, SloCannotBeMet
from sizing.queueing.plan import busiest_hour, demand_curve, planned_per_s, slo_gpus


@pytest.fixture(scope="module")
def world(worlds):
    return worlds(requests_per_day=400_000.0, paths=10, days=30)


def test_busiest_hour_is_no_quieter_than_the_mean_and_sets_the_planned_rate(world):
    demand = world[0]
    peak = busiest_hour(demand)

    assert peak.shape == demand.requests.shape
    assert (peak >= 1).all()
    rate = np.sort((demand.requests * peak).max(axis=1) / 86_400)
    assert planned_per_s(demand, 30) == pytest.approx(rate[8])  # of 10 paths the first at or above 80%


def test_gpus_are_whole_replicas_and_spares(world, small, slo):
    traffic = world[1]
    none, one = (
        slo_gpus(small, traffic, slo, 20.0, availability=Availability(spare_replicas=n), gpus_per_node=8)
        for n in (0, 1)
    )

    assert none == int(none) >= 1
    assert one == none + 1


def test_promise_that_an_idle_replica_breaks_is_refused(world, small):
    demand, traffic = world
    with pytest.raises(SloCannotBeMet, match="even idle"):
        demand_curve(small, traffic, demand, Slo(ttft_s=0.001))
