"""`fleetcast actuals` and `decide`: bills that came, and what was signed."""

import argparse
import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from data.catalog.gpus import find_gpu, load_gpus
from data.errors import UserError, printable
from data.finops.actuals import SpendMonth, SpendRead, import_spend, spend_by_month
from data.finops.decisions import CommitDecision, Verdict, decide, decision_key, read_decisions, withdraw
from data.warehouse import open_store, transaction
from flows.cli_catalog import print_table

_VERDICTS: dict[str, Verdict] = {"accept": "accepted", "decline": "declined"}


def run_actuals(arguments: argparse.Namespace) -> None:
    """Import the files, all of them or none, then print what the store's bills add up to by month."""
    now = datetime.now(UTC)
    if arguments.files:
        with open_store(arguments.store, write=True, now=now) as store, transaction(store):
            read = [import_spend(store, path, now=now) for path in arguments.files]
        if not arguments.json:
            print("\n".join(printable(_read_line(each)) for each in read))
    with open_store(arguments.store) as store:
        months = spend_by_month(store.con)
    if arguments.json:
        print(json.dumps([asdict(each) for each in months], default=str, indent=2))
    elif months:
        print_table(
            ("month", "provider", "what", "billed $", "amortised $", "GPU-hours"), [_cells(m) for m in months]
        )
    else:
        print("No bills are imported yet; give files of them.")


def _read_line(read: SpendRead) -> str:
    what = "known already, nothing changed" if read.known else f"{read.rows:,} charges"
    last = read.until - timedelta(days=1)
    return f"{read.path}: {what}, {read.since} to {last}, ${read.billed_usd:,.2f} billed"


def _cells(month: SpendMonth) -> tuple[str, ...]:
    hours = "-" if month.gpu_hours is None else f"{month.gpu_hours:,.0f}"
    return (
        month.month,
        month.provider or "-",
        month.what or "-",
        f"{month.billed_usd:,.2f}",
        f"{month.effective_usd:,.2f}",
        hours,
    )


def run_decide(arguments: argparse.Namespace) -> None:
    """Record a verdict on one term."""
    gpu = find_gpu(load_gpus(), arguments.gpu).name
    end = arguments.start + timedelta(days=arguments.days - 1)
    now = datetime.now(UTC)
    decision = CommitDecision(
        decision_id=decision_key(gpu, arguments.provider, arguments.start, end),
        run_id=arguments.plan,
        verdict=_VERDICTS[arguments.verdict],
        gpu=gpu,
        gpus=arguments.gpus,
        provider=arguments.provider,
        usd_per_gpu_hour=arguments.usd_per_gpu_hour,
        start_day=arguments.start,
        end_day=end,
        decided_by=arguments.by,
        decided_utc=now,
        note=arguments.note,
    )
    _require_store(arguments)
    with open_store(arguments.store, write=True, now=now) as store, transaction(store):
        decide(store.con, decision)
    print(printable(_decision_line(decision)))


def run_withdraw(arguments: argparse.Namespace) -> None:
    """Take a verdict back."""
    _require_store(arguments)
    now = datetime.now(UTC)
    with open_store(arguments.store, write=True, now=now) as store, transaction(store):
        known = withdraw(store.con, arguments.decision, by=arguments.by, now=now)
    print(printable(f"Withdrawn: {_decision_line(known)}"))


def run_decisions(arguments: argparse.Namespace) -> None:
    """Print every verdict."""
    with open_store(arguments.store) as store:
        decisions = read_decisions(store.con)
    if arguments.json:
        print(json.dumps([asdict(each) for each in decisions], default=str, indent=2))
    elif decisions:
        print("\n".join(printable(_decision_line(each)) for each in decisions))
    else:
        print("Nothing was decided yet.")


def _decision_line(d: CommitDecision) -> str:
    days = (d.end_day - d.start_day).days + 1
    total = d.gpus * d.usd_per_gpu_hour * 24 * days
    note = f" ({d.note})" if d.note else ""
    return (
        f"{d.decision_id}: {d.gpus} x {d.gpu} of {d.provider} at ${d.usd_per_gpu_hour:,.4g} an hour,"
        f" {d.start_day} to {d.end_day} (${total:,.2f}),"
        f" {d.verdict} by {d.decided_by} on {d.decided_utc:%Y-%m-%d}{note}"
    )


def _require_store(arguments: argparse.Namespace) -> None:
    """Refuse to make an empty store for a decision: a mistyped path would lose it."""
    if not arguments.store.exists():
        raise UserError(f"There is no store at {arguments.store}; check --store, or ingest logs into it first.")
