"""`fleetcast catalog add-model`: the row is one that plans can read, and the file is whole or as it was."""

import json
import tomllib

import pytest

from data.catalog.models import load_models
from flows.cli_add_model import row_text
from tests.data.catalog.hf_configs import BAMBA, CONFIGS


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(CONFIGS["qwen3-30b-a3b"]))
    return path


def test_the_row_is_printed_and_can_be_read(fleetcast, config, tmp_path):
    said = fleetcast("catalog", "add-model", config, "--hf-id", "Qwen/Qwen3-Mine-30B")
    mine = tmp_path / "mine.toml"
    mine.write_text(said.out)

    assert (said.status, said.err) == (0, "")
    assert load_models([mine])["qwen3-mine-30b"].experts == 128


def test_the_row_is_added_and_the_other_rows_stay(fleetcast, config, tmp_path):
    mine = tmp_path / "mine.toml"
    mine.write_text('# ours\n["llama-3.1-8b"]\nmax_context_tok = 32_768\nsource = "ours"\nchecked = 2026-11-20\n')

    said = fleetcast("catalog", "add-model", config, "--hf-id", "a/b", "--to", mine)

    assert "b stands in" in said.out
    assert mine.read_text().startswith("# ours\n")
    assert load_models([mine])["llama-3.1-8b"].max_context_tok == 32_768
    assert load_models([mine])["b"].params_total == pytest.approx(30.5e9, rel=0.01)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_name_that_is_there_is_kept_unless_it_is_to_be_replaced(fleetcast, config, tmp_path):
    mine = tmp_path / "mine.toml"
    add = ("catalog", "add-model", config, "--hf-id", "a/b", "--to", mine)
    fleetcast(*add)
    other = '\n[other]\nmax_context_tok = 1\nsource = "x"\nchecked = 2026-11-20\n'
    before = mine.read_text()

    assert "has a row [b] already; give another --name, or --replace." in fleetcast(*add).sentence
    assert mine.read_text() == before

    assert fleetcast(*add, "--replace", "--params-total", 30_000_000_000).status == 0
    assert load_models([mine])["b"].params_total == 30_000_000_000
    assert other not in mine.read_text()


def test_a_file_that_is_not_one_of_ours_is_left_alone(fleetcast, config, tmp_path):
    mine = tmp_path / "mine.toml"
    mine.write_text("[half\n")

    assert (
        "is not valid TOML" in fleetcast("catalog", "add-model", config, "--hf-id", "a/b", "--to", mine).sentence
    )
    assert mine.read_text() == "[half\n"


def test_what_the_file_does_not_say_is_asked_for(fleetcast, tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(BAMBA))

    assert "--params-total" in fleetcast("catalog", "add-model", path, "--hf-id", "a/b").sentence


@pytest.mark.parametrize("name", ['a"]\n[h100', "=cmd()", "\u202egnp.exe", "x" * 300])
def test_a_hostile_name_is_only_a_name(fleetcast, config, tmp_path, name):
    mine = tmp_path / "mine.toml"

    said = fleetcast("catalog", "add-model", config, "--hf-id", "a/b", "--name", name, "--to", mine)

    assert said.status == 0
    assert set(tomllib.loads(mine.read_text())) == {name}


@pytest.mark.parametrize("name", sorted(load_models()))
def test_every_row_of_ours_is_written_and_read_back_the_same(name, tmp_path):
    mine = tmp_path / "mine.toml"
    mine.write_text(row_text(load_models()[name]))

    assert load_models([mine])[name] == load_models()[name]


@pytest.mark.parametrize("hf_id", ["x", "a/b/c", 'me/<script>"', "a b/c", "/", ""])
def test_an_id_that_is_none_is_refused(fleetcast, config, hf_id):
    sentence = fleetcast("catalog", "add-model", config, "--hf-id", hf_id).sentence

    assert "is no Hugging Face id; write it as ORG/NAME." in sentence
