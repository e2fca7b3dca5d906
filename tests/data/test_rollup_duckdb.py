import importlib.util
import json
from pathlib import Path

import duckdb
import pytest

from data.dialects import ROLLUP_TABLES
from data.errors import UserError
from data.ingest import ingest_logs
from data.rolled_up import table_files
from data.rollup_duckdb import parquet_files, roll_up_parquet
from data.warehouse import open_store

_spec = importlib.util.spec_from_file_location("mixed_requests", Path(__file__).with_name("mixed_requests.py"))
mixed_requests = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(mixed_requests)


def differing(con: duckdb.DuckDBPyConnection, one: str, other: str) -> int:
    """Return how many rows only one of two relations has; columns go by name."""
    names = ", ".join(row[0] for row in con.execute(f"DESCRIBE FROM {one}").fetchall())
    sides = [f"SELECT {names} FROM {relation}" for relation in (one, other)]
    counts = [f"(SELECT count(*) FROM ({a} EXCEPT ALL {b}))" for a, b in (sides, sides[::-1])]
    return con.execute(f"SELECT {' + '.join(counts)}").fetchall()[0][0]


def test_a_rollup_without_a_store_is_the_store_s_own_to_the_row(tmp_path, now):
    paths = mixed_requests.write_mixed_requests(tmp_path / "in")
    manifest = roll_up_parquet(str(tmp_path / "in"), tmp_path / "out")
    with open_store(tmp_path / "s.duckdb", write=True, now=now) as store:
        for label in ("chat", 'agents, "nightly"'):
            folder = tmp_path / "split" / str(len(label))
            folder.mkdir(parents=True)
            for path in paths:
                store.con.execute(
                    f"COPY (FROM read_parquet('{path}') WHERE source_label = $label) TO '{folder / path.name}'",
                    {"label": label},
                )
            ingest_logs(store, [folder], now=now, label=label)
        for table in ROLLUP_TABLES[:-1]:
            assert differing(store.con, table, f"read_parquet('{tmp_path}/out/{table}.parquet')") == 0, table
        counted = store.con.execute(
            "SELECT sum(rows_read), sum(rows_rejected), sum(rows_duplicate) FROM file_manifest"
        ).fetchall()
    assert counted == [(manifest.rows_read, manifest.rows_rejected, manifest.rows_duplicate)]
    assert manifest.rows_rejected >= 30
    assert manifest.rows_duplicate > 200


def test_a_lake_rolls_up_to_what_its_store_has(tmp_path, now):
    log = tmp_path / "log.csv"
    log.write_text(
        "request_id,arrived_utc,prompt_tok,output_tok\n"
        "a,2026-01-01T00:00:00Z,10,1\na,2026-01-01T00:00:01Z,20,2\n,2026-01-01T23:59:59.999999Z,32001,3\n"
    )
    with open_store(tmp_path / "s.duckdb", write=True, now=now) as store:
        ingest_logs(store, [log], now=now)
    manifest = roll_up_parquet(str(tmp_path / "s.lake" / "requests"), tmp_path / "out")

    assert [(day.source_label, day.requests) for day in manifest.days] == [("log", 2)]
    assert (manifest.rows_read, manifest.rows_duplicate) == (2, 0)  # what the store marked is left out at once


def test_the_manifest_says_what_the_tables_hold(tmp_path):
    mixed_requests.write_mixed_requests(tmp_path / "in", rows=400)
    roll_up_parquet(str(tmp_path / "in" / "*.parquet"), tmp_path / "out", max_rejected_share=1.0)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())

    assert manifest["schema_version"] == 1
    assert manifest["engine"].startswith("duckdb ")
    for table in ROLLUP_TABLES:
        files = table_files(tmp_path / "out", table)
        assert duckdb.execute("SELECT count(*) FROM read_parquet(?)", [files]).fetchall() == [
            (manifest["tables"][table],)
        ]
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ("1 AS prompt_tok, 1 AS output_tok", "has no column 'arrived_utc'"),
        ("'x' AS prompt_tok, 1 AS output_tok, now() AS arrived_utc", "The column 'prompt_tok' of .* is of a type"),
        ("1 AS prompt_tok, 1 AS output_tok, now() AS arrived_utc", "has no column 'source_label'; say .* --label"),
        (
            "-1 AS prompt_tok, 1 AS output_tok, now() AS arrived_utc, 'x' AS source_label",
            "1 of the 1 rows of .* cannot be used",
        ),
    ],
)
def test_an_input_of_no_use_is_refused_and_leaves_nothing(tmp_path, columns, sentence):
    duckdb.execute(f"COPY (SELECT {columns}) TO '{tmp_path}/in.parquet'")

    with pytest.raises(UserError, match=sentence):
        roll_up_parquet(str(tmp_path / "in.parquet"), tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["in.parquet"]


def test_an_empty_input_and_a_taken_output_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"There is no Parquet file in .*; --input takes"):
        parquet_files(str(tmp_path / "*.parquet"))
    duckdb.execute(f"COPY (SELECT 1 AS prompt_tok) TO '{tmp_path}/in.parquet'")
    with pytest.raises(UserError, match="is there already; name another --out"):
        roll_up_parquet(str(tmp_path / "in.parquet"), tmp_path)


def test_a_label_given_counts_for_all_rows(tmp_path):
    mixed_requests.write_mixed_requests(tmp_path / "in", rows=400)
    manifest = roll_up_parquet(str(tmp_path / "in"), tmp_path / "out", label="o'neill", max_rejected_share=1.0)

    assert {day.source_label for day in manifest.days} == {"o'neill"}
