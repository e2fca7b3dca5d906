"""`fleetcast breakeven`: where self-hosting beats the API, and what moves it, with the arithmetic."""

import argparse
import json
from dataclasses import asdict
from datetime import UTC, datetime

from data.catalog.gpus import find_gpu, load_gpus
from data.catalog.models import find_model, load_models
from data.catalog.prices import GpuOffer, load_offers, offers_for
from data.errors import UserError
from data.units import HOUR_S, MTOK
from flows.selfhost import later_cases
from sizing.api_cost import request_usd
from sizing.breakeven import Breakeven, Replica, breakeven
from sizing.breakeven_later import Later
from sizing.operating import MeanRequest
from sizing.price_list import api_price
from sizing.profile import ALL_ALIKE, ReplicaProfile, Slo, candidate_profiles
from sizing.tornado import Bar, Case, Lengths, tornado


def run_breakeven(arguments: argparse.Namespace) -> None:
    """Print the breakeven of one model on one GPU against an API price, its band, and what moves it."""
    lengths = Lengths(
        prompt_tok=arguments.prompt_tokens,
        cached_tok=arguments.cached_tokens,
        output_tok=arguments.output_tokens,
    )
    profile, offer = _profile(arguments), _offer(arguments)

    def api_usd(each: Lengths) -> float:
        return _api_usd(arguments, each)

    def gpu_s(each: Lengths) -> float:
        return _gpu_s(profile, each)

    found = breakeven(
        Replica(
            gpus=profile.gpus,
            gpu_s_per_request=gpu_s(lengths),
            utilisation=arguments.utilisation,
            error_p10=profile.error_p10,
            error_p90=profile.error_p90,
        ),
        offer,
        api_usd_per_request=api_usd(lengths),
        tok_per_request=lengths.prompt_tok + lengths.output_tok,
        now_qps=arguments.qps,
    )
    case = Case(
        gpus=profile.gpus,
        usd_per_gpu_hour=offer.usd_per_gpu_hour,
        utilisation=arguments.utilisation,
        gpu_s=gpu_s(lengths),
        api_usd=api_usd(lengths),
        tok_per_request=lengths.prompt_tok + lengths.output_tok,
    )
    bars = tornado(
        case,
        lengths,
        gpu_s=gpu_s,
        api_usd=api_usd,
        throughput_band=(profile.error_p10, profile.error_p90),
        gpu_price_range=(offer.usd_per_gpu_hour_low, offer.usd_per_gpu_hour_high),
    )
    later = tuple(later_cases(case, _api_name(arguments), offer.gpu, today=datetime.now(UTC).date(), seed=1))
    if arguments.json:
        shown = {k: v for k, v in asdict(found).items() if not k.startswith("curve_")}
        scenarios = [{"when": when, **asdict(each)} for when, each in later]
        print(json.dumps({**shown, "tornado": [asdict(bar) for bar in bars], "later": scenarios}, indent=1))
    else:
        lines = _lines(arguments, profile, offer, case, found)
        print("\n".join([*lines, *_tornado_lines(bars), *_later_lines(later)]))


def _profile(arguments: argparse.Namespace) -> ReplicaProfile:
    candidate = candidate_profiles(
        find_model(load_models(arguments.models), arguments.model),
        [find_gpu(load_gpus(arguments.gpus), arguments.gpu)],
        precision=arguments.precision,
        kv_precision=arguments.kv_precision,
        slo=Slo(ttft_s=arguments.ttft_s, tpot_s=arguments.tpot_s),
        prompt_tok=arguments.prompt_tokens,
        cached_prompt_tok=arguments.cached_tokens,
        output_tok=arguments.output_tokens,
    )[0]
    if candidate.profile is None:
        raise UserError(candidate.why_not)
    return candidate.profile


def _offer(arguments: argparse.Namespace) -> GpuOffer:
    gpu = find_gpu(load_gpus(arguments.gpus), arguments.gpu).name
    if arguments.usd_per_gpu_hour is not None:
        return GpuOffer(
            gpu=gpu,
            term="on-demand",
            usd_per_gpu_hour_low=arguments.usd_per_gpu_hour,
            usd_per_gpu_hour_high=arguments.usd_per_gpu_hour,
            provider="as given",
            source="--usd-per-gpu-hour",
            checked=datetime.now(UTC).date(),
            price_source="--usd-per-gpu-hour",
        )
    offers = load_offers(arguments.prices, gpus=load_gpus(arguments.gpus))
    for source in (arguments.price_source, None):
        if known := offers_for(offers, gpu, arguments.term, source):
            return known[0]
    raise UserError(
        f"No {arguments.term} price of {gpu} is known; give --usd-per-gpu-hour or a file with --prices."
    )


