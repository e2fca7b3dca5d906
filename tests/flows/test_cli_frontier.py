"""`fleetcast frontier`: which GPU for which workload, told and written."""

import csv
import json

import pytest

from flows.cli_frontier import FILES
from tests.data.catalog.hf_configs import CONFIGS

ASK = ("frontier", "--model", "llama-3.1-8b", "--gpu", "h100", "--gpu", "l40s")


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("frontier")


def test_it_says_which_gpu_is_cheapest_and_where_bandwidth_fails(fleetcast):
    said = fleetcast(*ASK)

    assert (said.status, said.err) == (0, "")
    for words in ("Cheapest at each speed", "Most from a GPU", "What a dollar buys", "Does bandwidth predict"):
        assert words in said.out
    assert "h100" in said.out
    assert "l40s" in said.out


def test_files_are_written_whole_and_without_formulas(fleetcast, out):
    said = fleetcast(*ASK, "--out", out)
    rows = list(csv.DictReader((out / "frontier.csv").open()))

    assert sorted(path.name for path in out.iterdir()) == sorted(FILES)
    assert str(out) in said.out
    assert {row["gpu"] for row in rows} == {"h100", "l40s"}
    assert all(float(row["tok_per_s_per_gpu"]) > 0 for row in rows)
    assert (out / "frontier.svg").read_text().startswith("<svg")


def test_a_model_gpu_and_price_of_ones_own_take_part(fleetcast, tmp_path):
    config = tmp_path / "config.json"
    config.write_text(json.dumps(CONFIGS["qwen3-30b-a3b"]))
    fleetcast("catalog", "add-model", config, "--hf-id", "a/mine", "--to", tmp_path / "models.toml")
    (tmp_path / "prices.toml").write_text(
        '[[offer]]\ngpu = "h100"\nterm = "on-demand"\nusd_per_gpu_hour_low = 1.11\nusd_per_gpu_hour_high = 1.11\n'
        'provider = "our host"\nsource = "contract"\nchecked = 2026-11-20\n'
    )

    said = fleetcast(
        "frontier", "--model", "mine", "--gpu", "h100",
        "--models", tmp_path / "models.toml", "--prices", tmp_path / "prices.toml",
    )  # fmt: skip

    assert "mine, 2,000 + 300 tokens" in said.out
    assert "1.11" in said.out
    assert "our host" in said.out


def test_without_a_price_the_cost_is_unknown_and_never_0(fleetcast):
    said = fleetcast("frontier", "--model", "llama-3.1-8b", "--gpu", "h20")

    assert "unknown: no price of these GPUs is known" in said.out
    assert "no price," in said.out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--model", "llama-9", "--gpu", "h100"), "No model is called 'llama-9'"),
        (("--model", "llama-3.1-8b", "--gpu", "h1000"), "No GPU is called 'h1000'"),
        (("--model", "llama-3.1-405b", "--gpu", "l4"), "Use more GPUs per replica"),
        (("--model", "llama-3.1-8b", "--prompt-tokens", "200000"), "longer than the context of llama-3.1-8b"),
        (("--model", "llama-3.1-8b", "--cached-tokens", "3000"), "--cached-tokens 3000 is more than"),
        (("--model", "llama-3.1-8b", "--precision", "fp3"), "invalid choice: 'fp3'"),
    ],
)
def test_a_mistake_is_one_sentence(fleetcast, arguments, sentence):
    assert sentence in fleetcast("frontier", *arguments).sentence


def test_a_folder_that_cannot_be_written_is_said(fleetcast, tmp_path):
    file = tmp_path / "file"
    file.write_text("")

    assert "choose another --out" in fleetcast(*ASK, "--out", file / "inside").sentence
