from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.catalog.gpus import load_gpus
from data.catalog.models import load_models
from data.errors import UserError
from forecasting.demand import Moments
from sizing.memory import DoesNotFit
from sizing.operating import MeanRequest
from sizing.profile import Slo, SloCannotBeMet, candidate_profiles, gpu_s_per_request, replica_profile
from sizing.speculation import Speculation

MODELS, GPUS = load_models(), load_gpus()
ASKED = {
    "precision": "fp8",
    "kv_precision": "fp8",
    "prompt_tok": 2_000,
    "cached_prompt_tok": 500,
    "output_tok": 300,
}
CHAT = Slo(ttft_s=1.0, tpot_s=0.04)


def profile(slo=Slo(), tp=4, model="llama-3.1-70b", gpu="h100", **more):  # noqa: B008  # frozen
    found = GPUS[gpu] if isinstance(gpu, str) else gpu
    return replica_profile(MODELS[model], found, tp=tp, slo=slo, **ASKED | more)


def test_work_of_the_mean_request_is_its_prompt_and_its_share_of_every_step():
    p = profile()
    work = float(p.work_s(MeanRequest(prompt_tok=2_000, cached_tok=500, output_tok=300, moments=ALIKE).sums()))
    step = float(p.step_s(np.array(float(p.batch)), np.array(2_150.0)))  # no SLO, so the batch is whole
    prompt = work - 300 * step / p.batch

    assert prompt > 0
    assert p.tpot_s == pytest.approx(step + (p.batch - 1) * prompt / 300)


ALIKE = Moments(prompt_sq=1, cached_sq=1, prompt_cached=1, prompt_output=1, output_sq=1)


def test_work_is_linear_in_sums_so_that_it_adds_up_over_requests():
    p, rng = profile(), np.random.default_rng(7)
    prompts, outputs = rng.integers(1, 5_000, 100), rng.integers(1, 900, 100)
    none = np.zeros(100)
    parts = [np.ones(100), prompts, none, outputs, prompts**2, none, none, prompts * outputs, outputs**2]
    each = np.stack(parts, axis=-1).astype(float)

    assert p.work_s(each).sum() == pytest.approx(float(p.work_s(each.sum(axis=0))))
    assert p.gpu_work_s(each).sum() == pytest.approx(4 * p.work_s(each).sum())


def test_long_answers_cost_more_than_their_mean_says():
    uneven = replace(ALIKE, output_sq=4.0, prompt_sq=3.0)

    assert gpu_s_per_request(profile(moments=uneven), uneven) > gpu_s_per_request(profile(), ALIKE)


def test_slo_sets_the_batch_and_is_held_there_but_not_one_beyond():
    p = profile(CHAT)

    assert p.binds == "TPOT"
    assert p.tpot_s == pytest.approx(0.04)
    assert p.batch < p.memory_batch
    assert profile(Slo(tpot_s=0.039)).batch < p.batch < profile(Slo(tpot_s=0.041)).batch


def test_tight_first_token_binds_as_ttft():
    lone = profile(Slo(tpot_s=0.0135)).ttft_s

    assert profile(Slo(ttft_s=lone * 1.3)).binds == "TTFT"


def test_slo_that_cannot_be_met_says_the_best_and_the_way_out():
    with pytest.raises(SloCannotBeMet) as caught:
        profile(Slo(ttft_s=0.5, tpot_s=0.001))

    sentence = str(caught.value)
    assert sentence.startswith("llama-3.1-70b on 4 x h100 answers one request with TTFT ")
    assert "the SLO asks TTFT 500 ms and TPOT 1 ms" in sentence
    assert "Use more or faster GPUs per replica" in sentence


def test_memory_binds_where_weights_leave_little_room():
    p = profile(tp=1, model="gpt-oss-120b", precision="fp4", prompt_tok=300, cached_prompt_tok=0, output_tok=2_000)

    assert p.binds == "memory"
    assert p.batch == p.memory_batch


