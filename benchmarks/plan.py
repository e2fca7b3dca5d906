"""Time the monthly plan on the demo's store: 3 workloads, 400 days, warm, part by part.

    python benchmarks/plan.py [--days 400] [--repeat 3]

Makes the store once under runs/benchmark (about a minute), plans once to warm up, then prints each part's median
over the repeats. The bar is 30 s for the whole plan on 2 cores.
"""

import argparse
import statistics
import sys
import time
from collections import defaultdict
from pathlib import Path

sys.path = [p for p in sys.path if Path(p).resolve() != Path(__file__).resolve().parent]  # sizing.py lies here too

from flows import demo  # noqa: E402 - after the line above
from flows.plan import PlanRequest, plan_month  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent / "runs" / "benchmark"
BAR_S = 30.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=400)
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    request = prepared(arguments.days)
    plan_month(request)
    runs = [timed(request) for _ in range(arguments.repeat)]
    for part in runs[0]:
        print(f"{part:28s} {statistics.median(run[part] for run in runs):7.2f} s")
    whole = statistics.median(run["the whole plan"] for run in runs)
    print(
        f"\n{arguments.days} days, 3 workloads, median of {arguments.repeat}: {whole:.1f} s (bar: {BAR_S:.0f} s)"
    )


def prepared(days: int) -> PlanRequest:
    """Return a request on a store that was made before or is made now."""
    out = ROOT / f"{days}-days"
    config = out / "plan.toml"
    if not config.exists():
        started = time.perf_counter()
        demo.prepare(out, days=days)
        print(f"{'made logs up, ingested them':28s} {time.perf_counter() - started:7.2f} s\n")
    return PlanRequest(config=config, out=out / "plans", as_of=demo.AS_OF, force=True)


def timed(request: PlanRequest) -> dict[str, float]:
    """Return seconds by part; a part of each workload counts as one."""
    parts: dict[str, float] = defaultdict(float)

    def step(name, function, *args, **kwargs):
        started = time.perf_counter()
        result = function(*args, **kwargs)
        parts[name.split()[0]] += time.perf_counter() - started
        return result

    started = time.perf_counter()
    plan_month(request, step=step)
    whole = time.perf_counter() - started
    return {**parts, "the rest": whole - sum(parts.values()), "the whole plan": whole}


if __name__ == "__main__":
    main()
