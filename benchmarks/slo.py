"""Fleets that hold their SLO: each way of planning held against the simulator.

    python -m benchmarks.slo show TRAFFIC    Azure 2023 conversation x10 on Llama-3.1-70B in fp8 on H100s: GPUs by
                                             each logic, and what each of those fleets attains on the trace itself
    python -m benchmarks.slo table TRAFFIC   plan = simulation: planned, analytic and corrected fleets of real
                                             traces and of the demo's workloads
    python -m benchmarks.slo model           the queueing model's TTFT and TPOT p99 against the simulator's

TRAFFIC is the folder of the reference traces. `show` replays the whole hour of 194,000 requests: ten copies of the
trace, each turned by a tenth of the hour (`benchmarks/windows.py`): ten times as many users, whose bursts do not
fall together. What the same users, each ten times as active, would ask (all gaps a tenth of theirs) is
printed below each. The first minute, in which the fleet fills, does not count.
"""

import argparse
import gzip
import io
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

sys.path = [p for p in sys.path if Path(p).resolve() != Path(__file__).resolve().parent]  # sizing.py lies here too

from benchmarks.slo_model import moments_of, print_model, shown  # noqa: E402 - after the line above
from benchmarks.windows import TRACE, times_over  # noqa: E402
from data.catalog.gpus import load_gpus  # noqa: E402
from data.catalog.models import load_models  # noqa: E402
from data.ingest import ingest_logs  # noqa: E402
from data.read_traffic import load_traffic  # noqa: E402
from data.traffic import Match, Traffic  # noqa: E402
from data.warehouse import open_store  # noqa: E402
from flows.demo import AS_OF, prepare  # noqa: E402
from flows.settings import LoadedPlan, PlanSettings, load_plan  # noqa: E402
from flows.walk import foresee, read_facts, size  # noqa: E402
from forecasting.demand import Demand, Moments  # noqa: E402
from sizing.profile import ReplicaProfile, Slo, gpu_s_per_request, replica_profile  # noqa: E402
from sizing.queueing.busy import busy_requests  # noqa: E402
from sizing.queueing.check import CHECK_REQUESTS  # noqa: E402
from sizing.queueing.curve import dispersion_of, queue_of  # noqa: E402
from sizing.queueing.held import planned_load  # noqa: E402
from sizing.queueing.lengths import Lengths  # noqa: E402
from sizing.queueing.percentiles import Queue, alone_met  # noqa: E402
from sizing.queueing.simulated import Attained, fewest_that_hold, simulate_fleets  # noqa: E402
from sizing.simulate.requests import Requests  # noqa: E402
from sizing.textbook import textbook_plan  # noqa: E402
from sizing.windows import busy_windows  # noqa: E402

Floats = npt.NDArray[np.float64]
SLO = Slo(ttft_s=1.0, tpot_s=0.04, percentile=0.99)
MEAN, WINDOW = 0.7, 0.85
"""Utilisations of the mean plan and of the windowed plan, those of plan.toml where it says none."""
START = datetime(2026, 1, 5, tzinfo=UTC)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["show", "table", "model"])
    parser.add_argument("traffic", type=Path, nargs="?")
    parser.add_argument("--tp", type=int, nargs="+", default=[2, 4, 8])
    parser.add_argument("--times", type=int, default=10)
    arguments = parser.parse_args()
    began = time.perf_counter()
    if arguments.what == "model":
        print_model()
    elif arguments.traffic is None:
        parser.error("the folder of the reference traces is needed; give it after the command")
    elif arguments.what == "show":
        print_show(arguments.traffic, arguments.times, arguments.tp)
    else:
        print_table(arguments.traffic)
    print(f"{time.perf_counter() - began:,.0f} s in all")


# show -----------------------------------------------------------------------------------------------------------


