"""The run table: what was planned, from which inputs, and whether it ended well."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import duckdb

ROOMS = ("data", "forecasting", "sizing", "reports", "flows")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One row of the run table."""

    run_id: str
    kind: Literal["plan", "ingest", "replay"]
    as_of: date
    revision: int
    input_digest: str


def code_digest() -> str:
    """Return the sha256 of our own sources: the version that an input digest rests on, edits included."""
    root = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256(version("fleetcast").encode())
    for room in ROOMS:
        for path in sorted((root / room).rglob("*")):
            if path.suffix in {".py", ".sql", ".toml", ".j2", ".css"}:
                digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def input_digest(parts: Mapping[str, str]) -> str:
    """Return the sha256 of everything that a result depends on; the same digest means the same result."""
    return hashlib.sha256(json.dumps(dict(parts), sort_keys=True).encode()).hexdigest()


def finished_run(con: duckdb.DuckDBPyConnection, *, kind: str, digest: str) -> Path | None:
    """Return the folder of an earlier run with the same inputs that ended well, or None."""
    row = con.execute(
        "SELECT out_dir FROM run WHERE kind = $kind AND input_digest = $digest AND status = 'done'"
        " ORDER BY finished_utc DESC LIMIT 1",
        {"kind": kind, "digest": digest},
    ).fetchone()
    return Path(row[0]) if row and row[0] else None


def begin_run(
    con: duckdb.DuckDBPyConnection,
    *,
    kind: Literal["plan", "ingest", "replay"],
    as_of: date,
    digest: str,
    now: datetime,
) -> Run:
    """Add a running row; the caller holds the store, so rows still running belong to runs that died."""
    con.execute(
        "UPDATE run SET status = 'failed', finished_utc = $now, error = 'the process ended before the run did'"
        " WHERE status = 'running' AND kind = $kind",
        {"now": now, "kind": kind},
    )
    before = con.execute(
        "SELECT count(*) FROM run WHERE kind = $kind AND as_of = $as_of", {"kind": kind, "as_of": as_of}
    ).fetchone()
    revision = 1 + (before[0] if before else 0)
    run_id = f"{kind}-{as_of:%Y%m%d}-{revision}-{digest[:8]}"
    con.execute(
        "INSERT INTO run (run_id, kind, as_of, revision, input_digest, status, started_utc)"
        " VALUES ($run_id, $kind, $as_of, $revision, $digest, 'running', $now)",
        {"run_id": run_id, "kind": kind, "as_of": as_of, "revision": revision, "digest": digest, "now": now},
    )
    return Run(run_id=run_id, kind=kind, as_of=as_of, revision=revision, input_digest=digest)


def end_run(
    con: duckdb.DuckDBPyConnection, run: Run, *, now: datetime, out_dir: Path | None, error: str | None = None
) -> None:
    """Say how a run ended: done with its folder, or failed with the error's sentence."""
    con.execute(
        "UPDATE run SET status = $status, finished_utc = $now, out_dir = $out_dir, error = $error"
        " WHERE run_id = $run_id",
        {
            "status": "failed" if error else "done",
            "now": now,
            "out_dir": str(out_dir) if out_dir else None,
            "error": error,
            "run_id": run.run_id,
        },
    )
