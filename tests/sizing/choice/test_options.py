from dataclasses import replace

import numpy as np
import pytest

from data.catalog.gpus import load_gpus
from data.errors import UserError
from sizing.choice.options import Serving, fleet_options, held_by_length, usd_per_request
from sizing.profile import Slo, gpu_s_per_request, replica_profile


def test_an_options_work_is_its_replica_profiles(asked):
    """20 / 0.7 requests a second times the GPU-seconds of ReplicaProfile, over the GPUs of a replica."""
    option = next(o for o in asked.options.options if o.profile.gpu == "h100" and o.profile.tp == 2)
    profile = replica_profile(
        asked.serving.model,
        load_gpus()["h100"],
        tp=2,
        precision="fp8",
        kv_precision="fp8",
        slo=asked.serving.slo,
        prompt_tok=asked.mix.prompt_tok,
        cached_prompt_tok=0,
        output_tok=asked.mix.output_tok,
        moments=asked.mix.moments,
    )

    assert option.replicas == pytest.approx(20 / 0.7 * gpu_s_per_request(profile, asked.mix.moments) / 2)
    assert option.usd_per_replica_hour == 6.0
    assert option.power_kw(3) == pytest.approx(3 * 2 * 0.7)
    assert usd_per_request(option, asked.mix) == pytest.approx(6.0 / 3600 * option.replicas / (20 / 0.7))


def test_what_does_not_fit_is_kept_with_its_reason(asked):
    assert [(u.gpu, u.tp) for u in asked.options.unserved] == [("h100", 1)]
    assert "70.9 GB" in asked.options.unserved[0].why_not or "GB of weights" in asked.options.unserved[0].why_not


def test_long_prompts_meet_a_short_ttft_only_on_many_gpus(asked):
    by_tp = {o.profile.tp: o.bucket_replicas for o in asked.options.options if o.profile.gpu == "b200"}

    assert np.isinf(by_tp[1]).any()
    assert np.isfinite(by_tp[4]).all()


def test_buckets_work_adds_up_to_the_mixs_where_one_bound_holds(asked):
    """Bound by TPOT, replica-seconds are linear in the lengths, so buckets apart take what the mix takes.

    No TTFT is asked here: with one, a long prompt's own bound is another than the mix's.
    """
    serving = replace(asked.serving, slo=Slo(tpot_s=0.04))
    found = fleet_options(
        serving, asked.gpus[:1], ["fp8"], asked.mix, asked.buckets,
        requests_per_s=10.0, usd_per_gpu_hour={}, tensor_parallel=(4,),
    )  # fmt: skip
    option = found.options[0]

    assert option.profile.binds == "TPOT"
    assert option.bucket_replicas.sum() == pytest.approx(option.replicas, rel=0.15)


def test_a_bucket_that_nothing_serves_runs_in_the_mix(asked):
    serving = replace(asked.serving, slo=Slo(ttft_s=0.4, tpot_s=0.04))
    found = fleet_options(
        serving, asked.gpus[:1], ["fp8"], asked.mix, asked.buckets,
        requests_per_s=10.0, usd_per_gpu_hour={}, tensor_parallel=(4,),
    )  # fmt: skip

    assert 0 < found.relaxed_share < 0.1
    assert np.isfinite(found.options[0].bucket_replicas).all()


def test_held_by_length_a_fleet_serves_all_buckets_or_cannot(asked):
    held = held_by_length(asked.options)
    for before, after in zip(asked.options.options, held.options, strict=True):
        assert after.replicas == before.bucket_replicas.sum()
    assert any(np.isinf(o.replicas) for o in held.options)


def test_nothing_that_serves_raises_with_the_reason(asked):
    serving = Serving(model=asked.serving.model, slo=Slo(tpot_s=1e-6))
    with pytest.raises(UserError, match="TPOT"):
        fleet_options(
            serving, asked.gpus[:1], ["fp8"], asked.mix, (),
            requests_per_s=10.0, usd_per_gpu_hour={}, tensor_parallel=(4,),
        )  # fmt: skip


def test_without_a_setting_to_try_it_says_so(asked):
    serving = Serving(model=asked.serving.model, slo=Slo())
    with pytest.raises(UserError, match="No GPU and tensor parallelism that was named fits"):
        fleet_options(
            serving, asked.gpus[:1], ["fp8"], asked.mix, (),
            requests_per_s=10.0, usd_per_gpu_hour={}, tensor_parallel=(3,),
        )  # fmt: skip