def print_show(folder: Path, times: int, degrees: list[int]) -> None:
    """Print GPUs by each logic, and what each fleet attains on the trace."""
    trace = pd.read_csv(io.BytesIO(gzip.decompress((folder / TRACE).read_bytes())))
    rows = times_over(trace, times)
    arrived = (rows["arrived_utc"] - rows["arrived_utc"].min()).dt.total_seconds().to_numpy(np.float64)
    prompt, output = (rows[name].to_numpy(np.float64) for name in ("prompt_tok", "output_tok"))
    asked = Requests.of(arrived, prompt, output)
    once = times_over(trace, 1)
    steep_s = (once["arrived_utc"] - once["arrived_utc"].min()).dt.total_seconds().to_numpy(np.float64) / times
    steep = Requests.of(steep_s, once["prompt_tok"].to_numpy(float), once["output_tok"].to_numpy(float))
    traffic = _ingested(rows)
    qps = len(rows) / 3_600
    print(f"{len(rows):,} requests in an hour, {qps:.1f} a second; TTFT p99 <= 1 s, TPOT p99 <= 40 ms")
    print(
        f"{'TP':>2s} {'logic':26s} {'GPUs':>5s} {'replicas':>8s} {'TTFT p99':>9s} {'TPOT p99':>9s} {'within':>7s}"
        f" {'goodput/s':>9s}  holds"
    )
    for tp in degrees:
        _show_degree(tp, asked, steep, traffic, qps)


def _show_degree(tp: int, asked: Requests, steep: Requests, traffic: Traffic, qps: float) -> None:
    prompt, output = asked.prompt_tok.astype(float), asked.output_tok.astype(float)
    moments = moments_of(prompt, output)
    profile = replica_profile(
        load_models()["llama-3.1-70b"],
        load_gpus()["h100"],
        tp=tp,
        precision="fp8",
        kv_precision="fp8",
        slo=SLO,
        prompt_tok=float(prompt.mean()),
        cached_prompt_tok=0.0,
        output_tok=float(output.mean()),
        moments=moments,
    )
    attained = _once(simulate_fleets(asked, profile, SLO))
    planned = logics(profile, traffic, prompt, output, moments, qps)
    fewest, fewer, runs = fewest_that_hold(planned["queueing model"], attained)
    fleets = {**planned, "simulated fewest": fewest.replicas}
    if fewer is not None:
        fleets["fewest less one (or 2%)"] = fewer.replicas
    for logic, replicas in fleets.items():
        a = attained(replicas)
        print(
            f"{tp:2d} {logic:26s} {replicas * tp:5d} {replicas:8d} {shown(a.ttft_s):>9s} {shown(a.tpot_s):>9s}"
            f" {a.within:7.2%} {a.goodput_per_s:9.1f}  {'yes' if a.holds else 'no'}",
            flush=True,
        )
    squeezed, _, _ = fewest_that_hold(fewest.replicas, simulate_fleets(steep, profile, SLO))
    print(f"{tp:2d} the same users ten times as active: {squeezed.replicas * tp} GPUs ({runs} replays above)")


def logics(
    profile: ReplicaProfile, traffic: Traffic, prompt: Floats, output: Floats, moments: Moments, qps: float
) -> dict[str, int]:
    """Return replicas by each way of planning, for qps requests a second of these lengths."""
    request_s = gpu_s_per_request(profile, moments) / profile.gpus
    load = qps * request_s
    p, o = float(np.quantile(prompt, 0.95)), float(np.quantile(output, 0.95))
    long_s = float(profile.work_s(np.array([1.0, p, 0.0, o, p * p, 0.0, 0.0, p * o, o * o])))
    busy = busy_windows(traffic, profile, moments)
    assert busy is not None  # the trace has windows
    windowed = float(busy.p99_load(np.array(load)))
    queue = Queue.of(profile, Lengths.of_joint(traffic.joint, profile), SLO, dispersion_of(traffic))
    textbook = textbook_plan(
        load_models()[profile.model],
        load_gpus()[profile.gpu],
        precision="fp8",
        qps=qps,
        prompt_tok=float(prompt.mean()),
        output_tok=float(output.mean()),
        tp=profile.tp,
    )
    return {
        "textbook": textbook.gpus // profile.tp,
        "mean plan at 70%": ceil(load / MEAN),
        "product of p95s at 70%": ceil(qps * long_s / MEAN),
        "windowed p99 of 10 s at 85%": ceil(windowed / WINDOW),
        "queueing model": ceil(queue.fewest(qps)),
    }


