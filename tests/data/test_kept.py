"""Copies of what the lake cannot give: whole before a commit, named right after, gone when it fails."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from data.ingest import ingest_logs
from data.kept import damaged_copies, fingerprint, kept_path, prepare_copies, publish_copies, read_kept
from data.warehouse import open_store, settle, transaction

ROWS = [{"arrived_utc": f"2026-11-01T00:00:{n:02}Z", "prompt_tok": n - 1, "output_tok": 1} for n in range(30)]


def copied_rows(lake: Path, table: str) -> int:
    copies = read_kept(lake).copies
    return pq.read_metadata(lake / copies[table].path).num_rows if table in copies else 0


def test_after_every_change_the_copies_have_the_rows_of_their_tables(store, write_csv, now):
    ingest_logs(store, [write_csv("a.csv", ROWS)], now=now)

    for table, rows in (("file_manifest", 1), ("slice_manifest", 1), ("rejected_rows", 1), ("run", 0)):
        assert copied_rows(store.lake, table) == rows
    assert len(list((store.lake / "kept").iterdir())) == 3


def test_runs_are_copied_when_the_store_is_closed(tmp_path, now):
    path = tmp_path / "s.duckdb"
    with open_store(path, write=True, now=now) as store:
        store.con.execute("INSERT INTO run VALUES ('r', 'plan', NULL, 1, 'd', 'done', now(), now(), NULL, NULL)")

    assert copied_rows(tmp_path / "s.lake", "run") == 1


def test_a_table_that_did_not_change_is_not_copied_again(store, write_csv, now):
    ingest_logs(store, [write_csv("a.csv", ROWS)], now=now)
    before = read_kept(store.lake)
    stamps = {path.name: path.stat().st_mtime_ns for path in (store.lake / "kept").iterdir()}

    settle(store)
    assert read_kept(store.lake) == before
    assert {path.name: path.stat().st_mtime_ns for path in (store.lake / "kept").iterdir()} == stamps

    ingest_logs(store, [write_csv("b.csv", ROWS[1:])], now=now)
    assert read_kept(store.lake).copies["rejected_rows"] == before.copies["rejected_rows"]
    assert read_kept(store.lake).copies["file_manifest"] != before.copies["file_manifest"]


def test_a_change_that_fails_leaves_the_old_copies_named_and_no_other(store, write_csv, now):
    ingest_logs(store, [write_csv("a.csv", ROWS)], now=now)
    before = (read_kept(store.lake), sorted((store.lake / "kept").iterdir()))

    def fail() -> None:
        with transaction(store):
            store.con.execute("DELETE FROM rejected_rows")
            prepare_copies(store.con, store.lake, 99)  # written, never named
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert (read_kept(store.lake), sorted((store.lake / "kept").iterdir())) == before


def test_prepared_copies_are_seen_when_they_are_published_and_not_before(store, write_csv, now):
    ingest_logs(store, [write_csv("a.csv", ROWS)], now=now)
    store.con.execute("DELETE FROM rejected_rows")
    before = read_kept(store.lake)

    prepared = prepare_copies(store.con, store.lake, before.generation)
    assert read_kept(store.lake) == before

    publish_copies(store.lake, prepared)
    assert "rejected_rows" not in read_kept(store.lake).copies


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"generation": "x"}', '{"generation": 1, "tables": 5}'])
def test_a_file_that_is_damaged_says_nothing(tmp_path, content):
    kept_path(tmp_path).write_text(content)
    assert read_kept(tmp_path) is None
    assert read_kept(tmp_path / "none") is None


def test_a_file_of_before_there_were_copies_has_a_generation_alone(tmp_path):
    kept_path(tmp_path).write_text(json.dumps({"generation": 7}))
    assert (read_kept(tmp_path).generation, read_kept(tmp_path).copies) == (7, None)


def test_missing_and_altered_copies_are_told_apart(store, write_csv, now):
    ingest_logs(store, [write_csv("a.csv", ROWS)], now=now)
    kept = read_kept(store.lake)
    assert damaged_copies(store.lake, kept) == []

    (store.lake / kept.copies["file_manifest"].path).unlink()
    altered = store.lake / kept.copies["slice_manifest"].path
    altered.write_bytes(altered.read_bytes()[:-1] + b"?")

    assert sorted((table, "is missing" in what) for table, what in damaged_copies(store.lake, kept)) == [
        ("file_manifest", True),
        ("slice_manifest", False),
    ]


def test_a_fingerprint_changes_with_any_value_and_not_with_the_order(store):
    def of(*rows: str) -> tuple[int, str]:
        return fingerprint(store.con, f"SELECT * FROM (VALUES {', '.join(rows)}) AS t(a, b)")

    assert of("(1, 'x')", "(2, NULL)") == of("(2, NULL)", "(1, 'x')")
    assert of("(1, 'x')", "(2, NULL)") != of("(1, 'x')", "(2, '')")
    assert of("(1, 'x')", "(1, 'x')") != of("(3, 'x')", "(3, 'x')")  # pairs do not cancel out
