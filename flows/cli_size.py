"""`fleetcast size`: one sizing question, the textbook's answer beside the real one."""

import argparse
import json
from dataclasses import asdict
from typing import Any

from data.catalog.gpus import Gpu, find_gpu, load_gpus
from data.catalog.models import find_model, load_models
from data.errors import UserError
from data.units import GB, TB
from sizing.calibration import load_calibration
from sizing.profile import Slo
from sizing.question import SizeAnswer, size_question
from sizing.speculation import Speculation


def run_size(arguments: argparse.Namespace) -> None:
    """Answer and print, as text or as JSON with the keys `textbook` and `plan`."""
    gpu = find_gpu(load_gpus(arguments.gpus), arguments.gpu)
    answer = size_question(
        find_model(load_models(arguments.models), arguments.model),
        gpu,
        qps=arguments.qps,
        prompt_tok=arguments.prompt_tokens,
        output_tok=arguments.output_tokens,
        cached_prompt_tok=_cached_tok(arguments),
        precision=arguments.precision,
        kv_precision=arguments.kv_precision,
        slo=Slo(ttft_s=arguments.ttft_s, tpot_s=arguments.tpot_s),
        utilisation=arguments.utilisation,
        tp=arguments.tp,
        batch=arguments.batch,
        decode_s=arguments.decode_ms / 1_000,
        params=arguments.params,
        gpu_bytes=arguments.gpu_bytes,
        engine=arguments.engine,
        calibration=load_calibration(arguments.calibration),
        memory_utilisation=arguments.gpu_memory_utilization,
        pp=arguments.pp,
        ep=arguments.ep,
        dp_attention=arguments.dp_attention,
        speculation=_speculation(arguments),
        chunk_tok=arguments.chunk_tokens,
    )
    if arguments.json:
        print(json.dumps(asdict(answer), indent=1, ensure_ascii=False))
    else:
        print("\n".join(_lines(answer, gpu)))


def _cached_tok(arguments: argparse.Namespace) -> float:
    """Return the cached tokens of a prompt: as given, or the hit rate's share of it."""
    hit = arguments.prefix_hit
    if hit is None:
        return float(arguments.cached_tokens)
    if arguments.cached_tokens:
        raise UserError(
            f"--cached-tokens {arguments.cached_tokens:g} and --prefix-hit {hit:g} say the same thing; give one."
        )
    return float(hit * arguments.prompt_tokens)


def _speculation(arguments: argparse.Namespace) -> Speculation | None:
    if arguments.spec_tokens is None:
        if arguments.acceptance is not None or arguments.draft_cost is not None:
            raise UserError(
                "--acceptance and --draft-cost describe speculative decoding; give --spec-tokens as well."
            )
        return None
    if arguments.acceptance is None:
        raise UserError(
            f"--spec-tokens {arguments.spec_tokens} says nothing without --acceptance, the share of draft tokens"
            " that your traffic accepts; engines report it."
        )
    cost = {} if arguments.draft_cost is None else {"draft_cost": arguments.draft_cost}
    return Speculation(tokens=arguments.spec_tokens, acceptance=arguments.acceptance, **cost)


def _lines(answer: SizeAnswer, gpu: Gpu) -> list[str]:
    return [*_plan_lines(answer), "", *_textbook_lines(answer, gpu)]


def _plan_lines(answer: SizeAnswer) -> list[str]:
    plan: Any = answer.plan
    stand = "stands" if plan.measured_points == 1 else "stand"
    measured = f"{_count(plan.measured_points, 'measured point')} of this model and GPU {stand} behind it"
    if plan.measured_points == 0:
        measured = "no measured point of this model and GPU stands behind it: the band is that of unseen pairs"
    return [
        plan.sentence,
        f"  GPUs         {plan.gpus} ({_count(plan.replicas, 'replica')} of {plan.layout.gpus}),"
        f" {plan.gpus_low} to {plan.gpus_high}"
        f" over the 80% band of measured throughput; {measured}",
        f"  binds        {plan.binds}",
        f"  batch        {plan.batch} sequences at once; memory would hold {plan.memory_batch}",
        f"  work         {plan.gpu_s_per_request:.3g} GPU-seconds a request, {plan.prefill_share:.0%} prefill",
        f"  latency      TTFT {plan.ttft_s * 1e3:,.0f} ms, TPOT {plan.tpot_s * 1e3:.1f} ms, whole answer"
        f" {plan.e2e_s:.2f} s, means at that batch; longest gap between tokens {plan.longest_gap_s * 1e3:.0f} ms",
        *_speculation_line(plan.speculation),
        f"  utilisation  {plan.utilisation:g}",
    ]


def _speculation_line(speculation: Speculation | None) -> list[str]:
    if speculation is None:
        return []
    s = speculation
    return [
        f"  speculation  {_count(s.tokens, 'draft token')} a step, {s.acceptance:g} accepted: {s.accepted:.2f}"
        f" tokens a step; a draft token costs {s.draft_cost:g} of a step"
    ]


def _textbook_lines(answer: SizeAnswer, gpu: Gpu) -> list[str]:
    t = answer.textbook
    return [
        f"The textbook answers {_count(t.gpus, 'GPU')}; it leaves out prefill,"
        f" {answer.plan.prefill_share:.0%} of the work.",
        f"  assumed      batch {t.batch}, {t.step_s * 1e3:g} ms a step, utilisation {t.utilisation:g}"
        f" (--batch, --decode-ms, --utilisation)",
        f"  1 KV         {t.kv_bytes_per_request / GB:.3f} GB a request of {t.context_tok:,.0f} tokens",
        f"  2 ceiling    {t.ceiling} requests at once: ({t.tp} x {t.gpu_bytes / GB:.2f} GB"
        f" - {t.params * t.bytes_per_weight / GB:.2f} GB of weights) / KV; {t.catalog_ceiling} with the"
        f" {gpu.visible_bytes / GB:.2f} GB that the driver shows and the catalog's parameters",
        f"  3 rate       {t.requests_per_s:.2f} requests/s a replica",
        f"  4 fleet      {t.qps:g} / ({t.utilisation:g} x {t.requests_per_s:.2f}), rounded up: {t.gpus}",
        f"  floor        {t.floor_step_s * 1e3:.1f} ms a step at least: weights and the batch's KV read once at"
        f" {gpu.memory_bytes_per_s / TB:.3g} TB/s",
    ]


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"
