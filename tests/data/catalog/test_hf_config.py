"""A config.json gives the shape that the catalog states, and one sentence where it holds what we do not know."""

import json
from dataclasses import fields
from datetime import date

import pytest

from data.catalog.hf_config import FAMILIES, Stated, read_config, row_of, shape_of
from data.catalog.models import ModelShape, load_models
from data.catalog.params import params_active_of, params_of
from data.errors import UserError
from tests.data.catalog.hf_configs import BAMBA, CONFIGS

MODELS = load_models()
STATED = Stated(name="mine", hf_id="org/Mine", checked=date(2026, 11, 20), source="config.json of org/Mine")
SAID_OTHERWISE = {"name", "hf_id", "family", "params_total", "params_active", "released_precisions"} | {
    "evidence",
    "source",
    "checked",
    "note",
}


def shape(config, **stated):
    return shape_of(
        config, Stated(**{f.name: getattr(STATED, f.name) for f in fields(Stated)} | stated), "config.json"
    )


def refused(config, **stated):
    with pytest.raises(UserError) as raised:
        shape(config, **stated)
    return str(raised.value)


@pytest.mark.parametrize("name", sorted(CONFIGS))
def test_the_file_gives_the_shape_that_the_catalog_states(name):
    found, row = shape(CONFIGS[name]), MODELS[name]

    for field in fields(ModelShape):
        if field.name not in SAID_OTHERWISE:
            assert getattr(found, field.name) == getattr(row, field.name), field.name
    assert found.family == row.family


@pytest.mark.parametrize("name", sorted(CONFIGS))
def test_parameters_are_those_that_the_shape_makes(name):
    found = shape(CONFIGS[name])

    assert found.params_total == params_of(found) == params_of(MODELS[name])
    assert found.params_active == (params_active_of(found) if found.experts else found.params_total)


def test_stated_parameters_win():
    found = shape(CONFIGS["qwen3-30b-a3b"], params_total=30_532_122_624, params_active=3_300_000_000)

    assert (found.params_total, found.params_active) == (30_532_122_624, 3_300_000_000)


def test_a_row_read_back_is_the_same_shape():
    found = shape(CONFIGS["gpt-oss-20b"])

    assert row_of(found)["window_tok"] == 128
    assert "v_head_dim" not in row_of(found)
    assert "linear_layers" not in row_of(found)


def test_mamba_layers_keep_heads_times_width_times_state_in_fp32():
    found = shape(BAMBA, params_total=9_780_000_000, params_active=9_780_000_000)

    assert (found.full_layers, found.linear_layers) == (3, 29)
    assert found.linear_state_bytes == 29 * 128 * 64 * 128 * 4


def test_the_weights_of_mamba_layers_are_asked_for():
    assert refused(BAMBA) == (
        "config.json: the weights of its 29 Mamba layers do not follow from the file; give the model card's counts"
        " with --params-total and --params-active."
    )


def test_nemotron_counts_letters_and_leaves_layers_of_bare_ffn_out():
    config = {
        "model_type": "nemotron_h",
        "hybrid_override_pattern": "MEM*EM-",
        "hidden_size": 2688,
        "num_attention_heads": 32,
        "num_key_value_heads": 2,
        "head_dim": 128,
        "mamba_num_heads": 64,
        "mamba_head_dim": 64,
        "ssm_state_size": 128,
        "n_routed_experts": 128,
        "num_experts_per_tok": 6,
        "moe_intermediate_size": 1856,
        "intermediate_size": 1856,
        "vocab_size": 131072,
        "max_position_embeddings": 262144,
    }
    found = shape(config, params_total=31_600_000_000, params_active=3_200_000_000)

    assert (found.layers, found.full_layers, found.linear_layers, found.dense_layers) == (4, 1, 3, 2)
    assert found.ffn_matrices == 2


def test_gemma_2_alternates_and_ties_its_tables_by_itself():
    found = shape({**CONFIGS["gemma-3-27b"]["text_config"], "model_type": "gemma2", "sliding_window": 4096})

    assert (found.full_layers, found.sliding_layers, found.window_tok) == (31, 31, 4096)
    assert found.tied_embeddings


def test_a_window_that_is_used_holds_from_its_first_layer_on():
    config = {**CONFIGS["qwen2.5-7b"], "use_sliding_window": True, "sliding_window": 4096, "max_window_layers": 20}

    assert (shape(config).full_layers, shape(config).sliding_layers) == (20, 8)


def test_yarn_stretches_the_context():
    yarn = {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}

    assert shape({**CONFIGS["mixtral-8x7b"], "rope_scaling": yarn}).max_context_tok == 131072


def test_deepseek_without_a_query_rank_counts_its_query_whole():
    whole = shape({**CONFIGS["deepseek-v3"], "q_lora_rank": None})

    more = 61 * (7168 * 128 * 192 - 1536 * (7168 + 128 * 192))
    assert params_of(whole) - params_of(shape(CONFIGS["deepseek-v3"])) == more


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"model_type": "llama5"}, "`model_type` 'llama5' is not one whose shape we can read (did you mean llama"),
        ({"hidden_size": None}, "`hidden_size` is missing, which every model of this kind states"),
        ({"hidden_size": "4096"}, "`hidden_size` is '4096'; it should be a whole number."),
        ({"hidden_size": 0}, "`hidden_size` is 0; it should be above 0."),
        ({"num_key_value_heads": 7}, "`kv_heads` is 7, which does not divide 32 heads"),
        ({"layer_types": ["full_attention"] * 31}, "`layer_types` lists 31 layers of 32"),
        (
            {"layer_types": ["lightning"] * 32},
            "`layer_types` names 'lightning', a kind of layer that we do not know",
        ),
        ({"layer_types": ["sliding_attention"] * 32}, "`sliding_window` is missing"),
        ({"mamba_d_state": 16}, "it has Mamba layers, but neither"),
        (
            {"quantization_config": {"quant_method": "aqlm"}},
            "`quantization_config.quant_method` 'aqlm' is not one",
        ),
    ],
)
def test_what_is_not_known_is_said_with_key_value_and_way_out(change, sentence):
    said = refused({**CONFIGS["llama-3.1-8b"], **change})

    assert said.startswith("config.json")
    assert sentence in said
    assert said.endswith(".")


def test_states_that_are_not_square_are_refused():
    config = {**CONFIGS["qwen3.5-35b-a3b"]["text_config"], "linear_value_head_dim": 256}

    assert "states that are not square" in refused(config)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("[1]", "holds no JSON object"),
        ("{", "is not JSON"),
        ("\udcff", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_a_file_that_is_no_config_is_refused(tmp_path, content, sentence):
    path = tmp_path / "config.json"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))

    with pytest.raises(UserError, match=sentence):
        read_config(path)


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(UserError, match="check its path"):
        read_config(tmp_path / "config.json")


def test_a_real_file_is_read_whole(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(CONFIGS["mixtral-8x7b"]))

    assert shape(read_config(path)).experts == 8


def test_every_catalog_family_that_is_published_as_open_weights_has_a_reader():
    assert {f.name for f in FAMILIES.values()} >= {
        "Llama",
        "Qwen",
        "DeepSeek",
        "gpt-oss",
        "Gemma",
        "Mistral",
        "GLM",
    }
