import csv
import json

import pytest

from flows.cli import main

ON = ["--model", "llama-3.1-8b", "--gpu", "h100", "--label", "chat"]


@pytest.fixture(scope="module")
def store(world):
    return str(world / "store" / "fleetcast.duckdb")


def test_any_model_and_gpu_on_stored_traffic(store, capsys):
    assert main(["windows", "--store", store, *ON]) == 0
    out = capsys.readouterr().out

    assert "GPU-seconds of work in a window on h100" in out
    for window in ("1 s  seen", "10 s  30 days", "60 s  seen"):
        assert window in out
    assert "p95 prompt times p95 output" in out
    assert "% of requests" in out


def test_json_and_seen_windows_as_csv(store, tmp_path, capsys):
    out = tmp_path / "seen.csv"
    asked = ["--percentile", "0.9", "--window-s", "60", "--out", str(out), "--json"]
    assert main(["windows", "--store", store, *ON, *asked]) == 0
    found = json.loads(capsys.readouterr().out)
    rows = list(csv.DictReader(out.open()))

    assert (found["percentile"], found["window_s"]) == (0.9, 60)
    seen = next(s for s in found["spreads"] if s["window_s"] == 60 and s["days"] is None)
    assert len(rows) == seen["windows"]
    mean = sum(float(row["gpu_s"]) for row in rows) / len(rows)
    assert mean == pytest.approx(seen["mean_gpu_s"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--percentile", "0.2"], "percentile"),
        (["--label", "nobody"], "'nobody'"),
        (["--gpu", "abacus"], "abacus"),
    ],
)
def test_mistakes_are_one_sentence(store, arguments, said, capsys):
    assert main(["windows", "--store", store, *ON, *arguments]) == 2
    error = capsys.readouterr().err

    assert said in error
    assert error.count("\n") == 1
