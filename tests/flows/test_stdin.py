"""Logs on standard input, and logs with hostile names, through the command itself."""

import io
import sys
from pathlib import Path

import pytest

from data.warehouse import open_store
from flows.cli import main

AZURE = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,{tok},1\n2023-11-16 18:15:47,1,1\n"


def piped(monkeypatch: pytest.MonkeyPatch, content: bytes, *arguments: str) -> int:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    return main(["ingest", "-", *arguments])


def rows_of(store: Path) -> list[tuple[object, ...]]:
    with open_store(store) as opened:
        return opened.con.execute("SELECT source_label, prompt_tok FROM requests ORDER BY prompt_tok").fetchall()


def test_what_is_piped_in_is_known_by_its_content_alone(tmp_path: Path, monkeypatch, capsys):
    store = tmp_path / "s.duckdb"
    first, second = (AZURE.format(tok=tok).encode() for tok in (7, 9))

    assert piped(monkeypatch, first, "--store", str(store)) == 0
    assert piped(monkeypatch, first, "--store", str(store), "--format", "auto") == 0
    assert "stdin: unchanged as azure-llm, label 'stdin'" in capsys.readouterr().out
    assert piped(monkeypatch, second, "--store", str(store)) == 0

    assert rows_of(store) == [("stdin", 1), ("stdin", 1), ("stdin", 7), ("stdin", 9)]
    assert [path.name for path in (tmp_path / "s.lake").glob(".spool*")] == []


def test_standard_input_that_cannot_be_read_leaves_nothing_behind(tmp_path: Path, monkeypatch, capsys):
    store = tmp_path / "s.duckdb"

    assert piped(monkeypatch, b"", "--store", str(store)) == 2
    assert piped(monkeypatch, b"a,b\n1,2\n", "--store", str(store)) == 2

    said = capsys.readouterr().err.splitlines()
    assert said[0] == "fleetcast: standard input is empty; leave it out."
    assert said[1].startswith("fleetcast: standard input (csv: a, b) is of no format known here")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name",
    ["a\nb.csv", "x[1].csv", "q';DROP TABLE requests;--.csv", "=cmd().csv", "<b>\u202e.csv", "*.csv", "-.csv"],
)
def test_a_hostile_name_is_only_a_name(name: str, tmp_path: Path, capsys):
    store, folder = tmp_path / "s.duckdb", tmp_path / "logs"
    folder.mkdir()
    (folder / name).write_text(AZURE.format(tok=7))
    (folder / "x1.csv").write_text(AZURE.format(tok=999))

    assert main(["ingest", str(folder / name), "--store", str(store)]) == 0

    out = capsys.readouterr().out.splitlines()
    assert len(out) == 1
    assert "\u202e" not in out[0]
    assert [tok for _, tok in rows_of(store)] == [1, 7]


def test_a_store_whose_own_path_is_a_pattern_works(tmp_path: Path):
    folder = tmp_path / "st[1]"
    folder.mkdir()
    log = tmp_path / "a.csv"
    log.write_text(AZURE.format(tok=7))

    assert main(["ingest", str(log), "--store", str(folder / "s*.duckdb")]) == 0

    assert [tok for _, tok in rows_of(folder / "s*.duckdb")] == [1, 7]
