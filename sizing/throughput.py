"""The calibrated roofline: seconds of a decode step, of a prefill, and of a request, over NumPy arrays."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from data.catalog.gpus import Gpu
from data.catalog.models import ModelShape, Precision
from sizing.memory import dense_params, expert_params, kv_bytes_per_tok, moe_layers, weight_bytes

Floats = npt.NDArray[np.float64]

MOST_OF_PEAK = 0.75
"""Share of the dense peak that a whole prefill reaches, at most: an assumption. Single large matrix products reach
70-80% of it (clocks fall under load); a prefill also has norms, softmaxes and copies between them."""

NO_LIMIT_TOK = 1e12
"""Window of layers that look back over everything: longer than any context, and finite so that 0 x it is 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What one replica moves and computes, for each of its GPUs; every field broadcasts, so N replicas are (N,).

    read_bytes: weights read in every step whatever the batch (dense parts and output head).
    expert_bytes: all routed experts. linear_flop_per_tok: 2 x active parameters without the embedding.
    head_flop_per_tok: output head, for sampled tokens only. attention_flop_per_pair: for one query and one
    key over all full-attention layers; window_flop_per_pair: the same for sliding layers.
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
    head_flop_per_tok: Floats
    attention_flop_per_pair: Floats
    window_flop_per_pair: Floats
    layers: Floats
    moe_layers: Floats
    hidden: Floats
    tp: Floats
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
    prefill_s: Floats
    first_token_s: Floats
    look_steps: Floats
    in_step_same: Floats
    in_step_drawn: Floats
    slow: Floats
    wait: Floats


def work_of(model: ModelShape, gpu: Gpu, *, tp: int, precision: Precision, kv_precision: str, pp: int = 1) -> Work:
    """Return what each GPU of one replica moves and computes for `model`, its layers split over pp stages.

    A pipeline stage holds 1/pp of the layers and works on 1/pp of the batch at a time, so that per GPU the
    bytes and FLOPs of a token shrink by tp x pp; its filling and draining are left out.
    """
    weights, split = weight_bytes(model, precision), float(tp * pp)
    full, windowed = kv_bytes_per_tok(model, kv_precision, tp)
    routed = expert_params(model) * model.experts_per_token / max(model.experts, 1)
    per_pair = 2.0 * model.heads / split
    full_value = model.v_head_dim if model.full_head_dim == model.head_dim else model.full_head_dim
    parts: dict[str, float] = {
        "read_bytes": (weights.dense + weights.head) / split,
        "expert_bytes": weights.experts / split,
        "experts": model.experts,
        "experts_per_token": model.experts_per_token,
        "kv_bytes_per_tok": full / pp,
        "kv_window_bytes_per_tok": windowed / pp,
        "window_tok": model.window_tok or NO_LIMIT_TOK,
        "sparse_tok": model.sparse_topk_tok or NO_LIMIT_TOK,
        "state_bytes": model.linear_state_bytes / split,
        "linear_flop_per_tok": 2 * (dense_params(model) + routed) / split,
        "head_flop_per_tok": 2.0 * model.vocab * model.hidden / split,
        "attention_flop_per_pair": per_pair * model.full_layers * (model.full_head_dim + full_value),
        "window_flop_per_pair": per_pair * model.sliding_layers * (model.head_dim + model.v_head_dim),
        "layers": model.layers,
        "moe_layers": moe_layers(model),
        "hidden": model.hidden,
        "tp": tp,
        "memory_bytes_per_s": gpu.memory_bytes_per_s,
        "flop_per_s": compute_flop_per_s(gpu, precision),
        "attention_flop_per_s": gpu.bf16_flop_per_s,
        "link_bytes_per_s": gpu.link_bytes_per_s,
    }
    return Work(**{name: np.asarray(value, dtype=np.float64) for name, value in parts.items()})


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


def decode_step_s(work: Work, factors: Factors, batch: Floats, context_tok: Floats) -> Floats:
    """Return seconds of one decode step of `batch` sequences at mean context `context_tok`.

        t = slow ((mem^s + compute^s)^(1/s) + all-reduce + fixed + per layer + per sequence)

    Source: roofline as in Pope et al. 2022, https://arxiv.org/abs/2211.05102; overheads are fitted.
    """
    share = experts_touched(work.experts, work.experts_per_token, batch) / np.maximum(work.experts, 1.0)
    held = np.minimum(context_tok, work.window_tok)
    seen = np.minimum(context_tok, work.sparse_tok)
    kv = work.kv_bytes_per_tok * seen + work.kv_window_bytes_per_tok * held + work.state_bytes
    read = work.read_bytes + work.expert_bytes * share + batch * kv
    memory_s = read / (work.memory_bytes_per_s * factors.memory_efficiency)
    flop = work.linear_flop_per_tok + work.head_flop_per_tok
    attention = work.attention_flop_per_pair * seen + work.window_flop_per_pair * held
    compute_s = (
        batch * (flop / work.flop_per_s + attention / work.attention_flop_per_s) / factors.compute_efficiency
    )
    overlapped = (memory_s**factors.norm + compute_s**factors.norm) ** (1 / factors.norm)
    overhead = factors.step_s + factors.layer_s * work.layers + factors.moe_layer_s * work.moe_layers
    total = overlapped + allreduce_s(work, factors, batch) + overhead + factors.sequence_s * batch
    return np.asarray(factors.slow * total)


