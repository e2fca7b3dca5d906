"""`fleetcast store`: what the store holds, whether it is whole, made anew, made smaller."""

import argparse
import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from data.compact import vacuum_store
from data.errors import printable
from data.lock import Patience
from data.rebuild import rebuild_store
from data.store_status import SourceStatus, StoreStatus, store_status
from data.verify import verify_store
from flows.options import EXIT_FOUND, EXIT_OK
from flows.progress import Report, progress_bar

_COLUMNS = ("source", "kind", "files", "days", "rows", "duplicates", "rejected", "size", "from", "to")


def run_status(arguments: argparse.Namespace) -> int:
    """Print what the store holds, also while another process writes: then only sizes and who that is."""
    status = store_status(arguments.store)
    if arguments.json:
        print(json.dumps(asdict(status), default=str, indent=2))
    else:
        _print_status(status, datetime.now(UTC))
    return EXIT_OK


def run_verify(arguments: argparse.Namespace) -> int:
    """Print a line for each thing that is wrong, with its way out; status 1 where there is one."""
    found = verify_store(arguments.store)
    if arguments.json:
        print(json.dumps({"whole": not found, "findings": [asdict(each) for each in found]}, indent=2))
    elif found:
        print("\n".join(printable(each.line) for each in found))
    else:
        print(printable(f"{arguments.store} is whole."))
    return EXIT_FOUND if found else EXIT_OK


def run_rebuild(arguments: argparse.Namespace) -> int:
    """Make the DuckDB file anew, and say what is in it."""
    with progress_bar("rebuild") as report:
        built = rebuild_store(
            arguments.store,
            now=datetime.now(UTC),
            forget_damaged=arguments.forget_damaged,
            patience=_patience(arguments, report),
            progress=report,
        )
    print(
        f"Made anew: {built.rows:,} rows in {built.slices:,} Parquet files of {built.files:,} logs,"
        " their rollups, manifest, sums and runs."
    )
    for log in built.lost:
        print(printable(f"Left out days of {log}: ingest it again."))
    return EXIT_OK


def run_vacuum(arguments: argparse.Namespace) -> int:
    """Give room back, and say how much and where."""
    with progress_bar("vacuum") as report:
        won = vacuum_store(arguments.store, now=datetime.now(UTC), patience=_patience(arguments, report))
    print(
        f"Won {size(won.total_bytes)}: {size(won.unnamed_bytes)} of files that nobody names,"
        f" {size(won.temporary_bytes)} of half-written ones, {size(won.database_bytes)} in the database."
    )
    return EXIT_OK


def size(size_bytes: int) -> str:
    """Return bytes in the unit that suits them.

    >>> size(0), size(1_530_000)
    ('0 bytes', '1.5 MB')
    """
    for unit, bytes_per_unit in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if abs(size_bytes) >= bytes_per_unit:
            return f"{size_bytes / bytes_per_unit:,.1f} {unit}"
    return f"{size_bytes:,} bytes"


def _patience(arguments: argparse.Namespace, report: Report) -> Patience:
    return Patience(arguments.wait_s, lambda who: report(f"waiting: {who}", 0.0))


def _print_status(status: StoreStatus, now: datetime) -> None:
    print(
        printable(
            f"{status.path}: {size(status.database_bytes)} of rollups and results,"
            f" {size(status.lake_bytes)} of Parquet; version {status.version}"
        )
        + (f", {status.generation:,} changes committed" if status.generation is not None else "")
    )
    if status.sources is None:
        who = status.holder.sentence(status.path, now) if status.holder else "Another process has it open."
        print(printable(f"{who} What it holds can be read when that ends."))
        return
    if status.runs:
        print(printable(f"{status.runs:,} runs, the last {status.last_run}"))
    if not status.sources:
        print("It holds nothing yet.")
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for n, name in enumerate(_COLUMNS):
        table.add_column(name, justify="right" if 2 <= n < 8 else "left", no_wrap=True)
    for source in status.sources:
        table.add_row(*_cells(source))
    console = Console(width=200, highlight=False)
    console.print(table)


def _cells(source: SourceStatus) -> list[Any]:
    counts = (source.files, source.days, source.rows, source.duplicates, source.rejected)
    return [
        Text(printable(source.label)),
        source.kind,
        *(f"{count:,}" for count in counts),
        size(source.size_bytes),
        *(f"{moment:%Y-%m-%d %H:%M}" if moment else "–" for moment in (source.first_utc, source.last_utc)),
    ]
