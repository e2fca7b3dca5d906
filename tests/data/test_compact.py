"""Vacuum gives room back and changes nothing else."""

from pathlib import Path

import pytest

from data.compact import vacuum_store
from data.errors import UserError
from data.ingest import ingest_logs
from data.tables import COUNTED_TABLES
from data.verify import verify_store
from data.warehouse import open_store

ROWS = [{"arrived_utc": "2026-11-01", "prompt_tok": 5, "output_tok": 1}]


def tables(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with open_store(path) as store:
        return {
            name: store.con.execute(f"SELECT * FROM {name} ORDER BY ALL").fetchall() for name in COUNTED_TABLES
        }


@pytest.fixture
def filled(tmp_path: Path, write_csv, now) -> Path:
    path = tmp_path / "s.duckdb"
    with open_store(path, write=True, now=now) as store:
        ingest_logs(store, [write_csv("a.csv", ROWS)], now=now)
    return path


def test_what_nobody_names_is_counted_and_gone(filled: Path, now):
    lake = filled.with_name("s.lake")
    before = tables(filled)
    (lake / "requests" / "2026-11-01" / "stray.parquet").write_bytes(bytes(1_000))
    (lake / ".staging").mkdir()
    (lake / ".staging" / "half").write_bytes(bytes(300))
    (lake / ".tmp").mkdir(exist_ok=True)
    (lake / ".tmp" / "spilled").write_bytes(bytes(20))
    filled.with_name("s.duckdb.fresh").write_bytes(bytes(4))

    won = vacuum_store(filled, now=now)

    assert (won.unnamed_bytes, won.temporary_bytes) == (1_000, 324)
    assert won.total_bytes == 1_324 + won.database_bytes
    assert tables(filled) == before
    assert verify_store(filled) == ()
    assert sorted(path.name for path in lake.iterdir()) == ["generation.json", "kept", "requests"]


def test_the_holes_in_the_database_are_given_back(filled: Path, now):
    with open_store(filled, write=True, now=now) as store:
        store.con.execute("CREATE TABLE big AS SELECT hash(range) AS a FROM range(1_000_000)")
        store.con.execute("CREATE TABLE behind AS SELECT hash(range) AS a FROM range(100_000)")
        store.con.execute("CHECKPOINT")
        store.con.execute("DROP TABLE big")
    before_bytes, before = filled.stat().st_size, tables(filled)

    won = vacuum_store(filled, now=now)

    assert won.database_bytes == before_bytes - filled.stat().st_size > 5_000_000
    assert tables(filled) == before
    assert verify_store(filled) == ()


def test_a_store_without_holes_is_left_as_it_is(filled: Path, now):
    vacuum_store(filled, now=now)
    assert vacuum_store(filled, now=now).total_bytes == 0


def test_a_missing_store_is_not_made(tmp_path: Path, now):
    with pytest.raises(UserError, match="There is no store"):
        vacuum_store(tmp_path / "none.duckdb", now=now)
    assert list(tmp_path.iterdir()) == []
