"""What a replica holds: weights by part and precision, KV by kind of layer, and what the engine keeps."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data.catalog.gpus import Gpu
from data.catalog.models import ModelShape
from data.errors import UserError
from data.units import GB
from sizing.layout import attention_params

Floats = npt.NDArray[np.float64]

BYTES_PER_WEIGHT: dict[str, float] = {
    "bf16": 2.0,
    "fp8": 1.0,
    "int8": 1.0,
    "int4": 0.5 + 2 / 128,  # one 16-bit scale for each group of 128
    "fp4": 0.5 + 1 / 16,  # NVFP4: one 8-bit scale for each block of 16
}
"""Bytes that one quantised weight takes, scales included."""

MXFP4_BYTES = 0.5 + 1 / 32
"""MXFP4, in which 4-bit models are published natively: one 8-bit scale for each block of 32 (OCP MX v1.0)."""

BYTES_PER_KV: dict[str, float] = {"bf16": 2.0, "fp8": 1.0, "int8": 1.0}

MEMORY_UTILISATION = 0.9
"""Share of the GPU that the engine may take: the default of vLLM's `gpu_memory_utilization`."""

RUNTIME_BYTES = 2.0 * GB
"""CUDA context, NCCL buffers and captured graphs of one GPU: an assumption, 1.5 to 3 GB in vLLM's own logs."""

STEP_TOK = 8_192
"""Tokens that one engine step may hold (vLLM's `max_num_batched_tokens` on server GPUs): sizes the activations."""


