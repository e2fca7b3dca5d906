"""The calibrated roofline: seconds of a decode step, of a prefill, and of a request, over NumPy arrays."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from data.catalog.gpus import Gpu
from data.catalog.models import ModelShape, Precision
from sizing.memory import (
    STEP_TOK,
    attention_bytes,
    dense_params,
    expert_params,
    layout_kv_bytes_per_tok,
    moe_layers,
    weight_bytes,
)

Floats = npt.NDArray[np.float64]

MOST_OF_PEAK = 0.75
"""Share of the dense peak that a whole prefill reaches, at most: an assumption. Single large matrix products reach
70-80% of it (clocks fall under load); a prefill also has norms, softmaxes and copies between them."""

FRONT_NORM = 8
"""Norm of the engine's and the front end's time of a step, which run side by side."""

NO_LIMIT_TOK = 1e12
"""Window of layers that look back over everything: longer than any context, and finite so that 0 x it is 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What one replica moves and computes, for each of its GPUs; every field broadcasts, so N replicas are (N,).

    read_bytes: weights read in every step whatever the batch (dense parts and output head).
    expert_bytes: all routed experts. linear_flop_per_tok: 2 x active parameters without the embedding;
    routed_flop_per_tok: of it, in routed experts.
    head_flop_per_tok: output head, for sampled tokens only. attention_flop_per_pair: for one query and one
    key over all full-attention layers; window_flop_per_pair: the same for sliding layers.
    pp: stages, each of which works on 1/pp of the batch at a time. ep: GPUs that share experts out whole.
    reduces: collectives of a step over all layers; reduced_share: what one of them moves over what an all-reduce
    does.
    """

    read_bytes: Floats
    expert_bytes: Floats
    experts: Floats
    experts_per_token: Floats
    kv_bytes_per_tok: Floats
    kv_window_bytes_per_tok: Floats
    window_tok: Floats
    sparse_tok: Floats
    state_bytes: Floats
    linear_flop_per_tok: Floats
    routed_flop_per_tok: Floats
    head_flop_per_tok: Floats
    attention_flop_per_pair: Floats
    window_flop_per_pair: Floats
    layers: Floats
    moe_layers: Floats
    hidden: Floats
    tp: Floats
    pp: Floats
    ep: Floats
    reduces: Floats
    reduced_share: Floats
    memory_bytes_per_s: Floats
    flop_per_s: Floats
    attention_flop_per_s: Floats
    link_bytes_per_s: Floats

    @classmethod
    def stack(cls, works: Sequence["Work"]) -> "Work":
        """Return one Work of (N,) arrays from N scalar ones."""
        return cls(
            **{f.name: np.array([getattr(w, f.name) for w in works], dtype=np.float64) for f in fields(cls)}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """What physics leaves open, fitted to measurements (sizing/calibration.py); every field broadcasts.

    memory_efficiency, compute_efficiency, prefill_efficiency, link_efficiency: share of the data sheet's rate
        that is reached (0..1). norm: how far reading and computing overlap: 1 = one after the other, large = the
        slower one alone. allreduce_s: latency of one all-reduce. step_s, layer_s, moe_layer_s, sequence_s:
        overhead of a step, of each of its layers, of each MoE layer on top, of each sequence in it.
    stream_s: of the front end for one token of one sequence, which it turns into text and sends while the next
        step runs: no step is shorter for B sequences than B x stream_s.
    prefill_s: overhead of a prompt. first_token_s: what a first token waits besides (tokeniser, network).
    look_steps: decode steps until the engine looks for new prompts. in_step_same, in_step_drawn: how far clients
        that started together are still in step, for requests of one length and of drawn lengths (0..1).
    slow: what is left to this engine, model and GPU, on all times; wait: the same on the first token alone.
    """

    memory_efficiency: Floats
    compute_efficiency: Floats
    prefill_efficiency: Floats
    link_efficiency: Floats
    norm: Floats
    allreduce_s: Floats
    step_s: Floats
    layer_s: Floats
    moe_layer_s: Floats
    sequence_s: Floats
    stream_s: Floats
    prefill_s: Floats
    first_token_s: Floats
    look_steps: Floats
    in_step_same: Floats
    in_step_drawn: Floats
    slow: Floats
    wait: Floats


def work_of(
    model: ModelShape,
    gpu: Gpu,
    *,
    tp: int,
    precision: Precision,
    kv_precision: str,
    pp: int = 1,
    ep: int = 1,
    dp_attention: bool = False,
) -> Work:
    """Return what each GPU of one replica moves and computes for `model`.

    Pipeline: a stage holds 1/pp of the layers and works on 1/pp of the batch at a time, so a token's step reads
    the weights of all stages one after the other (as without stages), each sequence's KV at 1/pp a GPU, and
    computes 1/pp of the batch's FLOPs in each of pp turns. Data-parallel attention: every GPU reads the whole
    attention and the whole KV of 1/tp of the sequences (no KV head or MLA latent is copied), and a layer is
    reduced once, not twice. Expert parallelism: see _collectives and _fullest_rank.
    """
    weights, split = weight_bytes(model, precision), float(tp * pp)
    copied = attention_bytes(model, precision) if dp_attention else 0.0
    full, windowed = layout_kv_bytes_per_tok(model, kv_precision, tp=tp, dp_attention=dp_attention)
    reduces, reduced_share = _collectives(model, tp=tp, ep=ep, dp_attention=dp_attention)
    routed = expert_params(model) * model.experts_per_token / max(model.experts, 1)
    per_pair = 2.0 * model.heads / split
    full_value = model.v_head_dim if model.full_head_dim == model.head_dim else model.full_head_dim
    parts: dict[str, float] = {
        "read_bytes": (weights.dense + weights.head - copied) / tp + copied,
        "expert_bytes": weights.experts / tp,
        "experts": model.experts,
        "experts_per_token": model.experts_per_token,
        "kv_bytes_per_tok": full / pp,
        "kv_window_bytes_per_tok": windowed / pp,
        "window_tok": model.window_tok or NO_LIMIT_TOK,
        "sparse_tok": model.sparse_topk_tok or NO_LIMIT_TOK,
        "state_bytes": model.linear_state_bytes / split,
        "linear_flop_per_tok": 2 * (dense_params(model) + routed) / split,
        "routed_flop_per_tok": 2 * routed / split,
        "head_flop_per_tok": 2.0 * model.vocab * model.hidden / split,
        "attention_flop_per_pair": per_pair * model.full_layers * (model.full_head_dim + full_value),
        "window_flop_per_pair": per_pair * model.sliding_layers * (model.head_dim + model.v_head_dim),
        "layers": model.layers,
        "moe_layers": moe_layers(model),
        "pp": pp,
        "ep": ep,
        "reduces": reduces,
        "reduced_share": reduced_share,
        "hidden": model.hidden,
        "tp": tp,
        "memory_bytes_per_s": gpu.memory_bytes_per_s,
        "flop_per_s": compute_flop_per_s(gpu, precision),
        "attention_flop_per_s": gpu.bf16_flop_per_s,
        "link_bytes_per_s": gpu.link_bytes_per_s,
    }
    return Work(**{name: np.asarray(value, dtype=np.float64) for name, value in parts.items()})


def _collectives(model: ModelShape, *, tp: int, ep: int, dp_attention: bool) -> tuple[float, float]:
    """Return (collectives of a step over all layers, what each moves over what an all-reduce moves).

    Two all-reduces a layer, after attention and after the MLP. With data-parallel attention the first goes, and
    the second is an all-gather and a reduce-scatter of the same bytes; with experts shared out besides, a MoE
    layer sends each token of a GPU to the GPUs of its k experts and back, `min(k, ep) (ep - 1) / ep` hidden states
    each way where an all-reduce moves `(tp - 1)`.
    """
    if not dp_attention or tp == 1:
        return 2.0 * model.layers, 1.0
    if ep == 1:
        return float(model.layers), 1.0
    sent = min(model.experts_per_token, ep) * (ep - 1) / ep / (tp - 1)
    moe = moe_layers(model) / model.layers
    return float(model.layers), moe * sent + 1 - moe


def compute_flop_per_s(gpu: Gpu, precision: Precision) -> float:
    """Return the peak of the arithmetic that weights of `precision` run in on `gpu`, dense.

    Where the GPU has no such matrix units the weights are widened and multiplied in 16 bits.
    """
    return gpu.flop_per_s(precision) or gpu.bf16_flop_per_s


def experts_touched(experts: Floats, per_token: Floats, tokens: Floats) -> Floats:
    """Return how many experts a step of `tokens` reads, if routing is even.

        E (1 - (1 - k/E)^B)

    >>> float(np.round(experts_touched(np.array(8.0), np.array(2.0), np.array(1.0)), 9))
    2.0
    """
    some = np.maximum(experts, 1.0)
    missed = np.log1p(-np.minimum(per_token / some, 1.0 - 1e-12))
    return np.asarray(-experts * np.expm1(tokens * missed))


def decode_step_s(
    work: Work,
    factors: Factors,
    batch: Floats,
    context_tok: Floats,
    *,
    checked_tok: float = 1.0,
    emitted_tok: float = 1.0,
) -> Floats:
    """Return seconds of one decode step of `batch` sequences at mean context `context_tok`.

        t = slow ((mem^s + compute^s)^(1/s) + all-reduce + fixed + per layer + per sequence)

    Source: roofline as in Pope et al. 2022, https://arxiv.org/abs/2211.05102; overheads are fitted. With pp stages
    this is the whole round of a token, in which all parts of the batch take their turn. checked_tok: tokens of a
    sequence that go through the model in the step (speculation checks several); emitted_tok: that come out of it.
    """
    tokens = batch * checked_tok
    at_once = np.maximum(tokens / work.pp, 1.0)
    share = experts_touched(work.experts, work.experts_per_token, at_once) / np.maximum(work.experts, 1.0)
    held = np.minimum(context_tok, work.window_tok)
    seen = np.minimum(context_tok, work.sparse_tok)
    kv = work.kv_bytes_per_tok * seen + work.kv_window_bytes_per_tok * held + work.state_bytes
    more_read, more_computed = _fullest_rank(work, share, at_once)
    read = work.read_bytes + work.expert_bytes * share * more_read + batch * kv
    memory_s = read / (work.memory_bytes_per_s * factors.memory_efficiency)
    flop = work.linear_flop_per_tok + work.routed_flop_per_tok * (more_computed - 1) + work.head_flop_per_tok
    attention = work.attention_flop_per_pair * seen + work.window_flop_per_pair * held
    compute_s = (
        tokens * (flop / work.flop_per_s + attention / work.attention_flop_per_s) / factors.compute_efficiency
    )
    overlapped = (memory_s**factors.norm + compute_s**factors.norm) ** (1 / factors.norm)
    overhead = factors.step_s * work.pp + factors.layer_s * work.layers + factors.moe_layer_s * work.moe_layers
    moved = allreduce_s(work, factors, at_once) + _handed_on_s(work, factors, at_once)
    total = overlapped + moved + overhead + factors.sequence_s * batch
    return _longer_of(factors.slow * total, factors.stream_s * batch * emitted_tok)


def _fullest_rank(work: Work, share: Floats, tokens: Floats) -> tuple[Floats | float, Floats | float]:
    """Return (bytes, FLOP) of routed experts on the fullest of `ep` ranks over their mean, routing being random.

    A step lasts as long as its fullest rank. Expected maxima as in sizing/layout.py, `busiest`: of the experts
    that a rank has touched (binomial; at most all of them), and of the tokens that come to it.
    """
    if np.all(work.ep == 1):
        return 1.0, 1.0
    spread = 2 * np.log(work.ep) * work.ep
    some = np.maximum(share, 1e-12)
    touched = 1 + np.sqrt(spread * (1 - some) / np.maximum(some * work.experts, 1e-12))
    sent = 1 + np.sqrt(spread / np.maximum(tokens * work.experts_per_token, 1e-12))
    one = work.ep == 1
    read = np.where(one, 1.0, np.minimum(touched, np.minimum(1 / some, work.ep)))
    return read, np.where(one, 1.0, np.minimum(sent, work.ep))


def _handed_on_s(work: Work, factors: Factors, tokens: Floats) -> Floats | float:
    """Return seconds in which the hidden states of a batch pass from stage to stage, pp - 1 times in a round."""
    if np.all(work.pp == 1):
        return 0.0
    each = factors.allreduce_s + tokens * work.hidden * 2 / (work.link_bytes_per_s * factors.link_efficiency)
    return np.asarray((work.pp - 1) * each)


def _longer_of(engine_s: Floats, front_s: Floats) -> Floats:
    """Return the longer time, smoothly: up to 9% more where both are alike, as each then waits for the other."""
    return np.asarray((engine_s**FRONT_NORM + front_s**FRONT_NORM) ** (1 / FRONT_NORM))


def allreduce_s(work: Work, factors: Factors, tokens: Floats) -> Floats:
    """Return seconds that the collectives of `tokens` tokens take over all layers: two all-reduces each.

    2 layers (latency + 2 (tp - 1)/tp x tokens x hidden x 2 bytes / link)
    """
    moved = 2 * (work.tp - 1) / work.tp * tokens * work.hidden * 2 * work.reduced_share
    each = factors.allreduce_s * np.log2(work.tp) + moved / (work.link_bytes_per_s * factors.link_efficiency)
    return np.asarray(np.where(work.tp > 1, work.reduces * each, 0.0))


def prefill_work_s(work: Work, factors: Factors, prompt_tok: Floats, cached_tok: Floats) -> Floats:
    """Return seconds of replica time that one prompt takes among others, its cached prefix already there.

    Linear in the fresh tokens, quadratic in what they attend to:

        t = (2 N F + a (P^2 - C^2)/2) / (flop e) + slow (prefill_s + all-reduce),  F = P - C

    e, the efficiency over slow, is at most MOST_OF_PEAK.
    """
    fresh = prompt_tok - cached_tok
    pairs = (prompt_tok**2 - cached_tok**2) / 2
    windowed = np.minimum(pairs, fresh * work.window_tok)
    attention = (
        work.attention_flop_per_pair * np.minimum(pairs, fresh * work.sparse_tok)
        + work.window_flop_per_pair * windowed
    )
    compute = fresh * work.linear_flop_per_tok / work.flop_per_s + attention / work.attention_flop_per_s
    per_tok = allreduce_s(work, factors, np.asarray(1.0)) - allreduce_s(work, factors, np.asarray(0.0))
    moved = per_tok * fresh / work.pp
    return np.asarray(compute / prefill_efficiency(factors) + factors.slow * (factors.prefill_s + moved))


def prefill_efficiency(factors: Factors) -> Floats:
    """Return the share of peak that prefill reaches here, its multiplier included, but never beyond the bound."""
    return np.asarray(np.minimum(factors.prefill_efficiency / factors.slow, MOST_OF_PEAK))


def prefill_latency_s(work: Work, factors: Factors, prompt_tok: Floats, cached_tok: Floats) -> Floats:
    """Return seconds from the start of a prompt's prefill to its first token, alone on the replica.

    As prefill_work_s, but at least one step that reads all weights its tokens touch. Chunk by chunk through pp
    stages: the last of c chunks has pp - 1 stages before it, (c + pp - 1) / c of the work.
    """
    fresh = np.maximum(prompt_tok - cached_tok, 1.0)
    bubble = (work.pp - 1) / np.maximum(np.ceil(fresh / STEP_TOK), 1.0)
    return np.asarray(
        prefill_work_s(work, factors, prompt_tok, cached_tok) * (1 + bubble)
        + prefill_read_s(work, factors, fresh)
        + factors.first_token_s
    )


def prefill_read_s(work: Work, factors: Factors, fresh_tok: Floats) -> Floats:
    """Return seconds of a step that prefills fresh_tok tokens and decodes nothing, beside their arithmetic.

    One reading of all weights that the tokens touch, and the overheads of a step.
    """
    share = experts_touched(work.experts, work.experts_per_token, fresh_tok) / np.maximum(work.experts, 1.0)
    read = work.read_bytes + work.expert_bytes * share
    floor = read / (work.memory_bytes_per_s * factors.memory_efficiency)
    overhead = factors.step_s * work.pp + factors.layer_s * work.layers + factors.moe_layer_s * work.moe_layers
    return np.asarray(factors.slow * (floor + overhead))


def mixed_step_s(
    work: Work, factors: Factors, batch: Floats, context_tok: Floats, chunk_tok: Floats | float
) -> Floats:
    """Return seconds of a step that decodes `batch` sequences and prefills `chunk_tok` tokens of a prompt beside.

    Chunked prefill (Agrawal et al. 2024, https://arxiv.org/abs/2403.02310): weights are read once for both, the
    chunk's arithmetic comes on top. The chunk is the middle one of a prompt as long as the mean context. This is
    the longest gap between tokens that a sequence sees.
    """
    chunk = np.minimum(np.asarray(chunk_tok, dtype=np.float64), context_tok)
    before = (context_tok - chunk) / 2
    prefill = prefill_work_s(work, factors, before + chunk, before) - factors.slow * factors.prefill_s
    return np.asarray(decode_step_s(work, factors, batch, context_tok) + prefill)
