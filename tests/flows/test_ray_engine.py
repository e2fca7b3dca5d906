"""The Ray engine forecasts what the local one does, to the byte."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.errors import UserError
from flows import cli
from forecasting.backtest import check_backtest


def _inputs(tmp_path):
    days = pd.date_range("2026-01-01", periods=200)
    rng = np.random.default_rng(0)
    rows = [
        pd.DataFrame({"unique_id": name, "ds": days, "y": np.round(1e3 * np.exp(0.2 * rng.standard_normal(200)))})
        for name in ("chat", "search", "agents")
    ]
    series, windows = tmp_path / "series.csv", tmp_path / "windows.csv"
    pd.concat(rows).to_csv(series, index=False)
    cutoffs = [str(day.date()) for day in pd.date_range("2026-03-01", periods=12, freq="10D")]
    asked = [f"{name},{cutoff},30" for cutoff in cutoffs for name in ("search", "chat", "agents")]
    windows.write_text("\n".join(["unique_id,cutoff,horizon", *asked, ""]))
    return series, windows


@pytest.mark.slow
def test_ray_writes_what_the_local_engine_writes(tmp_path):
    if importlib.util.find_spec("prefect_ray") is None:
        if os.environ.get("FLEETCAST_REQUIRE_TOOLS"):
            pytest.fail("prefect-ray is missing; make test-slow installs it")
        pytest.skip("needs the extra [ray]")
    series, windows = _inputs(tmp_path)
    environment = {k: v for k, v in os.environ.items() if k != "PREFECT_API_URL"}
    environment |= {"PREFECT_HOME": str(tmp_path / "prefect"), "HOME": str(tmp_path)}
    wanted = {}
    for engine in ("local", "ray"):
        out = tmp_path / f"{engine}.csv"
        command = [sys.executable, "-m", "flows.cli", "backtest", series, "--windows", windows, "--out", out]
        command += ["--engine", engine, "--workers", "2"]
        done = subprocess.run(
            [str(part) for part in command],
            env=environment,
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        table = pd.read_csv(out, dtype=str)  # the text itself: no digit may differ
        wanted[engine] = table.drop(columns="fit_s").to_csv()  # seconds are no result
    assert len(wanted["local"].splitlines()) == 1 + 36 * 30
    assert wanted["ray"] == wanted["local"]


def test_without_the_extra_the_command_says_what_to_install(monkeypatch, tmp_path):
    from flows.ray_engine import backtest_on_ray

    monkeypatch.setitem(sys.modules, "prefect_ray", None)
    series, windows = (pd.read_csv(path) for path in _inputs(tmp_path))

    with pytest.raises(UserError, match=r"not installed; run pip install 'fleetcast\[ray\]'"):
        backtest_on_ray(check_backtest(series, windows), lambda _table: None)


def test_an_address_without_the_engine_is_refused(tmp_path, capsys):
    series, windows = _inputs(tmp_path)
    out = tmp_path / "p.csv"

    status = cli.main(
        ["backtest", str(series), "--windows", str(windows), "--out", str(out), "--ray-address", "auto"]
    )

    assert status == 2
    assert "--ray-address is for --engine ray" in capsys.readouterr().err
    assert not out.exists()
