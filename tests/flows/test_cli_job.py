import json

import pytest

from flows.cli import main

TRAIN = ["job", "--model", "llama-3.1-8b", "--train-tokens", "1e9", "--gpu", "h100", "--gpu", "b200"]


def test_a_run_says_gpus_hours_dollars_deadline_and_what_rules(capsys):
    assert main([*TRAIN, "--deadline-h", "48"]) == 0
    said = capsys.readouterr().out

    assert said.startswith("1 x b200 for 15.9 h: 16 GPU-hours, $103. The deadline of 48 h is kept")
    assert "4.82e+19 FLOP (6 N D, N = 8.03e9 active)" in said
    assert "128 GB of weights, gradients and optimizer" in said
    assert "Dollars per FLOP/s, which rule training, pick b200 too." in said


def test_a_missed_deadline_is_said(capsys):
    assert main([*TRAIN, "--deadline-h", "4", "--max-gpus", "b200=1", "--max-gpus", "h100=2"]) == 0
    assert "MISSED" in capsys.readouterr().out


def test_a_batch_of_requests_as_json(capsys):
    ask = [
        "job",
        "--model",
        "llama-3.1-8b",
        "--requests",
        "1e6",
        "--prompt-tokens",
        "200",
        "--output-tokens",
        "2000",
    ]
    assert main([*ask, "--gpu", "h100", "--gpu", "l4", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)

    assert found["chosen"] == "h100"
    assert {row["gpu"]: row["usd"] for row in found["gpus"]}["l4"] is None
    assert found["gpus"][0]["leans"] == "decode"


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (["job", "--model", "llama-3.1-8b"], "Give --train-tokens for a training run, or --requests"),
        ([*TRAIN, "--requests", "5"], "Give --train-tokens for a training run, or --requests"),
        (["job", "--model", "llama-3.1-8b", "--requests", "5"], "needs --prompt-tokens and --output-tokens"),
        ([*TRAIN, "--count", "1", "--max-gpus", "b200=0"], "No GPU can do the job."),
        (["job", "--model", "llama-3.1-8b", "--train-tokens", "1e9", "--gpu", "l4"], "No price of l4 is known."),
    ],
)
def test_mistakes_are_one_sentence_and_status_2(capsys, ask, said):
    assert main(ask) == 2
    shown = capsys.readouterr().err
    assert said in shown
    assert shown.count("\n") == 1
