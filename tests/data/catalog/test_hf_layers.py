"""Which layers see everything, a window, or keep a state, as each kind of model says it."""

import pytest

from data.catalog.hf_layers import layers_row

HEADS = {"num_attention_heads": 8, "hidden_size": 512, "max_position_embeddings": 4096, "num_hidden_layers": 8}
LINEAR = {"linear_num_key_heads": 2, "linear_num_value_heads": 4} | {
    "linear_key_head_dim": 16,
    "linear_value_head_dim": 16,
}


def counted(config, kind="llama"):
    row = layers_row({**HEADS, **config}, kind, "f")
    return row["full_layers"], row.get("sliding_layers", 0), row.get("linear_layers", 0)


@pytest.mark.parametrize(
    ("kind", "config", "full_sliding_linear"),
    [
        ("llama", {}, (8, 0, 0)),
        ("mistral", {"sliding_window": 1024}, (0, 8, 0)),
        ("mistral", {"sliding_window": 4096}, (8, 0, 0)),
        ("qwen3_next", {"full_attention_interval": 4, **LINEAR}, (2, 0, 6)),
        ("llama4_text", {"attention_chunk_size": 1024}, (2, 6, 0)),
        ("llama4_text", {"attention_chunk_size": 1024, "no_rope_layers": [1] * 7 + [0]}, (1, 7, 0)),
        ("gemma3_text", {"sliding_window": 1024, "sliding_window_pattern": 4}, (2, 6, 0)),
        ("gemma2", {"sliding_window": 1024}, (4, 4, 0)),
    ],
)
def test_layers_are_counted_by_kind(kind, config, full_sliding_linear):
    assert counted(config, kind) == full_sliding_linear


def test_heads_without_a_width_share_the_hidden_size():
    row = layers_row(HEADS, "llama", "f")

    assert (row["heads"], row["kv_heads"], row["head_dim"]) == (8, 8, 64)


def test_a_square_state_is_kept_for_each_value_head_in_fp32():
    row = layers_row({**HEADS, "full_attention_interval": 4, **LINEAR}, "qwen3_next", "f")

    assert row["linear_state_bytes"] == 6 * 4 * 16 * 16 * 4
    assert row["attention_gate"] is True