def allreduce_s(work: Work, factors: Factors, tokens: Floats) -> Floats:
    """Return seconds that one step's all-reduces take: two a layer, over a ring.

    2 layers (latency + 2 (tp - 1)/tp x tokens x hidden x 2 bytes / link)
    """
    moved = 2 * (work.tp - 1) / work.tp * tokens * work.hidden * 2
    each = factors.allreduce_s * np.log2(work.tp) + moved / (work.link_bytes_per_s * factors.link_efficiency)
    return np.asarray(np.where(work.tp > 1, 2 * work.layers * each, 0.0))


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
    return np.asarray(compute / prefill_efficiency(factors) + factors.slow * (factors.prefill_s + per_tok * fresh))


def prefill_efficiency(factors: Factors) -> Floats:
    """Return the share of peak that prefill reaches here, its multiplier included, but never beyond the bound."""
    return np.asarray(np.minimum(factors.prefill_efficiency / factors.slow, MOST_OF_PEAK))


def prefill_latency_s(work: Work, factors: Factors, prompt_tok: Floats, cached_tok: Floats) -> Floats:
    """Return seconds from the start of a prompt's prefill to its first token, alone on the replica.

    As prefill_work_s, but at least one step that reads all weights its tokens touch.
    """
    fresh = np.maximum(prompt_tok - cached_tok, 1.0)
    share = experts_touched(work.experts, work.experts_per_token, fresh) / np.maximum(work.experts, 1.0)
    read = work.read_bytes + work.expert_bytes * share
    floor = read / (work.memory_bytes_per_s * factors.memory_efficiency)
    overhead = factors.step_s + factors.layer_s * work.layers + factors.moe_layer_s * work.moe_layers
    return np.asarray(
        prefill_work_s(work, factors, prompt_tok, cached_tok)
        + factors.slow * (floor + overhead)
        + factors.first_token_s
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What clients of one replica see: mean time to first token, mean time per output token, tokens a second."""

    ttft_s: Floats
    tpot_s: Floats
    output_tok_per_s: Floats
    batch: Floats


def closed_loop(
    work: Work,
    factors: Factors,
    *,
    clients: Floats,
    prompt_tok: Floats,
    output_tok: Floats,
    memory_batch: Floats,
    held_steps: Floats,
    same_lengths: npt.NDArray[np.bool_],
) -> Served:
    """Return what a fixed number of clients see, each sending again when answered.

    In the time of one request each of the B - 1 others has one prompt prefilled. Clients in step wait for half of
    these prompts before their first token and for half after it; clients out of step meet them all while they
    decode. Requests of one length stay in step from the common start on; drawn lengths fall out of it, by a share
    `in_step` that is left:

        TTFT = alone + in_step (B - 1) t_prompt / 2 + steps until the engine looks
        TPOT = t_step(B, P + G/2) + (1 - in_step / 2) (B - 1) t_prompt / G

    Clients beyond the memory ceiling queue for a whole request (Little's law).
    """
    batch = np.minimum(clients, memory_batch)
    none = np.zeros_like(prompt_tok)
    step = decode_step_s(work, factors, batch, prompt_tok + output_tok / 2)
    others = (batch - 1) * prefill_work_s(work, factors, prompt_tok, none)
    before = np.where(same_lengths, factors.in_step_same, factors.in_step_drawn) / 2
    tpot = step + (1 - before) * others / output_tok
    looked = (factors.look_steps + held_steps) * step
    first = factors.wait * (prefill_latency_s(work, factors, prompt_tok, none) + looked + before * others)
    queue = np.maximum(clients - batch, 0.0) / batch * (first + tpot * output_tok)
    ttft = first + queue
    rate = clients * output_tok / (ttft + tpot * (output_tok - 1))
    return Served(ttft_s=ttft, tpot_s=tpot, output_tok_per_s=rate, batch=batch)
