"""Time what could change: every scenario and stress test of a plan, beside one walk of the plan itself.

make demo
python -m benchmarks.stress --config runs/demo/plan.toml --as-of 2026-11-23
"""

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

from flows.changes import what_could_change
from flows.price_moves import plan_moves
from flows.pricing import price, share_held
from flows.settings import load_plan
from flows.spend import plan_spend
from flows.walk import foresee, read_facts, read_past, size
from flows.whatif import WhatIf
from sizing.gpu_cost import committed_usd


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--as-of", type=date.fromisoformat, required=True)
    arguments = parser.parse_args()
    plan = load_plan(arguments.config)
    facts, past = read_facts(plan), read_past(plan, arguments.as_of)
    demands = [foresee(plan, traffic, arguments.as_of).demand for traffic in past.traffic]
    workloads = plan.settings.workloads
    with timed("size and price the plan itself, all paths and GPUs"):
        sized = [size(plan, facts, w, past.traffic[n], demands[n]) for n, w in enumerate(workloads)]
        needs = share_held(plan, demands, sized)
        moves = plan_moves(plan, demands[0])
        priced = [price(plan, w, demands[n], sized[n], needs[n], moves) for n, w in enumerate(workloads)]
    held = committed_usd([c.to_commitment() for c in plan.settings.commitments], demands[0].days)
    no_jobs = np.zeros_like(demands[0].requests)
    spend = plan_spend(plan.settings, priced, held, no_jobs)
    standing = [replace(each, costs=each.still_costs) for each in priced]
    still = plan_spend(plan.settings, standing, held, no_jobs)
    with timed("all scenarios and stress tests"):
        whatif = WhatIf(plan, facts, past.traffic, demands, sized, priced, moves)
        found = what_could_change(whatif, sized, priced, spend, still)
    print(f"\n{'':52s} {'GPUs':>12s} {'USD over the year':>24s}")
    for change in sorted(found.changes, key=lambda c: -abs(_usd(c.horizons[-1]))):
        last = change.horizons[-1]
        print(f"{change.name:52s} {last.planned_gpus_p80:>4d} -> {last.gpus_p80 or 0:>4d} {_usd(last):>+24,.0f}")
    print(f"\n{'horizon':8s} {'demand alone':>32s} {'prices alone':>32s} {'both':>32s}")
    for each in found.prices.effects:
        spreads = (each.demand_only, each.prices_only, each.both)
        cells = (f"{s.mean:,.0f} ({s.p10:,.0f} to {s.p90:,.0f})" for s in spreads)
        print(f"{each.days:<8d} " + " ".join(f"{cell:>32s}" for cell in cells))


@contextmanager
def timed(what: str) -> Iterator[None]:
    begun = time.perf_counter()
    yield
    print(f"{time.perf_counter() - begun:6.1f} s  {what}")


def _usd(horizon: object) -> float:
    spread = getattr(horizon, "difference_usd", None)
    return float("nan") if spread is None else float(spread.mean)


if __name__ == "__main__":
    main()
