"""`fleetcast prices diff` and `catalog refresh`: what moved between two plans, and prices of today."""

import argparse
import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from data.catalog.gpus import load_gpus
from data.catalog.prices import load_offers
from data.errors import UserError, printable
from data.files import write_durably
from data.finops.prices_used import PriceMove, PriceUsed, moved, priced_runs, prices_of
from data.warehouse import open_store
from flows.cli_catalog import print_table
from flows.refresh import read_source, refreshed


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


_ALSO_CALLED = {
    "a100": "a100-40gb",
    "h100-80gb": "h100",
    "h100-mega": "h100",
    "mi300": "mi300x",
    "gh200": "gh200-96gb",
}
"""What SkyPilot's tables call some accelerators of our catalog; the rest has our name in capitals."""


def run_refresh(arguments: argparse.Namespace) -> None:
    """Write the overlay, check that it loads, and say what it holds."""
    today = datetime.now(UTC).date()
    safe = "".join(c if c.isalnum() else "-" for c in arguments.provider.lower())
    out = arguments.out or Path(f"prices-{safe}-{today}.toml")
    if out.exists():
        raise UserError(f"{out} is there already; name another file with --out, or remove it.")
    names = {name.lower(): name for name in load_gpus()} | _ALSO_CALLED
    found = refreshed(
        read_source(arguments.source),
        provider=arguments.provider,
        source=arguments.source,
        today=today,
        gpus=names,
        region=arguments.region,
    )
    write_durably(out, found.toml)
    load_offers([out])
    print(
        printable(
            f"{out}: {found.offers} prices of {arguments.provider}; name it in plan.toml under [prices] overlays."
        )
    )
    if found.unknown:
        rows = ", ".join(f"{name} ({count} rows)" for name, count in sorted(found.unknown.items()))
        print(printable(f"Left out, for our catalog does not have them: {rows}."))


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
