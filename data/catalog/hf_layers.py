"""The attention of a config.json: which layers see everything, a window, or keep a state; and their heads."""

from collections import Counter
from collections.abc import Sequence

from data.catalog.hf_keys import Config, number, optional
from data.catalog.rows import Row
from data.errors import UserError

_KINDS = {
    "full_attention": "full",
    "attention": "full",
    "sliding_attention": "sliding",
    "chunked_attention": "sliding",
    "linear_attention": "linear",
    "mamba": "linear",
}
_HYBRID = {"M": "linear", "*": "full"}
"""nemotron_h's letters of layers with attention or a state; `-` and `E` are FFNs of their own."""

FP32_BYTES = 4


def layers_row(text: Config, kind: str, where: str) -> Row:
    """Return the keys of a catalog row about layers and heads.

    Layers that hold a window or a chunk count as sliding; those that hold a state of fixed size (gated delta rule,
    Mamba-2) as linear, their state in fp32 as engines keep it (the short convolution's, some 1%, is left out).
    """
    kinds = _kinds(text, kind, where)
    count = Counter(kinds)
    row: Row = {"layers": len(kinds), "full_layers": count["full"], **_heads(text, where)}
    if count["sliding"]:
        window = number(text, where, "sliding_window", "attention_chunk_size")
        row |= {"sliding_layers": count["sliding"], "window_tok": window}
    if count["linear"]:
        row |= {"linear_layers": count["linear"], **_state(text, count["linear"], where)}
    if text.get("attn_output_gate") or kind == "qwen3_next":
        row["attention_gate"] = True
    return row


def _kinds(text: Config, kind: str, where: str) -> list[str]:
    """Return each layer's kind, in order."""
    pattern = text.get("hybrid_override_pattern")
    if isinstance(pattern, str):
        return [_HYBRID[letter] for letter in pattern if letter in _HYBRID]
    layers = number(text, where, "num_hidden_layers")
    stated = text.get("layer_types")
    if isinstance(stated, Sequence) and not isinstance(stated, str):
        return _stated(stated, layers, where)
    return _by_rule(text, kind, layers, where)


def _stated(stated: Sequence[object], layers: int, where: str) -> list[str]:
    unknown = sorted({str(each) for each in stated} - set(_KINDS))
    if unknown:
        raise UserError(
            f"{where}: `layer_types` names {unknown[0]!r}, a kind of layer that we do not know; known are"
            f" {', '.join(sorted(_KINDS))}. Write the row by hand (docs/catalog.md, Models)."
        )
    if len(stated) != layers:
        raise UserError(f"{where}: `layer_types` lists {len(stated)} layers of {layers}; check the file.")
    return [_KINDS[str(each)] for each in stated]


def _by_rule(text: Config, kind: str, layers: int, where: str) -> list[str]:
    """Return the kinds of a file that gives a rule instead of a list."""
    every = optional(text, where, "full_attention_interval")
    if every:
        return ["full" if (i + 1) % every == 0 else "linear" for i in range(layers)]
    if kind == "llama4_text":
        return _llama4(text, layers)
    if kind == "gemma2":
        return ["full" if i % 2 else "sliding" for i in range(layers)]
    if kind == "gemma3_text":
        every = optional(text, where, "sliding_window_pattern") or 6
        return ["full" if (i + 1) % every == 0 else "sliding" for i in range(layers)]
    attention = text.get("attn_layer_indices")
    if isinstance(attention, Sequence):
        return ["full" if i in attention else "linear" for i in range(layers)]
    if any(key.startswith("mamba_") for key in text):
        raise UserError(
            f"{where}: it has Mamba layers, but neither `layer_types`, `hybrid_override_pattern` nor"
            " `attn_layer_indices` says which; write the row by hand (docs/catalog.md, Models)."
        )
    return _windowed(text, layers, where)


def _llama4(text: Config, layers: int) -> list[str]:
    """Every fourth layer has no position and sees everything; the others see their chunk (`no_rope_layers`)."""
    rope = text.get("no_rope_layers")
    listed = rope if isinstance(rope, Sequence) and len(rope) == layers else None
    return ["sliding" if (listed[i] if listed else (i + 1) % 4) else "full" for i in range(layers)]


def _windowed(text: Config, layers: int, where: str) -> list[str]:
    """Mistral's window holds for all layers; Qwen's only where it is used, from `max_window_layers` on."""
    window = optional(text, where, "sliding_window")
    longest = number(text, where, "max_position_embeddings", "max_seq_len")
    if window is None or window >= longest or text.get("use_sliding_window") is False:
        return ["full"] * layers
    first = optional(text, where, "max_window_layers") or 0 if text.get("use_sliding_window") else 0
    return ["sliding" if i >= first else "full" for i in range(layers)]


def _heads(text: Config, where: str) -> Row:
    heads = number(text, where, "num_attention_heads")
    rank = optional(text, where, "kv_lora_rank")
    if rank:
        return _latent_heads(text, heads, rank, where)
    row: Row = {"heads": heads, "kv_heads": optional(text, where, "num_key_value_heads") or heads}
    row["head_dim"] = optional(text, where, "head_dim") or number(text, where, "hidden_size") // heads
    for key, ours in (("num_global_key_value_heads", "full_kv_heads"), ("global_head_dim", "full_head_dim")):
        if (own := optional(text, where, key)) is not None:
            row[ours] = own
    return row


def _latent_heads(text: Config, heads: int, rank: int, where: str) -> Row:
    """MLA: one latent a token, whatever the heads (DeepSeek-V2, https://arxiv.org/abs/2405.04434)."""
    rope = number(text, where, "qk_rope_head_dim")
    return {
        "heads": heads,
        "kv_heads": 1,
        "head_dim": number(text, where, "qk_nope_head_dim") + rope,
        "v_head_dim": number(text, where, "v_head_dim"),
        "q_lora_rank": optional(text, where, "q_lora_rank") or None,
        "kv_lora_rank": rank,
        "qk_rope_head_dim": rope,
        "sparse_topk_tok": optional(text, where, "index_topk"),
    }


def _state(text: Config, layers: int, where: str) -> Row:
    """The state of linear layers: a square for each value head, or Mamba-2's heads x width x state."""
    values = optional(text, where, "linear_num_value_heads")
    if values is None:
        heads = number(text, where, "mamba_num_heads", "mamba_n_heads")
        width = number(text, where, "mamba_head_dim", "mamba_d_head")
        state = number(text, where, "ssm_state_size", "mamba_d_state")
        return {"linear_state_bytes": layers * heads * width * state * FP32_BYTES}
    keys = number(text, where, "linear_num_key_heads")
    wide, deep = number(text, where, "linear_value_head_dim"), number(text, where, "linear_key_head_dim")
    if wide != deep:
        raise UserError(
            f"{where}: `linear_key_head_dim` is {deep} and `linear_value_head_dim` {wide}; states that are not"
            " square are not known here. Write the row by hand (docs/catalog.md, Models)."
        )
    return {
        "linear_key_heads": keys,
        "linear_value_heads": values,
        "linear_head_dim": wide,
        "linear_state_bytes": layers * values * wide * deep * FP32_BYTES,
    }
