"""`fleetcast windows`: GPU-seconds of work by window for stored traffic, on any model and GPU."""

import argparse
import json
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
from pydantic import TypeAdapter, ValidationError

from data.errors import UserError
from data.read_traffic import load_traffic
from data.traffic import Traffic
from data.warehouse import open_store
from flows.settings import LoadedPlan, PlanSettings
from flows.walk import SizedGpu, foresee, read_facts, size
from flows.windowed import planning_traffic, requests_of, windowed_work
from forecasting.demand import Demand
from reports.export import to_csv
from reports.values.windows import WindowedWork
from reports.windows import budget_share, by_logic, logic_name
from sizing.windowed.pools import LongRequests
from sizing.windowed.spread import WindowSpread, window_gpu_s

_EVER = date(2101, 1, 1)


def run_windows(arguments: argparse.Namespace) -> None:
    """Read the store, forecast, size, and print the windows, three plans and what long requests cost."""
    plan = _plan(arguments)
    facts, workload = read_facts(plan), plan.settings.workloads[0]
    traffic, as_of = _traffic(plan, arguments.as_of)
    with open_store(plan.store_path) as store:
        requests = requests_of(
            store, workload.match.to_match(), None, as_of, window_s=plan.settings.windows.window_s
        )
    demand = foresee(plan, traffic, as_of).demand
    seen = planning_traffic(traffic, requests, plan.settings.windows.window_s)
    sized = size(plan, facts, workload, seen, demand)
    gpu = _first_that_serves(sized)
    found = windowed_work(plan, facts, workload, traffic, requests, demand, sized, gpu)
    if found is None:
        raise UserError(f"No work was seen in {arguments.store} that {gpu} would do; ingest logs with tokens.")
    if arguments.out is not None:
        _write_seen(arguments.out, seen, next(each for each in sized if each.gpu == gpu), demand)
    text = json.dumps(TypeAdapter(WindowedWork).dump_python(found, mode="json"), indent=1, ensure_ascii=False)
    print(text if arguments.json else "\n".join(_lines(found)))


def _plan(arguments: argparse.Namespace) -> LoadedPlan:
    """Return the plan of one workload that the options describe."""
    store: Path = arguments.store.resolve()
    match = {"label": arguments.label, "model": arguments.logged_model}
    slo = {"ttft_s": arguments.ttft_s, "tpot_s": arguments.tpot_s} if arguments.category == "online" else {}
    long_slo = {"ttft_s": arguments.long_ttft_s, "tpot_s": arguments.long_tpot_s}
    workload = {
        "name": arguments.label or "all traffic",
        "category": arguments.category,
        "match": {**match, "region": arguments.region, "team": arguments.team},
        "model": arguments.model,
        "precision": arguments.precision,
        "kv_precision": arguments.kv_precision,
        "gpus": list(dict.fromkeys(gpu.strip().lower() for gpu in arguments.gpu)),
        "engine": arguments.engine,
        "slo": slo,
        "long_slo": long_slo if any(long_slo.values()) else None,
    }
    asked = {
        "schema": 1,
        "title": "windows",
        "seed": arguments.seed,
        "horizons_days": [arguments.days],
        "history_days": 36_500,
        "store": {"path": store},
        "windows": {"percentile": arguments.percentile, "window_s": arguments.window_s},
        "workloads": [workload],
    }
    try:
        settings = PlanSettings.model_validate(asked)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise UserError(f"{first['loc'][-1]}: {first['msg']} (given: {first['input']!r:.80}).") from error
    return LoadedPlan(settings=settings, path=store, sha256="")


def _traffic(plan: LoadedPlan, as_of: date | None) -> tuple[Traffic, date]:
    """Return the past and the first day that is not known: as asked, else the day after the newest."""
    workload = plan.settings.workloads[0]
    with open_store(plan.store_path) as store:
        traffic = load_traffic(
            store,
            workload=workload.name,
            match=workload.match.to_match(),
            since=None,
            until=as_of or _EVER,
        )
    return traffic, as_of or traffic.last_utc.date() + timedelta(days=1)


def _first_that_serves(sized: tuple[SizedGpu, ...]) -> str:
    return next(each.gpu for each in sized if each.fleet is not None)


def _write_seen(out: Path, traffic: Traffic, sized: SizedGpu, demand: Demand) -> None:
    """Write window_utc, gpu_s of every window that was seen."""
    if sized.fleet is None:
        return
    gpu_s = window_gpu_s(traffic.windows, sized.fleet.profile, demand.moments)
    times = pd.DatetimeIndex(gpu_s.index).strftime("%Y-%m-%d %H:%M:%S")
    rows: list[list[str | float]] = [[at, float(each)] for at, each in zip(times, gpu_s, strict=True)]
    try:
        out.write_text(to_csv(["window_utc", "gpu_s"], rows), encoding="utf-8", newline="")
    except OSError as error:
        raise UserError(f"Cannot write {out}: {error.strerror}; choose another --out.") from error


def _lines(found: WindowedWork) -> list[str]:
    share = budget_share(100 * found.percentile)
    heads = ("window", "over", "mean", "p50", "p95", "p99", "p99.9", f"GPUs busy at p{share}")
    return [
        f"GPU-seconds of work in a window on {found.gpu}, {found.layout}",
        f"  {heads[0]:>6s}  {heads[1]:10s}" + "".join(f"{head:>10s}" for head in heads[2:7]) + f"  {heads[7]}",
        *(_spread_line(spread) for spread in found.spreads),
        "",
        "Three ways to plan, without spares",
        *(
            f"  {logic_name(rows[0], found):34s} {_number(rows[0].gpus):>6s} GPUs  {_usd(rows[0].usd):>12s}"
            f" on demand over {rows[0].days} days"
            for rows in by_logic(found.logics)
        ),
        "",
        found.long_sentence,
        *(_long_line(row) for row in found.long),
    ]


def _spread_line(s: WindowSpread) -> str:
    over = "seen" if s.days is None else f"{s.days} days"
    points = (s.mean_gpu_s, s.p50_gpu_s, s.p95_gpu_s, s.p99_gpu_s, s.p99_9_gpu_s)
    paths = (
        "" if s.planned_low is None else f" ({s.planned_low:.3g} to {s.planned_high:.3g} GPU-s on 80% of paths)"
    )
    return f"  {s.window_s:4d} s  {over:10s}" + "".join(f"{p:10.3g}" for p in points) + f"  {s.gpus:.3g}{paths}"


def _long_line(row: LongRequests) -> str:
    share = "" if row.share is None else f", p{budget_share(100 * row.share)}"
    pool = row.why_not if row.pool_saves_usd is None else f"a pool of their own saves {_usd(row.pool_saves_usd)}"
    return (
        f"  above {row.budget_tok:,} tokens{share}: {row.requests_share:.2%} of requests, {row.work_share:.1%} of"
        f" the work; refused, {_number(row.gpus_saved)} GPUs and {_usd(row.usd_saved)} less; {pool}"
    )


def _number(value: int | None) -> str:
    return "?" if value is None else f"{value:,}"


def _usd(value: float | None) -> str:
    return "unknown" if value is None else f"-${-value:,.0f}" if value < 0 else f"${value:,.0f}"