def _api_usd(arguments: argparse.Namespace, lengths: Lengths) -> float:
    """Return USD of one request: at one flat price, or at a model's own list prices."""
    named = (arguments.provider, arguments.api_model)
    if (arguments.api_usd_per_mtok is None) == (named == (None, None)):
        raise UserError("Give the API's price one way: --api-usd-per-mtok, or --provider with --api-model.")
    if arguments.api_usd_per_mtok is not None:
        return float((lengths.prompt_tok + lengths.output_tok) * arguments.api_usd_per_mtok / MTOK)
    if None in named:
        raise UserError("--provider and --api-model name an API together; give both.")
    price = api_price(arguments.provider, arguments.api_model, at=datetime.now(UTC))
    return float(request_usd(price, lengths.prompt_tok, lengths.cached_tok, lengths.output_tok))


def _gpu_s(profile: ReplicaProfile, lengths: Lengths) -> float:
    mean = MeanRequest(
        prompt_tok=lengths.prompt_tok,
        cached_tok=lengths.cached_tok,
        output_tok=max(lengths.output_tok, 1.0),
        moments=ALL_ALIKE,
    )
    return float(profile.gpu_work_s(mean.sums()))


def _lines(
    a: argparse.Namespace, profile: ReplicaProfile, offer: GpuOffer, case: Case, found: Breakeven
) -> list[str]:
    tok = case.tok_per_request
    price = (
        f"{tok:,.0f} tokens x ${a.api_usd_per_mtok:g} per Mtok"
        if a.api_usd_per_mtok is not None
        else f"list price of {a.provider}/{a.api_model}: ${found.api_usd_per_mtok:.3g} per Mtok of these lengths"
    )
    hour = f"${offer.usd_per_gpu_hour:g}"
    if offer.usd_per_gpu_hour_low < offer.usd_per_gpu_hour_high:
        hour += f", the middle of ${offer.usd_per_gpu_hour_low:g} to ${offer.usd_per_gpu_hour_high:g}"
    per_hour = profile.gpus * offer.usd_per_gpu_hour / case.api_usd
    return [
        found.sentence,
        f"  API          ${case.api_usd:.6g} a request: {price}",
        f"  GPU          {hour} an hour ({offer.provider}, {offer.term})",
        f"  rate         {profile.gpus} x ${offer.usd_per_gpu_hour:g} / ${case.api_usd:.6g} ="
        f" {per_hour:,.0f} requests an hour, / {HOUR_S:,.0f} = {per_hour / HOUR_S:.3g} a second; at the ends of"
        f" the price and throughput ranges {_rate(found.qps_low)} to {_rate(found.qps_high)}",
        f"  utilisation  {per_hour / HOUR_S:.3g} a second x {case.gpu_s:.3g} GPU-seconds a request"
        f" / {profile.gpus} = {case.needed_utilisation:.1%}, of the {case.utilisation:.0%} that a fleet reaches",
        f"  tokens       {_mtok(found.mtok_per_month)} a month at that rate",
        f"  a request    ${found.gpu_usd_per_request:.3g} of GPU time at {case.utilisation:.0%} utilisation:"
        f" {case.gpu_s:.3g} s x ${offer.usd_per_gpu_hour:g} / {HOUR_S:,.0f} / {case.utilisation:g}",
        f"  replica      {profile.layout.text}, batch {profile.batch}, {profile.binds} binds; throughput"
        f" x {profile.error_p10:.2f} to x {profile.error_p90:.2f} is its 80% band",
    ]


def _tornado_lines(bars: tuple[Bar, ...]) -> list[str]:
    rows = [(b.factor, b.low_text, f"{b.low:.1%}", b.high_text, f"{b.high:.1%}") for b in bars]
    head = ("", "low end", "needs", "high end", "needs")
    widths = [max(len(row[k]) for row in (head, *rows)) for k in range(5)]
    table = ["  " + "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) for row in (head, *rows)]
    return ["", "What moves it: the utilisation that breaks even, with one input at a time moved", *table]


def _later_lines(later: tuple[tuple[str, Later], ...]) -> list[str]:
    head = ("", "prices", "needs, median", "80% range", "requests a second", "chance")
    rows = [
        (
            when,
            each.scenario,
            f"{each.utilisation[1]:.1%}",
            f"{each.utilisation[0]:.1%} to {each.utilisation[2]:.1%}",
            _rate(each.qps[1]),
            f"{each.chance:.0%}",
        )
        for when, each in later
    ]
    widths = [max(len(row[k]) for row in (head, *rows)) for k in range(6)]
    table = ["  " + "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) for row in (head, *rows)]
    return ["", "Now and in 12 months, and the chance that a breakeven exists", *table]


def _api_name(arguments: argparse.Namespace) -> str:
    return f"{arguments.provider}/{arguments.api_model}" if arguments.provider else "api"


def _rate(qps: float | None) -> str:
    return "none" if qps is None else f"{qps:.3g}"


def _mtok(value: float | None) -> str:
    return "none" if value is None else f"{value:,.0f} Mtok"
