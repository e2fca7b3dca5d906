import duckdb
import numpy as np
import pandas as pd
import pytest

from data.frames import first_row, frame


@pytest.fixture
def con():
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        yield con


def test_what_is_unknown_is_nan_nat_or_none(con):
    rows = frame(
        con,
        "SELECT * FROM (VALUES (TIMESTAMPTZ '2026-11-01 02:00:00+02', DATE '2026-11-01', 1, 1.5, 'a'),"
        " (NULL, NULL, NULL, NULL, NULL)) AS t(moment, day, whole, share, name)",
    )

    assert rows["moment"].tolist() == [pd.Timestamp("2026-11-01"), pd.NaT]
    assert rows["moment"].dtype == rows["day"].dtype == np.dtype("datetime64[ns]")
    assert np.isnan(rows["whole"][1])
    assert np.isnan(rows["share"][1])
    assert rows["name"][1] is None or pd.isna(rows["name"][1])


def test_no_rows_keep_their_columns(con):
    assert list(frame(con, "SELECT 1 AS a, 'x' AS b WHERE false").columns) == ["a", "b"]


def test_a_half_read_result_does_not_stand_in_the_way(con):
    con.execute("SELECT * FROM range(10)").fetchone()

    assert frame(con, "SELECT $n AS n", {"n": 5})["n"].tolist() == [5]
    assert first_row(con, "SELECT 1, 2 UNION ALL SELECT 3, 4 ORDER BY 1") == (1, 2)
    assert first_row(con, "SELECT 1 WHERE false") is None
    con.register("something", pd.DataFrame({"a": [1]}))
