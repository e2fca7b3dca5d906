"""Estimate how often list prices jump, and by how much: the default of price scenarios.

    python -m benchmarks.price_hazards price_history.csv             # the figures, with their intervals
    python -m benchmarks.price_hazards price_history.csv --toml      # as data/catalog/price_jumps.toml has them

The table has `date, provider, model, input_usd_per_mtok, output_usd_per_mtok, kind`, one row for each price seen
on a date. GPU prices are too few for a table: those that we could follow stand as `[[gpu_seen]]` in the TOML, and
their rates are shrunk towards the API's as strongly as GPU_SHRINK_YEARS price-years; their sizes are their own.
"""

import argparse
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from sizing.scenarios.hazards import (
    DATED,
    GPU_SHRINK_YEARS,
    SNAPSHOT,
    Hazard,
    changes,
    expected_year_on,
    gpu_hazards,
    hazards,
    read_prices,
    year_on,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("prices", type=Path)
    parser.add_argument("--toml", action="store_true", help="print [api] and [gpu] of price_jumps.toml")
    arguments = parser.parse_args()
    prices = read_prices(arguments.prices)
    api, gpu = hazards(prices), gpu_hazards()
    if arguments.toml:
        _print_toml(api, gpu)
        return
    every = changes(prices[prices["kind"].isin((SNAPSHOT, DATED))])
    print(
        f"{prices['item'].nunique()} prices, {prices['date'].min():%Y-%m-%d} to {prices['date'].max():%Y-%m-%d}\n"
    )
    for name, (cut, raised) in (("API", api), ("GPU", gpu)):
        for what, hazard in (("cut", cut), ("raised", raised)):
            print(f"{name} {what:7s} {_said(hazard)}")
    moved = every[every["factor"] != 1]
    print("\nchanges between two dates:")
    for row in moved.itertuples():
        print(f"  {row.item:32s} {row.start:%Y-%m-%d} to {row.end:%Y-%m-%d}  x {row.factor:.3f}")
    stands, cut, raised = expected_year_on(api[0].per_year, api[1].per_year)
    pairs = year_on(prices)
    print(f"\na year on by these rates: {stands:.0%} stand, {cut:.0%} are cut, {raised:.0%} are raised")
    print(
        f"{pairs.pairs} pairs of snapshots a year apart:"
        f" {pairs.unchanged:.0%} stand, {pairs.cut:.0%} are cut, {pairs.raised:.0%} are raised"
    )
    dated = every["years"].sum(), int((every["factor"] < 1).sum()), int((every["factor"] > 1).sum())
    print(
        f"with the rows that were noted because of a change: {dated[1] / dated[0]:.3f} cuts and"
        f" {dated[2] / dated[0]:.3f} raises a year (biased upwards, not used)"
    )


def _said(hazard: Hazard) -> str:
    low, high = hazard.interval()
    sizes = ", ".join(f"{f:.2f}" for f in hazard.factors)
    return (
        f"{hazard.seen} in {hazard.price_years:.1f} price-years: {hazard.per_year:.3f} a year"
        f" (80% interval {low:.3f} to {high:.3f}); sizes x {sizes}"
    )


def _print_toml(api: tuple[Hazard, Hazard], gpu: tuple[Hazard, Hazard]) -> None:
    rates = [h.per_year for h in api]
    shrunk = [h.shrunk(rate, GPU_SHRINK_YEARS) for h, rate in zip(gpu, rates, strict=True)]
    for name, own, found, factors in (
        ("api", api, rates, [h.factors for h in api]),
        ("gpu", gpu, shrunk, [h.factors for h in gpu]),
    ):
        print(f"[{name}]")
        print(f"cuts_per_year = {found[0]:.4f}\nraises_per_year = {found[1]:.4f}")
        print(f"cut_factors = {_list(factors[0])}\nraise_factors = {_list(factors[1])}")
        print(f"price_years = {own[0].price_years:.1f}\ncuts = {own[0].seen}\nraises = {own[1].seen}")
        print(f"checked = {date.today().isoformat()}\n")  # noqa: DTZ011  # the day somebody ran the command


def _list(factors: Sequence[float]) -> str:
    return "[" + ", ".join(f"{f:.3f}" for f in factors) + "]"


if __name__ == "__main__":
    main()
