import json

import pytest

from flows.cli import main

ASK = [
    "choose", "--model", "llama-3.1-70b", "--gpu", "h100", "--gpu", "h200", "--tp", "2", "--precision", "fp8",
    "--kv-precision", "fp8", "--qps", "20", "--prompt-tokens", "2000", "--output-tokens", "300",
    "--ttft-s", "1", "--tpot-s", "0.04",
]  # fmt: skip


def test_the_choice_the_second_best_and_what_other_ways_cost(capsys):
    assert main(ASK) == 0
    said = capsys.readouterr().out

    assert "20 QPS of 2,000 + 300 tokens of llama-3.1-70b, on-demand: " in said
    for line in ("second best    ", "mixing         ", "disaggregating ", "SLO by length  ", "Single fleets"):
        assert line in said


def test_it_is_the_answer_of_size_where_requests_are_alike(capsys):
    """One GPU, one TP and lengths that do not vary: `fleetcast size` at the same utilisation, in GPUs."""
    alike = [*ASK, "--prompt-cv", "0", "--output-cv", "0", "--json"]
    assert main(alike) == 0
    chosen = json.loads(capsys.readouterr().out)
    size = [word for word in ASK[1:] if word not in {"h200"}]
    size.pop(size.index("--gpu", size.index("--gpu") + 1))
    assert main(["size", *size, "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)["plan"]
    single = next(each for each in chosen["ranked"] if each["pools"][0]["gpu"] == "h100")

    assert single["pools"][0]["gpus"] == plan["gpus"]


def test_reserved_prices_cost_less_and_a_missing_price_is_never_chosen(capsys):
    usd = {}
    for term in ("on-demand", "reserved-1y"):
        assert main([*ASK, "--term", term, "--json"]) == 0
        usd[term] = json.loads(capsys.readouterr().out)["single"]["usd_per_hour"]
    assert usd["reserved-1y"] < usd["on-demand"]

    assert main([*ASK, "--gpu", "gb300", "--json"]) == 0
    ranked = json.loads(capsys.readouterr().out)["ranked"]
    assert ranked[-1]["why_not"] == "No price of gb300 is known."
    assert ranked[-1]["usd_per_hour"] is None


def test_limits_are_kept(capsys):
    assert main([*ASK, "--max-gpus", "h100=2", "--json"]) == 0
    chosen = json.loads(capsys.readouterr().out)["chosen"]
    assert sum(p["gpus"] for p in chosen["pools"] if p["gpu"] == "h100") <= 2


def test_lengths_of_a_file_are_read(tmp_path, capsys):
    lengths = tmp_path / "lengths.csv"
    lengths.write_text("prompt_tok,output_tok\n1000,100\n1000,100\n9000,400\n")
    ask = [word for word in ASK if word not in {"--prompt-tokens", "2000", "--output-tokens", "300"}]
    assert main([*ask, "--lengths", str(lengths), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["prompt_tok"] == pytest.approx(11_000 / 3)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--max-gpus", "h100"], "--max-gpus 'h100' says no number of a GPU; write it as h100=16."),
        (["--max-gpus", "h100=1", "--max-gpus", "h200=1"], "No fleet keeps to the limits."),
        (["--lengths", "nowhere.csv"], "say the same thing; give one."),
        (["--gpu", "h1000"], "h1000"),
        (["--ttft-s", "0.0001"], "settings serves it"),
    ],
)
def test_mistakes_are_one_sentence_and_status_2(capsys, more, said):
    assert main([*ASK, *more]) == 2
    shown = capsys.readouterr().err
    assert said in shown
    assert shown.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prompt_tok\n5\n", "has no column output_tok"),
        ("prompt_tok,output_tok\n5,x\n", "row 1: a length is no number"),
        ("", "Cannot read lengths"),
    ],
)
def test_a_wrong_file_of_lengths_says_where(tmp_path, capsys, text, said):
    lengths = tmp_path / "lengths.csv"
    lengths.write_text(text)
    ask = [word for word in ASK if word not in {"--prompt-tokens", "2000", "--output-tokens", "300"}]
    assert main([*ask, "--lengths", str(lengths)]) == 2
    assert said in capsys.readouterr().err
