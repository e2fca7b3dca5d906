"""Commitments that somebody decided on: who, when, what, and whether they are in force."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

import duckdb

from data.errors import UserError

Verdict = Literal["accepted", "declined", "withdrawn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitDecision:
    """One verdict on one offer. end_day: the term's last day; run_id: the plan that proposed it, None for none."""

    decision_id: str
    run_id: str | None
    verdict: Verdict
    gpu: str
    gpus: int
    provider: str
    usd_per_gpu_hour: float
    start_day: date
    end_day: date
    decided_by: str
    decided_utc: datetime
    note: str | None = None


def decide(con: duckdb.DuckDBPyConnection, decision: CommitDecision) -> None:
    """Add a verdict. Raises UserError where the same offer was decided on already, or its dates run backwards."""
    if decision.end_day < decision.start_day:
        raise UserError(f"The term ends {decision.end_day}, before it starts {decision.start_day}; exchange them.")
    known = next((d for d in read_decisions(con) if d.decision_id == decision.decision_id), None)
    if known is not None:
        raise UserError(
            f"{known.gpus} x {known.gpu} from {known.start_day} was {known.verdict} by {known.decided_by} on"
            f" {known.decided_utc:%Y-%m-%d} ({known.decision_id}); withdraw that first with:"
            f" fleetcast decide withdraw {known.decision_id}"
        )
    con.execute(
        "INSERT INTO commit_decision VALUES ($decision_id, $run_id, $verdict, $gpu, $gpus, $provider,"
        " $usd_per_gpu_hour, $start_day, $end_day, $decided_by, $decided_utc, $note)",
        {name: getattr(decision, name) for name in CommitDecision.__slots__},
    )


def withdraw(con: duckdb.DuckDBPyConnection, decision_id: str, *, by: str, now: datetime) -> CommitDecision:
    """Take a verdict back, and return it as it was; it stays in the table as withdrawn, by whom and when."""
    open_ones = [d for d in read_decisions(con) if d.verdict != "withdrawn"]
    known = next((d for d in open_ones if d.decision_id == decision_id), None)
    if known is None:
        listed = ", ".join(d.decision_id for d in open_ones) or "none was made"
        raise UserError(f"No decision {decision_id!r} stands; those that do: {listed}.")
    con.execute(
        "UPDATE commit_decision SET verdict = 'withdrawn', decision_id = $kept, decided_by = $by,"
        " decided_utc = $now WHERE decision_id = $id",
        {"id": decision_id, "kept": f"{decision_id}-withdrawn-{now:%Y%m%dT%H%M%S}", "by": by, "now": now},
    )
    return known


def read_decisions(con: duckdb.DuckDBPyConnection) -> list[CommitDecision]:
    """Return every verdict, oldest first; none from a store of before there were any."""
    if not has_table(con, "commit_decision"):
        return []
    names = ", ".join(CommitDecision.__slots__)
    rows = con.execute(f"SELECT {names} FROM commit_decision ORDER BY decided_utc, decision_id").fetchall()  # noqa: S608  # our own names
    return [CommitDecision(**dict(zip(CommitDecision.__slots__, row, strict=True))) for row in rows]


def decision_key(gpu: str, provider: str, start_day: date, end_day: date) -> str:
    """Return the short name of one offer: the same offer has one, so nobody signs it twice unaware."""
    said = f"{gpu}|{provider}|{start_day}|{end_day}"
    return f"{gpu}-{start_day:%Y%m%d}-{hashlib.sha256(said.encode()).hexdigest()[:6]}"


def has_table(con: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Return whether a store that is open for reading has a table: older stores lack the newer ones."""
    row = con.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = $name", {"name": name}).fetchone()
    return bool(row and row[0])
