"""`fleetcast job`: which GPU for a training run or a batch of requests, its hours, dollars and deadline."""

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import asdict

from data.catalog.gpus import find_gpu, load_gpus
from data.catalog.models import ModelShape, find_model, load_models
from data.errors import UserError
from data.units import GB
from flows.cli_choose import max_gpus, priced_gpus, usd_per_gpu_hour
from sizing.calibration import load_calibration
from sizing.choice.job_gpu import (
    BatchInference,
    JobOnGpu,
    Work,
    chosen_gpu,
    deadline_sentence,
    job_on_gpus,
    ruled_gpu,
)
from sizing.choice.limits import Limits
from sizing.choice.training import Training, activation_bytes, attention_flop, six_nd, state_bytes


def run_job(arguments: argparse.Namespace) -> None:
    """Work out the job on every GPU and print, as text or as JSON."""
    model = find_model(load_models(arguments.models), arguments.model)
    known = load_gpus(arguments.gpus)
    prices = usd_per_gpu_hour(known, arguments.prices, arguments.price_source, arguments.term)
    work = _work(arguments, model)
    jobs = job_on_gpus(
        model,
        [find_gpu(known, name) for name in arguments.gpu] or priced_gpus(known, prices),
        work,
        usd_per_gpu_hour=prices,
        deadline_h=arguments.deadline_h,
        limits=Limits(max_gpus=max_gpus(arguments.max_gpus, known), max_power_kw=arguments.max_kw),
        asked_gpus=arguments.count,
        calibration=load_calibration(arguments.calibration),
    )
    chosen = chosen_gpu(jobs)
    if chosen is None:
        reasons = " ".join(dict.fromkeys(j.why_not or f"No price of {j.gpu} is known." for j in jobs))
        raise UserError(f"No GPU can do the job. {reasons}")
    if arguments.json:
        print(json.dumps(_as_json(jobs, chosen), indent=1))
    else:
        print(
            "\n".join([*_head(model, work, chosen, arguments.deadline_h), "", *_table(jobs), _rule(jobs, chosen)])
        )


def _work(arguments: argparse.Namespace, model: ModelShape) -> Work:
    if (arguments.train_tokens is None) == (arguments.requests is None):
        raise UserError("Give --train-tokens for a training run, or --requests for a batch of them.")
    if arguments.train_tokens is not None:
        return Training(
            tokens=arguments.train_tokens,
            method="lora" if arguments.lora_rank else "full",
            lora_rank=arguments.lora_rank or Training(tokens=1).lora_rank,
            frozen_precision=arguments.precision or "bf16",
            sequence_tok=arguments.sequence_tokens,
            micro_batch=arguments.micro_batch,
            recompute=arguments.recompute,
            mfu=arguments.mfu,
        )
    if arguments.prompt_tokens is None or arguments.output_tokens is None:
        raise UserError(
            f"--requests {arguments.requests:g} needs --prompt-tokens and --output-tokens, their means."
        )
    return BatchInference(
        requests=arguments.requests,
        prompt_tok=arguments.prompt_tokens,
        output_tok=arguments.output_tokens,
        cached_prompt_tok=arguments.cached_tokens,
        precision=arguments.precision or model.native_precision,
        kv_precision=arguments.kv_precision,
        engine=arguments.engine,
        utilisation=arguments.utilisation,
    )


def _head(model: ModelShape, work: Work, chosen: JobOnGpu, deadline_h: float | None) -> list[str]:
    lines = [
        f"{chosen.gpus} x {chosen.gpu} for {chosen.hours:,.1f} h: {chosen.gpu_hours:,.0f} GPU-hours,"
        f" {_usd(chosen.usd)}. {deadline_sentence(chosen, deadline_h)}"
    ]
    if isinstance(work, BatchInference):
        return [*lines, f"  work         {work.requests:,.0f} requests, mostly {chosen.leans}"]
    kind = "6 N D" if work.method == "full" else f"4 N D + 6 N_lora D at rank {work.lora_rank}"
    weights, attention = six_nd(model, work), attention_flop(model, work)
    return [
        *lines,
        f"  arithmetic   {weights:.3g} FLOP ({kind}, N = {model.params_active / 1e9:.4g}e9 active), attention"
        f" {attention / weights:.0%} more; {work.mfu:.0%} MFU in bf16",
        f"  memory       {state_bytes(model, work) / GB:,.0f} GB of weights, gradients and optimizer on all GPUs,"
        f" {activation_bytes(model, work) / GB:.1f} GB of activations on each: {chosen.least_gpus} GPUs at least",
    ]


def _table(jobs: Sequence[JobOnGpu]) -> list[str]:
    lines = ["  GPU            GPUs      hours  GPU-hours        cost  $/(TB/s)  $/PFLOP/s"]
    for job in jobs:
        rates = f"{_rate(job.usd_per_tb_per_s):>9}  {_rate(job.usd_per_pflop_per_s):>9}"
        if job.why_not:
            lines.append(f"  {job.gpu:<12} cannot: {job.why_not}")
            continue
        late = f"  late by {job.late_hours:,.1f} h" if job.late_hours else ""
        size = f"{job.gpus:>6} {job.hours:>10,.1f} {job.gpu_hours:>10,.0f}"
        lines.append(f"  {job.gpu:<12} {size} {_usd(job.usd):>11} {rates}{late}")
    return lines


def _rule(jobs: Sequence[JobOnGpu], chosen: JobOnGpu) -> str:
    ruled = ruled_gpu(jobs)
    what = "Dollars per byte/s" if chosen.leans == "decode" else "Dollars per FLOP/s"
    if ruled is None or ruled.gpu == chosen.gpu:
        return f"{what}, which rule {chosen.leans}, pick {chosen.gpu} too."
    why = "it misses the deadline" if ruled.late_hours > chosen.late_hours else "the whole work costs more there"
    return f"{what}, which rule {chosen.leans}, would pick {ruled.gpu}; {why}."


def _as_json(jobs: Sequence[JobOnGpu], chosen: JobOnGpu) -> dict[str, object]:
    ruled = ruled_gpu(jobs)
    rows = [{**asdict(job), "hours": None if math.isnan(job.hours) else job.hours} for job in jobs]
    return {"chosen": chosen.gpu, "rule_of_thumb": None if ruled is None else ruled.gpu, "gpus": rows}


def _usd(usd: float | None) -> str:
    return "unknown" if usd is None else f"${usd:,.0f}" if usd >= 100 else f"${usd:,.2f}"


def _rate(usd: float | None) -> str:
    return "unknown" if usd is None else f"{usd:.2f}"
