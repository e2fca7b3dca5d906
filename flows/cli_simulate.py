"""`fleetcast simulate`: what clients of a fleet see, request by request."""

import argparse
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from data.catalog.gpus import find_gpu, load_gpus
from data.catalog.models import find_model, load_models
from data.errors import UserError
from flows.settings import load_plan
from flows.simulated import Asked, Served, planned_fleets, served_of_files
from sizing.calibration import load_calibration
from sizing.profile import TENSOR_PARALLEL, ReplicaProfile, Slo, candidate_profiles
from sizing.simulate.arrivals import dispersion, one_length, renewal
from sizing.simulate.engine import simulate
from sizing.simulate.limits import EngineLimits
from sizing.simulate.result import SHOWN, SimResult

PATIENCE_S = 600.0
"""How long after the last arrival answers may still end; what is not finished then counts as unfinished."""

NOT_WITH_CONFIG = ("model", "gpu", "tp", "qps", "prompt_tokens", "output_tokens", "ttft_s", "tpot_s", "replicas")
"""Options that plan.toml says itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One fleet and what it is asked."""

    name: str
    profile: ReplicaProfile
    replicas: int
    served: Served
    slo: Slo
    remark: str = ""


def run_simulate(arguments: argparse.Namespace) -> None:
    """Simulate one fleet, or each online workload of a plan, and print what its clients see."""
    _check(arguments)
    limits = EngineLimits(
        max_num_seqs=arguments.max_num_seqs,
        max_num_batched_tokens=arguments.max_num_batched_tokens,
        prefix_cache=not arguments.no_prefix_cache,
        kv_blocks=arguments.kv_blocks,
    )
    found = []
    for case in _of_plan(arguments) if arguments.config else _of_options(arguments):
        requests = case.served.requests
        until = requests.arrival_s[-1] + PATIENCE_S if arguments.until_s is None else arguments.until_s
        result = simulate(requests, case.profile, replicas=case.replicas, limits=limits, until_s=float(until))
        figures = figures_of(result, case.slo, case.profile)
        if not arguments.json:
            print("\n".join(_lines(case, figures)))
        found.append({"name": case.name, "source": case.served.source, **figures})
    if arguments.json:
        print(json.dumps(found if arguments.config else found[0], indent=1))


def _check(arguments: argparse.Namespace) -> None:
    """Refuse options that contradict each other, before anything is read."""
    if arguments.config:
        said = [name for name in NOT_WITH_CONFIG if getattr(arguments, name) is not None]
        if said or arguments.trace:
            option = said[0].replace("_", "-") if said else "trace"
            raise UserError(f"--config and --{option} both say what is simulated; give one of them.")
        return
    missing = [name for name in ("model", "gpu", "replicas") if getattr(arguments, name) is None]
    if missing:
        raise UserError(f"--{missing[0]} is missing: say which fleet to simulate, or take a plan's with --config.")
    lengths = (arguments.qps, arguments.prompt_tokens, arguments.output_tokens)
    if not arguments.trace and None in lengths:
        raise UserError(
            "There is nothing to serve: give --trace LOG, or --qps, --prompt-tokens and --output-tokens."
        )
    if arguments.trace and any(value is not None for value in lengths):
        raise UserError("--trace states its own rate and lengths; scale it with --rate-multiplier instead.")
    if not arguments.trace and arguments.arrivals in ("trace", "rollup"):
        raise UserError(f"--arrivals {arguments.arrivals} needs the log that it replays; give it with --trace.")


