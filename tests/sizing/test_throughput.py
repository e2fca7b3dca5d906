from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.catalog.gpus import load_gpus
from data.catalog.models import load_models
from sizing.calibration import Key, load_calibration
from sizing.throughput import (
    MOST_OF_PEAK,
    Work,
    allreduce_s,
    compute_flop_per_s,
    decode_step_s,
    experts_touched,
    mixed_step_s,
    prefill_latency_s,
    prefill_work_s,
    work_of,
)

MODELS, GPUS = load_models(), load_gpus()
SOME = ("llama-3.1-8b", "llama-3.1-70b", "gpt-oss-120b", "deepseek-r1", "qwen3.5-397b-a17b", "glm-5")


def factors(model="llama-3.1-8b", gpu="h100", engine="vllm", precision="fp8"):
    return load_calibration().factors([Key(model=model, gpu=gpu, engine=engine, precision=precision)])


def ideal():
    """Return factors of a machine without overheads that reads and computes at the data sheet's rates."""
    kept = {"norm": np.array([8.0]), "slow": np.ones(1), "wait": np.ones(1)}
    one, none = np.ones(1), np.zeros(1)
    names = ("memory_efficiency", "compute_efficiency", "prefill_efficiency", "link_efficiency")
    return replace(factors(), **{f: one if f in names else none for f in factors().__slots__} | kept)


def test_step_of_a_small_batch_is_one_reading_of_the_weights():
    work = work_of(MODELS["llama-3.1-8b"], GPUS["h100"], tp=1, precision="bf16", kv_precision="bf16")
    read = 2 * (8.03e9 - 128_256 * 4_096)  # the embedding is looked up, not read

    assert decode_step_s(work, ideal(), np.array([1.0]), np.array([0.0])) == pytest.approx(
        read / 3.35e12, rel=1e-3
    )


def test_prefill_of_a_long_prompt_is_its_flop_at_the_most_of_peak_that_there_is():
    work = work_of(MODELS["llama-3.1-8b"], GPUS["h100"], tp=1, precision="bf16", kv_precision="bf16")
    linear = 2 * (8.03e9 - 2 * 128_256 * 4_096) * 8_000
    quadratic = 4 * 32 * 32 * 128 * 8_000**2 / 2

    seconds = prefill_work_s(work, ideal(), np.array([8_000.0]), np.zeros(1))

    assert seconds == pytest.approx((linear + quadratic) / 989e12 / MOST_OF_PEAK, rel=1e-6)


def test_long_prompt_of_200k_takes_577_times_the_flop_of_1k_on_a_70b():
    # 566 times if embedding and head are counted for every token, as 2 x 70.55e9 does; never 200 times.
    work = work_of(MODELS["llama-3.1-70b"], GPUS["h100"], tp=1, precision="bf16", kv_precision="bf16")
    long, short = prefill_work_s(work, ideal(), np.array([200_000.0, 1_000.0]), np.zeros(2))

    assert long / short == pytest.approx(577, rel=0.005)


def test_experts_touched_grows_from_k_to_all():
    e, k = np.array(256.0), np.array(8.0)

    assert experts_touched(e, k, np.array(1.0)) == pytest.approx(8)
    assert experts_touched(e, k, np.array(2.0)) == pytest.approx(16 - 8 * 8 / 256)
    assert experts_touched(e, k, np.array(10_000.0)) == pytest.approx(256)
    assert experts_touched(np.array(0.0), np.array(0.0), np.array(9.0)) == 0


def test_fp8_on_an_a100_runs_as_bf16_arithmetic():
    assert compute_flop_per_s(GPUS["a100-80gb"], "fp8") == GPUS["a100-80gb"].bf16_flop_per_s
    assert compute_flop_per_s(GPUS["h100"], "fp8") == GPUS["h100"].fp8_flop_per_s
    assert compute_flop_per_s(GPUS["b200"], "int4") == GPUS["b200"].bf16_flop_per_s


def test_one_gpu_reduces_nothing():
    work = work_of(MODELS["llama-3.1-8b"], GPUS["h100"], tp=1, precision="fp8", kv_precision="fp8")

    assert allreduce_s(work, factors(), np.array([64.0])) == 0


def test_cached_prefix_saves_its_share_of_the_work():
    work = work_of(MODELS["llama-3.1-8b"], GPUS["h100"], tp=1, precision="fp8", kv_precision="fp8")
    whole, half, none = prefill_work_s(work, factors(), np.full(3, 8_000.0), np.array([0.0, 4_000.0, 8_000.0]))

    assert none < half < whole
    assert half > whole / 2  # the second half attends to the first


def test_arrays_give_what_single_points_give():
    works = [work_of(MODELS[m], GPUS["h200"], tp=8, precision="fp8", kv_precision="fp8") for m in SOME]
    keys = [Key(model=m, gpu="h200", engine="vllm", precision="fp8") for m in SOME]
    batch = np.linspace(1, 64, len(SOME))
    together = decode_step_s(Work.stack(works), load_calibration().factors(keys), batch, np.full(len(SOME), 2e3))

    for i, work in enumerate(works):
        alone = decode_step_s(work, load_calibration().factors([keys[i]]), batch[i : i + 1], np.array([2e3]))
        assert together[i] == pytest.approx(float(alone[0]))


def one(**layout):
    return work_of(MODELS["deepseek-r1"], GPUS["h200"], precision="fp8", kv_precision="fp8", **{"tp": 8} | layout)