def _ingested(rows: pd.DataFrame) -> Traffic:
    with tempfile.TemporaryDirectory() as scratch:
        log = Path(scratch) / "requests.csv"
        rows.to_csv(log, index=False, date_format="%Y-%m-%dT%H:%M:%S.%f+00:00")
        with open_store(Path(scratch) / "s.duckdb", write=True, now=datetime.now(UTC)) as store:
            ingest_logs(store, [log], now=datetime.now(UTC), label="trace")
            return load_traffic(
                store, workload="trace", match=Match(), since=None, until=(START + timedelta(days=2)).date()
            )


def _once(attained: Callable[[int], Attained]) -> Callable[[int], Attained]:
    """Return the function with its answers kept."""
    kept: dict[int, Attained] = {}

    def of(replicas: int) -> Attained:
        if replicas not in kept:
            kept[replicas] = attained(replicas)
        return kept[replicas]

    return of


# table ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One workload on one kind of GPU, as a plan of one workload describes it. mapping: how its file is read."""

    name: str
    file: str
    model: str
    gpu: str
    ttft_s: float
    tpot_s: float
    mapping: str = ""
    times: float = 1.0


TRACES = (
    Asked(name="azure conv", file=TRACE, model="llama-3.1-70b", gpu="h100", ttft_s=1.0, tpot_s=0.04, times=10),
    Asked(name="azure conv", file=TRACE, model="llama-3.1-8b", gpu="l40s", ttft_s=2.0, tpot_s=0.06),
    Asked(
        name="mooncake", file="llm_mooncake_conversation.jsonl.gz", model="llama-3.1-70b", gpu="h200",
        ttft_s=30.0, tpot_s=0.1,
    ),
    Asked(
        name="mooncake", file="llm_mooncake_conversation.jsonl.gz", model="llama-3.1-8b", gpu="h100",
        ttft_s=10.0, tpot_s=0.05,
    ),
    Asked(
        name="servegen x0.1", file="llm_servegen_m_large_clients_10min.parquet", model="llama-3.1-70b", gpu="h100",
        ttft_s=2.0, tpot_s=0.05, times=0.1,
    ),
    Asked(
        name="servegen x0.1", file="llm_servegen_m_large_clients_10min.parquet", model="llama-3.1-8b", gpu="h100",
        ttft_s=1.0, tpot_s=0.04, times=0.1,
    ),
)  # fmt: skip

DEMO_SLO = {"chat": Slo(ttft_s=5.0, tpot_s=0.06), "doc-classification": Slo(ttft_s=10.0, tpot_s=0.1)}
"""Asked of the demo's workloads here: an SLO for the one that has a deadline, and a second for the one whose own,
1 s at p99, is out of reach (even alone, some prompts take longer)."""


def print_table(folder: Path) -> None:
    """Print a line for each workload and GPU."""
    print(
        f"{'workload':18s} {'model, GPU':30s} {'QPS':>6s} {'SLO':>14s} {'planned':>11s} {'one fewer':>9s}"
        f" {'model':>9s} {'final':>5s} {'holds':>5s} {'one fewer':>9s} {'s':>5s}"
    )
    with tempfile.TemporaryDirectory() as scratch:
        for row in _rows(folder, Path(scratch)):
            print(row, flush=True)


def _rows(folder: Path, scratch: Path) -> Iterator[str]:
    for n, asked in enumerate(TRACES):
        plan, as_of = _trace_plan(folder, scratch / f"{n}.duckdb", asked)
        yield from _plan_rows(plan, as_of, asked.name, times=asked.times)
    config = prepare(scratch / "demo", days=120)
    plan = load_plan(config)
    yield from _plan_rows(plan, None, "", times=1.0)
    other = []
    for workload in plan.settings.workloads:
        slo = DEMO_SLO.get(workload.name)
        if slo is not None:
            changed = {"ttft_s": slo.ttft_s, "tpot_s": slo.tpot_s}
            other.append(
                workload.model_copy(
                    update={
                        "category": "online", "deadline_h": None, "slo": workload.slo.model_copy(update=changed)
                    }
                )
            )  # fmt: skip
    plan = plan.model_copy(update={"settings": plan.settings.model_copy(update={"workloads": other})})
    yield from _plan_rows(plan, None, "", times=1.0)


