"""The feed-forward part of a config.json: dense layers, and experts where there are some."""

from collections.abc import Sequence

from data.catalog.hf_keys import Config, number, optional
from data.catalog.rows import Row

_EXPERTS = ("num_local_experts", "num_experts", "n_routed_experts")
_SHARED_WIDTH = (
    "shared_expert_intermediate_size",
    "moe_shared_expert_intermediate_size",
    "shared_intermediate_size",
)
_OWN_WIDTH = ("mixtral", "gpt_oss", "minimax_m2", "llama4_text")
"""Kinds whose `intermediate_size` is that of one expert."""


def experts_row(text: Config, kind: str, layers: int, where: str) -> Row:
    """Return the keys of a catalog row about FFNs and experts."""
    experts = optional(text, where, *_EXPERTS)
    if not experts:
        return {"intermediate": number(text, where, "intermediate_size"), "dense_layers": layers}
    dense = layers - _moe_layers(text, kind, layers, where)
    own = number(text, where, "intermediate_size") if kind in _OWN_WIDTH else None
    width = own or number(text, where, "moe_intermediate_size", "intermediate_size")
    row: Row = {
        "intermediate": _dense_width(text, kind, dense, where),
        "dense_layers": dense,
        "experts": experts,
        "experts_per_token": number(text, where, "num_experts_per_tok", "experts_per_token"),
        "moe_intermediate": width,
    }
    return row | _shared(text, kind, width, where)


def _dense_width(text: Config, kind: str, dense: int, where: str) -> int:
    if not dense:
        return 0
    return number(text, where, "intermediate_size_mlp" if kind == "llama4_text" else "intermediate_size")


def _moe_layers(text: Config, kind: str, layers: int, where: str) -> int:
    """How many layers have experts: all but the first few, every n-th, or those that the file lists."""
    pattern = text.get("hybrid_override_pattern")
    if isinstance(pattern, str):
        return min(pattern.count("E"), layers)
    first = optional(text, where, "first_k_dense_replace") or 0
    every = optional(text, where, "interleave_moe_layer_step" if kind == "llama4_text" else "decoder_sparse_step")
    dense_only = text.get("mlp_only_layers") or []
    dense = set(dense_only) if isinstance(dense_only, Sequence) else set()
    frequency = text.get("moe_layer_freq")
    if isinstance(frequency, Sequence) and not isinstance(frequency, str):
        return sum(1 for each in frequency if each)
    return sum(1 for i in range(layers) if i >= first and (i + 1) % (every or 1) == 0 and i not in dense)


def _shared(text: Config, kind: str, width: int, where: str) -> Row:
    """Experts that every token passes: counted, or one of a width of its own."""
    if kind == "llama4_text":
        return {"shared_experts": 1, "shared_intermediate": width}
    own = optional(text, where, *_SHARED_WIDTH)
    count = optional(text, where, "n_shared_experts") or (1 if own else 0)
    return {"shared_experts": count, "shared_intermediate": own or count * width} if count else {}
