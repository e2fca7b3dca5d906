"""The one capacity function: what a replica takes for a request, and how fast it answers."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from data.catalog.gpus import Gpu
from data.catalog.models import ModelShape, Precision
from data.errors import UserError
from forecasting.demand import Moments
from sizing.calibration import DEFAULT_ENGINE, Calibration, Key, load_calibration
from sizing.kv_space import KvSpace, kv_space
from sizing.layout import Layout
from sizing.memory import MEMORY_UTILISATION, STEP_TOK, DoesNotFit, memory_batch
from sizing.operating import MeanRequest, Replica
from sizing.speculation import Speculation
from sizing.throughput import work_of

Floats = npt.NDArray[np.float64]
Binds = Literal["memory", "decode", "prefill", "TTFT", "TPOT"]

ENGINE_BATCH = 1_024
"""Most sequences that an engine decodes together (vLLM's `max_num_seqs` on server GPUs)."""

TENSOR_PARALLEL = (1, 2, 4, 8)
"""Degrees of tensor parallelism that are tried, within one scale-up domain."""

ALL_ALIKE = Moments(prompt_sq=1.0, cached_sq=1.0, prompt_cached=1.0, prompt_output=1.0, output_sq=1.0)
"""Moments of a workload whose requests are all alike."""

BINDS_SHARE = 0.5
"""Share of a request's work from which its prefill, or the weights that each step reads, are said to bind."""


BISECTIONS = 50
"""Halvings until a batch within the SLO is found to the last digit."""


class SloCannotBeMet(UserError):  # noqa: N818  # it reads as the sentence it carries
    """Not even a batch of one answers as fast as the SLO asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slo:
    """What a user must see: time to first token and time per output token, at a percentile of requests."""

    ttft_s: float | None = None
    tpot_s: float | None = None
    percentile: float = 0.99


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaProfile:
    """One replica of a model on one kind of GPU, at the largest batch that memory and SLO allow.

    Fleets, breakeven, commitments and the simulator use this and nothing else.

    work_coefficients: (9,) replica-seconds for each unit of `data.traffic.SUMS`, linear at this operating point:
        prefill (linear + quadratic in the uncached prompt), decode share of weights, growing KV, overheads.
    prefill_coefficients: (4,) seconds of one request's prefill alone on the replica:
        t = c0 + c1 (P - C) + c2 (P^2 - C^2) + c3 P.
    step_coefficients: (3,) seconds of one decode step around this operating point:
        t = s0 + s1 B + s2 B T, B sequences at mean context T.
    batch: sequences decoding together; memory_batch: the ceiling that KV memory sets at the mean length.
    ttft_s, tpot_s: mean latency of the mean request at this batch. longest_gap_s: of a step that carries a whole
        chunk of a prompt besides.
    layout: how its GPUs share the model; `tp` is that of one stage.
    error_p10, error_p90: measured / predicted throughput of this kind of point, 80% band.
    measured_points: how many measured points of this (model, GPU) stand behind the calibration.
    physics: the functions that the coefficients are tangents of; kv: its memory. The simulator reads both; None
        where a profile was made of coefficients alone.
    """

    model: str
    gpu: str
    tp: int
    precision: str
    kv_precision: str
    batch: int
    memory_batch: int
    binds: Binds
    prompt_tok: float
    cached_prompt_tok: float
    output_tok: float
    work_coefficients: Floats
    prefill_coefficients: Floats
    step_coefficients: Floats
    ttft_s: float
    tpot_s: float
    error_p10: float
    error_p90: float
    measured_points: int
    longest_gap_s: float
    layout: Layout
    physics: Replica | None = None
    kv: KvSpace | None = None

    @property
    def gpus(self) -> int:
        """GPUs of one replica, of all its stages."""
        return self.layout.gpus

    @property
    def e2e_s(self) -> float:
        """Mean seconds from a request to its last token: TTFT + TPOT (G - 1)."""
        return self.ttft_s + self.tpot_s * max(self.output_tok - 1, 0.0)

    def work_s(self, sums: Floats) -> Floats:
        """Return replica-seconds for sums of shape (..., 9), in the order of `data.traffic.SUMS`."""
        return np.asarray(sums @ self.work_coefficients)

    def gpu_work_s(self, sums: Floats) -> Floats:
        """Return GPU-seconds: replica-seconds times the GPUs of a replica."""
        return self.work_s(sums) * self.gpus

    def prefill_s(self, prompt_tok: Floats, cached_prompt_tok: Floats) -> Floats:
        """Return seconds to prefill requests of these lengths, alone on the replica."""
        c0, c1, c2, c3 = self.prefill_coefficients
        fresh = prompt_tok - cached_prompt_tok
        return np.asarray(c0 + c1 * fresh + c2 * (prompt_tok**2 - cached_prompt_tok**2) + c3 * prompt_tok)

    def step_s(self, batch: Floats, context_tok: Floats) -> Floats:
        """Return seconds of one decode step of `batch` sequences at mean context `context_tok`."""
        s0, s1, s2 = self.step_coefficients
        return np.asarray(s0 + s1 * batch + s2 * batch * context_tok)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One GPU that was asked about: its best replica, or one sentence why there is none."""

    gpu: str
    profile: ReplicaProfile | None
    why_not: str = ""


def replica_profile(
    model: ModelShape,
    gpu: Gpu,
    *,
    tp: int,
    precision: Precision,
    kv_precision: str,
    slo: Slo,
    prompt_tok: float,
    cached_prompt_tok: float,
    output_tok: float,
    moments: Moments = ALL_ALIKE,
    engine: str = DEFAULT_ENGINE,
    memory_utilisation: float = MEMORY_UTILISATION,
    calibration: Calibration | None = None,
    pp: int = 1,
    ep: int = 1,
    dp_attention: bool = False,
    speculation: Speculation | None = None,
    chunk_tok: float = STEP_TOK,
) -> ReplicaProfile:
    """Return one replica of `tp x pp` GPUs at the largest batch that memory, engine and SLO allow.

    prompt_tok, cached_prompt_tok, output_tok: mean tokens of a request; moments: how requests differ. The SLO is
    held against the *mean* latencies of a replica that is fully busy at that batch: necessary, not sufficient. The
    percentile is held by the number of replicas (sizing/queueing). Raises DoesNotFit where weights and one request
    do not fit, SloCannotBeMet where one request alone is slower than the SLO, UserError on lengths that cannot be.
    """
    _check_lengths(model, prompt_tok, cached_prompt_tok, output_tok)
    layout = Layout(tp=tp, pp=pp, ep=ep, dp_attention=dp_attention)
    layout.check(model, gpu)
    calibration = calibration or load_calibration()
    calibration.check_engine(engine)
    mean = MeanRequest(
        prompt_tok=prompt_tok, cached_tok=cached_prompt_tok, output_tok=max(output_tok, 1.0), moments=moments
    )
    held: dict[str, Any] = {
        "tp": tp,
        "pp": pp,
        "dp_attention": dp_attention,
        "precision": precision,
        "kv_precision": kv_precision,
    }
    share = memory_utilisation
    ceiling = memory_batch(model, gpu, context_tok=mean.context_tok, memory_utilisation=share, **held)
    key = Key(model=model.name, gpu=gpu.name, engine=engine, precision=precision)
    work = work_of(model, gpu, ep=ep, **held)
    replica = Replica(work=work, factors=calibration.factors([key]), mean=mean, speculation=speculation)
    what = f"{model.name} on {layout.gpus} x {gpu.name}"
    batch, bound = _largest_batch(replica, slo, min(ceiling, ENGINE_BATCH), what)
    fixed, fresh, square = replica.prompt_coefficients()
    s0, s1, s2 = replica.step_coefficients(batch)
    band = calibration.band(model.name, gpu.name)
    alone = replica.alone_s() - fresh * (prompt_tok - cached_prompt_tok) - square * mean.square_gap
    return ReplicaProfile(
        model=model.name,
        gpu=gpu.name,
        tp=tp,
        precision=precision,
        kv_precision=kv_precision,
        batch=int(batch),
        memory_batch=ceiling,
        binds=bound or _binds(replica, batch, ceiling),
        prompt_tok=prompt_tok,
        cached_prompt_tok=cached_prompt_tok,
        output_tok=output_tok,
        work_coefficients=np.array([fixed, fresh, -fresh, s0 / batch + s1, square, -square, 0.0, s2, s2 / 2]),
        prefill_coefficients=np.array([alone, fresh, square, 0.0]),
        step_coefficients=np.array([s0, s1, s2]),
        ttft_s=float(replica.ttft_s(np.array([batch]))[0]),
        tpot_s=float(replica.tpot_s(np.array([batch]))[0]),
        error_p10=band[0],
        error_p90=band[1],
        measured_points=calibration.measured_points(model.name, gpu.name),
        longest_gap_s=replica.longest_gap_s(batch, chunk_tok),
        layout=layout,
        physics=replica,
        kv=kv_space(model, gpu, memory_utilisation=share, **held),
    )


def candidate_profiles(
    model: ModelShape,
    gpus: Sequence[Gpu],
    *,
    precision: Precision,
    kv_precision: str,
    slo: Slo,
    prompt_tok: float,
    cached_prompt_tok: float,
    output_tok: float,
    moments: Moments = ALL_ALIKE,
    engine: str = DEFAULT_ENGINE,
    tensor_parallel: Sequence[int] = TENSOR_PARALLEL,
    requests_per_s: float | None = None,
    spare_replicas: int = 0,
    calibration: Calibration | None = None,
    memory_utilisation: float = MEMORY_UTILISATION,
    pp: int = 1,
    ep: int = 1,
    dp_attention: bool = False,
    speculation: Speculation | None = None,
    chunk_tok: float = STEP_TOK,
    fleet_gpus: Callable[[ReplicaProfile], float] | None = None,
) -> tuple[Candidate, ...]:
    """Return for each GPU the replica that takes the fewest GPUs, or why there is none.

    At a rate of requests_per_s, whole replicas are counted (a large TP is wasteful where one replica is idle most
    of the time), spare ones included; without a rate, GPU-seconds a request. GPUs of one kind cost the same, so
    the fewest are also the cheapest. Raises UserError on lengths that no GPU could serve, and where a single
    degree of tensor parallelism is asked that cannot be. With expert parallelism or data-parallel attention only
    degrees are tried that allow them.

    fleet_gpus: GPUs of a fleet of such replicas, where more than the mean work decides (an SLO's percentile); it
    raises SloCannotBeMet where no fleet will do.
    """
    _check_lengths(model, prompt_tok, cached_prompt_tok, output_tok)

    def cost(profile: ReplicaProfile) -> tuple[float, float]:
        each = gpu_s_per_request(profile, moments)
        if fleet_gpus is not None:
            return fleet_gpus(profile), each
        if requests_per_s is None:
            return 0.0, each
        return profile.gpus * (math.ceil(round(requests_per_s * each / profile.gpus, 9)) + spare_replicas), each

    candidates = []
    for gpu in gpus:
        best: ReplicaProfile | None = None
        least, why_not = (math.inf, math.inf), ""
        for tp in _degrees(model, tensor_parallel, gpu, ep, dp_attention):
            try:
                profile = replica_profile(
                    model,
                    gpu,
                    tp=tp,
                    precision=precision,
                    kv_precision=kv_precision,
                    slo=slo,
                    prompt_tok=prompt_tok,
                    cached_prompt_tok=cached_prompt_tok,
                    output_tok=output_tok,
                    moments=moments,
                    engine=engine,
                    calibration=calibration,
                    memory_utilisation=memory_utilisation,
                    pp=pp,
                    ep=ep,
                    dp_attention=dp_attention,
                    speculation=speculation,
                    chunk_tok=chunk_tok,
                )
                taken = cost(profile)
            except (DoesNotFit, SloCannotBeMet) as err:
                why_not = str(err)
                continue
            if best is None or taken < least:
                best, least = profile, taken
        candidates.append(Candidate(gpu=gpu.name, profile=best, why_not="" if best else why_not))
    return tuple(candidates)


def fewest_gpus(
    candidates: Sequence[Candidate],
    requests_per_s: float,
    spare_replicas: int,
    moments: Moments = ALL_ALIKE,
    fleet_gpus: Callable[[ReplicaProfile], float] | None = None,
) -> Candidate:
    """Return the candidate of the fewest GPUs among those of one GPU, whole replicas and spares counted.

    Equal numbers: fewer GPU-seconds a request, then the first. One without a profile is taken where none has any.
    fleet_gpus: as of `candidate_profiles`.
    """

    def gpus(each: Candidate) -> tuple[float, float]:
        if each.profile is None:
            return math.inf, math.inf
        work = gpu_s_per_request(each.profile, moments)
        size = each.profile.gpus
        if fleet_gpus is not None:
            return fleet_gpus(each.profile), work
        return size * (math.ceil(round(requests_per_s * work / size, 9)) + spare_replicas), work

    return min(candidates, key=gpus)


def _degrees(
    model: ModelShape, tensor_parallel: Sequence[int], gpu: Gpu, ep: int, dp_attention: bool
) -> list[int]:
    """Return the degrees to try: the one asked, else those that the domain, heads and other degrees allow."""
    if len(tensor_parallel) == 1:
        return list(tensor_parallel)
    least = max(ep, 2 if dp_attention else 1)
    found = [
        n
        for n in tensor_parallel
        if least <= n <= gpu.domain_gpus
        and n % ep == 0
        and Layout(tp=n, dp_attention=dp_attention).splits_heads(model)
    ]
    if not found:
        raise UserError(
            f"EP {ep}{' with DP attention' if dp_attention else ''} needs TP of {least} or more, and {gpu.name}"
            f" has {gpu.domain_gpus} GPUs in its scale-up domain; use a smaller EP."
        )
    return found


def gpu_s_per_request(profile: ReplicaProfile, moments: Moments = ALL_ALIKE) -> float:
    """Return GPU-seconds of the profile's own mean request."""
    mean = MeanRequest(
        prompt_tok=profile.prompt_tok,
        cached_tok=profile.cached_prompt_tok,
        output_tok=max(profile.output_tok, 1.0),
        moments=moments,
    )
    return float(profile.gpu_work_s(mean.sums()))


def _check_lengths(model: ModelShape, prompt_tok: float, cached_prompt_tok: float, output_tok: float) -> None:
    if not (prompt_tok >= 0 and output_tok >= 0 and prompt_tok + output_tok > 0):
        raise UserError(
            f"A request of {prompt_tok:g} + {output_tok:g} tokens cannot be sized; give positive lengths."
        )
    if not 0 <= cached_prompt_tok <= prompt_tok:
        raise UserError(
            f"{cached_prompt_tok:g} cached of {prompt_tok:g} prompt tokens cannot be; cache at most all."
        )
    if prompt_tok + output_tok > model.max_context_tok:
        raise UserError(
            f"A mean request of {prompt_tok + output_tok:,.0f} tokens is longer than the context of {model.name},"
            f" {model.max_context_tok:,} tokens; choose another model or shorten the request."
        )


def _largest_batch(replica: Replica, slo: Slo, ceiling: int, what: str) -> tuple[float, Binds | None]:
    """Return the largest mean batch within the SLO, and which part of it stops a larger one (None: neither).

    Under an SLO the batch is a real number: the mean over time of whole ones, so that a slightly longer request
    never takes fewer GPUs through rounding. Both latencies grow with the batch.
    """
    ttft_s, tpot_s = slo.ttft_s or math.inf, slo.tpot_s or math.inf

    def part_missed(batch: float) -> Binds | None:
        at = np.array([batch])
        if float(replica.ttft_s(at)[0]) > ttft_s:
            return "TTFT"
        return "TPOT" if float(replica.tpot_s(at)[0]) > tpot_s else None

    if part_missed(1.0):
        raise SloCannotBeMet(_cannot_be_met(replica, slo, what))
    bound = part_missed(float(ceiling))
    if bound is None:
        return float(ceiling), None
    met, missed = 1.0, float(ceiling)
    for _ in range(BISECTIONS):
        middle = (met + missed) / 2
        part = part_missed(middle)
        met, missed, bound = (met, middle, part) if part else (middle, missed, bound)
    return met, bound


def _cannot_be_met(replica: Replica, slo: Slo, what: str) -> str:
    one = np.ones(1)
    ttft_ms, tpot_ms = float(replica.ttft_s(one)[0]) * 1e3, float(replica.tpot_s(one)[0]) * 1e3
    asked = [f"{name} {s * 1e3:g} ms" for name, s in (("TTFT", slo.ttft_s), ("TPOT", slo.tpot_s)) if s]
    return (
        f"{what} answers one request with TTFT {ttft_ms:.0f} ms and TPOT {tpot_ms:.1f} ms, at best; the SLO asks"
        f" {' and '.join(asked)}. Use more or faster GPUs per replica, fewer bytes per weight, or a longer SLO."
    )


def _binds(replica: Replica, batch: float, ceiling: int) -> Binds:
    """Return what takes most of a request where no SLO stops the batch.

    memory: the batch is at the memory ceiling, and most of a step is spent whatever the batch.
    """
    if replica.prompt_s() >= BINDS_SHARE * replica.request_s(batch):
        return "prefill"
    s0, _, _ = replica.step_coefficients(batch)
    whole = float(replica.step_s(np.array([batch]))[0])
    return "memory" if batch == ceiling and s0 >= BINDS_SHARE * whole else "decode"
