from pathlib import Path

import duckdb
import pytest

from data.text import bare_name, is_utf8, literal_path, stored_path


@pytest.mark.parametrize(
    "name", ["x[1].csv", "y*.csv", "z?.csv", "[!a].csv", "plain.csv", "a\nb.csv", "q'\";--.csv"]
)
def test_duckdb_reads_the_very_file_that_a_literal_path_names(tmp_path: Path, name: str):
    for decoy in ("x1.csv", "yz.csv", "zz.csv", "b.csv"):
        (tmp_path / decoy).write_text("a\ndecoy\n")
    (tmp_path / name).write_text("a\nreal\n")

    rows = duckdb.execute("SELECT a FROM read_csv($path)", {"path": [literal_path(tmp_path / name)]}).fetchall()

    assert rows == [("real",)]


def test_bytes_that_are_no_text_are_stored_as_escapes():
    assert stored_path(Path("/a/b\udcff.csv")) == "/a/b\\xff.csv"
    assert not is_utf8(Path("b\udcff"))
    assert is_utf8(Path("bé"))


def test_a_label_shows_what_turns_text_round():
    assert bare_name(Path("a\u202egpj.csv")) == "a\\u202egpj"
    assert bare_name(Path(".csv")) == ".csv"
