"""Shapes of models: known values, sums that must come out, and what is said about a wrong shape."""

import csv
from pathlib import Path

import pytest

from data.catalog.models import find_model, load_models
from data.catalog.params import params_of
from data.errors import UserError

MODELS = load_models()
SHARED = Path(__file__).parents[3].parent / "shared" / "data"

TOTALS_THAT_COUNT_MORE = {
    "llama-4-scout": "the card counts the vision part",
    "gemma-3-12b": "the card counts the vision part",
    "gemma-3-27b": "the card counts the vision part",
    "gemma-4-26b-a4b": "the name rounds, and counts the vision part",
    "qwen3-1.7b": "the card rounds 1.72 B to 1.7 B",
}


def test_there_are_at_least_forty_models():
    assert len(MODELS) >= 40


@pytest.mark.parametrize("name", sorted(set(MODELS) - set(TOTALS_THAT_COUNT_MORE)))
def test_the_shape_makes_the_stated_parameters_within_one_percent(name):
    model = MODELS[name]

    assert params_of(model) == pytest.approx(model.params_total, rel=0.01)


@pytest.mark.parametrize("name", sorted(TOTALS_THAT_COUNT_MORE))
def test_the_exceptions_are_real_and_still_within_four_percent(name):
    model = MODELS[name]

    assert 0.01 < abs(params_of(model) / model.params_total - 1) < 0.04


def test_llama_3_1_8b_keeps_128_kib_of_kv_for_each_token_in_bf16():
    llama = MODELS["llama-3.1-8b"]

    assert 2 * llama.layers * llama.kv_heads * llama.head_dim * 2 == 131_072
    assert (llama.params_total, llama.native_precision, llama.max_context_tok) == (8_030_000_000, "bf16", 131_072)
    # Worked by hand from config.json: 2 x 128256 x 4096 + 32 x (41,943,040 + 176,160,768), norms left out.
    assert params_of(llama) == 1_050_673_152 + 32 * (41_943_040 + 176_160_768)


def test_deepseek_v3_caches_576_values_a_token_a_layer():
    deepseek = MODELS["deepseek-v3"]

    assert deepseek.kv_lora_rank + deepseek.qk_rope_head_dim == 576
    assert deepseek.head_dim == 128 + deepseek.qk_rope_head_dim
    assert deepseek.v_head_dim == 128


def test_full_layers_of_gemma_4_have_heads_of_their_own():
    gemma, llama = MODELS["gemma-4-26b-a4b"], MODELS["llama-3.1-70b"]

    assert (gemma.kv_heads, gemma.head_dim) == (8, 256)
    assert (gemma.full_kv_heads, gemma.full_head_dim) == (2, 512)
    assert (llama.full_kv_heads, llama.full_head_dim, llama.v_head_dim) == (8, 128, 128)


@pytest.mark.parametrize("name", ["qwen3.5-397b-a17b", "qwen3.5-27b", "qwen3.5-35b-a3b"])
def test_the_linear_state_is_one_square_in_fp32_for_each_value_head(name):
    model = MODELS[name]

    by_hand = model.linear_layers * model.linear_value_heads * model.linear_head_dim**2 * 4
    assert model.linear_state_bytes == by_hand


def test_a_model_is_found_by_name_in_any_case_and_by_hugging_face_id():
    assert find_model(MODELS, "Llama-3.1-8B").name == "llama-3.1-8b"
    assert find_model(MODELS, "meta-llama/Llama-3.1-8B-Instruct").name == "llama-3.1-8b"


def test_an_unknown_model_is_answered_with_the_nearest_names():
    with pytest.raises(UserError, match=r"No model is called 'llama-3\.1-7b'; did you mean llama-3\.1-70b or"):
        find_model(MODELS, "llama-3.1-7b")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("layers = 33", "`layers` is 33, but full_layers + sliding_layers + linear_layers make 32"),
        ("kv_heads = 7", "`kv_heads` is 7, which does not divide 32 heads"),
        ("params_active = 9_000_000_000", "`params_active` is 9000000000, more than params_total, 8030000000"),
        ("dense_layers = 30", "`dense_layers` is 30 of 32, but there are no experts for the others"),
        ("window_tok = 128", "`sliding_layers` is 0 and `window_tok` is 128, but one needs the other"),
        ("experts = 8", "`experts` is 8 and `experts_per_token` is 0, but one needs the other"),
    ],
)
def test_a_shape_that_does_not_add_up_is_refused(tmp_path, change, sentence):
    path = tmp_path / "mine.toml"
    path.write_text(f'["llama-3.1-8b"]\n{change}\nsource = "mine"\nchecked = 2026-11-01\n')

    with pytest.raises(UserError) as raised:
        load_models([path])

    assert str(raised.value) == f"{path}, row [llama-3.1-8b]: {sentence}; correct one of them."


def test_every_measured_model_is_here():
    path = SHARED / "measured_serving.csv"
    if not path.exists():
        pytest.skip(f"{path} is not on this machine")
    with path.open(newline="") as file:
        measured = {row["model"] for row in csv.DictReader(file)}

    assert measured - set(MODELS) == set()
