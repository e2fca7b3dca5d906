"""`fleetcast store`: what is typed, what is said, and with which status it ends."""

import json
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture
def filled(fleetcast, tmp_path) -> Path:
    store = tmp_path / "s.duckdb"
    log = EXAMPLES / "logs" / "requests.csv"
    assert fleetcast("ingest", log, "--mapping", EXAMPLES / "mapping.toml", "--store", store).status == 0
    return store


def test_status_is_a_table_of_sources(fleetcast, filled):
    said = fleetcast("store", "status", "--store", filled)

    assert (said.status, said.err) == (0, "")
    assert f"{filled}: " in said.out
    header, _, row = said.out.splitlines()[2:5]
    assert header.split() == [
        "source",
        "kind",
        "files",
        "days",
        "rows",
        "duplicates",
        "rejected",
        "size",
        "from",
        "to",
    ]
    assert row.split()[:7] == ["requests", "requests", "1", "1", "39", "0", "1"]

    facts = json.loads(fleetcast("store", "status", "--store", filled, "--json").out)
    assert facts["sources"][0]["rows"] == 39


def test_verify_ends_with_1_and_a_line_for_each_thing_that_is_wrong(fleetcast, filled):
    assert fleetcast("store", "verify", "--store", filled).out == f"{filled} is whole.\n"

    part = next(filled.with_name("s.lake").glob("requests/*/*.parquet"))
    part.unlink()
    said = fleetcast("store", "verify", "--store", filled)

    assert (said.status, said.err) == (1, "")
    assert said.out.count("\n") == 1
    assert part.name in said.out
    assert not json.loads(fleetcast("store", "verify", "--store", filled, "--json").out)["whole"]


def test_rebuild_brings_a_deleted_store_back(fleetcast, filled):
    filled.unlink()
    assert "store rebuild" in fleetcast("store", "status", "--store", filled).sentence
    assert fleetcast("store", "verify", "--store", filled).status == 1

    said = fleetcast("store", "rebuild", "--store", filled)

    assert (said.status, said.err) == (0, "")
    assert said.out.startswith("Made anew: 39 rows in 1 Parquet files of 1 logs")
    assert fleetcast("store", "verify", "--store", filled).status == 0


def test_the_way_out_of_a_lost_slice_heals_the_store(fleetcast, filled):
    next(filled.with_name("s.lake").glob("requests/*/*.parquet")).unlink()
    assert "--forget-damaged" in fleetcast("store", "rebuild", "--store", filled).sentence

    said = fleetcast("store", "rebuild", "--forget-damaged", "--store", filled)

    assert "Left out days of" in said.out
    log = EXAMPLES / "logs" / "requests.csv"
    healed = fleetcast("ingest", log, "--mapping", EXAMPLES / "mapping.toml", "--store", filled)
    assert "39 new" in healed.out
    assert fleetcast("store", "verify", "--store", filled).status == 0


def test_vacuum_says_what_it_won(fleetcast, filled):
    (filled.with_name("s.lake") / "requests" / "stray").mkdir()
    (filled.with_name("s.lake") / "requests" / "stray" / "x.parquet").write_bytes(bytes(12_000))

    said = fleetcast("store", "vacuum", "--store", filled)

    assert "12.0 kB of files that nobody names" in said.out


@pytest.mark.parametrize("action", ["status", "verify", "rebuild", "vacuum"])
def test_without_a_store_each_is_one_sentence(fleetcast, tmp_path, action):
    assert "There is no store at" in fleetcast("store", action, "--store", tmp_path / "none.duckdb").sentence
    assert list(tmp_path.iterdir()) == []
