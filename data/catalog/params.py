"""Weights that a shape makes, from its own figures: a check on what a model card says, or a stand-in for it."""

from data.catalog.models import ModelShape


def params_of(model: ModelShape) -> int:
    """Return the weights that the shape makes, norms and biases left out.

    Embedding and head, attention by kind of layer, dense FFNs, experts, shared experts and routers. Mamba layers
    are not counted: a shape states the size of their state, not of their weights.

    Worked by hand for Llama-3.1-8B: 2 x 128,256 x 4,096 + 32 x (41,943,040 + 176,160,768) = 8,029,995,008.
    """
    return (
        _tables(model) + _attention(model) + _dense_ffn(model) + moe_layers(model) * _moe_ffn(model, model.experts)
    )


def params_active_of(model: ModelShape) -> int:
    """Return the weights that one token passes, its embedding and the head included; norms and biases left out."""
    per_layer = _moe_ffn(model, model.experts_per_token)
    return _tables(model) + _attention(model) + _dense_ffn(model) + moe_layers(model) * per_layer


def moe_layers(model: ModelShape) -> int:
    """Return how many layers have routed experts."""
    return model.layers - model.dense_layers


def _tables(model: ModelShape) -> int:
    return model.vocab * model.hidden * (1 if model.tied_embeddings else 2)


def _dense_ffn(model: ModelShape) -> int:
    return model.ffn_matrices * model.hidden * model.dense_layers * model.intermediate


def _moe_ffn(model: ModelShape, experts: int) -> int:
    """Weights of one MoE layer when so many of its experts count; its router counts whole."""
    width = experts * model.moe_intermediate + model.shared_intermediate
    return model.hidden * (model.ffn_matrices * width + model.experts)


def _attention(model: ModelShape) -> int:
    if model.kv_lora_rank:
        return model.layers * _latent_attention(model)
    hidden, heads = model.hidden, model.heads
    queries = heads * (3 if model.attention_gate else 2)
    full = hidden * model.full_head_dim * (queries + 2 * model.full_kv_heads)
    sliding = hidden * model.head_dim * (2 * heads + 2 * model.kv_heads)
    keys = model.linear_key_heads * model.linear_head_dim
    values = model.linear_value_heads * model.linear_head_dim
    linear = hidden * (2 * keys + 3 * values + 2 * model.linear_value_heads)
    return model.full_layers * full + model.sliding_layers * sliding + model.linear_layers * linear


def _latent_attention(model: ModelShape) -> int:
    """Weights of one MLA layer (DeepSeek-V2, https://arxiv.org/abs/2405.04434)."""
    hidden, heads, rank, rope = model.hidden, model.heads, model.kv_lora_rank or 0, model.qk_rope_head_dim or 0
    whole = heads * model.head_dim
    query = model.q_lora_rank * (hidden + whole) if model.q_lora_rank else hidden * whole
    unpacked = model.head_dim - rope + model.v_head_dim
    return query + hidden * (rank + rope) + rank * heads * unpacked + heads * model.v_head_dim * hidden
