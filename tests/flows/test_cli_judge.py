"""How right the forecasts and the sizing are is something that anyone can ask from the command line."""

import json

import numpy as np
import pandas as pd
import pytest

from data.errors import UserError
from flows import cli
from flows.cli_judge import read_table, save_text, written_in_parts


def _series(tmp_path):
    days = pd.date_range("2026-01-01", periods=200, freq="D")
    level = 1_000 * (1 + 0.2 * np.sin(np.arange(200) * 2 * np.pi / 7))
    path = tmp_path / "series.csv"
    pd.DataFrame({"unique_id": "web", "ds": days.strftime("%Y-%m-%d"), "y": level}).to_csv(path, index=False)
    windows = tmp_path / "windows.csv"
    windows.write_text("unique_id,cutoff,horizon\nweb,2026-06-01,30\n")
    return path, windows


def test_backtest_writes_one_row_a_day_from_the_cutoff_on(tmp_path, capsys):
    series, windows = _series(tmp_path)
    out = tmp_path / "p.csv"

    assert cli.main(["backtest", str(series), "--windows", str(windows), "--out", str(out), "--workers", "1"]) == 0

    found = pd.read_csv(out)
    assert list(found.columns) == [
        "unique_id", "cutoff", "ds", "mean", "q0.025", "q0.1", "q0.5", "q0.9", "q0.975", "fit_s",
    ]  # fmt: skip
    assert (len(found), found.ds.iloc[0], found.ds.iloc[-1]) == (30, "2026-06-02", "2026-07-01")
    assert (found["q0.1"] <= found["q0.5"]).all()
    assert (found["q0.5"] <= found["q0.9"]).all()
    assert "1 windows of 1 series" in capsys.readouterr().out


def test_a_table_written_in_parts_is_whole_or_absent(tmp_path):
    parts = [pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": [3]})]
    for name, read in (("p.csv", pd.read_csv), ("p.parquet", pd.read_parquet)):
        with written_in_parts(tmp_path / name) as write:
            for part in parts:
                write(part)
                assert not (tmp_path / name).exists()
        assert read(tmp_path / name)["a"].tolist() == [1, 2, 3]

    def half(path):
        with written_in_parts(path) as write:
            write(parts[0])
            raise RuntimeError("stopped half way")

    for name in ("half.csv", "half.parquet"):
        with pytest.raises(RuntimeError):
            half(tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.csv", "p.parquet"]


def test_no_windows_and_no_folder_to_write_to_are_one_sentence(tmp_path, capsys):
    series, windows = _series(tmp_path)
    empty = tmp_path / "empty.csv"
    empty.write_text("unique_id,cutoff,horizon\n")

    def backtest(windows, out):
        return cli.main(["backtest", str(series), "--windows", str(windows), "--out", str(out), "--workers", "1"])

    assert backtest(empty, tmp_path / "p.csv") == 2
    assert "has no windows" in capsys.readouterr().err
    assert backtest(windows, tmp_path / "absent" / "p.csv") == 2
    assert "choose another --out" in capsys.readouterr().err


def test_validate_sizing_answers_every_row(tmp_path, capsys):
    measured = tmp_path / "m.csv"
    measured.write_text(
        "row_id,model,gpu,n_gpus,tp,pp,ep,dp,weight_precision,kv_precision,framework,load,concurrency,isl,osl,"
        "len_note,ttft_ms,tpot_ms,output_tok_s,tput_derived,source,series\n"
        "r1,llama-3.1-8b,h100,1,1,1,1,1,bf16,,vllm,closed_loop,16,1024,256,fixed,,,,1,ours,s1\n"
    )
    out = tmp_path / "p.csv"

    assert cli.main(["validate-sizing", str(measured), "--out", str(out)]) == 0

    row = pd.read_csv(out).iloc[0]
    assert row.row_id == "r1"
    assert 0 < row.output_tok_s_p10 < row.output_tok_s < row.output_tok_s_p90
    assert row.tpot_ms > 16.06e9 / 3.35e12 * 1e3, "no step is faster than reading the weights once"


def test_a_file_that_cannot_be_read_or_written_is_one_sentence(tmp_path):
    with pytest.raises(UserError, match=r"Cannot read .*absent\.csv"):
        read_table(tmp_path / "absent.csv")
    (tmp_path / "bad.parquet").write_bytes(b"not parquet")
    with pytest.raises(UserError, match="no table that can be read"):
        read_table(tmp_path / "bad.parquet")
    with pytest.raises(UserError, match=r"Cannot write .*choose another --out"):
        save_text(tmp_path / "absent" / "p.csv", "text")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad.parquet"]


RUN = {
    "model_id": "meta-llama/Llama-3.1-8B-Instruct", "backend": "vllm", "request_rate": "inf", "num_prompts": 160,
    "duration": 40.0, "completed": 160, "total_input_tokens": 163_840, "total_output_tokens": 40_960,
    "output_throughput": 1024.0, "mean_ttft_ms": 120.0, "mean_tpot_ms": 15.0,
}  # fmt: skip
FACTS = ("--gpu", "h100", "--tp", "1", "--precision", "bf16", "--description", "our own runs")


def _runs(tmp_path):
    paths = []
    for clients in (8, 16, 32):
        paths.append(tmp_path / f"c{clients}.json")
        paths[-1].write_text(json.dumps(RUN | {"max_concurrency": clients, "output_throughput": 30.0 * clients}))
    return [str(path) for path in paths]


def test_ones_own_results_become_an_overlay_that_size_and_validation_take(tmp_path, capsys):
    out = tmp_path / "mine.toml"

    assert cli.main(["calibrate", *_runs(tmp_path), *FACTS, "--out", str(out)]) == 0

    said = capsys.readouterr().out
    assert "3 runs: 3 of vllm bench serve" in said
    assert "llama-3.1-8b on h100, vllm, bf16: 3 runs of 1 sweep, times x 1." in said
    assert "band as shipped" in said
    size = ["size", "--model", "llama-3.1-8b", "--gpu", "h100", "--qps", "50", "--prompt-tokens", "1024"]
    size += ["--output-tokens", "256", "--json"]
    answers = []
    for more in ([], ["--calibration", str(out)]):
        assert cli.main([*size, *more]) == 0
        answers.append(json.loads(capsys.readouterr().out)["plan"])
    shipped, own = answers
    assert own["gpu_s_per_request"] > shipped["gpu_s_per_request"]
    assert own["measured_points"] == shipped["measured_points"] + 3


def test_fact_that_results_lack_is_asked_for_and_nothing_is_written(tmp_path, capsys):
    out = tmp_path / "mine.toml"

    assert cli.main(["calibrate", *_runs(tmp_path), "--description", "x", "--out", str(out)]) == 2

    assert "does not say how many GPUs split a layer; give --tp" in capsys.readouterr().err
    assert not out.exists()


def test_validation_on_folds_and_on_ones_own_calibration_is_refused(tmp_path, capsys):
    measured = tmp_path / "m.csv"
    measured.write_text("row_id\n")
    own = ["--folds", "pair", "--calibration", "mine.toml", "--out", str(tmp_path / "p.csv")]

    assert cli.main(["validate-sizing", str(measured), *own]) == 2
    assert "--calibration would not be used" in capsys.readouterr().err
