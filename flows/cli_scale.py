"""`fleetcast rollup`, `export-sql` and `ingest --rollup`: the heavy step on an engine of your own."""

import argparse
from datetime import UTC, datetime

from data.dialects import ROLLUP_TABLES, table_sql
from data.errors import UserError
from data.lock import Patience
from data.rolled_up import RollupManifest, read_manifest
from data.rollup_intake import RollupTaken, take_rollup
from data.warehouse import open_store
from flows.progress import progress_bar


def run_rollup(arguments: argparse.Namespace) -> None:
    """Roll Parquet requests up into a new folder, and say what is in it."""
    if arguments.engine == "spark":
        from data.rollup_spark import roll_up_parquet as by_spark

        manifest = by_spark(
            arguments.input,
            arguments.out,
            label=arguments.label,
            master=arguments.master,
            max_rejected_share=arguments.max_rejected_share,
        )
    else:
        from data.rollup_duckdb import roll_up_parquet as by_duckdb

        if arguments.master:
            raise UserError("--master says where Spark runs; leave it out, or say --engine spark.")
        manifest = by_duckdb(
            arguments.input,
            arguments.out,
            label=arguments.label,
            max_rejected_share=arguments.max_rejected_share,
        )
    print(_said(manifest))
    print(f"take it in with: fleetcast ingest --rollup {arguments.out} --store DB")


def run_export_sql(arguments: argparse.Namespace) -> None:
    """Print the rollup's statements in a dialect."""
    tables = (arguments.table,) if arguments.table else ROLLUP_TABLES
    print("\n".join(table_sql(table, arguments.dialect) for table in tables), end="")


def run_ingest_rollup(arguments: argparse.Namespace) -> None:
    """Take a rollup that was made elsewhere into the store, and say what it covers."""
    given = ("logs", "mapping", "label", "start", "prefect")
    named = [name for name in given if getattr(arguments, name)]
    if named:
        wrong = "LOG" if named[0] == "logs" else f"--{named[0]}"
        raise UserError(f"--rollup takes in a finished rollup, for which {wrong} has no meaning; leave it out.")
    read_manifest(arguments.rollup)  # before a store is made for something that is none
    now = datetime.now(UTC)
    with progress_bar("ingest") as report:
        patience = Patience(arguments.wait_s, lambda who: report(f"waiting: {who}", 0.0))
        with open_store(arguments.store, write=True, now=now, patience=patience) as store:
            taken = take_rollup(store, arguments.rollup, now=now)
    print(_taken(arguments.rollup.name, taken))


def _said(manifest: RollupManifest) -> str:
    days = manifest.days or ()
    labels = sorted({day.source_label for day in days})
    return (
        f"{manifest.rows_read or 0:,} rows read, {manifest.rows_rejected or 0:,} rejected,"
        f" {manifest.rows_duplicate or 0:,} duplicate; {sum(day.requests for day in days):,} requests on"
        f" {len({day.day_utc for day in days})} days of {', '.join(map(repr, labels))}, by {manifest.engine}"
    )


def _taken(name: str, taken: RollupTaken) -> str:
    return (
        f"{name}: {taken.status} as a rollup by {taken.engine}, label"
        f" {', '.join(map(repr, taken.labels))}: {taken.requests:,} requests on {taken.days} days"
    )
