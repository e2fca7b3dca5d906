from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest

from data.formats.pieces import (
    before,
    columns_of,
    counted,
    divided,
    moment,
    moment_ns,
    older_version,
    span_s,
    total,
)


def value(sql: str, **cells: str | None) -> Any:
    """Return what an expression comes to over cells of text."""
    columns = ", ".join(f"CAST(${name} AS VARCHAR) AS {name}" for name in cells)
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        return con.execute(f"SELECT {sql} FROM (SELECT {columns})", cells).fetchone()[0]


def test_an_offset_is_honoured_and_no_offset_is_utc():
    assert value(moment("t"), t="2026-11-01 07:00:00+01:00") == datetime(2026, 11, 1, 6, tzinfo=UTC)
    assert value(moment("t"), t="2026-11-01 06:00:00") == datetime(2026, 11, 1, 6, tzinfo=UTC)
    assert value(moment("t"), t="soon") is None


def test_nanoseconds_lose_no_microsecond():
    assert value(moment_ns("t"), t="1793512800123456789") == datetime(2026, 11, 1, 6, 0, 0, 123_456, tzinfo=UTC)
    assert value(moment_ns("t"), t="-1") is None
    assert value(moment_ns("t"), t="1e30") is None


def test_an_arrival_lies_before_its_completion_and_is_unknown_without_the_time_that_it_took():
    end = datetime(2026, 11, 1, 6, tzinfo=UTC)

    assert value(before(moment("t"), "s"), t="2026-11-01 06:00:00", s="0.25") == end - timedelta(seconds=0.25)
    assert value(before(moment("t"), "s"), t="2026-11-01 06:00:00", s=None) is None


def test_spans_and_other_units():
    first, last = moment("a"), moment("b")

    assert value(span_s(first, last), a="2026-11-01 06:00:00.5", b="2026-11-01 06:00:02") == 1.5
    assert value(divided("ms", 1e3), ms="415") == 0.415


@pytest.mark.parametrize(
    ("prompt", "output", "kept"), [("0", "0", None), (None, "0", None), ("0", "5", "0"), ("7", "0", "7")]
)
def test_counts_are_unknown_only_where_all_of_them_are_zero_or_missing(prompt, output, kept):
    assert value(counted("p", "p", "o"), p=prompt, o=output) == kept


def test_a_count_that_is_no_number_is_left_to_be_rejected():
    assert value(counted("p", "p", "o"), p="many", o="0") == "many"


def test_disjoint_parts_are_added_and_one_that_is_no_number_spoils_the_sum():
    assert value(total("a", "b", "c"), a="816", b="1024", c="50") == 1890
    assert value(total("a", "b", "c"), a="816", b=None, c=None) == 816
    assert value(total("a", "b"), a=None, b="5") is None
    assert value(f"isnan({total('a', 'b')})", a="1", b="x") is True


def test_only_the_newest_version_of_a_row_is_not_an_older_one():
    rows = "(VALUES ('a', 1), ('a', 3), ('a', 2), ('b', 1), ('c', NULL), ('c', NULL)) AS rows(id, v)"
    with duckdb.connect() as con:
        found = con.execute(f"SELECT id, v, {older_version('id', 'v')} FROM {rows} ORDER BY id, v").fetchall()

    assert [row[2] for row in found] == [True, True, False, False, False, False]


def test_columns_are_listed_by_the_names_of_the_source():
    assert columns_of({"ours": "theirs"}) == {"theirs": "ours"}
