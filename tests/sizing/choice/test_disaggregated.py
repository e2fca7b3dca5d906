from dataclasses import replace

import pytest

from data.errors import UserError
from sizing.choice.disaggregated import best_disaggregated, prompt_kv_bytes
from sizing.choice.limits import Limits
from sizing.profile import Slo

USD = {"h100": 3.0, "h200": 4.0}


def pair(asked, limits=None, **more):
    given = {"requests_per_s": 50.0, "usd_per_gpu_hour": USD, "tensor_parallel": (2, 4), "spare_replicas": 1}
    return best_disaggregated(
        more.pop("serving", asked.serving), asked.gpus[:2], ["fp8"], asked.mix, limits or Limits(), **given | more
    )


def test_the_transfer_is_the_kv_of_the_prompt_over_the_ports_of_a_replica(asked):
    """2,000 tokens x 163,840 bytes (fp8) over 2 x 50 GB/s: 3.3 ms."""
    found = pair(asked, tensor_parallel=(2,))

    assert prompt_kv_bytes(asked.serving.model, 2_000, "fp8") == 327_680_000
    assert found.kv_bytes_per_request == pytest.approx(327_680_000, rel=1e-6)
    assert found.transfer_s == pytest.approx(327_680_000 / 100e9, rel=1e-6)


def test_pools_hold_their_own_half_of_the_slo(asked):
    found = pair(asked)
    prefill, decode = found.prefill.option.profile, found.decode.option.profile

    assert prefill.ttft_s + found.transfer_s <= asked.serving.slo.ttft_s * (1 + 1e-9)
    assert decode.tpot_s <= asked.serving.slo.tpot_s * (1 + 1e-9)
    assert decode.batch > max(o.profile.batch for o in asked.options.options if o.profile.tp == decode.tp)


def test_work_of_both_halves_is_the_works_of_prompt_and_answer(asked):
    """Without an SLO the halves add up to the whole: no arithmetic is lost or done twice."""
    serving = replace(asked.serving, slo=Slo())
    found = pair(asked, serving=serving, tensor_parallel=(4,))
    for pool in (found.prefill, found.decode):
        assert pool.option.profile.gpu in USD
    from sizing.choice.options import fleet_options

    whole = fleet_options(
        serving, asked.gpus[:2], ["fp8"], asked.mix, (), requests_per_s=50.0, usd_per_gpu_hour=USD,
        tensor_parallel=(4,),
    )  # fmt: skip
    one = min(o.replicas * o.usd_per_replica_hour for o in whole.options)
    both = sum(p.work * p.option.usd_per_replica_hour for p in (found.prefill, found.decode))

    assert both == pytest.approx(one, rel=0.15)


def test_a_slow_link_asks_for_more_gpus_and_one_too_slow_for_none(asked):
    fast, slow = pair(asked), pair(asked, interconnect_gbit_per_s=20.0)

    assert fast.link_share < 0.7
    assert slow is None or slow.fleet.usd_per_hour > fast.fleet.usd_per_hour
    assert pair(asked, interconnect_gbit_per_s=0.5) is None
    with pytest.raises(UserError, match="interconnect is 0 Gbit/s"):
        pair(asked, interconnect_gbit_per_s=0.0)


def test_limits_count_both_pools(asked):
    free = pair(asked)
    gpu, count = max(free.fleet.gpus.items(), key=lambda item: item[1])
    bound = pair(asked, Limits(max_gpus={gpu: count - 1}))

    assert bound is None or bound.fleet.gpus.get(gpu, 0) < count
    assert bound is None or bound.fleet.usd_per_hour >= free.fleet.usd_per_hour
