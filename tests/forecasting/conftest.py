"""Traffic built by hand, without a store."""

from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd
import pytest

from data.traffic import LONG_PROMPT_TOK, SUMS, Match, Traffic

AS_OF = date(2026, 11, 5)
"""The day after the 400 days that `make_traffic` gives by default."""


def make_traffic(
    days: int = 400,
    level: float = 100_000.0,
    *,
    seed: int = 0,
    noise: float = 0.05,
    end: date = AS_OF,
    window_s: int = 10,
) -> Traffic:
    """One workload with a weekly rhythm: mean prompt 1,000, cached 300, output 250; E[P^2] = 2 E[P]^2."""
    rng = np.random.default_rng(seed)
    index = pd.date_range(pd.Timestamp(end) - pd.Timedelta(days=days), periods=days, name="day_utc")
    weekend = index.day_of_week.to_numpy() >= 5
    requests = np.round(level * np.where(weekend, 0.6, 1.1) * np.exp(noise * rng.standard_normal(days)))
    prompt, output, cached = (m * np.exp(0.03 * rng.standard_normal(days)) for m in (1000.0, 250.0, 300.0))
    means = (np.ones(days), prompt, cached, output)
    squares = (2 * prompt**2, 3 * cached**2, 2 * prompt * cached, 1.2 * prompt * output, 2 * output**2)
    columns = {name: requests * value for name, value in zip(SUMS, (*means, *squares), strict=True)}
    columns |= {"observed_share": np.ones(days)}
    for field, mean in (("prompt", prompt), ("cached", cached), ("output", output)):
        for percentile, ratio in zip((50, 90, 95, 99), (0.7, 2.0, 3.0, 6.0), strict=True):
            columns[f"{field}_p{percentile}_tok"] = mean * ratio
    columns["peak_minute_requests"] = requests / 1440 * 2.2 * np.exp(0.1 * rng.standard_normal(days))
    kept = np.arange(days) >= days - 35
    columns["peak_10s_requests"] = np.where(kept, columns["peak_minute_requests"] / 6 * 1.5, np.nan)
    columns["peak_hour_requests"] = requests / 24 * 1.8
    for threshold in LONG_PROMPT_TOK:
        columns |= {f"long_{threshold}_{name}": columns[name] * 1000 / threshold for name in SUMS}
    joint = {"prompt_tok": [1000.0], "output_tok": [250.0], "cached_share": [0.3], "weight": [1.0]}
    return Traffic(
        workload="chat",
        match=Match(),
        source_kind="requests",
        daily=pd.DataFrame(columns, index=index),
        windows=pd.DataFrame({name: [] for name in SUMS}, index=pd.DatetimeIndex([], name="window_utc")),
        window_s=window_s,
        hour_of_week=np.ones(168),
        joint=pd.DataFrame(joint),
        first_utc=index[0].tz_localize("UTC"),
        last_utc=(index[-1] + pd.Timedelta(days=1)).tz_localize("UTC"),
    )


@pytest.fixture(name="make_traffic")
def make_traffic_fixture() -> Callable[..., Traffic]:
    return make_traffic
