from dataclasses import replace

import numpy as np
import pytest

from sizing.profile import Slo, replica_profile
from sizing.simulate.replica import between, iteration_s
from sizing.simulate.steps import StepTable, step_table
from sizing.throughput import decode_step_s, mixed_step_s, prefill_latency_s, prefill_work_s

KINDS = [
    ("llama-3.1-70b", "h100", 4, {}),
    ("gpt-oss-120b", "h100", 2, {}),
    ("deepseek-v3.2", "h200", 8, {}),
    ("deepseek-r1", "h200", 8, {"ep": 8, "dp_attention": True}),
    ("llama-3.1-70b", "h100", 2, {"pp": 2}),
]


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: f"{kind[0]}-{kind[2]}")
def profile(request, models, gpus):
    model, gpu, tp, more = request.param
    return replica_profile(
        models[model],
        gpus[gpu],
        tp=tp,
        precision="fp8" if model != "gpt-oss-120b" else "fp4",
        kv_precision="fp8",
        slo=Slo(),
        prompt_tok=2_000,
        cached_prompt_tok=200,
        output_tok=300,
        **more,
    )


@pytest.fixture(scope="module")
def table(profile) -> StepTable:
    return step_table(profile, sequences=256, longest_tok=100_000)


def test_decode_steps_are_those_that_fleets_are_sized_with(profile, table):
    rng = np.random.default_rng(3)
    batch, context = rng.integers(1, 257, 400), np.exp(rng.uniform(0, np.log(100_000), 400))
    work, factors = profile.physics.work, profile.physics.factors

    read = [between(table.context_tok, table.decode_s[b], t) for b, t in zip(batch, context, strict=True)]

    np.testing.assert_allclose(read, decode_step_s(work, factors, batch * 1.0, context), rtol=2e-4)


def test_chunks_of_a_prompt_add_up_to_the_prompt_that_fleets_are_sized_with(profile, table):
    work, factors = profile.physics.work, profile.physics.factors
    rng = np.random.default_rng(4)
    for begin, fresh in zip(rng.integers(0, 50_000, 60), rng.integers(1, 40_000, 60), strict=True):
        ends = np.append(np.arange(begin, begin + fresh, 512), begin + fresh)
        chunks = np.diff(ends)
        rates = [between(table.middle_tok, table.rate_s, m) for m in (ends[1:] + ends[:-1]) / 2]
        whole = float(prefill_work_s(work, factors, np.array([begin + fresh * 1.0]), np.array([begin * 1.0]))[0])
        # A layer that looks back over a window is charged for the mean of a prompt, so that a chunk which the
        # window's end cuts is charged for less than two chunks apart.
        assert table.prompt_s + float(chunks @ rates) == pytest.approx(whole, rel=0.05)
        one = between(table.middle_tok, table.rate_s, begin + fresh / 2)
        assert table.prompt_s + fresh * one == pytest.approx(whole, rel=2e-4)


def test_a_mixed_step_is_that_of_fleets(profile, table):
    """Experts that only the prompt touches are read as well: never less than sizing says."""
    work, factors = profile.physics.work, profile.physics.factors
    for batch, context, chunk in ((1, 4_000.0, 512), (40, 2_000.0, 1_500), (200, 9_000.0, 8_000)):
        arithmetic = chunk * between(table.middle_tok, table.rate_s, context / 2)
        limits = (table.context_tok, table.decode_s, table.fresh_tok, table.read_s)
        mixed = _iteration(limits, batch, context, chunk, arithmetic)
        sized = float(mixed_step_s(work, factors, np.array([batch * 1.0]), np.array([context]), chunk)[0])
        assert mixed >= sized * (1 - 3e-4)
        if not work.expert_bytes:
            assert mixed == pytest.approx(sized, rel=3e-4)


def _iteration(limits, batch: int, context: float, chunk: int, arithmetic: float) -> float:
    context_tok, decode_s, fresh_tok, read_s = limits

    class Some:
        pass

    some = Some()
    some.context_tok, some.decode_s, some.fresh_tok, some.read_s = context_tok, decode_s, fresh_tok, read_s
    plain = getattr(iteration_s, "py_func", iteration_s)
    return plain(some, batch, int(batch * context), chunk, arithmetic)


def test_alone_a_prompt_of_one_chunk_takes_what_sizing_says(profile, table):
    work, factors = profile.physics.work, profile.physics.factors
    prompt, cached = np.array([3_000.0, 800.0]), np.array([0.0, 300.0])

    wait = table.first_token_wait_s(prompt, cached)
    fresh = prompt - cached
    rates = np.array([between(table.middle_tok, table.rate_s, m) for m in (prompt + cached) / 2])
    read = np.array([between(table.fresh_tok, table.read_s, n) for n in fresh])

    alone = table.prompt_s + fresh * rates + read + wait
    np.testing.assert_allclose(alone, factors.wait * prefill_latency_s(work, factors, prompt, cached), rtol=1e-3)


def test_without_physics_the_profile_s_own_coefficients_are_the_times(profile):
    bare = replace(profile, physics=None)

    table = step_table(bare, sequences=8, longest_tok=9_000)

    assert between(table.context_tok, table.decode_s[8], 4_000.0) == pytest.approx(
        float(bare.step_s(np.array(8.0), np.array(4_000.0))), rel=1e-6
    )
    took = between(table.fresh_tok, table.read_s, 900.0) + 900 * between(table.middle_tok, table.rate_s, 550.0)
    assert took == pytest.approx(float(bare.prefill_s(np.array(1_000.0), np.array(100.0))), rel=1e-6)
