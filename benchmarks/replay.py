"""What the decisions are worth: every shared daily series of two years or more, decided again month by month.

    python -m benchmarks.replay ../shared/data/traffic [--offers OFFERS.toml] [--half 0|1] [--cores N]

Each series' maximum before its first decision takes 40 GPUs. Prints the verdict by cell (docs/replay.md): each
policy's cost over fleetcast's and over the clairvoyant's, regret, the mean of the worst tenth of months, unserved
hours. --half takes every second series, for figures that were not tuned on.
"""

import argparse
import tempfile
import time
from pathlib import Path

import pandas as pd

from flows.cli_replay import print_verdict, series_needs
from sizing.replay.engine import replay_needs
from sizing.replay.grid import read_grid
from sizing.replay.need import PEAK_GPUS, PastNeed
from sizing.replay.table import verdict_table

LEAST_DAYS = 730
OFFERS = 'gpu = "h100"\non_demand_usd_per_gpu_hour = 4.0\n'
"""On demand alone: the default grid of docs/replay.md."""


def main() -> None:
    """Replay and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("traffic", type=Path)
    parser.add_argument("--offers", type=Path)
    parser.add_argument("--half", type=int, choices=[0, 1])
    parser.add_argument("--cores", type=int, default=2)
    arguments = parser.parse_args()
    needs = long_needs(arguments.traffic)
    needs = needs if arguments.half is None else needs[arguments.half :: 2]
    with tempfile.TemporaryDirectory() as folder:
        offers = arguments.offers or Path(folder) / "offers.toml"
        if arguments.offers is None:
            offers.write_text(OFFERS)
        grid = read_grid(offers)
    start = time.perf_counter()
    rows = replay_needs(needs, grid.markets, seed=1, workers=arguments.cores)
    spent = time.perf_counter() - start
    verdict = verdict_table(rows)
    print_verdict(verdict, [need.name for need in needs])
    columns = ["median_vs_ours", "pooled_vs_ours", "median_vs_clairvoyant", "pooled_vs_clairvoyant"]
    sums = verdict.groupby("policy", sort=False)[["regret_usd", "regret_cvar_usd", "unserved_gpu_hours"]].sum()
    print("\nOver the cells: ratios in the middle cell, the rest summed")
    print(verdict.groupby("policy", sort=False)[columns].median().join(sums).round(3).to_string())
    months = sum(need.months for need in needs)
    print(
        f"\n{len(needs)} series, {months} months, {len(grid.markets)} cells,"
        f" {arguments.cores} cores: {spent:.0f} s"
    )


def long_needs(traffic: Path) -> list[PastNeed]:
    """Return the needs of the series that span two years."""
    frame = pd.read_csv(traffic / "daily_series.csv.gz")
    needs, _ = series_needs(frame, PEAK_GPUS)
    return [need for need in needs if len(need.y) >= LEAST_DAYS]


if __name__ == "__main__":
    main()
