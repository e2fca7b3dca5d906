from datetime import date

import numpy as np
import pandas as pd
import pytest

from data.errors import UserError
from data.ingest import ingest_logs
from data.read_traffic import load_traffic
from data.request_windows import request_lengths, request_windows
from data.traffic import SUMS, Match

DAY = date(2026, 11, 2)
ASKED = {"match": Match(label="case"), "since": None, "until": date(2026, 11, 3)}


def row(at, prompt, output, status="ok", cached=0):
    return {
        "request_id": f"{at}-{prompt}-{output}",
        "arrived_utc": f"2026-11-02T{at}+00:00",
        "prompt_tok": prompt,
        "cached_prompt_tok": cached,
        "output_tok": output,
        "status": status,
    }


@pytest.fixture
def filled(store, now, write_csv):
    """Four served requests of 110, 220, 1,100 and 50,100 tokens, a failed and a silent throttled one."""

    def fill(rows):
        ingest_logs(store, [write_csv("r.csv", rows)], now=now, label="case")
        return store

    return fill


ROWS = [
    row("00:00:00.2", 100, 10),
    row("00:00:00.7", 200, 20, cached=50),
    row("00:00:03", 1_000, 100),
    row("00:00:14", 50_000, 100),
    row("00:00:15", 9_999, 9, status="500"),
    row("00:00:15.5", 100, 0, status="429"),
]


def test_lengths_are_prompt_and_output_of_requests_that_did_work(filled):
    lengths = request_lengths(filled(ROWS), **ASKED, newest_days=7)

    assert lengths.tok.tolist() == [110, 220, 1_100, 50_100]
    assert lengths.requests.tolist() == [1, 1, 1, 1]
    assert [lengths.at(share) for share in (0.25, 0.26, 0.75, 0.99)] == [110, 220, 1_100, 50_100]
    assert lengths.share_above(1_100) == 0.25
    assert lengths.share_above(50_100) == 0.0


def test_windows_of_a_second_hold_the_sums_of_that_second(filled):
    (all_,) = request_windows(filled(ROWS[:4]), **ASKED, window_s=1, newest_days=7).bands

    assert list(all_.columns) == list(SUMS)
    assert all_.index[0] == pd.Timestamp("2026-11-02 00:00:00")
    assert all_["requests"].tolist() == [2, 0, 0, 1, *[0] * 10, 1]
    assert all_["prompt_tok_sum"].iloc[0] == 300
    assert all_["prompt_tok_sq_sum"].iloc[0] == 100**2 + 200**2
    assert all_["prompt_cached_sum"].iloc[0] == 200 * 50
    assert all_["prompt_output_sum"].iloc[0] == 100 * 10 + 200 * 20


def test_bands_part_requests_by_prompt_and_output_together(filled):
    parted = request_windows(filled(ROWS[:4]), **ASKED, window_s=10, newest_days=7, above_tok=(220, 1_100))

    assert [band["requests"].sum() for band in parted.bands] == [2, 1, 1]
    assert parted.within(220)["prompt_tok_sum"].sum() == 300
    assert parted.within(1_100)["prompt_tok_sum"].sum() == 1_300
    assert parted.beyond(220)["prompt_tok_sum"].sum() == 51_000
    assert parted.beyond(1_100)["output_tok_sum"].sum() == 100
    assert (parted.within(220) + parted.beyond(220)).equals(parted.whole)


def test_silent_requests_count_as_the_mean_one_of_their_day_in_every_band(filled):
    parted = request_windows(filled(ROWS), **ASKED, window_s=10, newest_days=7, above_tok=(1_100,))

    assert parted.whole["requests"].sum() == pytest.approx(5)  # the failed one did no work
    assert parted.bands[0]["requests"].sum() == pytest.approx(3 * 5 / 4)
    assert parted.bands[1]["prompt_tok_sum"].sum() == pytest.approx(50_000 * 5 / 4)


def test_windows_of_10_s_are_those_of_the_store(filled):
    store = filled(ROWS)
    traffic = load_traffic(store, workload="case", **ASKED)
    whole = request_windows(store, **ASKED, window_s=10, newest_days=35).whole

    pd.testing.assert_frame_equal(whole, traffic.windows, check_freq=False)


def test_only_the_newest_days_are_made(filled):
    older = [{**row("10:00:00", 7, 7), "arrived_utc": "2026-10-01T10:00:00+00:00"}]
    store = filled([*older, *ROWS[:4]])

    assert request_lengths(store, **ASKED, newest_days=7).requests.sum() == 4
    assert request_windows(store, **ASKED, window_s=1, newest_days=7).whole["requests"].sum() == 4
    assert request_lengths(store, **ASKED, newest_days=35).requests.sum() == 5


def test_a_store_without_such_requests_says_nothing(filled):
    store = filled(ROWS)
    other = {**ASKED, "match": Match(label="other")}

    assert request_lengths(store, **other, newest_days=7) is None
    assert request_windows(store, **other, window_s=1, newest_days=7) is None


def test_windows_that_do_not_split_a_day_are_refused(filled):
    with pytest.raises(UserError, match="windows of 7 s"):
        request_windows(filled(ROWS), **ASKED, window_s=7, newest_days=7)


def test_unknown_cached_tokens_are_those_of_the_bands_others(filled):
    rows = [row("00:00:00", 100, 10, cached=40), {**row("00:00:01", 100, 10), "cached_prompt_tok": ""}]
    (all_,) = request_windows(filled(rows), **ASKED, window_s=1, newest_days=7).bands

    assert all_["cached_prompt_tok_sum"].tolist() == [40, 40]
    assert np.isfinite(all_.to_numpy()).all()
