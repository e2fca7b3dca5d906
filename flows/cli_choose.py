"""`fleetcast choose`: which fleet serves a workload for the fewest dollars, and what the others would cost."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data.catalog.gpus import Gpu, find_gpu, load_gpus
from data.catalog.models import ModelShape, find_model, load_models
from data.catalog.prices import Term, load_discounts, load_offers, offers_for, reserved_offer
from data.errors import UserError
from sizing.calibration import load_calibration
from sizing.choice.fleets import Fleet, Ranked
from sizing.choice.lengths import lognormal_lengths
from sizing.choice.limits import Limits
from sizing.choice.options import Serving
from sizing.choice.question import FleetChoice, choose_fleet
from sizing.profile import TENSOR_PARALLEL, Slo

SHOWN = 8
"""Single fleets that are printed; --json has all."""

LENGTH_COLUMNS = ("prompt_tok", "output_tok")


def run_choose(arguments: argparse.Namespace) -> None:
    """Choose and print, as text or as JSON."""
    model = find_model(load_models(arguments.models), arguments.model)
    known = load_gpus(arguments.gpus)
    prices = usd_per_gpu_hour(known, arguments.prices, arguments.price_source, arguments.term)
    gpus = [find_gpu(known, name) for name in arguments.gpu] or priced_gpus(known, prices)
    limits = Limits(max_gpus=max_gpus(arguments.max_gpus, known), max_power_kw=arguments.max_kw)
    choice = choose_fleet(
        Serving(
            model=model,
            kv_precision=arguments.kv_precision,
            slo=Slo(ttft_s=arguments.ttft_s, tpot_s=arguments.tpot_s),
            engine=arguments.engine,
            calibration=load_calibration(arguments.calibration),
        ),
        gpus,
        arguments.precision or [model.native_precision],
        _lengths(arguments),
        qps=arguments.qps,
        usd_per_gpu_hour=prices,
        limits=limits,
        utilisation=arguments.utilisation,
        spare_replicas=arguments.spares,
        tensor_parallel=arguments.tp or TENSOR_PARALLEL,
        interconnect_gbit_per_s=arguments.interconnect_gbit,
    )
    if arguments.json:
        print(json.dumps(_as_json(choice), indent=1, ensure_ascii=False))
    else:
        print("\n".join(_lines(choice, model, arguments.term)))


def usd_per_gpu_hour(
    gpus: dict[str, Gpu], overlays: Sequence[Path], price_source: str, term: Term
) -> dict[str, float]:
    """Return dollars an hour by GPU for a term, the middle of the printed range; a GPU without a price is missing.

    The price source first, then any other table; the user's contracts win.
    """
    offers, discounts = load_offers(overlays, gpus), load_discounts(overlays)
    found = {}
    for gpu in gpus:
        spot = offers_for(offers, gpu, "on-demand", price_source) or offers_for(offers, gpu, "on-demand")
        if not spot:
            continue
        offer = spot[0] if term == "on-demand" else reserved_offer(spot[0], term, offers, discounts)
        if offer is not None:
            found[gpu] = offer.usd_per_gpu_hour
    return found


def priced_gpus(gpus: dict[str, Gpu], prices: dict[str, float]) -> list[Gpu]:
    """Return the GPUs that have a price, for who names none; raises UserError where there is none."""
    found = [gpu for name, gpu in gpus.items() if name in prices]
    if not found:
        raise UserError("No GPU has a known price for that term; give --prices with your own.")
    return found


def max_gpus(stated: Sequence[str], gpus: dict[str, Gpu]) -> dict[str, int]:
    """Return GPUs that can be had by kind, from texts such as h100=16; raises UserError on anything else."""
    found = {}
    for text in stated:
        name, _, count = text.partition("=")
        if not count.strip().isdigit():
            raise UserError(f"--max-gpus {text!r} says no number of a GPU; write it as h100=16.")
        found[find_gpu(gpus, name).name] = int(count)
    return found


def _lengths(arguments: argparse.Namespace) -> pd.DataFrame:
    if arguments.lengths is not None:
        if arguments.prompt_tokens or arguments.output_tokens:
            raise UserError("--lengths and --prompt-tokens with --output-tokens say the same thing; give one.")
        return read_lengths(arguments.lengths)
    if not (arguments.prompt_tokens and arguments.output_tokens):
        raise UserError("Give --prompt-tokens and --output-tokens, or --lengths with a CSV of requests.")
    return lognormal_lengths(
        prompt_tok=arguments.prompt_tokens,
        output_tok=arguments.output_tokens,
        cached_prompt_tok=arguments.cached_tokens,
        prompt_cv=arguments.prompt_cv,
        output_cv=arguments.output_cv,
    )


def read_lengths(path: Path) -> pd.DataFrame:
    """Read a CSV of prompt_tok and output_tok (cached_prompt_tok, weight), a row a request, as a joint table."""
    try:
        table = pd.read_csv(path)
    except (OSError, ValueError, UnicodeDecodeError) as error:
        raise UserError(f"Cannot read lengths from {path}: {str(error).rstrip('.')}; give a CSV file.") from error
    if missing := [name for name in LENGTH_COLUMNS if name not in table.columns]:
        raise UserError(
            f"{path} has no column {missing[0]}; it needs prompt_tok and output_tok, one row a request."
        )
    columns = [name for name in (*LENGTH_COLUMNS, "cached_prompt_tok", "weight") if name in table.columns]
    numbers = table[columns].apply(pd.to_numeric, errors="coerce")
    bad = numbers.index[~(np.isfinite(numbers) & (numbers >= 0)).all(axis=1)]
    if len(bad):
        raise UserError(
            f"{path}, row {bad[0] + 1}: a length is no number of 0 or more; correct or leave out the row."
        )
    cached = numbers["cached_prompt_tok"] if "cached_prompt_tok" in columns else 0.0
    return pd.DataFrame(
        {
            "prompt_tok": numbers["prompt_tok"],
            "output_tok": numbers["output_tok"],
            "cached_share": (cached / numbers["prompt_tok"].where(numbers["prompt_tok"] > 0)).fillna(0.0),
            "weight": numbers["weight"] if "weight" in columns else 1.0,
        }
    )


def _lines(choice: FleetChoice, model: ModelShape, term: str) -> list[str]:
    if choice.chosen is None:
        reasons = "; ".join(f"{r.fleet.text}: {r.why_not}" for r in choice.ranked[:3])
        raise UserError(f"No fleet keeps to the limits. {reasons} Raise a limit or name more GPUs.")
    mix = choice.mix
    head = (
        f"{choice.qps:g} QPS of {mix.prompt_tok:,.0f} + {mix.output_tok:,.0f} tokens of {model.name}, {term}:"
        f" {choice.chosen.text}, {_usd(choice.chosen)} an hour ({choice.kind})."
    )
    return [head, *_pool_lines(choice.chosen), *_other_lines(choice), "", *_ranked_lines(choice)]


def _pool_lines(fleet: Fleet) -> list[str]:
    return [
        f"  {pool.text}: {pool.replicas} replicas for {pool.work:.2f} of work; batch {pool.option.profile.batch},"
        f" TTFT {pool.option.profile.ttft_s * 1e3:,.0f} ms, TPOT {pool.option.profile.tpot_s * 1e3:.1f} ms"
        + (f"\n    serves {'; '.join(pool.serves)}" if pool.serves else "")
        for pool in fleet.pools
    ]


def _other_lines(choice: FleetChoice) -> list[str]:
    lines = []
    if choice.second is not None:
        lines.append(f"  second best    {choice.second.fleet.text}, {_usd(choice.second.fleet)} an hour")
    lines.append(f"  mixing         {_saves(choice.single, choice.mixed)}")
    lines.append(f"  disaggregating {_apart(choice)}")
    lines.append(f"  SLO by length  {_by_length(choice)}")
    if choice.options.relaxed_share > 0:
        share = f"{choice.options.relaxed_share:.1%}"
        lines.append(f"                 {share} of the requests meet the SLO by themselves nowhere")
    return lines


def _saves(single: Fleet | None, mixed: Fleet | None) -> str:
    if mixed is None:
        return "no fleet of several kinds keeps to the limits either"
    if single is None:
        return f"only a mixed fleet keeps to the limits: {mixed.text}, {_usd(mixed)} an hour"
    one, other = single.usd_per_hour or 0.0, mixed.usd_per_hour or 0.0
    if len(mixed.pools) < 2 or other >= one:
        return f"saves nothing over {single.text}"
    return f"saves ${one - other:,.2f} an hour ({1 - other / one:.1%}): {mixed.text}"


def _apart(choice: FleetChoice) -> str:
    found = choice.disaggregated
    if found is None:
        return "no pair of pools serves it within the SLO and the limits"
    usd, sent = (
        _usd(found.fleet),
        f"KV of {found.kv_bytes_per_request / 1e6:,.0f} MB takes {found.transfer_s * 1e3:.1f} ms",
    )
    beside = "" if choice.single is None else f", {_usd(choice.single)} in one pool"
    return f"{found.prefill.text} prefill + {found.decode.text} decode, {usd} an hour{beside}; {sent}"


def _by_length(choice: FleetChoice) -> str:
    single, mixed = choice.by_length_single, choice.by_length_mixed
    if mixed is None:
        return "held in the mean of every length bucket by no fleet"
    one = "no single fleet holds it" if single is None else f"{single.text}, {_usd(single)} an hour"
    return f"held in the mean of every length bucket: {one}; {_saves(single, mixed)}"


def _ranked_lines(choice: FleetChoice) -> list[str]:
    lines = ["Single fleets, cheapest first:"]
    lines += [f"  {_ranked(each)}" for each in choice.ranked[:SHOWN]]
    if len(choice.ranked) > SHOWN:
        lines.append(f"  and {len(choice.ranked) - SHOWN} more (--json)")
    unserved = dict.fromkeys(f"{each.gpu} TP {each.tp} {each.precision}" for each in choice.options.unserved)
    return [*lines, *([f"  cannot serve it: {', '.join(unserved)}"] if unserved else [])]


def _ranked(each: Ranked) -> str:
    option = each.fleet.pools[0].option
    power = "unknown power" if each.fleet.power_kw is None else f"{each.fleet.power_kw:.1f} kW"
    cost = each.why_not or f"{_usd(each.fleet)} an hour, {power}, {option.profile.binds} binds"
    return f"{each.fleet.text if each.fleet.pools[0].replicas else option.name}: {cost}"


def _usd(fleet: Fleet) -> str:
    return "unknown" if fleet.usd_per_hour is None else f"${fleet.usd_per_hour:,.2f}"


def _as_json(choice: FleetChoice) -> dict[str, Any]:
    apart = choice.disaggregated
    return {
        "qps": choice.qps,
        "prompt_tok": choice.mix.prompt_tok,
        "output_tok": choice.mix.output_tok,
        "kind": choice.kind,
        "chosen": _fleet(choice.chosen),
        "single": _fleet(choice.single),
        "second": None if choice.second is None else _fleet(choice.second.fleet),
        "mixed": _fleet(choice.mixed),
        "by_length_single": _fleet(choice.by_length_single),
        "by_length_mixed": _fleet(choice.by_length_mixed),
        "relaxed_share": choice.options.relaxed_share,
        "disaggregated": None
        if apart is None
        else {
            **(_fleet(apart.fleet) or {}),
            "kv_bytes_per_request": apart.kv_bytes_per_request,
            "transfer_s": apart.transfer_s,
            "link_share": apart.link_share,
        },
        "ranked": [{**(_fleet(each.fleet) or {}), "why_not": each.why_not} for each in choice.ranked],
        "unserved": [
            {"gpu": each.gpu, "tp": each.tp, "precision": each.precision, "why_not": each.why_not}
            for each in choice.options.unserved
        ],
    }


def _fleet(fleet: Fleet | None) -> dict[str, Any] | None:
    if fleet is None:
        return None
    return {
        "usd_per_hour": fleet.usd_per_hour,
        "power_kw": fleet.power_kw,
        "pools": [
            {
                "gpu": pool.option.profile.gpu,
                "tp": pool.option.profile.tp,
                "precision": pool.option.profile.precision,
                "replicas": pool.replicas,
                "gpus": pool.gpus,
                "work_replicas": pool.work if np.isfinite(pool.work) else None,
                "batch": pool.option.profile.batch,
                "ttft_s": pool.option.profile.ttft_s,
                "tpot_s": pool.option.profile.tpot_s,
                "serves": list(pool.serves),
            }
            for pool in fleet.pools
        ],
    }
