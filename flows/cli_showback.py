"""`fleetcast showback`: who used what, and what of the bills is theirs."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from decimal import Decimal
from pathlib import Path

from data.errors import UserError
from data.files import write_durably
from data.warehouse import open_store
from flows.cli_catalog import print_table
from flows.settings import load_plan
from flows.showback import ShowbackRow, showback
from flows.walk import read_facts
from reports.export import to_csv


def run_showback(arguments: argparse.Namespace) -> None:
    """Print one line for each workload and key, and what they add up to."""
    plan = load_plan(arguments.config)
    facts = read_facts(plan)
    with open_store(plan.store_path) as store:
        rows = showback(plan, facts, store, by=arguments.by, since=arguments.since, until=arguments.until)
    if arguments.out is not None:
        _write(arguments.out, rows)
    if arguments.json:
        print(json.dumps([asdict(row) for row in rows], default=str, indent=2))
        return
    head = (
        "workload",
        arguments.by,
        "requests",
        "Mtok in",
        "Mtok out",
        "GPU-hours",
        "share",
        "API list $",
        "bills $",
    )
    print_table(head, [_cells(row, rows) for row in rows])
    billed = [row.billed_usd for row in rows if row.billed_usd is not None]
    if billed:
        print(f"Bills shown back: ${sum(billed, Decimal(0)):,.2f}.")
    else:
        print("No bills of these days are imported (fleetcast actuals), so what each owes of them is unknown.")


def _write(out: Path, rows: Sequence[ShowbackRow]) -> None:
    if out.is_dir():
        raise UserError(f"Cannot write {out}: it is a folder; choose another --out.")
    try:
        write_durably(out, _csv(rows))
    except OSError as error:
        raise UserError(f"Cannot write {out}: {error.strerror}; choose another --out.") from error


def _cells(row: ShowbackRow, rows: Sequence[ShowbackRow]) -> tuple[str, ...]:
    all_hours = sum(each.gpu_hours or 0.0 for each in rows)
    known = row.gpu_hours is not None
    return (
        row.workload,
        row.key or "(untold)",
        f"{row.requests:,}",
        f"{row.prompt_mtok:,.1f}",
        f"{row.output_mtok:,.1f}",
        f"{row.gpu_hours:,.1f} {row.gpu}" if known else "-",
        f"{(row.gpu_hours or 0.0) / all_hours:.1%}" if known and all_hours else "-",
        "-" if row.api_usd is None else f"{row.api_usd:,.2f}",
        "-" if row.billed_usd is None else f"{row.billed_usd:,.2f}",
    )


def _csv(rows: Sequence[ShowbackRow]) -> str:
    names = [field.name for field in fields(ShowbackRow)]
    cells = ([float(v) if isinstance(v := getattr(row, name), Decimal) else v for name in names] for row in rows)
    return to_csv(names, cells)
