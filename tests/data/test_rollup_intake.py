import importlib.util
import json
import shutil
from pathlib import Path

import duckdb
import pytest

from data.errors import UserError
from data.ingest import ingest_logs
from data.rebuild import rebuild_store
from data.rollup_duckdb import roll_up_parquet
from data.rollup_intake import take_rollup
from data.warehouse import open_store

_spec = importlib.util.spec_from_file_location("mixed_requests", Path(__file__).with_name("mixed_requests.py"))
mixed_requests = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(mixed_requests)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("rollup")
    mixed_requests.write_mixed_requests(folder / "in", rows=600)
    roll_up_parquet(str(folder / "in"), folder / "out", max_rejected_share=1.0)
    return folder / "out"


@pytest.fixture
def rollup(made, tmp_path) -> Path:
    return shutil.copytree(made, tmp_path / "rollup")


def sums(store) -> list:
    return store.con.execute(
        "SELECT source_label, CAST(minute_utc AS DATE), sum(requests), sum(prompt_tok_sum) FROM rollup_minute"
        " GROUP BY ALL ORDER BY ALL"
    ).fetchall()


def change(folder: Path, table: str, select: str) -> None:
    """Write a table anew, as another query gives it, and a manifest that promises nothing of rows."""
    path = folder / f"{table}.parquet"
    duckdb.execute(f"COPY (SELECT {select} FROM read_parquet('{path}')) TO '{path}.new' (FORMAT parquet)")
    Path(f"{path}.new").replace(path)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "tables": None}))


def test_a_rollup_comes_in_once(store, rollup, now):
    taken = take_rollup(store, rollup, now=now)
    before = sums(store)
    again = take_rollup(store, rollup, now=now)

    assert (taken.status, again.status) == ("done", "unchanged")
    assert sums(store) == before
    assert sum(row[2] for row in before) == taken.requests
    found = store.con.execute("SELECT DISTINCT format, status, rows_new > 0 FROM file_manifest").fetchall()
    assert found == [("rollup", "done", True)]


def test_a_rebuild_gives_the_rolled_up_days_back(tmp_path, rollup, now):
    path = tmp_path / "own.duckdb"
    with open_store(path, write=True, now=now) as store:
        take_rollup(store, rollup, now=now)
        before = sums(store)
    rebuild_store(path, now=now)
    with open_store(path) as store:
        assert sums(store) == before


def test_the_newest_rollup_of_a_day_counts_and_other_days_stay(store, rollup, tmp_path, now):
    take_rollup(store, rollup, now=now)
    days = {(label, day): requests for label, day, requests, _ in sums(store)}
    duckdb.execute("SET TimeZone = 'UTC'")
    log = tmp_path / "late.parquet"
    duckdb.execute(
        "COPY (SELECT 'chat' AS source_label, TIMESTAMPTZ '2026-03-29 12:00:00+00' AS arrived_utc,"
        f" 7 AS prompt_tok, 1 AS output_tok) TO '{log}'"
    )
    roll_up_parquet(str(log), tmp_path / "late")
    take_rollup(store, tmp_path / "late", now=now)

    after = {(label, day): requests for label, day, requests, _ in sums(store)}
    changed = {key for key in days if after.get(key) != days[key]}
    assert {(label, day.isoformat()) for label, day in changed} == {("chat", "2026-03-29")}
    assert [after[key] for key in changed] == [1]
    assert take_rollup(store, rollup, now=now).status == "done"  # the older again is the newest now
    assert {(label, day): requests for label, day, requests, _ in sums(store)} == days


def test_days_cannot_come_both_as_requests_and_as_a_rollup(store, rollup, write_csv, now):
    log = write_csv("log.csv", [{"arrived_utc": "2026-03-29T12:00:00Z", "prompt_tok": 1, "output_tok": 1}])
    ingest_logs(store, [log], now=now, label="chat")
    with pytest.raises(UserError, match=r"covers 2026-03-29 of the label 'chat', which .*log.csv already covers"):
        take_rollup(store, rollup, now=now)
    assert store.con.execute("SELECT sum(requests) FROM rollup_minute").fetchall() == [(1,)]