class DoesNotFit(UserError):  # noqa: N818  # it reads as the sentence it carries
    """The weights, or one single request beside them, are larger than the memory of the replica."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightBytes:
    """Bytes of a model's weights by part, for the whole model.

    dense: attention, dense MLPs, shared experts and routers: read in every step. experts: routed experts, read
    as far as the batch touches them. embedding: looked up, not read. head: the output projection, read in
    every step (it is the embedding itself where they are tied).
    """

    dense: float
    experts: float
    embedding: float
    head: float
    tied: bool

    @property
    def total(self) -> float:
        """Bytes to hold: a tied embedding is held once."""
        return self.dense + self.experts + self.head + (0.0 if self.tied else self.embedding)


def check_precision(precision: str, known: dict[str, float], what: str) -> float:
    """Return the bytes of one value, or raise UserError naming what is allowed."""
    if precision not in known:
        raise UserError(f"{what} {precision!r} is not known; use one of {', '.join(sorted(known))}.")
    return known[precision]


def weight_bytes(model: ModelShape, precision: str) -> WeightBytes:
    """Return the bytes of each part of the weights at `precision`.

    Embeddings and the output head stay in 16 bits, as in the published quantised checkpoints. Where the makers
    publish 4-bit experts alone (`native_part`: gpt-oss, Kimi K2.5), the rest stays in 16 bits too.
    """
    check_precision(precision, BYTES_PER_WEIGHT, "precision")
    narrow = BYTES_PER_WEIGHT[precision]
    native = precision == model.native_precision
    if native and precision == "fp4":
        narrow = MXFP4_BYTES
    table = model.vocab * model.hidden * 2.0
    return WeightBytes(
        dense=dense_params(model) * (2.0 if native and model.native_part == "experts" else narrow),
        experts=expert_params(model) * narrow,
        embedding=table,
        head=table,
        tied=model.tied_embeddings,
    )


def attention_bytes(model: ModelShape, precision: str) -> float:
    """Return the bytes of the attention weights that data-parallel attention holds whole on every GPU."""
    kept = precision == model.native_precision and model.native_part == "experts"
    narrow = MXFP4_BYTES if precision == model.native_precision == "fp4" else BYTES_PER_WEIGHT[precision]
    return attention_params(model) * (2.0 if kept else narrow)


def moe_layers(model: ModelShape) -> int:
    """Return how many layers have routed experts."""
    return model.layers - model.dense_layers


def expert_params(model: ModelShape) -> float:
    """Return the parameters of all routed experts of all MoE layers."""
    return float(model.ffn_matrices * model.hidden * model.moe_intermediate * model.experts * moe_layers(model))


def dense_params(model: ModelShape) -> float:
    """Return the parameters that every token passes, without embedding and head: the total less the rest."""
    tables = model.vocab * model.hidden * (1 if model.tied_embeddings else 2)
    return model.params_total - tables - expert_params(model)


def tp_share(heads: int, tp: int) -> float:
    """Return the share of KV heads that one of `tp` ranks holds: heads are split, then copied, never cut.

    >>> tp_share(8, 4), tp_share(8, 16)
    (0.25, 0.125)
    """
    return math.ceil(heads / tp) / heads


def kv_bytes_per_tok(model: ModelShape, kv_precision: str, tp: int = 1) -> tuple[float, float]:
    """Return bytes of one token's KV on one of `tp` GPUs: (full-attention layers, sliding or chunked layers).

    MHA and GQA: `2 H_kv d_head b` a layer, heads split over TP. MLA: one latent of `kv_lora_rank +
    qk_rope_head_dim` a layer, copied on every rank (DeepSeek-V2, https://arxiv.org/abs/2405.04434).
    """
    value = check_precision(kv_precision, BYTES_PER_KV, "kv_precision")
    if model.kv_lora_rank:
        return (model.kv_lora_rank + (model.qk_rope_head_dim or 0)) * value * model.layers, 0.0
    full = 2 * model.full_layers * model.full_kv_heads * model.full_head_dim
    windowed = model.sliding_layers * model.kv_heads * (model.head_dim + model.v_head_dim)
    return (
        full * value * tp_share(model.full_kv_heads, tp),
        windowed * value * tp_share(model.kv_heads, tp),
    )


def layout_kv_bytes_per_tok(
    model: ModelShape, kv_precision: str, *, tp: int, dp_attention: bool
) -> tuple[float, float]:
    """Return bytes on one GPU of one token's KV of one of the replica's sequences, as kv_bytes_per_tok.

    Data-parallel attention keeps each sequence whole on one of the `tp` GPUs: 1/tp of it on each, on average, and
    nothing is copied.
    """
    if not dp_attention:
        return kv_bytes_per_tok(model, kv_precision, tp)
    full, windowed = kv_bytes_per_tok(model, kv_precision, 1)
    return full / tp, windowed / tp


def kv_bytes(
    model: ModelShape, context_tok: float | Floats, kv_precision: str, tp: int = 1, *, dp_attention: bool = False
) -> Floats:
    """Return bytes of one request's cache at `context_tok` (...,) tokens on one of `tp` GPUs.

    Sliding and chunked layers hold at most their window; linear layers a state of fixed size.

        KV(T) = k_full T + k_window min(T, window) + state
    """
    full, windowed = layout_kv_bytes_per_tok(model, kv_precision, tp=tp, dp_attention=dp_attention)
    context = np.asarray(context_tok, dtype=np.float64)
    held = np.minimum(context, model.window_tok) if model.window_tok else context
    return np.asarray(full * context + windowed * held + model.linear_state_bytes / tp)


def reserve_bytes(model: ModelShape, tp: int, step_tok: int = STEP_TOK) -> float:
    """Return what one GPU keeps besides weights and KV: the runtime, and the activations of one full step.

    Activations: residual, normed input, attention output and projections (4 hidden), and the MLP's gate, up
    and product (3 intermediate / tp), 2 bytes each, for each token of a step.
    """
    inner = max(model.intermediate, model.moe_intermediate * model.experts_per_token)
    return RUNTIME_BYTES + step_tok * 2.0 * (4 * model.hidden + 3 * inner / tp)


def kv_room_bytes(
    model: ModelShape,
    gpu: Gpu,
    *,
    tp: int,
    precision: str,
    pp: int = 1,
    dp_attention: bool = False,
    memory_utilisation: float = MEMORY_UTILISATION,
) -> float:
    """Return bytes left for KV on each GPU of a replica; negative where the weights do not fit.

    Stages hold an equal share of the layers each (embedding and head, on the first and the last, spread as well).
    """
    copied = attention_bytes(model, precision) / pp if dp_attention else 0.0
    held = (weight_bytes(model, precision).total / pp - copied) / tp + copied
    return gpu.visible_bytes * memory_utilisation - held - reserve_bytes(model, tp)


def memory_batch(
    model: ModelShape,
    gpu: Gpu,
    *,
    tp: int,
    precision: str,
    kv_precision: str,
    context_tok: float,
    pp: int = 1,
    dp_attention: bool = False,
    memory_utilisation: float = MEMORY_UTILISATION,
) -> int:
    """Return how many requests of `context_tok` tokens one replica holds at once.

        floor((M_gpu u - weights / (tp pp) - reserve) / (KV(T) / pp))

    Raises DoesNotFit where that is less than one.
    """
    room = kv_room_bytes(
        model,
        gpu,
        tp=tp,
        precision=precision,
        pp=pp,
        dp_attention=dp_attention,
        memory_utilisation=memory_utilisation,
    )
    each = float(kv_bytes(model, context_tok, kv_precision, tp, dp_attention=dp_attention)) / pp
    if room < each:
        raise DoesNotFit(
            _does_not_fit(model, gpu, tp * pp, precision, context_tok, each * tp * pp, memory_utilisation)
        )
    return int(room / each)


def _does_not_fit(
    model: ModelShape, gpu: Gpu, gpus: int, precision: str, context_tok: float, each: float, share: float
) -> str:
    weights_gb = weight_bytes(model, precision).total / GB
    engine_gb = reserve_bytes(model, gpus) * gpus / GB
    usable_gb = gpu.visible_bytes * share * gpus / GB
    return (
        f"{model.name} at {precision} needs {weights_gb:.1f} GB of weights plus {each / GB:.2f} GB per request of"
        f" {context_tok:,.0f} tokens, and {engine_gb:.1f} GB for the engine; {gpus} x {gpu.name} offers"
        f" {usable_gb:.1f} GB. Use more GPUs per replica, fewer bytes per weight, or a shorter context."
    )
