"""Time the simulator, and hold it against measured serving points.

    python -m benchmarks.simulate speed [--trace TRACE]      requests and iterations a second on one core
    python -m benchmarks.simulate measured --measured MEASURED.csv   TTFT and TPOT under load, out of fold

TRACE: any log that `fleetcast ingest` reads, such as the Azure 2023 conversation trace; it is replayed at 10 times
its rate on Llama-3.1-70B in fp8 on H100s. Without one, Gamma arrivals of the same means stand in.
(As a module, since a script of this name would hide the room.)
"""

import argparse
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

sys.path = [p for p in sys.path if Path(p).resolve() != Path(__file__).resolve().parent]  # sizing.py lies here too

from data.catalog.gpus import load_gpus  # noqa: E402 - after the line above
from data.catalog.models import load_models  # noqa: E402
from data.trace import read_trace, store_of_files  # noqa: E402
from data.traffic import Match  # noqa: E402
from forecasting.demand import Moments  # noqa: E402
from sizing.calibration import Calibration  # noqa: E402
from sizing.fit import fit, serve  # noqa: E402
from sizing.folds import fold_numbers  # noqa: E402
from sizing.kv_space import KvSpace  # noqa: E402
from sizing.measured import Measured, read_measured  # noqa: E402
from sizing.operating import MeanRequest, Replica  # noqa: E402
from sizing.profile import ReplicaProfile, Slo, replica_profile  # noqa: E402
from sizing.simulate.arrivals import dispersion, one_length, renewal, repeated  # noqa: E402
from sizing.simulate.engine import Engine, run_engine, simulate  # noqa: E402
from sizing.simulate.limits import EngineLimits  # noqa: E402
from sizing.simulate.requests import Requests  # noqa: E402
from sizing.simulate.result import SimResult  # noqa: E402
from sizing.simulate.steps import table_of  # noqa: E402
from sizing.throughput import Work  # noqa: E402

Floats = npt.NDArray[np.float64]
SLO = Slo(ttft_s=1.0, tpot_s=0.04)
FLEETS = ((2, 26), (4, 11), (8, 5))
"""(TP, replicas) that are timed: near what the SLO asks at 10 times the trace's rate."""

