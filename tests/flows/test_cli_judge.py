"""How right the forecasts and the sizing are is something that anyone can ask from the command line."""

import numpy as np
import pandas as pd
import pytest

from data.errors import UserError
from flows import cli
from flows.cli_judge import _save, _table


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
        _table(tmp_path / "absent.csv")
    (tmp_path / "bad.parquet").write_bytes(b"not parquet")
    with pytest.raises(UserError, match="no table that can be read"):
        _table(tmp_path / "bad.parquet")
    with pytest.raises(UserError, match=r"Cannot write .*choose another --out"):
        _save(tmp_path / "absent" / "p.csv", "text")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad.parquet"]
