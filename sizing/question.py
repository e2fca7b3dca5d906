"""One sizing question: so many requests a second of these lengths on this GPU, with the textbook beside it."""

import math
from dataclasses import dataclass

from data.catalog.gpus import Gpu
from data.catalog.models import ModelShape, Precision
from data.errors import UserError
from sizing.calibration import DEFAULT_ENGINE, Calibration
from sizing.fleet import MEAN_UTILISATION
from sizing.layout import Layout
from sizing.memory import MEMORY_UTILISATION, STEP_TOK, DoesNotFit
from sizing.profile import (
    TENSOR_PARALLEL,
    Binds,
    ReplicaProfile,
    Slo,
    SloCannotBeMet,
    candidate_profiles,
    gpu_s_per_request,
)
from sizing.speculation import Speculation
from sizing.textbook import Textbook, textbook_plan


@dataclass(frozen=True, slots=True, kw_only=True)
class SizePlan:
    """The real answer: whole replicas of `tp x pp` GPUs for the mean work at `utilisation`.

    gpus_low, gpus_high: if throughput is at the high and low end of its measured 80% band.
    prefill_share: of a request's work. ttft_s, tpot_s, e2e_s: means. longest_gap_s: the longest time between two
    tokens, of a step that prefills a whole chunk besides.
    """

    gpus: int
    replicas: int
    tp: int
    gpu: str
    precision: str
    kv_precision: str
    batch: int
    memory_batch: int
    binds: Binds
    gpu_s_per_request: float
    prefill_share: float
    ttft_s: float
    tpot_s: float
    e2e_s: float
    longest_gap_s: float
    layout: Layout
    speculation: Speculation | None
    utilisation: float
    gpus_low: int
    gpus_high: int
    measured_points: int
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeAnswer:
    """Both answers to one question."""

    model: str
    gpu: str
    qps: float
    prompt_tok: float
    cached_prompt_tok: float
    output_tok: float
    textbook: Textbook
    plan: SizePlan


def size_question(
    model: ModelShape,
    gpu: Gpu,
    *,
    qps: float,
    prompt_tok: float,
    output_tok: float,
    cached_prompt_tok: float = 0.0,
    precision: Precision,
    kv_precision: str = "bf16",
    slo: Slo | None = None,
    utilisation: float = MEAN_UTILISATION,
    tp: int | None = None,
    batch: int = 48,
    decode_s: float = 0.018,
    params: float | None = None,
    gpu_bytes: float | None = None,
    engine: str = DEFAULT_ENGINE,
    calibration: Calibration | None = None,
    memory_utilisation: float = MEMORY_UTILISATION,
    pp: int = 1,
    ep: int = 1,
    dp_attention: bool = False,
    speculation: Speculation | None = None,
    chunk_tok: float = STEP_TOK,
) -> SizeAnswer:
    """Return the GPUs that serve `qps` requests a second, all of the mean lengths, and the textbook's answer.

    tp: GPUs that split a layer; None tries all within the scale-up domain. pp, ep, dp_attention: sizing/layout.py.
    chunk_tok: prompt tokens that a step may carry beside decoding. batch, decode_s, params, gpu_bytes: what the
    textbook derivation takes as given. Raises UserError (DoesNotFit, SloCannotBeMet) in one sentence.
    """
    if not qps > 0:
        raise UserError(f"qps is {qps:g}; give a rate above 0.")
    if not 0 < utilisation <= 1:
        raise UserError(f"utilisation is {utilisation:g}; give a share above 0 and at most 1.")
    slo = slo or Slo()
    candidate = candidate_profiles(
        model,
        [gpu],
        precision=precision,
        kv_precision=kv_precision,
        slo=slo,
        prompt_tok=prompt_tok,
        cached_prompt_tok=cached_prompt_tok,
        output_tok=output_tok,
        engine=engine,
        tensor_parallel=(tp,) if tp else TENSOR_PARALLEL,
        requests_per_s=qps / utilisation,
        calibration=calibration,
        memory_utilisation=memory_utilisation,
        pp=pp,
        ep=ep,
        dp_attention=dp_attention,
        speculation=speculation,
        chunk_tok=chunk_tok,
    )[0]
    if candidate.profile is None:
        kind = SloCannotBeMet if slo.ttft_s or slo.tpot_s else DoesNotFit
        raise kind(candidate.why_not)
    plan = _plan(candidate.profile, qps, utilisation, speculation)
    textbook = textbook_plan(
        model,
        gpu,
        precision=precision,
        qps=qps,
        prompt_tok=prompt_tok,
        output_tok=output_tok,
        batch=batch,
        step_s=decode_s,
        utilisation=utilisation,
        tp=plan.layout.gpus,
        params=params,
        gpu_bytes=gpu_bytes,
    )
    return SizeAnswer(
        model=model.name,
        gpu=gpu.name,
        qps=qps,
        prompt_tok=prompt_tok,
        cached_prompt_tok=cached_prompt_tok,
        output_tok=output_tok,
        textbook=textbook,
        plan=plan,
    )


def _plan(profile: ReplicaProfile, qps: float, utilisation: float, speculation: Speculation | None) -> SizePlan:
    each = gpu_s_per_request(profile) / profile.gpus
    fixed, fresh, square = (profile.work_coefficients[i] for i in (0, 1, 4))
    p, c = profile.prompt_tok, profile.cached_prompt_tok
    prefill = float(fixed + fresh * (p - c) + square * (p * p - c * c)) / each

    def gpus(ratio: float) -> int:
        return profile.gpus * math.ceil(round(qps * each / utilisation / ratio, 9))

    n = gpus(1.0)
    return SizePlan(
        gpus=n,
        replicas=n // profile.gpus,
        tp=profile.tp,
        gpu=profile.gpu,
        precision=profile.precision,
        kv_precision=profile.kv_precision,
        batch=profile.batch,
        memory_batch=profile.memory_batch,
        binds=profile.binds,
        gpu_s_per_request=each * profile.gpus,
        prefill_share=prefill,
        ttft_s=profile.ttft_s,
        tpot_s=profile.tpot_s,
        e2e_s=profile.e2e_s,
        longest_gap_s=profile.longest_gap_s,
        layout=profile.layout,
        speculation=speculation,
        utilisation=utilisation,
        gpus_low=gpus(profile.error_p90),
        gpus_high=gpus(profile.error_p10),
        measured_points=profile.measured_points,
        sentence=_sentence(profile, n, qps, prefill),
    )


def _sentence(profile: ReplicaProfile, gpus: int, qps: float, prefill: float) -> str:
    return (
        f"{qps:g} QPS of {profile.prompt_tok:,.0f} + {profile.output_tok:,.0f} tokens take {gpus} x {profile.gpu}"
        f" ({profile.layout.text}, batch {profile.batch}): {profile.binds} binds, prefill is {prefill:.0%} of the"
        f" work; mean TTFT {profile.ttft_s * 1e3:.0f} ms, TPOT {profile.tpot_s * 1e3:.1f} ms."
    )