def _asked(arguments: argparse.Namespace) -> Asked:
    cv = arguments.cv if arguments.dispersion is None else math.sqrt(arguments.dispersion)
    if arguments.cv is not None and arguments.dispersion is not None:
        raise UserError(
            f"--cv {arguments.cv:g} and --dispersion {arguments.dispersion:g} say the same thing; give one."
        )
    if cv is not None and arguments.arrivals != "gamma":
        raise UserError("--cv and --dispersion describe Gamma arrivals; give --arrivals gamma as well.")
    if cv is None and arguments.arrivals == "gamma":
        raise UserError("--arrivals gamma needs a spread; give --cv of the gaps, or --dispersion of the counts.")
    return Asked(
        kind=arguments.arrivals,
        times=arguments.rate_multiplier,
        cv=1.0 if cv is None else cv,
        hours=arguments.hours,
        seed=arguments.seed,
    )


def _of_plan(arguments: argparse.Namespace) -> Iterator[_Case]:
    plan, asked = load_plan(arguments.config), _asked(arguments)
    as_of = arguments.as_of or datetime.now(UTC).astimezone(plan.settings.zone).date()
    if asked.hours is None:
        asked = Asked(kind=asked.kind, times=asked.times, cv=asked.cv, hours=24.0, seed=asked.seed)
    for each in planned_fleets(plan, asked, as_of):
        days = each.fleet.horizons[0].days
        yield _Case(
            name=each.workload.name,
            profile=each.fleet.profile,
            replicas=each.replicas,
            served=each.served,
            slo=each.slo,
            remark=f"the fleet of the first {days} days at the 80% path, without its {each.spare_replicas} spare",
        )


def _of_options(arguments: argparse.Namespace) -> Iterator[_Case]:
    model = find_model(load_models(arguments.models), arguments.model)
    gpu = find_gpu(load_gpus(arguments.gpus), arguments.gpu)
    slo = Slo(ttft_s=arguments.ttft_s, tpot_s=arguments.tpot_s, percentile=arguments.percentile)
    served = _requests(arguments)
    requests = served.requests
    means = [float(x.mean()) for x in (requests.prompt_tok, requests.cached_prompt_tok, requests.output_tok)]
    candidate = candidate_profiles(
        model,
        [gpu],
        precision=arguments.precision,
        kv_precision=arguments.kv_precision,
        slo=Slo() if arguments.tp else slo,
        prompt_tok=means[0],
        cached_prompt_tok=means[1],
        output_tok=means[2],
        tensor_parallel=(arguments.tp,) if arguments.tp else TENSOR_PARALLEL,
        engine=arguments.engine,
        calibration=load_calibration(arguments.calibration),
    )[0]
    if candidate.profile is None:
        raise UserError(candidate.why_not)
    yield _Case(
        name=arguments.model, profile=candidate.profile, replicas=arguments.replicas, served=served, slo=slo
    )


def _requests(arguments: argparse.Namespace) -> Served:
    asked = _asked(arguments)
    if arguments.trace:
        return served_of_files(
            arguments.trace,
            asked,
            now=datetime.now(UTC),
            format=arguments.format,
            mapping=arguments.mapping,
            start=arguments.start,
        )
    if arguments.cached_tokens > arguments.prompt_tokens:
        raise UserError(
            f"--cached-tokens {arguments.cached_tokens:g} is more than the {arguments.prompt_tokens:g} of"
            " --prompt-tokens that it is part of; give the whole prompt."
        )
    lengths = one_length(arguments.prompt_tokens, arguments.output_tokens, arguments.cached_tokens)
    rate, seconds = arguments.qps * asked.times, (asked.hours or 1.0) * 3_600
    requests = renewal(rate, seconds, lengths, seed=asked.seed, cv=asked.cv)
    if not len(requests):
        raise UserError(f"{rate:g} requests a second over {seconds:g} s gave none; simulate more --hours.")
    gaps = f"Gamma gaps of CV {asked.cv:g}" if asked.kind == "gamma" else "Poisson arrivals"
    return Served(requests=requests, source=f"{gaps} of requests that are all alike")


