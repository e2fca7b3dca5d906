import numpy as np
import pytest

from data.catalog.gpus import load_gpus
from data.catalog.models import load_models
from data.errors import UserError
from sizing.layout import Layout, attention_params, busiest
from sizing.memory import dense_params

MODELS, GPUS = load_models(), load_gpus()


def test_layout_reads_as_people_write_it():
    assert Layout(tp=8, pp=2, ep=8, dp_attention=True).text == "TP 8, PP 2, EP 8, DP attention"
    assert Layout(tp=8, pp=2).gpus == 16


def test_attention_of_llama_8b_is_counted_by_hand():
    # 32 layers x (q and o 4096 x 4096, k and v 4096 x 1024) = 1.342e9.
    assert attention_params(MODELS["llama-3.1-8b"]) == 32 * 2 * (4096 * 4096 + 4096 * 1024)


def test_attention_of_deepseek_is_what_its_report_says():
    # DeepSeek-V3 (arXiv 2412.19437, 4.2): hidden 7168, 128 heads of 128, ranks 1536 and 512, rope 64.
    q = 7168 * 1536 + 1536 * 128 * 192
    kv = 7168 * 576 + 512 * 128 * 256
    out = 128 * 128 * 7168

    assert attention_params(MODELS["deepseek-v3"]) == 61 * (q + kv + out)


def test_attention_is_a_part_of_what_every_token_passes():
    for model in MODELS.values():
        assert 0 < attention_params(model) <= dense_params(model) * 1.03, model.name  # totals are rounded


def test_fullest_bin_is_what_random_draws_show():
    rng = np.random.default_rng(5)
    fullest = rng.multinomial(512, [1 / 8] * 8, size=2_000).max(axis=1).mean()

    assert busiest(512 / 8, 8) == pytest.approx(fullest / 64, rel=0.08)
    assert busiest(0.01, 8) == 8


@pytest.mark.parametrize(
    ("layout", "model", "says"),
    [
        (Layout(tp=0), "llama-3.1-8b", "a degree below 1"),
        (Layout(pp=64), "llama-3.1-8b", "more stages than the 32 layers"),
        (Layout(tp=8, ep=8), "llama-3.1-8b", "shares out experts, and llama-3.1-8b has none"),
        (Layout(tp=4, ep=3), "gpt-oss-120b", "EP 3 must divide TP 4"),
        (Layout(dp_attention=True), "deepseek-r1", "use TP 2 or more"),
        (Layout(tp=16), "deepseek-r1", "beyond the scale-up domain of h100, 8 GPUs"),
    ],
)
def test_layout_that_cannot_be_is_the_users_to_mend(layout, model, says):
    with pytest.raises(UserError, match=says):
        layout.check(MODELS[model], GPUS["h100"])


def test_heads_are_split_whole():
    qwen = MODELS["qwen2-7b"]  # 28 heads

    with pytest.raises(UserError, match="TP 8 does not divide the 28 attention heads of qwen2-7b; use a divisor"):
        Layout(tp=8).check(qwen, GPUS["h100"])
    Layout(tp=8, dp_attention=True).check(qwen, GPUS["h100"])
    Layout(tp=4).check(qwen, GPUS["h100"])