def _trace_plan(folder: Path, store_path: Path, asked: Asked) -> tuple[LoadedPlan, Any]:
    mappings = Path(__file__).resolve().parent.parent / "examples" / "mappings"
    with open_store(store_path, write=True, now=datetime.now(UTC)) as store:
        ingest_logs(
            store,
            [folder / asked.file],
            now=datetime.now(UTC),
            start=START,
            label="trace",
            mapping=mappings / f"{asked.mapping}.toml" if asked.mapping else None,
        )
        traffic = load_traffic(
            store, workload="trace", match=Match(), since=None, until=START.date() + timedelta(days=400)
        )
    settings = PlanSettings.model_validate(
        {
            "schema": 1,
            "title": "slo",
            "seed": 1,
            "horizons_days": [30],
            "history_days": 36_500,
            "store": {"path": store_path},
            "workloads": [
                {
                    "name": asked.name,
                    "category": "online",
                    "match": {"label": "trace"},
                    "model": asked.model,
                    "precision": "fp8",
                    "kv_precision": "fp8",
                    "gpus": [asked.gpu],
                    "slo": {"ttft_s": asked.ttft_s, "tpot_s": asked.tpot_s},
                }
            ],
        }
    )
    plan = LoadedPlan(settings=settings, path=store_path, sha256="")
    return plan, traffic.last_utc.date() + timedelta(days=1)


def _plan_rows(plan: LoadedPlan, as_of: Any, name: str, *, times: float) -> Iterator[str]:
    facts = read_facts(plan)
    day = as_of or AS_OF
    with open_store(plan.store_path) as store:
        past = [
            load_traffic(store, workload=w.name, match=w.match.to_match(), since=None, until=day)
            for w in plan.settings.workloads
        ]
    for workload, traffic in zip(plan.settings.workloads, past, strict=True):
        if workload.category != "online":
            continue
        demand = _times(foresee(plan, traffic, day).demand, times)
        slo = workload.slo.to_slo()
        for sized in size(plan, facts, workload, traffic, demand)[:2]:
            if sized.fleet is not None:
                yield _row(name or f"demo {workload.name}", sized.fleet, traffic, slo, demand.moments)
            else:
                yield f"{name or workload.name}: {sized.why_not}"


def _times(demand: Demand, times: float) -> Demand:
    return demand if times == 1 else replace(demand, requests=demand.requests * times)


def _row(name: str, fleet: Any, traffic: Traffic, slo: Slo, moments: Moments) -> str:
    began = time.perf_counter()
    profile, horizon = fleet.profile, fleet.horizons[0]
    rate = planned_load(fleet, horizon.days) / (gpu_s_per_request(profile, moments) / profile.gpus)
    lengths = Lengths.of_joint(traffic.joint, profile)
    requests = busy_requests(traffic, lengths, rate, seed=1, most=CHECK_REQUESTS)
    attained = _once(simulate_fleets(requests, profile, slo))
    planned = max(1, (horizon.gpus_p80 - horizon.spare_gpus) // profile.gpus)
    what = f"{profile.model}, {profile.gpus} x {profile.gpu}"
    head = f"{name:18s} {what:30s} {rate:6.1f} {slo.ttft_s:5g} s {slo.tpot_s * 1e3:3.0f} ms"
    alone = alone_met(profile, lengths, slo)
    first = f"{planned:5d} {_yes(attained(planned)):>5s}"
    if alone < slo.percentile:
        return f"{head} {first}  out of reach: alone on a replica {alone:.1%} come in time"
    less = _yes(attained(planned - 1)) if planned > 1 else "-"
    analytic = queue_of(traffic, profile, slo).fewest(rate)
    start = max(1, ceil(round(analytic, 9)))
    held, fewer, _ = fewest_that_hold(start, attained)
    return (
        f"{head} {first} {less:>9s} {start:4d} {_yes(attained(start)):>4s} {held.replicas:5d} {_yes(held):>5s}"
        f" {_yes(fewer) if fewer else '-':>9s} {time.perf_counter() - began:5.1f}"
    )


def _yes(attained: Attained) -> str:
    return "yes" if attained.holds else "no"


if __name__ == "__main__":
    main()
