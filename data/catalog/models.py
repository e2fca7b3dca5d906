"""Shapes of open models: what exact memory and a roofline need, as facts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from data.catalog.rows import Row, find_named, load_named_rows
from data.errors import UserError

Precision = Literal["bf16", "fp8", "int8", "int4", "fp4"]
Evidence = Literal["file", "data sheet", "memory"]
"""What a row was checked against: a published file that was read, the vendor's sheet, or memory alone."""

Count = Annotated[int, Field(gt=0, strict=True)]
CountOrNone = Annotated[int, Field(ge=0, strict=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelShape:
    """One model's architecture. A part that the architecture does not have is 0, or None where 0 says nothing.

    Sizes are elements, not bytes; `linear_state_bytes` alone is bytes, because its precision is fixed.

    layers = full_layers + sliding_layers + linear_layers. Sliding layers look back `window_tok` tokens.
    full_kv_heads, full_head_dim: of the full-attention layers; a row states them where they differ (Gemma 4).
    head_dim is that of queries and keys (MLA: without and with position, 128 + 64 for DeepSeek-V3); v_head_dim is
    that of values, which a row states where it differs.
    kv_lora_rank, qk_rope_head_dim: with MLA a token caches their sum once for each layer, whatever the heads.
    sparse_topk_tok: full layers read at most so many tokens of the cache (DeepSeek sparse attention).
    linear_state_bytes: recurrent state of one sequence over all linear layers, in fp32 as it is kept.
    dense_layers: layers whose FFN is one dense block of `intermediate`; the others have experts.
    shared_intermediate: width of what every token passes beside its experts, all shared experts together.
    ffn_matrices: 3 where the FFN is gated (SwiGLU, GeGLU), 2 where not.
    attention_gate: a second matrix as large as the query projection gates the output of the full layers.
    native_precision: of the weights as first published; native_part says which weights have it (the rest is bf16).
    released_precisions: other precisions that the model's own makers published.
    """

    name: str
    hf_id: str
    family: str
    params_total: Count
    params_active: Count
    layers: Count
    hidden: Count
    heads: Count
    kv_heads: Count
    head_dim: Count
    v_head_dim: Count
    full_layers: CountOrNone
    full_kv_heads: Count
    full_head_dim: Count
    sliding_layers: CountOrNone = 0
    window_tok: Count | None = None
    linear_layers: CountOrNone = 0
    linear_key_heads: CountOrNone = 0
    linear_value_heads: CountOrNone = 0
    linear_head_dim: CountOrNone = 0
    linear_state_bytes: CountOrNone = 0
    q_lora_rank: Count | None = None
    kv_lora_rank: Count | None = None
    qk_rope_head_dim: Count | None = None
    sparse_topk_tok: Count | None = None
    attention_gate: bool = False
    intermediate: CountOrNone
    ffn_matrices: Literal[2, 3]
    dense_layers: CountOrNone
    experts: CountOrNone = 0
    experts_per_token: CountOrNone = 0
    moe_intermediate: CountOrNone = 0
    shared_experts: CountOrNone = 0
    shared_intermediate: CountOrNone = 0
    vocab: Count
    tied_embeddings: bool
    native_precision: Precision
    native_part: Literal["all", "experts"] = "all"
    released_precisions: tuple[Precision, ...] = ()
    max_context_tok: Count
    evidence: Evidence
    source: str
    checked: date
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse a shape whose parts do not add up."""
        kinds = self.full_layers + self.sliding_layers + self.linear_layers
        _allow(
            self.layers == kinds,
            f"`layers` is {self.layers}, but full_layers + sliding_layers + linear_layers make {kinds}",
        )
        _allow(
            self.heads % self.kv_heads == 0,
            f"`kv_heads` is {self.kv_heads}, which does not divide {self.heads} heads",
        )
        _allow(
            self.params_active <= self.params_total,
            f"`params_active` is {self.params_active}, more than params_total, {self.params_total}",
        )
        _allow(
            self.dense_layers == self.layers or self.experts > 0,
            f"`dense_layers` is {self.dense_layers} of {self.layers}, but there are no experts for the others",
        )
        self._together("sliding_layers", "window_tok")
        self._together("linear_layers", "linear_state_bytes")
        self._together("kv_lora_rank", "qk_rope_head_dim")
        self._together("experts", "experts_per_token")
        self._together("experts", "moe_intermediate")
        self._together("shared_experts", "shared_intermediate")

    def _together(self, one: str, other: str) -> None:
        has_one, has_other = bool(getattr(self, one)), bool(getattr(self, other))
        _allow(
            has_one == has_other,
            f"`{one}` is {getattr(self, one)} and `{other}` is {getattr(self, other)}, but one needs the other",
        )


def load_models(overlays: Sequence[Path] = ()) -> dict[str, ModelShape]:
    """Return every known model by name; a row of a later overlay wins.

    Raises UserError naming file, row, key, value and what is allowed.
    """
    return load_named_rows("models.toml", overlays, ModelShape, fill=filled)


def find_model(models: Mapping[str, ModelShape], name: str) -> ModelShape:
    """Return the model of that name or Hugging Face id, or raise UserError with the nearest names."""
    by_hf_id = {model.hf_id.lower(): model for model in models.values()}
    return by_hf_id.get(name.strip().lower()) or find_named(models, name, "model")


def filled(row: Row) -> Row:
    """Return a row with the keys that follow from others where it does not state them."""
    same = {"v_head_dim": "head_dim", "full_kv_heads": "kv_heads", "full_head_dim": "head_dim"}
    return {**{key: row[other] for key, other in same.items() if other in row}, **row}


def _allow(holds: bool, wrong: str) -> None:
    if not holds:
        raise UserError(f"{wrong}; correct one of them.")