def decode(work, batch=64.0, context=4e3, **more):
    at = np.array([batch]), np.array([context])
    return float(decode_step_s(work, factors("deepseek-r1", "h200"), *at, **more)[0])


def test_one_stage_and_one_expert_group_are_the_replica_without_them():
    assert decode(one(pp=1, ep=1)) == decode(one())


def test_stages_read_all_weights_one_after_the_other_and_share_the_cache():
    # An ideal machine without arithmetic: W / (tp bandwidth) + B KV / (tp pp bandwidth), a round of one token.
    gpu = replace(GPUS["h100"], bf16_flop_per_s=1e30)
    model = MODELS["llama-3.1-8b"]
    shape = {"precision": "bf16", "kv_precision": "bf16"}
    work = work_of(model, gpu, tp=1, pp=4, **shape)
    read = 2 * (model.params_total - model.vocab * model.hidden)
    bare = replace(ideal(), link_efficiency=np.full(1, 1e9))

    step = float(decode_step_s(work, bare, np.array([32.0]), np.array([1e3]))[0])

    assert step == pytest.approx((read + 32 * 1e3 * 131_072 / 4) / gpu.memory_bytes_per_s, rel=1e-6)


def test_stages_delay_a_lone_prompt_by_their_bubble_and_many_chunks_hide_it():
    def share(prompt):
        f, asked = factors("llama-3.1-70b"), (np.array([prompt]), np.zeros(1))
        works = (work_of(MODELS["llama-3.1-70b"], GPUS["h100"], tp=4, pp=pp, **FP8) for pp in (1, 4))
        one_stage, four = (float(prefill_latency_s(work, f, *asked)[0]) for work in works)
        return four / one_stage

    assert 0.9 < share(8_000.0) < 1.1  # one chunk: each stage waits for the one before
    assert share(120_000.0) < 0.4  # fifteen chunks flow through: (15 + 3) / 15 of a quarter


FP8 = {"precision": "fp8", "kv_precision": "fp8"}


def test_data_parallel_attention_pays_off_with_many_sequences_and_costs_with_few():
    shared_out, split = one(dp_attention=True, ep=8), one(ep=8)

    assert decode(shared_out, batch=1.0, context=1e3) > decode(split, batch=1.0, context=1e3)
    assert decode(shared_out, batch=256.0, context=16e3) < decode(split, batch=256.0, context=16e3)


def test_experts_shared_out_whole_wait_for_the_fullest_rank():
    assert decode(one(ep=8)) > decode(one())
    assert decode(one(ep=8), batch=4096.0) / decode(one(), batch=4096.0) < 1.05  # many tokens even it out


def test_checking_more_tokens_costs_more_but_less_than_so_many_steps():
    alone, checked = decode(one(), batch=8.0), decode(one(), batch=8.0, checked_tok=4.0)

    assert alone < checked < 4 * alone


def test_mixed_step_is_the_decode_step_and_the_chunks_arithmetic():
    work, f, at = one(), factors("deepseek-r1", "h200"), (np.array([32.0]), np.array([20_000.0]))
    plain, mixed = float(decode_step_s(work, f, *at)[0]), float(mixed_step_s(work, f, *at, 8_192.0)[0])

    assert mixed_step_s(work, f, *at, 0.0) == pytest.approx(plain)
    assert plain < mixed < plain + float(prefill_work_s(work, f, np.array([20_000.0]), np.zeros(1))[0])


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(SOME),
    tp=st.sampled_from((1, 2, 4, 8)),
    batch=st.floats(1, 512),
    context=st.floats(10, 100_000),
    more=st.floats(1.0, 4.0),
)
def test_steps_grow_with_batch_and_context_and_shrink_with_bandwidth_and_flop(name, tp, batch, context, more):
    gpu = GPUS["h200"]
    shape = {"tp": tp, "precision": "fp8", "kv_precision": "fp8"}
    work, f = work_of(MODELS[name], gpu, **shape), factors(name, "h200")

    def step(work, batch, context):
        return float(decode_step_s(work, f, np.array([batch]), np.array([context]))[0])

    base = step(work, batch, context)
    assert step(work, batch * more, context) >= base
    assert step(work, batch, context * more) >= base
    wider = replace(gpu, memory_bytes_per_s=gpu.memory_bytes_per_s * more)
    assert step(work_of(MODELS[name], wider, **shape), batch, context) <= base
    faster = replace(gpu, fp8_flop_per_s=gpu.fp8_flop_per_s * more)
    assert step(work_of(MODELS[name], faster, **shape), batch, context) <= base
    assert step(work, batch * more, context) / (batch * more) <= base / batch * (1 + 1e-9)


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(SOME), prompt=st.floats(10, 100_000), cached=st.floats(0, 1), more=st.floats(1.0, 4.0))
def test_longer_prompts_never_prefill_faster_and_cached_ones_never_slower(name, prompt, cached, more):
    work = work_of(MODELS[name], GPUS["b200"], tp=8, precision="fp8", kv_precision="fp8")
    f = factors(name, "b200")
    for seconds in (prefill_work_s, prefill_latency_s):
        base = seconds(work, f, np.array([prompt]), np.array([0.0]))
        assert seconds(work, f, np.array([prompt * more]), np.array([0.0])) >= base
        assert seconds(work, f, np.array([prompt]), np.array([prompt * cached])) <= base
