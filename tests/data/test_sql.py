"""A query's test is a folder: sql/<query>/<case>/ holds requests.csv and the rows that it must give."""

from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import pandas as pd
import pytest

from data.frames import frame
from data.ingest import ingest_logs
from data.tables import COUNTED_TABLES
from data.warehouse import query

CASES = sorted(path.parent for path in (Path(__file__).parent / "sql").glob("*/*/requests.csv"))
ASKED = {
    "label": None,
    "model": None,
    "region": None,
    "team": None,
    "since": datetime(2000, 1, 1, tzinfo=UTC),
    "until": datetime(2100, 1, 1, tzinfo=UTC),
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.name}")
def test_a_query_gives_the_rows_of_its_case(case: Path, store, now):
    ingest_logs(store, [case / "requests.csv"], now=now, label="case", max_rejected_share=0.0)
    expect = pd.read_csv(case / "expect.csv")
    times = [name for name in expect.columns if name.endswith("_utc")]
    expect[times] = expect[times].astype("datetime64[ns]")

    if case.parent.name in COUNTED_TABLES:
        found = frame(store.con, f"SELECT * FROM {case.parent.name}")
    else:
        store.con.execute(query("matched_minutes"), ASKED)
        sql = query(case.parent.name)
        found = frame(store.con, sql, {name: value for name, value in ASKED.items() if f"${name}" in sql})

    order = list(expect.columns)
    pd.testing.assert_frame_equal(
        found[order].sort_values(order, ignore_index=True),
        expect.sort_values(order, ignore_index=True),
        check_dtype=False,
    )


@pytest.mark.parametrize(
    "name", sorted(path.name for path in files("data.sql").iterdir() if path.name.endswith(".sql"))
)
def test_a_query_says_first_what_one_row_is(name: str):
    first = (files("data.sql") / name).read_text("utf-8").splitlines()[0]

    assert first.startswith("-- ")
