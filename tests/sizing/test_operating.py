import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.catalog.gpus import load_gpus
from data.catalog.models import load_models
from forecasting.demand import Moments
from sizing.calibration import Key, load_calibration
from sizing.operating import MeanRequest, Replica
from sizing.throughput import decode_step_s, work_of

MODELS, GPUS = load_models(), load_gpus()
UNEVEN = Moments(prompt_sq=2.5, cached_sq=3.0, prompt_cached=1.8, prompt_output=1.2, output_sq=2.0)
LENGTHS = {"prompt_tok": st.floats(10, 50_000), "share": st.floats(0, 0.99), "output_tok": st.floats(2, 4_000)}


def replica(name="llama-3.1-8b", prompt=4_000.0, cached=1_000.0, output=300.0, moments=UNEVEN, tp=4):
    key = Key(model=name, gpu="h200", engine="vllm", precision="fp8")
    mean = MeanRequest(prompt_tok=prompt, cached_tok=cached, output_tok=output, moments=moments)
    work = work_of(MODELS[name], GPUS["h200"], tp=tp, precision="fp8", kv_precision="fp8")
    return Replica(work=work, factors=load_calibration().factors([key]), mean=mean)


def test_context_of_a_decoded_token_is_the_prompt_and_half_of_the_output():
    alike = Moments(prompt_sq=1, cached_sq=1, prompt_cached=1, prompt_output=1, output_sq=1)
    mean = MeanRequest(prompt_tok=1_000, cached_tok=0, output_tok=200, moments=alike)

    assert mean.context_tok == 1_100
    assert mean.sums().tolist() == [1, 1_000, 0, 200, 1e6, 0, 0, 2e5, 4e4]


def test_all_cached_prompt_leaves_no_pairs_to_attend_over():
    uneven = Moments(prompt_sq=2.66, cached_sq=4.99, prompt_cached=2.67, prompt_output=1.13, output_sq=1.9)
    mean = MeanRequest(prompt_tok=9_550, cached_tok=9_550, output_tok=235, moments=uneven)

    assert mean.square_gap == 0
    assert mean.sums()[5] == mean.sums()[4]


@settings(max_examples=40, deadline=None)
@given(
    name=st.sampled_from(("llama-3.1-8b", "gpt-oss-120b", "glm-5", "deepseek-r1")),
    batch=st.floats(1, 300),
    **LENGTHS,
)
def test_linear_step_meets_the_roofline_at_the_operating_point(name, batch, prompt_tok, share, output_tok):
    r = replica(name, prompt_tok, prompt_tok * share, output_tok, tp=8)
    s0, s1, s2 = r.step_coefficients(batch)
    at = decode_step_s(r.work, r.factors, np.array([batch]), np.array([r.mean.context_tok]))

    assert s0 + s1 * batch + s2 * batch * r.mean.context_tok == pytest.approx(float(at[0]), rel=1e-9)
    assert s1 >= 0
    assert s2 >= 0


@settings(max_examples=40, deadline=None)
@given(name=st.sampled_from(("llama-3.1-8b", "gpt-oss-120b", "glm-5")), **LENGTHS)
def test_prompt_coefficients_give_the_prefill_of_the_mean_request(name, prompt_tok, share, output_tok):
    alike = Moments(prompt_sq=1, cached_sq=1, prompt_cached=1, prompt_output=1, output_sq=1)
    r = replica(name, prompt_tok, prompt_tok * share, output_tok, moments=alike, tp=8)

    assert r.prompt_s() == pytest.approx(r._prompt(prompt_tok, prompt_tok * share), rel=1e-9)


def test_latency_grows_with_the_batch_and_work_a_request_shrinks():
    r = replica()
    batches = np.arange(1.0, 200.0)

    assert (np.diff(r.tpot_s(batches)) > 0).all()
    assert (np.diff(r.ttft_s(batches)) > 0).all()
    assert (np.diff([r.request_s(b) for b in batches]) < 0).all()


def test_first_token_of_a_lone_request_waits_for_nobody_but_itself():
    r = replica(output=2_000.0)
    lone = float(r.ttft_s(np.array([1.0]))[0])

    assert lone == pytest.approx(float(r.factors.wait[0]) * r.alone_s(), rel=0.05)
