from dataclasses import replace
from datetime import date
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.catalog.gpus import Gpu, load_gpus
from data.catalog.models import ModelShape, load_models
from data.traffic import SUMS, Match, Traffic
from forecasting.demand import Demand, Moments, TokenOutlook
from sizing.calibration import load_calibration
from sizing.fit import serve
from sizing.measured import measured


@pytest.fixture(scope="session")
def models() -> dict[str, ModelShape]:
    return load_models()


@pytest.fixture(scope="session")
def gpus() -> dict[str, Gpu]:
    return load_gpus()


@pytest.fixture(scope="session")
def measured_table() -> pd.DataFrame:
    path = Path(__file__).resolve().parents[3] / "shared" / "data" / "measured_serving.csv"
    if not path.exists():
        pytest.skip(f"{path} with the measured serving points is not on this machine")
    return pd.read_csv(path)


@pytest.fixture(scope="session")
def made_up_table(models, gpus) -> pd.DataFrame:
    """Return 48 points, one sweep a setting, made by the roofline with known factors and 5% noise."""
    pairs = (("llama-3.1-8b", "h100", "bf16"), ("llama-3.1-70b", "h200", "fp8"))
    table = pd.DataFrame(
        [
            {"model": m, "gpu": g, "weight_precision": p, "tp": tp, "n_gpus": tp, "isl": isl, "osl": osl}
            | {"series": f"{m}-{tp}-{isl}-{osl}", "concurrency": clients}
            for (m, g, p), tp, (isl, osl), clients in product(
                pairs, (2, 4), ((1024, 1024), (8192, 1024)), (1, 4, 8, 16, 32, 64)
            )
        ]
    ).assign(framework="vllm", load="closed_loop", len_note="fixed", tput_derived=1)
    table["row_id"] = [f"m{i}" for i in range(len(table))]
    served = serve(measured(table, models, gpus), replace(load_calibration(), slow={}, wait={}))
    noise = np.random.default_rng(20261123).lognormal(0, 0.05, (2, len(table)))
    table["ttft_ms"], table["tpot_ms"] = 1e3 * served.ttft_s * noise[0], 1e3 * served.tpot_s * noise[1]
    taken_s = (table["ttft_ms"] + table["tpot_ms"] * (table["osl"] - 1)) / 1e3
    return table.assign(output_tok_s=table["concurrency"] * table["osl"] / taken_s)


@pytest.fixture(scope="session")
def worlds():
    """Return a maker of (demand, traffic) pairs: S paths over D days, and three days of 10-s windows."""
    return _world


def _world(
    *,
    requests_per_day: float = 1_000_000.0,
    paths: int = 20,
    days: int = 40,
    spread: float = 0.3,
    burst: float = 0.5,
    window_s: int = 10,
    seen_days: float = 3.0,
    prompt_tok: float = 1_500.0,
    output_tok: float = 300.0,
    known_squares: bool = True,
    tokens: tuple[TokenOutlook, ...] = (),
) -> tuple[Demand, Traffic]:
    rng = np.random.default_rng(11)
    moments = Moments(prompt_sq=2.0, cached_sq=1.0, prompt_cached=1.0, prompt_output=1.0, output_sq=2.0)
    start = np.datetime64("2026-11-23")
    wave = 1 + 0.6 * np.sin((np.arange(24) + 0.5) / 24 * 2 * np.pi)
    level = requests_per_day * rng.lognormal(0, spread, (paths, 1)) * (1 + 0.1 * np.sin(np.arange(days)))
    shape = (paths, days)
    demand = Demand(
        workload="chat",
        as_of=date(2026, 11, 23),
        basis="history",
        days=start + np.arange(days),
        requests=level,
        prompt_tok=np.full(shape, prompt_tok),
        cached_prompt_tok=np.zeros(shape),
        output_tok=np.full(shape, output_tok),
        busiest_10s_factor=np.full(shape, 2.0),
        window_s=window_s,
        moments=moments,
        long=(),
        tokens=tokens,
        hour_of_week=np.tile(wave, 7),
    )
    count = int(seen_days * 86_400 / window_s)
    index = pd.date_range("2026-11-02", periods=count, freq=f"{window_s}s", name="window_utc")
    rate = np.repeat(np.tile(wave, 10), 3_600 // window_s)[:count] * rng.lognormal(0, burst, count)
    requests = np.round(rate * requests_per_day * window_s / 86_400)
    p, o, none = prompt_tok, output_tok, np.zeros(count)
    squares = [requests * 2 * p * p, none, none, requests * p * o, requests * 2 * o * o]
    if not known_squares:
        squares = [np.full(count, np.nan)] * 5
    windows = pd.DataFrame(
        dict(zip(SUMS, [requests, requests * p, none, requests * o, *squares], strict=True)), index=index
    )
    daily = windows.groupby(index.floor("D")).sum().rename_axis("day_utc").assign(observed_share=1.0)
    traffic = Traffic(
        workload="chat",
        match=Match(),
        source_kind="requests" if window_s == 10 else "aggregates",
        daily=daily,
        windows=windows,
        window_s=window_s,
        hour_of_week=demand.hour_of_week,
        joint=pd.DataFrame(),
        first_utc=index[0],
        last_utc=index[-1],
    )
    return demand, traffic
