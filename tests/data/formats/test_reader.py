import csv
import io
import unicodedata
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.errors import UserError
from data.formats import lines
from data.formats.reader import exact_relation, exact_rows, fast_relation
from data.formats.sample import look_at

CELL = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=12) | st.sampled_from(
    ["a\nb", '"', ",", "'"]
)

SPACES = "".join(c for c in map(chr, range(0x110000)) if unicodedata.category(c) == "Zs")
"""What trim takes away."""


def fast(path: Path, reads: dict[str, str]) -> list[tuple]:
    relation = fast_relation(look_at(path), reads)
    with duckdb.connect() as con:
        return con.execute(
            f"SELECT * EXCLUDE (line, malformed) FROM ({relation.sql})", relation.parameters
        ).fetchall()


def exact(path: Path, reads: dict[str, str]) -> list[tuple]:
    sample = look_at(path)
    relation = exact_relation(sample, reads, "here")
    with duckdb.connect() as con:
        con.register("here", exact_rows(sample))
        return con.execute(f"SELECT * FROM ({relation.sql}) ORDER BY line", relation.parameters).fetchall()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(CELL, CELL), min_size=1, max_size=8))
def test_both_readers_see_the_same_cells(tmp_path: Path, rows: list[tuple[str, str]]):
    path = tmp_path / "x.csv"
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([("first one", "b"), *rows])
    path.write_text(text.getvalue(), "utf-8", newline="")
    reads = {"first": "first one", "second": "b"}

    found = exact(path, reads)

    assert sorted(fast(path, reads), key=repr) == sorted((row[2:] for row in found), key=repr)
    assert [row[2:] for row in found] == [tuple(cell.strip(SPACES) or None for cell in row) for row in rows]


def test_lines_are_counted_through_quoted_breaks_and_empty_lines(tmp_path: Path):
    path = tmp_path / "x.csv"
    path.write_text('a,b\n1,"two\nlines"\n\n3,4\n5\n6,7\n')

    assert exact(path, {"a": "a"}) == [
        (2, None, "1"),
        (5, None, "3"),
        (6, "1 columns instead of 2", None),
        (7, None, "6"),
    ]


def test_json_lines_are_counted_and_missing_paths_are_null(tmp_path: Path):
    path = tmp_path / "x.jsonl"
    path.write_text('{"a": {"b": 1}}\n\n{"a": 2}\n{"a"\n{"a": {"b": "x"}}')

    assert exact(path, {"b": "a.b"}) == [
        (1, None, "1"),
        (3, None, None),
        (4, "not valid JSON", None),
        (5, None, "x"),
    ]


def test_keys_are_never_read_as_wildcards(tmp_path: Path):
    path = tmp_path / "x.jsonl"
    path.write_text('{"*": 1, "a[0]": 2, "q\\"q": 3, "s/t~u": {"$": 4}}\n')

    assert fast(path, {"one": "*", "two": "a[0]", "three": 'q"q', "four": "s/t~u.$"}) == [("1", "2", "3", "4")]


def test_a_line_longer_than_the_bound_is_malformed_and_the_next_one_is_read(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(lines, "MAX_LINE_BYTES", 100)
    path = tmp_path / "x.jsonl"
    path.write_text('{"a": 1}\n' + f'{{"a": "{"x" * 350}"}}\n' + '{"a": 3}\n')

    assert exact(path, {"a": "a"}) == [
        (1, None, "1"),
        (2, "line longer than 100 bytes", None),
        (3, None, "3"),
    ]


def test_a_packed_file_that_ends_too_early_says_so_in_its_last_line(tmp_path: Path):
    import gzip

    path = tmp_path / "x.jsonl.gz"
    packed = gzip.compress(b"".join(b'{"a": %d}\n' % n for n in range(20_000)), mtime=0)
    path.write_bytes(packed[: len(packed) // 2])

    rows = exact(path, {"a": "a"})

    assert rows[0] == (1, None, "0")
    assert "cannot be read" in rows[-1][1]
    assert len(rows) > 1_000


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_line_ends_of_either_kind_are_read(tmp_path: Path, ending: str):
    path = tmp_path / "x.csv"
    path.write_bytes(ending.join(["a,b", "1,2", "3,4", ""]).encode())

    assert fast(path, {"b": "b"}) == [("2",), ("4",)]
    assert [row[2] for row in exact(path, {"b": "b"})] == ["2", "4"]


def test_columns_that_may_be_missing_are_null_and_others_are_named(tmp_path: Path):
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n")
    sample = look_at(path)
    relation = fast_relation(sample, {"a": "a", "c": "c.d"}, optional={"c"})

    with duckdb.connect() as con:
        assert con.execute(f"SELECT a, c FROM ({relation.sql})", relation.parameters).fetchall() == [("1", None)]
    with pytest.raises(UserError, match=r"has no column 'c\.d'"):
        fast_relation(sample, {"a": "a", "c": "c.d"})


def test_lines_without_columns_are_taken_apart_by_the_groups_of_a_pattern(tmp_path: Path):
    path = tmp_path / "x"
    path.write_text("INFO 11-01 06:00:00 [x] a=1 b=\nINFO 11-01 06:00:00 [x] nothing\n")
    sample, reads, pattern = look_at(path), {"a": "first", "b": "second"}, r"a=(\w*) b=(\w*)"
    quick = fast_relation(sample, reads, pattern=pattern)
    slow = exact_relation(sample, reads, "here", pattern=pattern)

    with duckdb.connect() as con:
        con.register("here", exact_rows(sample))
        found = con.execute(f"SELECT a, b FROM ({quick.sql})", quick.parameters).fetchall()
        assert con.execute(f"SELECT line, a, b FROM ({slow.sql}) ORDER BY line", slow.parameters).fetchall() == [
            (1, "1", None),
            (2, None, None),
        ]
    assert set(found) == {("1", None), (None, None)}


def test_a_log_of_plain_lines_has_no_columns_to_map(tmp_path: Path):
    path = tmp_path / "x"
    path.write_text("INFO 11-01 06:00:00 [x] a=1 b=\n")

    with pytest.raises(UserError, match="log of plain lines"):
        fast_relation(look_at(path), {"a": "a"})