def test_prefill_binds_where_prompts_are_long_and_decode_where_answers_are():
    assert profile(prompt_tok=8_000, output_tok=50).binds == "prefill"
    assert profile(prompt_tok=100, cached_prompt_tok=0, output_tok=1_500, tp=8).binds == "decode"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"prompt_tok": -1, "cached_prompt_tok": 0}, "give positive lengths"),
        ({"cached_prompt_tok": 3_000}, "3000 cached of 2000 prompt tokens"),
        ({"engine": "llamacpp"}, "engine 'llamacpp' is not calibrated"),
        ({"prompt_tok": 200_000}, "longer than the context of llama-3.1-70b, 131,072 tokens"),
    ],
)
def test_impossible_lengths_are_the_users_to_mend(wrong, says):
    with pytest.raises(UserError, match=says):
        profile(**wrong)


def test_candidates_say_why_a_gpu_is_none():
    h100, l40s = candidate_profiles(MODELS["llama-3.1-70b"], [GPUS["h100"], GPUS["l40s"]], slo=CHAT, **ASKED)

    assert h100.profile is not None
    assert not h100.why_not
    assert l40s.profile is None
    assert "1 x l40s offers 43.5 GB" in l40s.why_not


def test_candidates_take_the_tp_of_fewest_gpu_seconds():
    (best,) = candidate_profiles(MODELS["llama-3.1-70b"], [GPUS["h200"]], slo=CHAT, **ASKED)
    each = {}
    for tp in (1, 2, 4, 8):
        try:
            each[tp] = gpu_s_per_request(profile(CHAT, tp=tp, gpu="h200"))
        except (DoesNotFit, SloCannotBeMet):
            continue

    assert best.profile is not None
    assert each[best.profile.tp] == min(each.values())


def test_small_rates_take_small_replicas():
    model, gpu = MODELS["llama-3.1-8b"], [GPUS["h100"]]
    (one,) = candidate_profiles(model, gpu, slo=Slo(), requests_per_s=0.01, spare_replicas=1, **ASKED)

    assert one.profile is not None
    assert one.profile.tp == 1


def test_measured_points_and_band_stand_with_the_profile():
    seen = profile()
    unseen = replica_profile(MODELS["phi-4"], GPUS["h200"], tp=1, slo=Slo(), **ASKED)

    assert seen.measured_points > 0
    assert unseen.measured_points == 0
    assert unseen.error_p10 < seen.error_p10 < 1 < seen.error_p90 < unseen.error_p90


@settings(max_examples=8, deadline=None)
@given(k=st.integers(1, 8), a=st.floats(0, 1), b=st.floats(0, 1))
def test_speculation_helps_at_most_k_plus_one_times_and_more_the_more_is_accepted(k, a, b):
    low, high = sorted((a, b))

    def step(speculation):
        p = profile(Slo(tpot_s=0.03), tp=8, speculation=speculation)
        return p.output_tok * p.tpot_s, gpu_s_per_request(p), p

    _, plain, _ = step(None)
    _, fewer, _ = step(Speculation(tokens=k, acceptance=low))
    _, more, _ = step(Speculation(tokens=k, acceptance=high))

    assert more <= fewer * (1 + 1e-6)
    assert more >= plain / (k + 1) * (1 - 1e-6)


def test_drafts_that_are_never_accepted_only_cost():
    plain, refused = profile(), profile(speculation=Speculation(tokens=4, acceptance=0.0))

    assert gpu_s_per_request(refused) > gpu_s_per_request(plain)
    assert refused.tpot_s > plain.tpot_s


def test_prefix_that_is_wholly_cached_leaves_decoding_and_the_prompts_overhead():
    all_cached, none = profile(cached_prompt_tok=2_000), profile(cached_prompt_tok=0)
    fixed = all_cached.work_coefficients[0]
    sums = MeanRequest(prompt_tok=2_000, cached_tok=2_000, output_tok=300, moments=ALIKE).sums()
    decode = float(all_cached.work_s(sums)) - fixed

    assert decode == pytest.approx(300 * float(all_cached.step_s(np.array(all_cached.batch), np.array(2_150.0)))
                                   / all_cached.batch, rel=1e-6)  # fmt: skip
    assert fixed < 0.01
    assert gpu_s_per_request(all_cached) < gpu_s_per_request(none) / 2


