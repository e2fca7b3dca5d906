"""The invariants that every opening checks, and how their way out is written."""

from pathlib import Path

from data.checks import Finding, forget_command, generation_of, rebuild_command, slice_findings, table_findings
from data.kept import Kept

ROWS = [{"arrived_utc": "2026-11-01", "prompt_tok": 5, "output_tok": 1}]


def test_a_way_out_can_be_typed_as_it_stands():
    odd = Path("my store/it's.duckdb")
    assert rebuild_command(odd).endswith("""store rebuild --store 'my store/it'"'"'s.duckdb'""")
    assert forget_command(Path("s.duckdb"), "a.csv").endswith("--store s.duckdb, and then ingest a.csv again")
    assert Finding(what="x is gone", way_out="find it").line == "x is gone; find it"


def test_a_store_as_its_last_commit_left_it_has_no_finding(store):
    kept = Kept(generation=generation_of(store.con), copies=None)
    assert list(table_findings(store.con, store.path, kept)) == []
    assert list(table_findings(store.con, store.path, None)) == []
    assert list(slice_findings(store.con, store.path, store.lake)) == []


def test_rows_that_nobody_promised_and_changes_that_are_gone_are_found(store):
    store.con.execute("INSERT INTO rejected_rows VALUES ('f', 1, 'r', NULL)")
    newer = Kept(generation=generation_of(store.con) + 1, copies=None)

    rows, gone = table_findings(store.con, store.path, newer)

    assert rows.what == "table rejected_rows has 1 rows instead of 0"
    assert gone.what.startswith("its newest changes are gone")


def test_a_slice_that_is_named_and_not_there_is_found(store):
    store.con.execute("INSERT INTO slice_manifest VALUES ('f', '2026-11-01', 'requests/x.parquet', 1, 5, 's', 0)")
    (missing,) = slice_findings(store.con, store.path, store.lake)
    assert missing.what == f"requests/x.parquet is missing in {store.lake}"

    (store.lake / "requests").mkdir()
    (store.lake / "requests" / "x.parquet").write_bytes(b"1234")
    (short,) = slice_findings(store.con, store.path, store.lake)
    assert "has 4 bytes instead of 5" in short.what
