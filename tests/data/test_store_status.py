"""Status: what a store holds by source, and who writes to it."""

import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from data.errors import UserError
from data.ingest import ingest_logs
from data.lock import hold_lock
from data.store_status import SourceStatus, store_status
from data.warehouse import open_store


def rows_of(day: int, ids: str, tok: int = 10) -> list[dict[str, object]]:
    return [
        {"request_id": i, "arrived_utc": f"2026-11-{day:02}T06:00:0{n}Z", "prompt_tok": tok, "output_tok": 1}
        for n, i in enumerate(ids)
    ]


def test_each_source_is_counted_with_its_days_rows_duplicates_and_span(tmp_path: Path, write_csv, now):
    path = tmp_path / "s.duckdb"
    with open_store(path, write=True, now=now) as store:
        ingest_logs(store, [write_csv("a.csv", [*rows_of(1, "abc"), *rows_of(2, "d")])], now=now, label="chat")
        ingest_logs(
            store, [write_csv("b.csv", [*rows_of(2, "dd"), *rows_of(3, "e", tok=-1)])], now=now, label="chat"
        )
        store.con.execute("INSERT INTO run VALUES ('r', 'plan', NULL, 1, 'd', 'done', now(), now(), NULL, NULL)")

    status = store_status(path)

    (chat,) = status.sources
    assert chat == SourceStatus(
        label="chat",
        kind="requests",
        files=2,
        days=2,
        rows=4,
        duplicates=2,
        rejected=1,
        size_bytes=sum(part.stat().st_size for part in (tmp_path / "s.lake").glob("requests/*/*")),
        first_utc=datetime(2026, 11, 1, 6, tzinfo=UTC),
        last_utc=datetime(2026, 11, 2, 6, 0, 1, tzinfo=UTC),
    )
    assert (status.holder, status.runs, status.last_run) == (None, 1, "r: done")
    assert status.database_bytes == path.stat().st_size
    assert status.generation == 3  # made, and two ingests


def test_who_writes_is_said(tmp_path: Path, now):
    path = tmp_path / "s.duckdb"
    with open_store(path, write=True, now=now):
        pass
    with hold_lock(path, now):
        assert store_status(path).holder.host == socket.gethostname()


def test_an_empty_store_and_a_missing_one(store, tmp_path: Path):
    with pytest.raises(UserError, match="There is no store"):
        store_status(tmp_path / "none.duckdb")
