from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.ingest import ingest_logs
from data.lognormal import LogNormal, fit
from data.read_traffic import load_traffic
from data.traffic import Match, Traffic

START = datetime(2026, 1, 5, tzinfo=UTC)
HEADER = "model,t_s,window_s,field,requests,mean,p50,p90,p95,p99\n"
INPUT = "m,0,21600,input_tokens,100,200,100,300,400,900\n"
OUTPUT = "m,0,21600,output_tokens,100,50,40,90,95,99\n"


@pytest.fixture
def read(tmp_path: Path, store, now):
    """Ingest rates of one client by slot, and token statistics, and return the traffic."""

    def load(rates: dict[int, float], tokens: str = HEADER + INPUT + OUTPUT) -> Traffic:
        log = tmp_path / "x_clients_10min.parquet"
        slots = [600 * slot for slot in rates]
        columns = {
            "client_id": [1] * len(rates),
            "t_s": slots,
            "rate_rps": list(rates.values()),
            "iat_cv": [1.0] * len(rates),
        }
        pq.write_table(pa.table(columns), log)
        (tmp_path / "x_tokens_6h.csv").write_text(tokens)
        ingest_logs(store, [log], now=now, start=START)
        return load_traffic(store, workload="w", match=Match(), since=None, until=date(2026, 11, 23))

    return load


def test_sums_follow_from_the_stated_means_and_the_fitted_spread(read):
    traffic = read({0: 1.0})

    window = traffic.windows.iloc[0]
    prompt, output = fit(200, [100, 300, 400, 900]), fit(50, [40, 90, 95, 99])
    assert prompt is not None
    assert output is not None
    assert window["requests"] == 600
    assert window["prompt_tok_sum"] == 600 * 200
    assert window["prompt_tok_sq_sum"] == pytest.approx(600 * prompt.moment_above(2, 0))
    assert window["output_tok_sq_sum"] == pytest.approx(600 * output.moment_above(2, 0))
    assert window["prompt_output_sum"] == pytest.approx(600 * 200 * 50)
    day = traffic.daily.iloc[0]
    assert day["long_32000_prompt_tok_sum"] == pytest.approx(600 * prompt.moment_above(1, 32_000))
    assert day["prompt_p90_tok"] == pytest.approx(300, rel=1e-6)  # as stated, not as fitted


def test_slots_that_are_not_there_had_no_requests(read):
    traffic = read({0: 1.0, 3: 1.0})

    assert traffic.windows["requests"].tolist() == [600, 0, 0, 600]
    assert traffic.daily["observed_share"].iloc[0] == pytest.approx(4 / 144)


def test_a_day_without_any_slot_is_a_gap(read):
    traffic = read(dict.fromkeys((*range(144), *range(288, 432)), 1.0))

    assert traffic.daily["requests"].isna().tolist() == [False, True, False]
    assert traffic.full_days == 2
    assert len(traffic.windows) == 288
    assert (traffic.windows.index - traffic.windows.index[0])[144] == timedelta(days=2)


def test_lengths_that_nobody_stated_stay_unknown(read):
    traffic = read({0: 1.0, 40: 1.0})  # slot 40 lies in a window without statistics

    assert np.isnan(traffic.daily["prompt_tok_sum"].iloc[0])
    assert traffic.daily["requests"].iloc[0] == 1200
    assert traffic.windows["prompt_tok_sum"].notna().sum() == 40
    assert traffic.windows["requests"].sum() == 1200
    assert traffic.joint["weight"] @ traffic.joint["prompt_tok"] == pytest.approx(200)  # of those that are known


def test_a_prompt_in_parts_is_the_sum_of_its_parts_and_has_no_percentiles(read):
    image = "m,0,21600,image_tokens,100,1000,900,1200,1230,1260\n"

    day = read({0: 1.0}, HEADER + INPUT.replace("input", "text") + image + OUTPUT).daily.iloc[0]

    assert day["prompt_tok_sum"] == 600 * 1200
    assert np.isnan(day["prompt_p50_tok"])
    assert day["output_p50_tok"] == pytest.approx(40, rel=1e-6)
    text, pixels = fit(200, [100, 300, 400, 900]), fit(1000, [900, 1200, 1230, 1260])
    assert isinstance(text, LogNormal)
    assert isinstance(pixels, LogNormal)
    variance = sum(part.moment_above(2, 0) - part.mean**2 for part in (text, pixels))
    assert day["prompt_tok_sq_sum"] == pytest.approx(600 * (variance + 1200**2))