def test_one_stage_is_the_profile_without_stages():
    assert gpu_s_per_request(profile(pp=1, ep=1)) == gpu_s_per_request(profile())


def test_stages_count_as_gpus_and_hold_what_one_stage_cannot():
    two = profile(tp=1, pp=2)

    assert (two.gpus, two.layout.text) == (2, "TP 1, PP 2")
    with pytest.raises(DoesNotFit):
        profile(tp=1, pp=1, precision="bf16")
    assert two.gpu_work_s(np.ones(9)) == pytest.approx(2 * two.work_s(np.ones(9)))


def test_data_parallel_attention_multiplies_what_mla_holds():
    asked = {"tp": 8, "model": "deepseek-r1", "gpu": "h200"}

    assert profile(dp_attention=True, **asked).memory_batch > 4 * profile(**asked).memory_batch


def test_layout_that_a_model_cannot_have_is_the_users_to_mend():
    with pytest.raises(UserError, match="shares out experts"):
        profile(ep=4)
    with pytest.raises(UserError, match="EP 16 needs TP of 16 or more"):
        candidate_profiles(MODELS["deepseek-r1"], [GPUS["h200"]], slo=Slo(), ep=16, **ASKED)


def test_whole_answer_is_the_first_token_and_the_others():
    p = profile()

    assert p.e2e_s == pytest.approx(p.ttft_s + 299 * p.tpot_s)
    assert p.longest_gap_s > p.step_s(np.array(float(p.batch)), np.array(2_150.0))


GROWING = st.sampled_from(("prompt_tok", "output_tok"))


@settings(max_examples=50, deadline=None)
@given(
    grows=GROWING,
    more=st.floats(1.0, 3.0),
    prompt=st.integers(100, 20_000),
    output=st.integers(10, 2_000),
    slo=st.sampled_from((Slo(), Slo(tpot_s=0.05), Slo(ttft_s=4.0))),
    name=st.sampled_from(("llama-3.1-8b", "llama-3.1-70b", "gpt-oss-20b")),
)
def test_longer_requests_never_take_fewer_gpu_seconds(grows, more, prompt, output, slo, name):
    asked = {
        "model": name,
        "slo": slo,
        "gpu": "h200",
        "cached_prompt_tok": 0,
        "prompt_tok": prompt,
        "output_tok": output,
    }
    try:
        longer = gpu_s_per_request(profile(**asked | {grows: asked[grows] * more}))
    except SloCannotBeMet:
        return

    assert longer >= gpu_s_per_request(profile(**asked)) * (1 - 1e-6)


@settings(max_examples=40, deadline=None)
@given(
    field=st.sampled_from(("memory_bytes_per_s", "fp8_flop_per_s", "link_bytes_per_s", "usable_bytes")),
    more=st.floats(1.0, 3.0),
    slo=st.sampled_from((Slo(), Slo(ttft_s=1.0, tpot_s=0.05))),
)
def test_better_gpus_never_take_more_gpu_seconds(field, more, slo):
    gpu = GPUS["h200"]
    value = getattr(gpu, field) * more
    better = replace(gpu, **{field: int(value) if field == "usable_bytes" else value})

    assert gpu_s_per_request(profile(slo, gpu=better)) <= gpu_s_per_request(profile(slo, gpu=gpu)) * (1 + 1e-6)


@settings(max_examples=30, deadline=None)
@given(tight=st.floats(0.02, 0.2), loose=st.floats(1.0, 3.0))
def test_looser_slo_never_takes_more_gpu_seconds(tight, loose):
    loosened, tightened = profile(Slo(tpot_s=tight * loose)), profile(Slo(tpot_s=tight))

    assert gpu_s_per_request(loosened) <= gpu_s_per_request(tightened) * (1 + 1e-6)
