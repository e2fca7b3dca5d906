"""`fleetcast prices diff`: what moved among the prices between two plans."""

import argparse
import json
from dataclasses import asdict
from typing import Any

from data.errors import UserError
from data.finops.prices_used import PriceMove, PriceUsed, moved, priced_runs, prices_of
from data.warehouse import open_store
from flows.cli_catalog import print_table


def run_diff(arguments: argparse.Namespace) -> None:
    """Print each price that is not the same in both plans, those that moved most first."""
    with open_store(arguments.store) as store:
        runs = [run for run, _ in priced_runs(store.con)]
        if len(runs) < 2 and arguments.after is None:
            raise UserError(
                f"{arguments.store} keeps the prices of {len(runs)} plans, and a difference needs two; plan again."
            )
        after = arguments.after or runs[-1]
        before = arguments.before or runs[-2]
        moves = moved(prices_of(store.con, before), prices_of(store.con, after))
    if arguments.json:
        print(json.dumps([asdict(move) | {"change": move.change} for move in moves], default=str, indent=2))
    elif moves:
        print_table(("price", "item", "before", "after", "change", "source"), [_cells(move) for move in moves])
    else:
        print(f"No price moved between {before} and {after}.")


def _cells(move: PriceMove) -> tuple[Any, ...]:
    price = move.of
    change = "gone" if move.after is None else "new" if move.before is None else f"{move.change:+.1%}"
    name = price.name if price.kind == "api" else f"{price.name} ({price.provider})"
    return (name, price.item, _usd(move.before), _usd(move.after), change, price.source[:60])


def _usd(price: PriceUsed | None) -> str:
    if price is None:
        return "-"
    unit = "/GPU-h" if price.unit == "usd_per_gpu_hour" else "/Mtok"
    low, high = f"${price.usd_low:,.4g}", f"${price.usd_high:,.4g}"
    return low + unit if low == high else f"{low} to {high}{unit}"
