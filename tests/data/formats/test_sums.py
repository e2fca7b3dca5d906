from datetime import UTC, datetime

import duckdb
import pandas as pd
import pytest

from data.formats.sums import span_of, total_of


@pytest.mark.parametrize(
    ("first", "second", "total"),
    [("1", "2", "3.0"), ("1", None, "1.0"), (None, "2", None), ("1", "x", "no number"), ("x", "2", "no number")],
)
def test_a_total_is_unknown_without_its_first_part_and_no_number_with_a_bad_one(first, second, total):
    sql = f"SELECT {total_of('a', ['b'])} FROM (SELECT CAST($a AS VARCHAR) AS a, CAST($b AS VARCHAR) AS b)"

    assert duckdb.execute(sql, {"a": first, "b": second}).fetchall() == [(total,)]


def test_a_span_ends_where_the_last_window_does():
    start = pd.Timestamp("2026-11-01")
    buckets = pd.DataFrame({"bucket_utc": [start, start + pd.Timedelta("1h")], "bucket_s": [3600, 600]})

    assert span_of(buckets) == (datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 1, 1, 10, tzinfo=UTC))
    assert span_of(buckets.iloc[:0]) == (None, None)
