"""What choosing a fleet saves and how long it takes: single, mixed, parted and shared, with solve times.

    python -m benchmarks.choice [--lengths LENGTHS.csv]

Prints, for chat, coding and document lengths at three rates: the best single fleet, the best mixed one without and
with a bound on the cheapest GPU, prefill and decode apart, the seconds each took, and how far work adds up over
length buckets. With --lengths the same for the prompt_tok and output_tok of a CSV.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from data.catalog.gpus import load_gpus
from data.catalog.models import load_models
from flows.cli_choose import read_lengths, usd_per_gpu_hour
from sizing.choice.disaggregated import best_disaggregated
from sizing.choice.fleets import Fleet, best_single
from sizing.choice.lengths import length_buckets, lognormal_lengths, whole
from sizing.choice.limits import Limits
from sizing.choice.mixed import best_mixed
from sizing.choice.options import Options, Serving, fleet_options, held_by_length
from sizing.profile import Slo

MODEL, PRECISION = "llama-3.1-70b", "fp8"
GPUS = ("h100", "h200", "b200", "a100-80gb")
RATES = (5.0, 50.0, 500.0)
UTILISATION = 0.7
SLO = Slo(ttft_s=2.0, tpot_s=0.05)


def main() -> None:
    """Run every case and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lengths", type=Path, help="CSV with prompt_tok and output_tok")
    arguments = parser.parse_args()
    known = load_gpus()
    usd = usd_per_gpu_hour(known, [], "planning-table", "on-demand")
    gpus = [known[name] for name in GPUS]
    serving = Serving(model=load_models()[MODEL], kv_precision="fp8", slo=SLO)
    print(
        f"{MODEL} {PRECISION} on {', '.join(GPUS)}; TTFT {SLO.ttft_s:g} s, TPOT {SLO.tpot_s:g} s, one spare a pool"
    )
    for name, joint in _lengths(arguments.lengths):
        buckets = length_buckets(joint)
        mix = whole(buckets)
        at = time.perf_counter()
        one = fleet_options(
            serving, gpus, [PRECISION], mix, buckets,
            requests_per_s=1.0, usd_per_gpu_hour=usd, spare_replicas=1,
        )  # fmt: skip
        profiled = time.perf_counter() - at
        print(
            f"\n{name}: {mix.prompt_tok:,.0f} + {mix.output_tok:,.0f} tokens, {len(buckets)} buckets,"
            f" {len(one.options)} options in {profiled:.2f} s; {_adds_up(one)}"
        )
        for qps in RATES:
            rate = qps / UTILISATION
            _case(qps, _at(one, rate))
            at = time.perf_counter()
            apart = best_disaggregated(
                serving, gpus, [PRECISION], mix, Limits(),
                requests_per_s=rate, usd_per_gpu_hour=usd, spare_replicas=1,
            )  # fmt: skip
            print(f"    apart             {_text(apart and apart.fleet)}  [{time.perf_counter() - at:.2f} s]")


def _lengths(path: Path | None) -> Iterator[tuple[str, pd.DataFrame]]:
    if path is not None:
        yield path.name, read_lengths(path)
        return
    for name, prompt, output, p_cv, o_cv in (
        ("chat", 1_200, 300, 1.2, 1.0),
        ("coding", 12_000, 400, 1.5, 1.2),
        ("documents", 6_000, 60, 2.0, 0.8),
    ):
        yield name, lognormal_lengths(prompt_tok=prompt, output_tok=output, prompt_cv=p_cv, output_cv=o_cv)


def _at(options: Options, rate: float) -> Options:
    scaled = [
        replace(o, replicas=o.replicas * rate, bucket_replicas=o.bucket_replicas * rate) for o in options.options
    ]
    return replace(options, options=tuple(scaled))


def _case(qps: float, options: Options) -> None:
    single = best_single(options, Limits())
    print(f"  {qps:g} requests a second")
    print(f"    single            {_text(single)}")
    held = held_by_length(options)
    limited = Limits()
    if single is not None:
        gpu, count = next(iter(single.gpus.items()))
        limited = Limits(max_gpus={gpu: count // 2})
    for name, of, limits in (
        ("mixed", options, Limits()),
        ("mixed, half of it", options, limited),
        ("mixed, by length", held, Limits()),
    ):
        at = time.perf_counter()
        mixed = best_mixed(of, limits)
        took = time.perf_counter() - at
        against = best_single(of, limits)
        saved = ""
        if mixed is not None:
            alone = None if against is None else against.usd_per_hour
            saved = "no single fleet may" if alone is None else f"{1 - (mixed.usd_per_hour or 0) / alone:.1%} less"
        print(f"    {name:<17} {_text(mixed)}  {saved}  [{took:.3f} s]")


def _adds_up(options: Options) -> str:
    """Say how far the buckets' own work adds up to that of the mix, over the options that serve every bucket."""
    ratios = [
        o.bucket_replicas.sum() / o.replicas for o in options.options if np.isfinite(o.bucket_replicas).all()
    ]
    if not ratios:
        return "no option serves every bucket by itself"
    return (
        f"buckets' work over the mix's on {len(ratios)} options: {min(ratios):.2f} to {max(ratios):.2f},"
        f" {options.relaxed_share:.1%} of requests relaxed"
    )


def _text(fleet: Fleet | None) -> str:
    return "none" if fleet is None else f"${fleet.usd_per_hour or 0.0:,.2f}/h {fleet.text}"


if __name__ == "__main__":
    main()
