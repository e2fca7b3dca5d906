"""Experts and dense layers, as each kind of model counts them."""

import pytest

from data.catalog.hf_experts import experts_row

MOE = {"num_experts": 16, "num_experts_per_tok": 2, "moe_intermediate_size": 64, "intermediate_size": 256}


@pytest.mark.parametrize(
    ("kind", "config", "dense"),
    [
        ("qwen3_moe", {}, 0),
        ("qwen3_moe", {"decoder_sparse_step": 2}, 4),
        ("qwen3_moe", {"mlp_only_layers": [0, 5]}, 2),
        ("deepseek_v3", {"first_k_dense_replace": 3}, 3),
        ("llama4_text", {"interleave_moe_layer_step": 2, "intermediate_size_mlp": 512}, 4),
        ("glm4_moe", {"moe_layer_freq": [0, 1, 1, 1, 1, 1, 1, 1]}, 1),
    ],
)
def test_dense_layers_are_those_without_experts(kind, config, dense):
    assert experts_row({**MOE, **config}, kind, 8, "f")["dense_layers"] == dense


def test_the_width_of_an_expert_is_the_only_width_that_mixtral_states():
    row = experts_row(
        {"num_local_experts": 8, "num_experts_per_tok": 2, "intermediate_size": 64}, "mixtral", 4, "f"
    )

    assert (row["moe_intermediate"], row["intermediate"]) == (64, 0)


@pytest.mark.parametrize(
    ("config", "shared"),
    [
        ({}, (None, None)),
        ({"n_shared_experts": 2}, (2, 128)),
        ({"shared_expert_intermediate_size": 512}, (1, 512)),
        ({"n_shared_experts": 1, "moe_shared_expert_intermediate_size": 3712}, (1, 3712)),
    ],
)
def test_shared_experts_have_the_width_of_an_expert_or_their_own(config, shared):
    row = experts_row({**MOE, **config}, "qwen3_moe", 8, "f")

    assert (row.get("shared_experts"), row.get("shared_intermediate")) == shared


def test_a_dense_model_has_one_width():
    assert experts_row({"intermediate_size": 256}, "llama", 8, "f") == {"intermediate": 256, "dense_layers": 8}
