from pathlib import Path

import pytest

from data.errors import UserError
from data.find_files import STDIN, find_files, find_readable, is_log

AZURE = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,1,1\n"


def lay(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(AZURE)


def found(folder: Path, pattern: str) -> list[str]:
    return [each.path.relative_to(folder).as_posix() for each in find_files([folder / pattern])]


def test_a_pattern_in_quotes_finds_what_the_shell_would(tmp_path: Path):
    lay(tmp_path, "a.csv", "b.csv", "c.jsonl", "d/e.csv", "d/f/g.csv", ".h.csv")

    assert found(tmp_path, "*.csv") == ["a.csv", "b.csv"]
    assert found(tmp_path, "[ab].csv") == ["a.csv", "b.csv"]
    assert found(tmp_path, "?.jsonl") == ["c.jsonl"]
    assert found(tmp_path, "**/*.csv") == ["a.csv", "b.csv", "d/e.csv", "d/f/g.csv"]


def test_a_pattern_of_any_folders_finds_logs_and_nothing_else(tmp_path: Path):
    lay(tmp_path, "a.csv", "d/b.csv", "d/readme.md")

    assert found(tmp_path, "**") == ["a.csv", "d/b.csv"]


def test_folders_that_a_pattern_finds_are_searched_and_lend_their_names(tmp_path: Path):
    lay(tmp_path, "2026-01/a.csv", "2026-02/b.csv", "other/c.csv")

    files = list(find_files([tmp_path / "2026-*"]))

    assert [(each.path.name, each.label) for each in files] == [("a.csv", "2026-01"), ("b.csv", "2026-02")]


def test_a_file_whose_name_is_a_pattern_is_that_file(tmp_path: Path):
    lay(tmp_path, "x[1].csv", "x1.csv", "y*.csv", "yz.csv")

    assert found(tmp_path, "x[1].csv") == ["x[1].csv"]
    assert found(tmp_path, "y*.csv") == ["y*.csv"]


def test_what_is_not_there_is_said(tmp_path: Path):
    with pytest.raises(UserError, match="There is no file"):
        list(find_files([tmp_path / "a.csv"]))
    with pytest.raises(UserError, match="No log matches"):
        list(find_files([tmp_path / "*.csv"]))


def test_standard_input_is_where_it_lies_and_called_so(tmp_path: Path):
    lay(tmp_path, "spooled")

    (each,) = find_files([STDIN], tmp_path / "spooled")

    assert (each.path, each.label) == (tmp_path / "spooled", "stdin")


def test_a_name_that_is_no_text_is_refused_with_the_way_out(tmp_path: Path):
    path = tmp_path / "bad\udcff.csv"
    path.write_text(AZURE)

    with pytest.raises(UserError, match="is not UTF-8; rename the file, or give it on standard input"):
        list(find_readable([path]))


def test_logs_end_like_logs():
    assert is_log(Path("a.csv.gz"))
    assert is_log(Path("A.JSONL.ZST"))
    assert not is_log(Path(".a.csv"))
    assert not is_log(Path("a.md"))