WAVES = 8
"""Requests of each client of a measured point; the first wave, in step, is left out."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["speed", "measured"])
    parser.add_argument("--trace", type=Path)
    parser.add_argument("--measured", type=Path)
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--rows", type=int, default=10**9, help="measured points at most")
    arguments = parser.parse_args()
    if arguments.what == "speed":
        print_speed(arguments.trace)
        return
    if arguments.measured is None:
        parser.error("points that were measured are needed; give --measured MEASURED.csv")
    print_measured(read_measured(arguments.measured, load_models(), load_gpus()), arguments.rows, arguments.folds)


def print_speed(trace: Path | None) -> None:
    """Print a line for each fleet: what was simulated, and how fast. The first call compiles and is not timed."""
    asked = repeated(_requests(trace), 10.0, seed=1)
    print(
        f"{len(asked):,} requests over {asked.span_s:,.0f} s, {asked.prompt_tok.mean():,.0f} +"
        f" {asked.output_tok.mean():,.0f} tokens, index of dispersion over 10 s {dispersion(asked):.1f}"
    )
    print(
        f"{'fleet':>10s} {'requests/s':>11s} {'iterations/s':>13s} {'tokens/s':>12s}  busy  attained  preemptions"
    )
    for tp, replicas in FLEETS:
        profile = _profile(tp, asked)
        simulate(asked.take(slice(0, 100)), profile, replicas=replicas)
        began = time.process_time()
        found = simulate(asked, profile, replicas=replicas)
        seconds = time.process_time() - began
        sums = found.replicas
        print(
            f"{replicas:3d} x TP {tp} {len(asked) / seconds:11,.0f} {sums.iterations.sum() / seconds:13,.0f}"
            f" {asked.output_tok.sum() / seconds:12,.0f}  {sums.busy_s.sum() / sums.up_s.sum():4.0%}"
            f"  {found.attainment(SLO):8.2%}  {sums.preemptions.sum():,d}"
        )


def _requests(trace: Path | None) -> Requests:
    if trace is None:
        return renewal(5.5, 3_500.0, one_length(1_155, 211), seed=1, cv=2.0)
    with store_of_files([trace], now=datetime.now(UTC)) as store:
        read = read_trace(store, Match())
    return Requests.of(read.arrival_s, read.prompt_tok, read.output_tok, read.cached_prompt_tok)


def _profile(tp: int, asked: Requests) -> ReplicaProfile:
    return replica_profile(
        load_models()["llama-3.1-70b"],
        load_gpus()["h100"],
        tp=tp,
        precision="fp8",
        kv_precision="fp8",
        slo=SLO,
        prompt_tok=float(asked.prompt_tok.mean()),
        cached_prompt_tok=0.0,
        output_tok=float(asked.output_tok.mean()),
    )


def print_measured(points: Measured, rows: int, folds: int) -> None:
    """Print how far TTFT and TPOT of closed loops are off: the closed form of sizing, and the simulator.

    Both with factors that were fitted without the sweep. The simulator is told what the closed form is told:
    clients, lengths, memory.
    """
    keep = (points.loads == "closed_loop") & points.table["ttft_ms"].notna().to_numpy()
    keep &= np.cumsum(keep) <= rows
    fold = fold_numbers(points, "series", folds)
    ttft, tpot, plain, form_ttft, form_tpot = (np.full(len(points), np.nan) for _ in range(5))
    for number in np.unique(fold[keep]):
        others = fit(points.take(fold != number), description="", fitted="")
        formula = serve(points.take(fold == number), others)
        form_ttft[fold == number], form_tpot[fold == number] = formula.ttft_s, formula.tpot_s
        for i in np.flatnonzero(keep & (fold == number)):
            found = simulated(points, int(i), others)
            ttft[i], tpot[i], plain[i] = found
    chosen = keep & np.isfinite(tpot)
    measured_ttft = points.table["ttft_ms"].to_numpy(float) / 1e3
    measured_tpot = points.table["tpot_ms"].to_numpy(float) / 1e3
    print(f"{chosen.sum()} closed-loop points, out of fold; median error, share within 25%, median ratio")
    _print_errors("TPOT, closed form", form_tpot, measured_tpot, chosen)
    _print_errors("TPOT, simulator", tpot, measured_tpot, chosen)
    _print_errors("TTFT, closed form", form_ttft, measured_ttft, chosen)
    _print_errors("TTFT, simulator", ttft, measured_ttft, chosen)
    _print_errors("TTFT, simulator without look steps", plain, measured_ttft, chosen)
    clients = points.clients
    for low, high in ((1, 4), (5, 32), (33, 128), (129, 10**6)):
        some = chosen & (clients >= low) & (clients <= high)
        if some.any():
            _print_errors(f"TPOT, simulator, {low}-{high} clients", tpot, measured_tpot, some)
            _print_errors(f"TTFT, simulator, {low}-{high} clients", ttft, measured_ttft, some)
    for engine in sorted({key.engine for key in points.keys}):
        some = chosen & np.array([key.engine == engine for key in points.keys])
        if some.sum() >= 20:
            _print_errors(f"TPOT, simulator, {engine}", tpot, measured_tpot, some)
            _print_errors(f"TTFT, simulator, {engine}", ttft, measured_ttft, some)


def simulated(points: Measured, i: int, calibration: Calibration) -> tuple[float, float, float]:
    """Return mean (TTFT, TPOT, TTFT without look steps) of one point's replica, its first wave left out."""
    work = Work(**{name: getattr(points.work, name)[i] for name in Work.__slots__})
    factors = calibration.factors([points.keys[i]])
    if not points.streamed[i]:
        factors = replace(factors, stream_s=np.zeros(1))
    clients = max(1, round(float(points.clients[i])))
    rng = np.random.default_rng(i)
    n = clients * WAVES
    spread = np.zeros(n) if points.same_lengths[i] else rng.uniform(-1 / 9, 1 / 9, n)  # 80-100% of the nominal
    asked = Requests.of(
        np.zeros(n), points.prompt_tok[i] * (1 + spread), points.output_tok[i] * (1 + rng.permutation(spread))
    )
    # No point was measured with a cache of prefixes; seats are what memory holds at the mean length.
    seats = int(max(1, min(points.memory_batch[i], clients)))
    limits = EngineLimits(max_num_seqs=seats, max_num_batched_tokens=max(8_192, seats))
    mean = MeanRequest(
        prompt_tok=float(points.prompt_tok[i]),
        cached_tok=0.0,
        output_tok=float(points.output_tok[i]),
        moments=Moments(prompt_sq=1.0, cached_sq=1.0, prompt_cached=1.0, prompt_output=1.0, output_sq=1.0),
    )
    replica = Replica(work=work, factors=factors, mean=mean)
    steps = table_of(replica, sequences=seats, longest_tok=asked.longest_tok)
    engine = Engine(limits=limits, steps=steps, kv=KvSpace(room_bytes=1e15, tok_bytes=1.0))
    found = run_engine(asked, engine, clients=clients)
    return _means(found, clients, float(points.held_steps[i] + factors.look_steps[0]), float(factors.wait[0]))


def _means(found: SimResult, clients: int, look_steps: float, wait: float) -> tuple[float, float, float]:
    later = np.arange(len(found.requests)) >= clients
    ttft, tpot = float(found.ttft_s[later].mean()), float(np.nanmean(found.tpot_s[later]))
    step = float(found.replicas.busy_s.sum() / max(found.replicas.iterations.sum(), 1))
    return ttft + wait * look_steps * step, tpot, ttft


def _print_errors(name: str, predicted: Floats, measured: Floats, chosen: npt.NDArray[np.bool_]) -> None:
    ratio = pd.Series((predicted / measured)[chosen]).dropna()
    error = (ratio - 1).abs()
    within = ((ratio > 0.8) & (ratio < 1.25)).mean()
    print(f"{name:42s} n {len(ratio):4d}  {error.median():6.1%}  {within:6.1%}  {ratio.median():5.2f}")


if __name__ == "__main__":
    main()
