from dataclasses import dataclass

import numpy as np
import pytest

from data.catalog.gpus import load_gpus
from data.catalog.models import load_models
from sizing.choice.lengths import length_buckets, lognormal_lengths, whole
from sizing.choice.options import FleetOption, Options, Serving, fleet_options
from sizing.layout import Layout
from sizing.profile import Slo, replica_profile

USD = {"h100": 3.0, "h200": 4.0, "b200": 6.5}


@dataclass(frozen=True)
class Asked:
    """One real question, with what it takes to ask it again."""

    serving: Serving
    gpus: list
    buckets: tuple
    mix: object
    options: Options


@pytest.fixture(scope="session")
def asked():
    """Llama-3.1-70B in fp8 under 1 s and 40 ms, 20 requests a second of widely spread lengths, on three GPUs."""
    buckets = length_buckets(lognormal_lengths(prompt_tok=2_000, output_tok=300, prompt_cv=2, output_cv=1))
    gpus = [load_gpus()[name] for name in USD]
    serving = Serving(model=load_models()["llama-3.1-70b"], kv_precision="fp8", slo=Slo(ttft_s=1.0, tpot_s=0.04))
    options = fleet_options(
        serving,
        gpus,
        ["fp8"],
        whole(buckets),
        buckets,
        requests_per_s=20 / 0.7,
        usd_per_gpu_hour=USD,
        tensor_parallel=(1, 2, 4),
        spare_replicas=1,
    )
    return Asked(serving, gpus, buckets, whole(buckets), options)


@pytest.fixture(scope="session")
def a_profile():
    return replica_profile(
        load_models()["llama-3.1-8b"],
        load_gpus()["h100"],
        tp=1,
        precision="bf16",
        kv_precision="bf16",
        slo=Slo(),
        prompt_tok=1_000,
        cached_prompt_tok=0,
        output_tok=100,
    )


@pytest.fixture(scope="session")
def made_up(a_profile):
    """Return a maker of options with given work, for arithmetic that needs no GPU."""
    from dataclasses import replace

    def make(gpu, replicas, buckets=(), *, usd=1.0, spare=0, tdp_w=500.0, tp=1):
        return FleetOption(
            profile=replace(a_profile, gpu=gpu, tp=tp, layout=Layout(tp=tp)),
            replicas=float(replicas),
            bucket_replicas=np.array(buckets, dtype=np.float64),
            spare_replicas=spare,
            usd_per_gpu_hour=usd,
            tdp_w=tdp_w,
        )

    return make


@pytest.fixture(scope="session")
def of_options():
    """Return a maker of Options with as many (nameless) buckets as the options have."""
    buckets = length_buckets(lognormal_lengths(prompt_tok=2_000, output_tok=300, prompt_cv=2, output_cv=1))

    def make(*options):
        count = len(options[0].bucket_replicas)
        return Options(options=tuple(options), unserved=(), buckets=buckets[:count])

    return make
