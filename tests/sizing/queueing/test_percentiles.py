import itertools
from dataclasses import replace

import numpy as np
import pytest

from data.catalog.gpus import load_gpus
from data.catalog.models import load_models
from forecasting.dispersion import Dispersion
from sizing.profile import Slo, replica_profile
from sizing.queueing.lengths import Lengths
from sizing.queueing.percentiles import Queue, alone_met

SLO = Slo(ttft_s=1.0, tpot_s=0.04)
PROFILE = replica_profile(
    load_models()["llama-3.1-70b"],
    load_gpus()["h100"],
    tp=2,
    precision="fp8",
    kv_precision="fp8",
    slo=SLO,
    prompt_tok=1_200,
    cached_prompt_tok=0,
    output_tok=211,
)
LENGTHS = Lengths(
    prompt_tok=np.array([400.0, 1_000.0, 4_000.0]),
    cached_prompt_tok=np.zeros(3),
    output_tok=np.array([80.0, 200.0, 500.0]),
    weight=np.array([0.4, 0.45, 0.15]),
)
QUEUE = Queue.of(PROFILE, LENGTHS, SLO)


def test_more_replicas_never_worsen_what_users_see():
    seen = [QUEUE.latency(20.0, n) for n in (4, 5, 6, 8, 12, 20)]

    assert all(
        b.tpot_met >= a.tpot_met - 1e-6 and b.ttft_met >= a.ttft_met - 1e-4 for a, b in itertools.pairwise(seen)
    )
    assert all(b.tpot_s <= a.tpot_s for a, b in itertools.pairwise(seen))


def test_more_traffic_and_more_dispersion_never_take_fewer_replicas():
    bursty = replace(QUEUE, dispersion=Dispersion(window_s=10, index=20.0, floor=1.0, slope=0.5))

    assert QUEUE.fewest(10.0) < QUEUE.fewest(20.0) < bursty.fewest(20.0)


def test_fewest_replicas_hold_and_a_tenth_fewer_do_not():
    fewest = QUEUE.fewest(20.0)

    assert QUEUE.latency(20.0, fewest).holds(0.99)
    assert not QUEUE.latency(20.0, 0.9 * fewest).holds(0.99)


def test_slo_that_an_idle_replica_misses_is_out_of_reach():
    strict = replace(SLO, ttft_s=0.15)

    assert alone_met(PROFILE, LENGTHS, strict) == pytest.approx(0.85)
    assert Queue.of(PROFILE, LENGTHS, strict).fewest(1.0) == float("inf")