def test_requests_of_a_rolled_up_day_are_refused_and_those_of_others_are_not(store, rollup, write_csv, now):
    take_rollup(store, rollup, now=now)
    before = sums(store)
    row = {"arrived_utc": "2026-03-29T12:00:00Z", "prompt_tok": 1, "output_tok": 1}
    with pytest.raises(
        UserError, match=r"requests on 2026-03-29, which a rollup already covers .*'chat'; give it"
    ):
        ingest_logs(store, [write_csv("log.csv", [row])], now=now, label="chat")
    assert sums(store) == before

    ingest_logs(
        store, [write_csv("log.csv", [{**row, "arrived_utc": "2026-04-02T00:00:00Z"}])], now=now, label="chat"
    )
    fine = "SELECT count(DISTINCT CAST(window_utc AS DATE)) FROM rollup_10s WHERE source_label = 'chat'"
    assert store.con.execute(fine).fetchall() == [(4,)]  # the rolled-up days keep their 10-s rows


WRONG = [
    ("rollup_minute", "* REPLACE (requests + 1 AS requests)", "rollup_minute of .* adds up to .* requests on"),
    ("rollup_10s", "* REPLACE (requests + 1 AS requests)", "rollup_10s of .* adds up to .* requests on"),
    (
        "joint_histogram_daily",
        "* REPLACE (requests + 1 AS requests)",
        "joint_histogram_daily .* token_requests",
    ),
    ("token_histogram_daily", "* REPLACE (requests * 2 AS requests)", "token_histogram_daily .* instead of"),
    ("token_histogram_daily", "* REPLACE (2 AS bucket)", "cannot be right .bucket NOT IN"),
    ("token_histogram_daily", "* REPLACE ('tags' AS field)", "cannot be right .field NOT IN"),
    ("rollup_minute", "* REPLACE ('ok' AS status_class)", "cannot be right .status_class NOT IN"),
    ("rollup_minute", "* REPLACE (NULL AS source_label)", "cannot be right .source_label IS NULL"),
    ("rollup_minute", "* REPLACE (-1.0 AS output_tok_sum)", "cannot be right .output_tok_sum < 0"),
    (
        "rollup_minute",
        "* EXCLUDE (output_tok_sum)",
        "table rollup_minute of .* is not as docs/scale.md",
    ),
    (
        "rollup_minute",
        "* REPLACE ('x' AS requests)",
        "table rollup_minute of .* is not as docs/scale.md",
    ),
    ("rollup_days", "* REPLACE (requests + 1 AS requests)", "manifest.json and rollup_days do not agree on"),
]


@pytest.mark.parametrize(("table", "select", "sentence"), WRONG)
def test_a_rollup_that_does_not_add_up_changes_nothing(store, rollup, now, table, select, sentence):
    change(rollup, table, select)

    with pytest.raises(UserError, match=sentence):
        take_rollup(store, rollup, now=now)
    assert store.con.execute("SELECT count(*) FROM rollup_minute").fetchall() == [(0,)]
    assert store.con.execute("SELECT count(*) FROM file_manifest").fetchall() == [(0,)]


def test_a_table_cut_short_in_copying_is_seen_by_its_rows(store, rollup, now):
    text = (rollup / "manifest.json").read_text()
    change(rollup, "long_requests_daily", "* REPLACE (requests AS requests)")
    path = rollup / "long_requests_daily.parquet"
    duckdb.execute(f"COPY (FROM read_parquet('{path}') LIMIT 1) TO '{path}' (FORMAT parquet)")
    (rollup / "manifest.json").write_text(text)

    with pytest.raises(UserError, match="1 rows of long_requests_daily instead of the"):
        take_rollup(store, rollup, now=now)


def test_a_warehouse_s_short_manifest_is_enough(store, rollup, now):
    (rollup / "manifest.json").write_text('{"schema_version": 1, "engine": "snowflake"}')

    assert take_rollup(store, rollup, now=now).engine == "snowflake"


def test_a_missing_table_is_named(store, rollup, now):
    (rollup / "rollup_10s.parquet").unlink()

    with pytest.raises(UserError, match=r"has no rollup_10s.parquet and no rollup_10s/\*.parquet"):
        take_rollup(store, rollup, now=now)
