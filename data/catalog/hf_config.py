"""Read a model's shape from its Hugging Face `config.json`: dense, MoE, MLA, sliding, chunked and hybrid models.

What the file does not say and we do not know of its kind is asked for, never guessed. Keys as the configuration
classes of github.com/huggingface/transformers name them (checked 2026-11-24).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from pathlib import Path
from typing import Any, cast

from data.catalog.hf_experts import experts_row
from data.catalog.hf_keys import Config, number, optional
from data.catalog.hf_layers import layers_row
from data.catalog.hf_precision import precision_row
from data.catalog.models import ModelShape, filled
from data.catalog.params import params_active_of, params_of
from data.catalog.rows import Row, checked_row, nearest
from data.errors import UserError


@dataclass(frozen=True, slots=True)
class Family:
    """What a `model_type` means beyond its keys: FFN matrices (3: gated), whether embedding and head are one."""

    name: str
    ffn_matrices: int = 3
    tied: bool = False


_LLAMA, _QWEN, _GLM = Family("Llama"), Family("Qwen"), Family("GLM")
_GEMMA, _DEEPSEEK = Family("Gemma", tied=True), Family("DeepSeek")
FAMILIES: Mapping[str, Family] = {
    "llama": _LLAMA,
    "llama4_text": _LLAMA,
    "mistral": Family("Mistral"),
    "mixtral": Family("Mistral"),
    "qwen2": _QWEN,
    "qwen2_moe": _QWEN,
    "qwen3": _QWEN,
    "qwen3_moe": _QWEN,
    "qwen3_next": _QWEN,
    "qwen3_5_text": _QWEN,
    "qwen3_5_moe_text": _QWEN,
    "gemma": _GEMMA,
    "gemma2": _GEMMA,
    "gemma3_text": _GEMMA,
    "phi3": Family("Phi"),
    "deepseek_v2": _DEEPSEEK,
    "deepseek_v3": _DEEPSEEK,
    "deepseek_v32": _DEEPSEEK,
    "kimi_k2": Family("Kimi"),
    "gpt_oss": Family("gpt-oss"),
    "minimax_m2": Family("MiniMax"),
    "glm4": _GLM,
    "glm4_moe": _GLM,
    "glm_moe_dsa": _GLM,
    "granite": Family("Granite"),
    "granitemoehybrid": Family("Granite"),
    "bamba": Family("Bamba"),
    "nemotron_h": Family("Nemotron", ffn_matrices=2),
    "olmo2": Family("OLMo"),
    "starcoder2": Family("StarCoder", ffn_matrices=2, tied=True),
}
"""Kinds of model whose keys we know. Vision and audio parts are left out: the text part is what serves."""

_WRAPPERS = {"qwen3_5": "qwen3_5_text", "qwen3_5_moe": "qwen3_5_moe_text", "gemma3": "gemma3_text"}
"""Types that stand on the whole model where the file has no `text_config` of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What the user says beside the file. params_*: the model card's counts; None = as the shape makes them."""

    name: str
    hf_id: str
    checked: date
    source: str
    params_total: int | None = None
    params_active: int | None = None


def read_config(path: Path) -> Config:
    """Return the content of a config.json; raises UserError where it is none."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except OSError as err:
        raise UserError(f"Cannot read {path}: {err.strerror or err}; check its path.") from err
    except (ValueError, RecursionError) as err:
        raise UserError(f"{path} is not JSON ({err}); give the model's own config.json.") from err
    if not isinstance(content, dict):
        raise UserError(f"{path} holds no JSON object; give the model's own config.json.")
    return cast(Config, content)


def shape_of(config: Config, stated: Stated, where: str) -> ModelShape:
    """Return the shape that a config.json describes.

    where: the file's name, for the sentence. Raises UserError naming the key, its value and the way out where the
    architecture or a part of it is not one that we know.
    """
    text = _text_part(config)
    kind = str(text.get("model_type", ""))
    family = _family(kind, where)
    layers = layers_row(text, kind, where)
    row: Row = {
        "family": family.name,
        "hidden": number(text, where, "hidden_size"),
        "ffn_matrices": family.ffn_matrices,
        "vocab": number(text, where, "vocab_size"),
        "tied_embeddings": _tied(config, text, family),
        "max_context_tok": _context(text, where),
        **layers,
        **experts_row(text, kind, int(layers["layers"]), where),
        **precision_row({**text, **_quantised(config)}, where),
        "evidence": "file",
    }
    return _counted(row, stated, where)


def row_of(shape: ModelShape) -> Row:
    """Return the keys of a catalog row that differ from their defaults, in the order of `ModelShape`."""
    defaults = {f.name: f.default for f in fields(ModelShape)}
    same = {"v_head_dim": shape.head_dim, "full_kv_heads": shape.kv_heads, "full_head_dim": shape.head_dim}
    row = {f.name: getattr(shape, f.name) for f in fields(ModelShape) if f.name != "name"}
    return {key: v for key, v in row.items() if v != defaults[key] and (key not in same or v != same[key])}


def _text_part(config: Config) -> Config:
    text = config.get("text_config")
    if isinstance(text, dict):
        return {"model_type": config.get("model_type", ""), **text}
    kind = str(config.get("model_type", ""))
    return {**config, "model_type": _WRAPPERS.get(kind, kind)}


def _family(kind: str, where: str) -> Family:
    if kind in FAMILIES:
        return FAMILIES[kind]
    raise UserError(
        f"{where}: `model_type` {kind!r} is not one whose shape we can read"
        f" ({nearest(kind, FAMILIES).rstrip('.')}); write the row by hand (docs/catalog.md, Models)."
    )


def _tied(config: Config, text: Config, family: Family) -> bool:
    for part in (text, config):
        if isinstance(part.get("tie_word_embeddings"), bool):
            return bool(part["tie_word_embeddings"])
    return family.tied


def _context(text: Config, where: str) -> int:
    """Tokens of the longest context: the positions, stretched where the file says that they are to be."""
    stated = number(text, where, "max_position_embeddings", "max_seq_len")
    scaling = text.get("rope_scaling") or text.get("rope_parameters")
    if not isinstance(scaling, dict) or scaling.get("type", scaling.get("rope_type")) != "yarn":
        return stated
    before, factor = optional(scaling, where, "original_max_position_embeddings"), scaling.get("factor")
    if before is None or not isinstance(factor, int | float):
        return stated
    return max(stated, round(before * factor))


def _quantised(config: Config) -> Config:
    found = config.get("quantization_config")
    return {"quantization_config": found} if found is not None else {}


def _counted(row: Row, stated: Stated, where: str) -> ModelShape:
    """Return the shape with its parameters: those stated, else those that it makes."""
    facts = {"name": stated.name, "hf_id": stated.hf_id, "checked": stated.checked, "source": stated.source}
    bare = checked_row(
        ModelShape, filled({**row, **facts, "params_total": 1, "params_active": 1}), where, stated.name
    )
    whole = not bare.linear_layers or bare.linear_value_heads > 0
    if not whole and (stated.params_total is None or stated.params_active is None):
        raise UserError(
            f"{where}: the weights of its {bare.linear_layers} Mamba layers do not follow from the file; give the"
            " model card's counts with --params-total and --params-active."
        )
    total = stated.params_total or params_of(bare)
    active = stated.params_active or (total if not bare.experts else params_active_of(bare))
    return checked_row(
        ModelShape, _values(replace(bare, params_total=total, params_active=active)), where, stated.name
    )


def _values(shape: ModelShape) -> dict[str, Any]:
    return {f.name: getattr(shape, f.name) for f in fields(ModelShape)}
