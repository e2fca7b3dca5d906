"""`fleetcast ingest`: what came of every file, in lines; nothing is made where nothing could be read."""

from pathlib import Path

import duckdb
import pytest

from data.tables import COUNTED_TABLES
from data.warehouse import open_store

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
LOG, MAPPING = EXAMPLES / "logs" / "requests.csv", EXAMPLES / "mapping.toml"
MOONCAKE = '{"timestamp": 0, "input_length": 10, "output_length": 5, "hash_ids": [1]}\n'


def _example(store):
    return ("ingest", LOG, "--mapping", MAPPING, "--label", "gateway", "--store", store)


def _tables(path):
    with open_store(path) as store:
        return {
            name: store.con.execute(f"SELECT * FROM {name} ORDER BY ALL").fetchall() for name in COUNTED_TABLES
        }


def test_the_example_names_its_bad_row_by_line(fleetcast, tmp_path):
    said = fleetcast(*_example(tmp_path / "store.duckdb"))

    assert (said.status, said.err) == (0, "")
    first, bad = said.out.splitlines()
    assert first == (
        "requests.csv: done as mapping, label 'gateway': 40 rows read, 39 new, 0 duplicate, 1 rejected"
    )
    assert bad.startswith("  line 41: prompt_tok is negative: ")
    assert "r-0040" in bad
    assert "r-0040" in LOG.read_text().splitlines()[41 - 1]


def test_a_second_ingest_says_unchanged_and_changes_no_table(fleetcast, tmp_path):
    store = tmp_path / "store.duckdb"
    fleetcast(*_example(store))
    before = _tables(store)
    assert before["rollup_minute"]

    said = fleetcast(*_example(store))

    assert said.status == 0
    assert "requests.csv: unchanged" in said.out
    assert _tables(store) == before


def test_a_bad_file_is_refused_and_the_others_are_stored(fleetcast, tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "good.csv").write_text(LOG.read_text())
    lines = LOG.read_text().splitlines()
    (logs / "bad.csv").write_text(
        "\n".join([lines[0], lines[1], *(x.replace("2026-", "soon ") for x in lines[2:9])])
    )

    said = fleetcast("ingest", logs, "--mapping", MAPPING, "--store", tmp_path / "store.duckdb")

    assert "bad.csv was refused whole: 7 of its 8 rows cannot be used (at most 5% may)" in said.sentence
    assert "first in line 3" in said.sentence
    assert "bad.csv: refused" in said.out
    assert "good.csv: done" in said.out
    stored = {row[1] for row in _tables(tmp_path / "store.duckdb")["file_manifest"]}
    assert stored == {str(logs / "good.csv")}


def test_the_way_out_that_a_refusal_names_is_an_option_that_works(fleetcast, tmp_path):
    lines = LOG.read_text().splitlines()
    log = tmp_path / "bad.csv"
    log.write_text("\n".join([lines[0], *lines[1:5], *(x.replace("2026-", "soon ") for x in lines[5:9])]))
    store = tmp_path / "store.duckdb"

    refused = fleetcast("ingest", log, "--mapping", MAPPING, "--store", store)
    assert "raise --max-rejected-share" in refused.sentence

    assert (
        fleetcast("ingest", log, "--mapping", MAPPING, "--store", store, "--max-rejected-share", "0.5").status == 0
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["absent.csv"], ["There is no file absent.csv", "check its path"]),
        (["empty"], ["There is no log in empty", ".parquet"]),
        ([LOG], ["is of no format known here", "--mapping"]),
        ([LOG, "--format", "csvv"], ["'csvv'", "known are", "mooncake"]),
        ([LOG, "--format", "mooncake"], ["requests.csv", "does not have the columns of mooncake"]),
        ([LOG, "--mapping", "absent.toml"], ["absent.toml", "No such file"]),
        ([LOG, "--mapping", "wrong.toml"], ["no column 'tokens_inn'", "did you mean 'tokens_in'"]),
        ([LOG, "--mapping", "unclear.toml"], ["tokens.cached", "inclusive"]),
        (["trace.jsonl"], ["trace.jsonl has no dates", "--start 2026"]),
    ],
)
def test_what_cannot_be_read_is_one_sentence_and_leaves_nothing(fleetcast, tmp_path, monkeypatch, arguments, says):
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("wrong.toml").write_text(MAPPING.read_text().replace('"tokens_in"', '"tokens_inn"'))
    Path("unclear.toml").write_text(MAPPING.read_text().replace('cached = "inclusive"', ""))
    Path("trace.jsonl").write_text(MOONCAKE)
    before = sorted(Path().rglob("*"))

    said = fleetcast("ingest", *arguments, "--store", "new/store.duckdb")

    for part in says:
        assert part in said.sentence
    assert said.out == ""
    assert sorted(Path().rglob("*")) == before


def test_a_source_without_dates_is_read_from_its_start(fleetcast, tmp_path):
    log, store = tmp_path / "trace.jsonl", tmp_path / "store.duckdb"
    log.write_text(MOONCAKE + MOONCAKE.replace(": 0", ": 61000"))

    said = fleetcast("ingest", log, "--store", store, "--start", "2026-11-01")

    assert "trace.jsonl: done as mooncake, label 'trace': 2 rows read, 2 new" in said.out
    with open_store(store) as opened:
        days = opened.con.execute("SELECT arrived_utc::VARCHAR FROM requests ORDER BY 1").fetchall()
    assert days == [("2026-11-01 00:00:00+00",), ("2026-11-01 00:01:01+00",)]


def test_a_file_that_is_no_store_is_left_as_it_is(fleetcast, tmp_path):
    store = tmp_path / "notes.duckdb"
    store.write_text("my notes")

    assert "not a store" in fleetcast(*_example(store)).sentence
    assert store.read_text() == "my notes"


def test_somebody_elses_duckdb_file_is_left_as_it_is(fleetcast, tmp_path):
    store = tmp_path / "theirs.duckdb"
    with duckdb.connect(str(store)) as con:
        con.execute("CREATE TABLE mine AS SELECT 42 AS answer")

    assert "not a store of fleetcast" in fleetcast(*_example(store)).sentence
    with duckdb.connect(str(store)) as con:
        assert con.execute("SHOW TABLES").fetchall() == [("mine",)]
