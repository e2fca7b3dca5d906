from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest

from forecasting.demand import Demand, Moments
from sizing.availability import Availability
from sizing.profile import Slo, SloCannotBeMet
from sizing.queueing import plan
from sizing.queueing.plan import busiest_hour, demand_curve, planned_per_s, reached_curve, slo_gpus


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


def demand_of(requests_a_day: float) -> Demand:
    one = np.ones((2, 7))
    return Demand(
        workload="chat",
        as_of=date(2026, 11, 23),
        basis="history",
        days=np.datetime64("2026-11-23") + np.arange(7),
        requests=one * requests_a_day,
        prompt_tok=one,
        cached_prompt_tok=one,
        output_tok=one,
        busiest_10s_factor=one,
        window_s=10,
        long=(),
        moments=Moments(prompt_sq=2.0, cached_sq=1.0, prompt_cached=1.0, prompt_output=1.0, output_sq=2.0),
        tokens=(),
        hour_of_week=np.ones(168),
    )


@pytest.mark.parametrize(("times", "anew"), [(0.5, False), (1.0, False), (2.0, True)])
def test_a_known_curve_is_worked_out_anew_only_where_the_demand_outgrows_it(monkeypatch, times, anew):
    # 86,400 requests a day are one a second in every hour alike; each takes 3 s of a replica: a load of 3.
    known, new = SimpleNamespace(request_s=3.0, loads=np.array([0.1, 3.0])), SimpleNamespace()
    monkeypatch.setattr(plan, "demand_curve", lambda *_: new)
    found = reached_curve(known, None, None, demand_of(86_400 * times), None)

    assert found is (new if anew else known)
    assert reached_curve(None, None, None, demand_of(1.0), None) is new
