"""Text row by row: every line is counted, and what is wrong with one row costs that row."""

import gzip
from pathlib import Path

import pytest

from data.formats import lines
from data.formats.lines import NOT_TEXT, text_rows
from data.formats.sample import look_at


def rows(path: Path) -> list[tuple[object, ...]]:
    sample = look_at(path)
    names = tuple(f"c{i}" for i in range(len(sample.columns))) if sample.kind == "csv" else ("doc",)
    return [tuple(row.values()) for batch in text_rows(sample, names) for row in batch.to_pylist()]


def wrote(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_line_ends_may_be_any_and_may_change(tmp_path: Path, end: bytes):
    content = b"a,b\n1,2" + end + b"3,4\r\n5,6\n7,8"
    assert rows(wrote(tmp_path / "x.csv", content)) == [
        (n + 2, None, *pair) for n, pair in enumerate((("1", "2"), ("3", "4"), ("5", "6"), ("7", "8")))
    ]


OPEN = b'a,b\n1,2\n"9\n9",9\n3,"4\n5,6\n7,8\n'


def test_a_quote_that_is_never_closed_costs_one_row(tmp_path: Path):
    assert rows(wrote(tmp_path / "x.csv", OPEN)) == [
        (2, None, "1", "2"),
        (3, None, "9\n9", "9"),
        (5, "a quote is opened and not closed", None, None),
        (6, None, "5", "6"),
        (7, None, "7", "8"),
    ]


def test_only_so_much_of_a_file_is_read_twice(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(lines, "_RECOVERED_CHARS", 0)
    assert rows(wrote(tmp_path / "x.csv", OPEN))[2:] == [(5, "a quote is opened and not closed", None, None)]


def test_the_header_again_is_no_row_and_more_columns_than_it_are_wrong_unless_empty(tmp_path: Path):
    content = b"\n\na,b\n1,2\na,b\n3,4,,\n5,6,7\n"
    assert rows(wrote(tmp_path / "x.csv", content)) == [
        (4, None, "1", "2"),
        (5, "the header again", None, None),
        (6, None, "3", "4"),
        (7, "3 columns instead of 2", None, None),
    ]


def test_bytes_that_are_not_utf8_mark_their_cell_and_no_other(tmp_path: Path):
    content = b"a,b\ncaf\xe9,2\n\xf0\x9f\x99\x82,\xef\xbf\xbd\n"
    assert rows(wrote(tmp_path / "x.csv", content)) == [(2, None, NOT_TEXT, "2"), (3, None, "\U0001f642", "�")]
    content = b'{"a": 1}\n{"a": "caf\xe9"}\n'
    assert rows(wrote(tmp_path / "x.jsonl", content))[1] == (2, "not UTF-8 text", None)


def test_the_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path):
    path = wrote(tmp_path / "x.csv", b"\xef\xbb\xbfa,b\n1,2\n")
    assert look_at(path).columns == ("a", "b")
    assert rows(path) == [(2, None, "1", "2")]


def test_lines_are_bounded_and_so_is_a_batch(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(lines, "MAX_LINE_BYTES", 1_000)
    monkeypatch.setattr(lines, "_BATCH_CHARS", 2_500)
    path = tmp_path / "x.csv"
    wrote(path, b"a,b\n" + b"".join(b"%s,2\n" % (b"x" * n) for n in (900, 5_000, 900, 900, 900)))
    sample = look_at(path)

    batches = list(text_rows(sample, ("a", "b")))

    assert [batch.num_rows for batch in batches] == [4, 1]
    found = [row["malformed"] for batch in batches for row in batch.to_pylist()]
    assert found == [None, "line longer than 1,000 bytes", None, None, None]


def test_a_packed_file_that_is_cut_off_is_read_up_to_there(tmp_path: Path):
    packed = gzip.compress(b"a,b\n" + b"".join(b"%d,2\n" % n for n in range(50_000)), mtime=0)
    found = rows(wrote(tmp_path / "x.csv.gz", packed[:-20_000]))

    assert len(found) > 10_000
    assert [row[1] for row in found[:-1]] == [None] * (len(found) - 1)
    assert str(found[-1][1]).startswith("cannot be read: ")
    assert found[-1][0] == len(found) + 1
