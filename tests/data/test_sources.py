from pathlib import Path

import pytest

from data.errors import UserError
from data.formats.contract import Options
from data.sources import AggregateUnit, RequestUnit, find_units

AZURE = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,1,1\n"


@pytest.mark.parametrize(
    ("name", "label"),
    [("chat.csv", "chat"), ("chat.2026.csv", "chat.2026"), ("chat", "chat"), (".csv", ".csv")],
)
def test_a_file_lends_its_name_to_its_label(tmp_path: Path, name: str, label: str):
    (tmp_path / name).write_text(AZURE)

    (unit,) = find_units([tmp_path / name], None, None, Options())

    assert isinstance(unit, RequestUnit)
    assert (unit.label, unit.format.name, unit.size_bytes) == (label, "azure-llm", len(AZURE))


def test_the_users_label_wins_and_a_file_named_twice_is_read_once(tmp_path: Path):
    (tmp_path / "a.csv").write_text(AZURE)
    (tmp_path / "b.csv").write_text(AZURE)
    paths = [tmp_path, tmp_path / "a.csv", tmp_path / "." / "b.csv"]

    units = find_units(paths, "azure-llm", "mine", Options())

    assert [unit.label for unit in units] == ["mine", "mine"]


def test_hidden_files_and_those_with_other_endings_are_left_out_of_a_folder(tmp_path: Path):
    for name in ("a.csv.gz", ".hidden.csv", "_part.csv", "readme.md"):
        (tmp_path / name).write_text(AZURE)

    assert [unit.sample.path.name for unit in find_units([tmp_path], None, None, Options())] == ["a.csv.gz"]


def test_files_that_belong_together_are_one_unit(shared_traffic: Path):
    paths = [shared_traffic / f"llm_servegen_m_large{end}" for end in ("_tokens_6h.csv", "_clients_10min.parquet")]

    (unit,) = find_units(paths, None, None, Options())

    assert isinstance(unit, AggregateUnit)
    assert (unit.label, len(unit.samples)) == ("llm_servegen_m_large", 2)


def test_an_empty_folder_is_said(tmp_path: Path):
    with pytest.raises(UserError, match="There is no log in"):
        find_units([tmp_path], None, None, Options())
