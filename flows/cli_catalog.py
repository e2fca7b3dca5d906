"""`fleetcast catalog`: the facts that plans rest on, each with its source."""

import argparse
import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from data.catalog.gpus import Gpu, find_gpu, load_gpus
from data.catalog.models import ModelShape, find_model, load_models
from data.catalog.prices import Discount, GpuOffer, load_discounts, load_offers, reserved_offer
from data.catalog.provider_table import TERMS, provider_table
from data.errors import UserError
from data.units import GB, TB


def run_catalog(arguments: argparse.Namespace) -> None:
    """Print the catalog as a table, one row in full, or either as JSON."""
    if arguments.what == "prices":
        show = _compare_providers if arguments.compare else _show_prices
        show(arguments.name, arguments.overlay, as_json=arguments.json)
        return
    load: Any = load_models if arguments.what == "models" else load_gpus
    rows: Mapping[str, Gpu | ModelShape] = load(arguments.overlay)
    if arguments.name:
        find: Any = find_model if arguments.what == "models" else find_gpu
        _show_one(find(rows, arguments.name), as_json=arguments.json)
    elif arguments.json:
        print(_json({name: _facts(row) for name, row in rows.items()}))
    elif arguments.what == "models":
        print_table(
            ("model", "parameters", "active", "layers", "KV heads", "context", "native", "checked"),
            [_model_cells(row) for row in rows.values() if isinstance(row, ModelShape)],
        )
    else:
        print_table(
            ("gpu", "memory GB", "TB/s", "bf16 TFLOP/s", "fp8", "fp4", "link GB/s", "W", "checked", "name"),
            [_gpu_cells(row) for row in rows.values() if isinstance(row, Gpu)],
        )


def _show_prices(gpu: str | None, overlays: Sequence[Path], *, as_json: bool) -> None:
    quoted = load_offers(overlays)
    if gpu is not None:
        name = find_gpu(load_gpus(), gpu).name
        quoted = tuple(offer for offer in quoted if offer.gpu == name)
        if not quoted:
            raise UserError(f"No price of {name} is known; add one to a contract file (docs/catalog.md).")
    offers = [*quoted, *_derived(quoted, load_discounts(overlays))]
    if as_json:
        print(_json([_facts(offer) for offer in offers]))
        return
    print_table(
        ("gpu", "term", "$/GPU-h", "provider", "price source", "kind", "checked", "source"),
        [_offer_cells(offer) for offer in offers],
    )


def _compare_providers(gpu: str | None, overlays: Sequence[Path], *, as_json: bool) -> None:
    name = None if gpu is None else find_gpu(load_gpus(), gpu).name
    rows = provider_table(load_offers(overlays), None if name is None else [name])
    if not rows:
        raise UserError(f"No price of {name} is known; add one to a contract file (docs/catalog.md).")
    if as_json:
        print(_json([dataclasses.asdict(row) for row in rows]))
        return
    print_table(
        ("gpu", "provider", "region", *TERMS, "price source", "checked"),
        [
            (
                row.gpu,
                row.provider + (" (contract)" if row.contract else ""),
                row.region,
                *(_range(row.usd_per_gpu_hour.get(term)) for term in TERMS),
                row.price_source,
                str(row.checked),
            )
            for row in rows
        ],
    )


def _range(ends: tuple[float, float] | None) -> str:
    if ends is None:
        return "–"
    low, high = ends
    return f"{low:.2f}" if low == high else f"{low:.2f} to {high:.2f}"


def _derived(offers: Sequence[GpuOffer], discounts: Sequence[Discount]) -> list[GpuOffer]:
    """Return what the planning table's ranges become for a term that nobody quotes: on-demand less a discount."""
    planning = [o for o in offers if o.price_source == "planning-table" and o.term == "on-demand"]
    found = (
        reserved_offer(o, term, offers, discounts) for o in planning for term in ("reserved-30d", "reserved-1y")
    )
    return [offer for offer in found if offer is not None and offer.derived]


def _show_one(row: Gpu | ModelShape, *, as_json: bool) -> None:
    facts = _facts(row)
    if as_json:
        print(_json(facts))
        return
    print_table(("key", row.name), [(key, _plain(value)) for key, value in facts.items()])


def _facts(row: Gpu | ModelShape | GpuOffer) -> dict[str, Any]:
    return dataclasses.asdict(row)


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, default=str, ensure_ascii=False)


def _plain(value: Any) -> str:
    if value is None:
        return "unknown"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _model_cells(m: ModelShape) -> tuple[str, ...]:
    billions = (f"{m.params_total / 1e9:,.1f} B", f"{m.params_active / 1e9:,.1f} B")
    return (
        m.name, *billions, str(m.layers), str(m.kv_heads), f"{m.max_context_tok:,}", m.native_precision,
        str(m.checked),
    )  # fmt: skip


def _gpu_cells(g: Gpu) -> tuple[str, ...]:
    rates = (_tera(g.bf16_flop_per_s), _tera(g.fp8_flop_per_s), _tera(g.fp4_flop_per_s))
    return (
        g.name, f"{g.memory_bytes / GB:,.0f}", f"{g.memory_bytes_per_s / TB:,.3g}", *rates,
        f"{g.link_bytes_per_s / GB:,.0f}", "–" if g.tdp_w is None else f"{g.tdp_w:,.0f}", str(g.checked),
        g.full_name,
    )  # fmt: skip


def _offer_cells(o: GpuOffer) -> tuple[str, ...]:
    low, high = o.usd_per_gpu_hour_low, o.usd_per_gpu_hour_high
    price = f"{low:.2f}" if low == high else f"{low:.2f} to {high:.2f}"
    kind = "derived" if o.derived else "quoted"
    return (o.gpu, o.term, price, o.provider, o.price_source, kind, str(o.checked), o.source)


def _tera(rate: float | None) -> str:
    return "–" if rate is None else f"{rate / 1e12:,.0f}"


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table whole, whatever the width of the terminal."""
    table = Table(*head, box=box.SIMPLE_HEAD, show_edge=False)
    for row in rows:
        table.add_row(*map(_escaped, row))
    console = Console()
    width = console.measure(table, options=console.options.update(max_width=1_000)).maximum
    Console(width=max(width, console.width)).print(table)  # a fact cut short is no fact: let the terminal wrap


def _escaped(text: str) -> str:
    return text.replace("[", r"\[")  # rich reads [..] as markup; a provider's name is only text
