import math

import pytest

from data.errors import UserError
from sizing.memory import DoesNotFit
from sizing.profile import Slo, SloCannotBeMet
from sizing.question import size_question


@pytest.fixture
def ask(models, gpus):
    def asked(model="llama-3.1-8b", gpu="h100", **more):
        given = {"qps": 50, "prompt_tok": 7_744, "output_tok": 256, "precision": "bf16"} | more
        return size_question(models[model], gpus[gpu], **given)

    return asked


def test_worked_example_takes_16_to_34_gpus_where_the_textbook_says_7(ask):
    answer = ask()

    assert answer.textbook.gpus == 7
    assert 16 <= answer.plan.gpus <= 34
    assert 16 <= answer.plan.gpus_low <= answer.plan.gpus <= answer.plan.gpus_high <= 34
    assert answer.plan.binds == "prefill"
    assert "prefill binds" in answer.plan.sentence


def test_prefill_alone_takes_seven_gpus_of_peak_arithmetic(ask):
    # 7,744 x 2 x 7.0e9 + 4 x 32 x 32 x 128 x 7744^2 / 2 = 1.24e14 FLOP a prompt; 50 of them are 6.3 x 989 TFLOP/s.
    plan = ask(utilisation=1.0).plan
    flop = 7_744 * 2 * (8.03e9 - 2 * 128_256 * 4_096) + 4 * 32 * 32 * 128 * 7_744**2 / 2

    assert 50 * flop / 989e12 == pytest.approx(6.26, abs=0.05)
    assert plan.gpus > math.ceil(50 * flop / 989e12)
    assert 0.4 < flop / 989e12 / (plan.gpu_s_per_request * plan.prefill_share) < 0.76  # never beyond the bound


def test_known_question_meets_the_measured_floors_within_the_band(ask):
    # Llama-3.1-70B FP8, 2000 / 300, 20 QPS at full use: measured floors of 10, 7 and 3 GPUs.
    for gpu, floor in (("h100", 10), ("h200", 7), ("b200", 3)):
        plan = ask(
            "llama-3.1-70b", gpu, qps=20, prompt_tok=2_000, output_tok=300, precision="fp8", kv_precision="fp8",
            utilisation=1.0,
        ).plan  # fmt: skip
        assert plan.gpus_low - plan.tp <= floor <= plan.gpus_high + plan.tp


@pytest.mark.parametrize("more", [{"qps": 60}, {"prompt_tok": 9_000}, {"output_tok": 400}, {"utilisation": 0.6}])
def test_more_demand_never_needs_fewer_gpus(ask, more):
    assert ask(**more).plan.gpus >= ask().plan.gpus


def test_cached_prefixes_save_gpus(ask):
    assert ask(cached_prompt_tok=6_000).plan.gpus < ask().plan.gpus


def test_textbook_takes_what_it_is_given(ask):
    answer = ask(params=8.0e9, gpu_bytes=80e9, batch=48, decode_s=0.018)

    assert answer.textbook.ceiling == 61


def test_forced_tp_is_kept(ask):
    assert ask(tp=4).plan.tp == 4


@pytest.mark.parametrize(
    ("wrong", "error", "says"),
    [
        ({"qps": 0}, UserError, "qps is 0"),
        ({"utilisation": 1.5}, UserError, "utilisation is 1.5"),
        ({"slo": Slo(tpot_s=0.0001)}, SloCannotBeMet, "the SLO asks TPOT 0.1 ms"),
        ({"model": "deepseek-r1", "gpu": "l40s", "precision": "fp8"}, DoesNotFit, "1 x l40s offers"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(ask, wrong, error, says):
    with pytest.raises(error, match=says):
        ask(**wrong)
