from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.errors import UserError
from data.formats.sample import look_at, open_text


def test_a_csv_file_is_seen_with_its_delimiter_and_without_its_byte_order_mark(tmp_path: Path):
    path = tmp_path / "x"
    path.write_bytes(b'\xef\xbb\xbfa;b c;"d;e"\r\n1;2;3\r\n')

    sample = look_at(path)

    assert (sample.kind, sample.delimiter, sample.columns) == ("csv", ";", ("a", "b c", "d;e"))


def test_json_lines_are_seen_by_the_keys_of_the_first_object(tmp_path: Path):
    path = tmp_path / "x"
    path.write_text('\n{"broken": \n{"a": 1, "b": {"c": 2}}\n')

    assert look_at(path).columns == ("a", "b")


def test_parquet_is_seen_with_its_types(tmp_path: Path):
    path = tmp_path / "x.csv"
    pq.write_table(pa.table({"a": ["x"], "b": [1.5]}), path)

    sample = look_at(path)

    assert (sample.kind, sample.columns, sample.types) == ("parquet", ("a", "b"), {"b": "double"})
    assert sample.has("a", "b")
    assert not sample.has("c")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"PAR1 and no more", "cut off or damaged"),
        (b"\x1f\x8b\x08\x00cut", "cannot be unpacked as gzip"),
        ("a,b\n".encode("utf-16"), "neither Parquet nor UTF-8"),
        (b"\x00\x01\x02\x03", "neither Parquet nor UTF-8"),
        (b"a,b,a\n1,2,3\n", "two columns of the same name"),
    ],
)
def test_what_cannot_be_read_is_named_with_the_way_out(tmp_path: Path, content: bytes, sentence: str):
    path = tmp_path / "x"
    path.write_bytes(content)

    with pytest.raises(UserError, match=sentence):
        look_at(path)


def test_a_truncated_parquet_file_is_named(tmp_path: Path):
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"a": list(range(1000))}), path)
    path.write_bytes(path.read_bytes()[:-20])

    with pytest.raises(UserError, match="cut off or damaged"):
        look_at(path)


def test_parquet_with_a_name_twice_is_refused(tmp_path: Path):
    path = tmp_path / "x.parquet"
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]), path)

    with pytest.raises(UserError, match="two columns of the same name"):
        look_at(path)


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(UserError, match="Cannot read"):
        look_at(tmp_path / "none")


def test_bad_bytes_inside_do_not_stop_the_reading(tmp_path: Path):
    path = tmp_path / "x"
    path.write_bytes(b"a,b\n1,\xff\xfe\n2,ok\n")

    with open_text(path, "none") as file:
        assert [line.rstrip("\n") for line in file] == ["a,b", "1,\ufffd\ufffd", "2,ok"]


def test_keys_inside_the_first_objects_are_seen_whichever_line_has_them(tmp_path: Path):
    path = tmp_path / "x"
    path.write_text('{"a": 1}\n{"b": {"c": {"d": {"e": 1}}}}\n')

    sample = look_at(path)

    assert sample.columns == ("a", "b")
    assert sample.reaches("a", "b.c.d")
    assert not sample.reaches("b.c.d.e")
    assert not sample.reaches("c")


@pytest.mark.parametrize(
    "line",
    [
        '10.0.0.8 - - [01/Nov/2026:06:00:00 +0000] "POST / HTTP/1.1" 200 1 "-" "x" 1.0',
        "INFO 11-01 06:00:00 [x.py:1] Starting",
        "(APIServer pid=7) WARNING 11-01 06:00:00 [x.py:1] hm",
        "INFO 2026-11-01 06:00:03,375 llm_app r1x9 8f3a -- POST / 200 1.0ms",
    ],
)
def test_logs_of_plain_lines_are_seen_and_their_text_is_not_shown(tmp_path: Path, line: str):
    path = tmp_path / "x"
    path.write_text(f"{line}\n{line}\n")

    sample = look_at(path)

    assert (sample.kind, sample.columns) == ("lines", ())
    assert sample.shows("06:00:0")
    assert not sample.shows("07:00:0")
    assert "06:00" not in repr(sample)


def test_a_table_about_logs_is_still_a_table(tmp_path: Path):
    path = tmp_path / "x"
    path.write_text('level,text\nINFO,"INFO 11-01 06:00:00 [x.py:1] Starting"\n')

    assert look_at(path).kind == "csv"