def figures_of(result: SimResult, slo: Slo, profile: ReplicaProfile) -> dict[str, Any]:
    """Return the figures of a simulation, for JSON: seconds, shares, counts; None where unknown or infinite."""
    sums, requests = result.replicas, result.requests
    busy = max(float(sums.busy_s.sum()), 1e-300)
    times = {
        which: {
            f"p{share * 100:g}_s": _number(value)
            for share, value in zip(SHOWN, result.percentiles(which), strict=True)
        }
        for which in ("ttft_s", "tpot_s", "e2e_s")
    }
    return {
        "gpu": profile.gpu,
        "replicas": len(sums.busy_s),
        "gpus": len(sums.busy_s) * profile.gpus,
        "requests": len(requests),
        "requests_per_s": len(requests) / max(requests.span_s, 1e-9),
        "dispersion_10s": _number(dispersion(requests)),
        "ttft": times["ttft_s"],
        "tpot": times["tpot_s"],
        "e2e": times["e2e_s"],
        "slo": {"ttft_s": slo.ttft_s, "tpot_s": slo.tpot_s, "percentile": slo.percentile},
        "slo_holds": result.holds(slo),
        "attainment": _number(result.attainment(slo)),
        "goodput_per_s": result.goodput_per_s(slo),
        "unfinished": result.unfinished,
        "refused": int(result.refused.sum()),
        "preemptions": int(sums.preemptions.sum()),
        "kv_share": float((sums.kv_share * sums.busy_s).sum() / busy),
        "kv_share_most": float(sums.kv_share_most.max()),
        "running": float((sums.running * sums.busy_s).sum() / busy),
        "busy_share": busy / max(float(sums.up_s.sum()), 1e-300),
        "iterations": int(sums.iterations.sum()),
        "output_tok_per_s": float((requests.output_tok * result.finished).sum() / max(result.end_s, 1e-9)),
    }


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _lines(case: _Case, figures: dict[str, Any]) -> Iterator[str]:
    profile, f = case.profile, figures
    yield (
        f"{case.name}: {f['requests']:,} requests ({f['requests_per_s']:.2f} a second) on {f['replicas']} x"
        f" {profile.gpus} {profile.gpu} ({profile.layout.text}, {profile.precision}) of {profile.model}"
    )
    yield f"  requests     {case.served.source}; index of dispersion over 10 s {_plain(f['dispersion_10s'])}"
    if case.remark:
        yield f"  fleet        {case.remark}"
    for which, label in (("ttft", "TTFT"), ("tpot", "TPOT"), ("e2e", "E2E")):
        shown = ", ".join(f"{name.removesuffix('_s')} {_seconds(value)}" for name, value in f[which].items())
        yield f"  {label:12s} {shown}"
    yield f"  SLO          {_promise(case.slo)}: {'holds' if f['slo_holds'] else 'does not hold'};{_share(f)}"
    yield (
        f"  goodput      {f['goodput_per_s']:.2f} requests a second within the SLO;"
        f" {f['unfinished']:,} unfinished, {f['refused']:,} of them longer than a replica holds"
    )
    yield f"  KV           {f['kv_share']:.0%} of the blocks in use while busy, {f['kv_share_most']:.0%} at most"
    yield (
        f"  engine       {f['preemptions']:,} preemptions, {f['running']:.1f} sequences at once, busy"
        f" {f['busy_share']:.0%} of the time, {f['iterations']:,} iterations"
    )


def _share(figures: dict[str, Any]) -> str:
    attained = figures["attainment"]
    return "" if attained is None else f" {attained:.2%} of the requests are within it"


def _promise(slo: Slo) -> str:
    asked = [f"{name} {bound * 1e3:g} ms" for name, bound in (("TTFT", slo.ttft_s), ("TPOT", slo.tpot_s)) if bound]
    return f"{' and '.join(asked) or 'every answer'} at p{slo.percentile * 100:g}"


def _seconds(value: float | None) -> str:
    if value is None:
        return "never"
    return f"{value * 1e3:,.1f} ms" if value < 1 else f"{value:,.2f} s"


def _plain(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f}"
