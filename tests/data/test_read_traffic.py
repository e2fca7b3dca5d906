from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from data.errors import UserError
from data.ingest import ingest_logs
from data.read_traffic import labels, load_quality, load_traffic, store_digest
from data.traffic import FIELDS, LONG_PROMPT_TOK, PERCENTILES, SUMS, Match, Traffic
from data.warehouse import open_store

UNTIL = date(2026, 11, 23)
BEGIN = datetime(2026, 11, 2, tzinfo=UTC)  # a Monday


def request(after: timedelta, **stated: object) -> dict[str, object]:
    return {
        "arrived_utc": (BEGIN + after).isoformat(),
        "model": "m",
        "team": "a",
        "status": "ok",
        "prompt_tok": 100,
        "cached_prompt_tok": 20,
        "output_tok": 10,
        **stated,
    }


def hourly(days: range, **stated: object) -> list[dict[str, object]]:
    return [request(timedelta(days=d, hours=h, minutes=30), **stated) for d in days for h in range(24)]


@pytest.fixture
def read(store, write_csv, now):
    """Ingest rows as one log and return its traffic."""

    def load(rows: list[dict[str, object]], match: Match = Match(), since=None, until: date = UNTIL) -> Traffic:  # noqa: B008  # frozen
        ingest_logs(store, [write_csv("log.csv", rows)], now=now, label="log", max_rejected_share=0.0)
        return load_traffic(store, workload="w", match=match, since=since, until=until)

    return load


def columns_of_daily() -> list[str]:
    percentiles = [f"{field}_p{round(100 * p)}_tok" for field in FIELDS for p in PERCENTILES]
    peaks = ["peak_10s_requests", "peak_minute_requests", "peak_hour_requests"]
    long = [f"long_{threshold}_{name}" for threshold in LONG_PROMPT_TOK for name in SUMS]
    rest = ["throttled_requests", "failed_requests", "missing_tok_requests", "cached_known_share"]
    return [*SUMS, "observed_share", *percentiles, *peaks, *long, *rest]


def test_a_day_is_the_sum_of_its_requests(read):
    traffic = read([*hourly(range(2)), request(timedelta(hours=6, seconds=3), prompt_tok=40_000, output_tok=0)])

    day = traffic.daily.loc["2026-11-02"]
    assert sorted(traffic.daily.columns) == sorted(columns_of_daily())
    assert traffic.daily.index.name == "day_utc"
    assert traffic.daily.index.dtype == traffic.windows.index.dtype == "datetime64[ns]"
    assert day["requests"] == 25
    assert day["prompt_tok_sum"] == 24 * 100 + 40_000
    assert day["prompt_output_sum"] == 24 * 100 * 10
    assert day["prompt_cached_sum"] == 24 * 100 * 20 + 40_000 * 20
    assert (day["long_32000_requests"], day["long_32000_prompt_tok_sum"], day["long_100000_requests"]) == (
        1,
        40_000,
        0,
    )
    assert day["prompt_p50_tok"] == pytest.approx(100, rel=0.01)
    assert day["prompt_p99_tok"] == pytest.approx(40_000, rel=0.01)
    assert (day["peak_10s_requests"], day["peak_minute_requests"], day["peak_hour_requests"]) == (1, 1, 2)
    assert (traffic.source_kind, traffic.window_s, traffic.full_days) == ("requests", 10, 2)
    assert traffic.notes == ()


def test_a_gap_is_no_data_and_its_windows_are_absent(read):
    traffic = read([*hourly(range(2)), *hourly(range(3, 5))])

    assert np.isnan(traffic.daily.loc["2026-11-04", "requests"])
    assert traffic.daily.loc["2026-11-04", "observed_share"] == 0
    assert traffic.full_days == 4
    assert (traffic.windows.index.floor("D") != "2026-11-04").all()
    assert len(traffic.windows) == 4 * 8640 - 2 * 180 + 1  # from the first record at 00:30 to the last at 23:30
    assert traffic.windows["requests"].sum() == 4 * 24


def test_a_day_without_a_match_is_zero_where_the_source_was_watched(read):
    rows = [*hourly(range(3), team="b"), *hourly(range(1), team="a"), *hourly(range(2, 3), team="a")]

    traffic = read(rows, Match(team="a"))

    assert traffic.daily["requests"].tolist() == [24, 0, 24]
    assert traffic.daily["prompt_tok_sum"].tolist() == [2400, 0, 2400]
    assert traffic.daily["peak_10s_requests"].tolist() == [1, 0, 1]


def test_requests_of_unknown_length_count_as_the_mean_request_of_their_day(read):
    rows = [*hourly(range(1)), request(timedelta(hours=1), prompt_tok="", output_tok="", cached_prompt_tok="")]
    throttled = request(timedelta(hours=2), status="429", prompt_tok=0, output_tok=0, cached_prompt_tok=0)

    traffic = read([*rows, throttled])

    day = traffic.daily.iloc[0]
    assert (day["requests"], day["missing_tok_requests"]) == (26, 2)
    assert day["prompt_tok_sum"] == pytest.approx(2600)
    assert day["cached_prompt_tok_sq_sum"] == pytest.approx(26 * 400)
    assert traffic.windows["prompt_tok_sum"].sum() == pytest.approx(2600)
    assert any("7.7% of the requests state no lengths" in note for note in traffic.notes)


def test_failed_requests_are_counted_and_add_nothing(read):
    day = read([*hourly(range(1)), request(timedelta(hours=1), status="503")]).daily.iloc[0]

    assert (day["requests"], day["failed_requests"], day["prompt_tok_sum"]) == (24, 1, 2400)


def test_unknown_cached_tokens_are_nan_by_day_and_none_in_the_windows(read):
    traffic = read(hourly(range(1), cached_prompt_tok=""))

    assert np.isnan(
        traffic.daily[["cached_prompt_tok_sum", "prompt_cached_sum", "cached_p50_tok"]].to_numpy()
    ).all()
    assert traffic.daily["cached_known_share"].tolist() == [0]
    assert traffic.windows.notna().all().all()
    assert (traffic.joint["cached_share"] == 0).all()
    assert any("does not state cached" in note for note in traffic.notes)


def test_a_source_below_one_day_has_a_cut_off_day_and_a_flat_week(read):
    traffic = read([request(timedelta(hours=6, minutes=m)) for m in range(61)])

    assert traffic.full_days == 0
    assert traffic.daily["requests"].tolist() == [61]
    assert traffic.daily["observed_share"].iloc[0] == pytest.approx(1 / 24, rel=0.01)
    assert len(traffic.windows) == 361
    assert (traffic.hour_of_week == 1).all()


def test_the_weeks_shape_is_what_was_seen(read):
    busy = [request(timedelta(days=d, hours=9, minutes=5 + n)) for d in range(14) for n in range(24)]

    traffic = read([*hourly(range(14)), *busy])
    profile = traffic.hour_of_week

    assert len(traffic.hours) == 14 * 24, "a first request at 0:00 and a last one at 23:00 do not cut their days"
    assert traffic.hours[traffic.hours.index.hour == 9].tolist() == [25.0] * 14
    assert profile.mean() == pytest.approx(1)
    assert profile.reshape(7, 24)[:, 9] == pytest.approx(np.full(7, 12.5))
    assert profile.reshape(7, 24)[:, 10] == pytest.approx(np.full(7, 0.5))


def test_representative_lengths_have_the_means_of_the_windows(read):
    rng = np.random.default_rng(3)
    rows = [
        request(timedelta(minutes=n), prompt_tok=int(p), output_tok=int(o), cached_prompt_tok=int(p) // 2)
        for n, (p, o) in enumerate(rng.lognormal(5, 1.5, (1500, 2)) + 1)
    ]

    traffic = read(rows)

    joint, total = traffic.joint, traffic.windows.sum()
    assert joint["weight"].sum() == pytest.approx(1)
    assert joint["weight"] @ joint["prompt_tok"] == pytest.approx(total["prompt_tok_sum"] / 1500)
    assert joint["weight"] @ joint["output_tok"] == pytest.approx(total["output_tok_sum"] / 1500)
    assert joint["cached_share"].iloc[0] == pytest.approx(0.5, abs=0.01)
    assert joint["weight"] @ joint["prompt_tok"] ** 2 == pytest.approx(
        total["prompt_tok_sq_sum"] / 1500, rel=0.2
    )  # 10% buckets


def test_the_day_of_the_plan_is_not_seen(read):
    rows = hourly(range(5))

    assert len(read(rows, until=date(2026, 11, 5)).daily) == 3
    assert read(rows, until=date(2026, 11, 5)).full_days == 3
    assert read(rows, since=date(2026, 11, 4)).daily.index[0].date() == date(2026, 11, 4)


def test_a_plan_for_a_past_date_reads_minutes_where_ten_second_rows_are_gone(store, write_csv, now):
    ingest_logs(store, [write_csv("log.csv", hourly(range(-60, 0)))], now=now)

    recent = load_traffic(store, workload="w", match=Match(), since=None, until=date(2026, 11, 2))
    middle = load_traffic(store, workload="w", match=Match(), since=None, until=date(2026, 10, 20))
    past = load_traffic(store, workload="w", match=Match(), since=None, until=date(2026, 10, 1))

    assert (recent.window_s, middle.window_s, past.window_s) == (10, 10, 60)
    assert len(recent.windows) == 35 * 8640 - 179
    assert middle.windows.index[0].date() == date(2026, 9, 28)  # the first day that still has them
    assert past.windows["requests"].sum() == len(past.daily) * 24
    assert any("windows are minutes" in note for note in past.notes)
    assert past.daily["peak_10s_requests"].notna().sum() == 3  # the three days that still have them


@pytest.mark.parametrize(
    ("match", "said"),
    [
        (Match(team="it's"), 'team = "it\'s"'),
        (Match(label="none", region="eu"), "label = 'none', region = 'eu'"),
    ],
)
def test_nothing_that_matches_is_said_with_what_there_is(read, match: Match, said: str):
    with pytest.raises(UserError) as refused:
        read(hourly(range(1)), match)

    assert said in str(refused.value)
    assert "it has 'log' (2026-11-02 to 2026-11-02)" in str(refused.value)


def test_an_empty_store_says_that_it_has_no_traffic(store):
    with pytest.raises(UserError, match="it has no traffic"):
        load_traffic(store, workload="w", match=Match(), since=None, until=UNTIL)


def test_aggregates_keep_their_percentiles_and_get_the_rest_fitted(shared_traffic, store, now):
    log = shared_traffic / "llm_servegen_m_large_clients_10min.parquet"
    ingest_logs(store, [log], now=now, start=datetime(2026, 1, 5, tzinfo=UTC))

    traffic = load_traffic(store, workload="m", match=Match(model="m-large"), since=None, until=UNTIL)

    assert (traffic.source_kind, traffic.window_s, traffic.full_days) == ("aggregates", 600, 14)
    assert traffic.daily["requests"].sum() == pytest.approx(236_892_826)
    assert len(traffic.windows) == 2016
    assert traffic.windows.sum()["requests"] == pytest.approx(236_892_826)
    assert sorted(traffic.daily.columns) == sorted(columns_of_daily())
    first = traffic.daily.iloc[0]
    assert 77 < first["prompt_p50_tok"] < 653  # between the medians of its four windows
    assert first["prompt_p50_tok"] < first["prompt_p90_tok"] < first["prompt_p95_tok"] < first["prompt_p99_tok"]
    assert np.isnan(
        first[["peak_10s_requests", "peak_minute_requests", "cached_prompt_tok_sum"]].astype(float)
    ).all()
    assert first["prompt_tok_sq_sum"] > first["prompt_tok_sum"] ** 2 / first["requests"]
    joint, total = traffic.joint, traffic.windows.sum()
    assert joint["weight"] @ joint["prompt_tok"] == pytest.approx(total["prompt_tok_sum"] / total["requests"])
    said = " ".join(traffic.notes)
    assert "lengths are a lognormal fitted to" in said
    assert "no 10-second plan" in said
    assert "cover 63% of the requests" in said
    assert len(traffic.files) == 2


def test_request_logs_and_aggregates_are_never_added_up(shared_traffic, store, write_csv, now):
    ingest_logs(store, [write_csv("log.csv", hourly(range(1)))], now=now)
    log = shared_traffic / "llm_servegen_mm_image_clients_10min.parquet"
    ingest_logs(store, [log], now=now, start=datetime(2026, 1, 5, tzinfo=UTC))

    with pytest.raises(UserError, match=r"matches request logs and aggregates alike .* match.label"):
        load_traffic(store, workload="w", match=Match(), since=None, until=UNTIL)


def test_quality_counts_what_was_read_and_what_was_not(store, write_csv, now):
    rows = [
        *hourly(range(2)),
        *hourly(range(4, 5)),
        request(timedelta(hours=1), status="500"),
        request(timedelta(hours=2), prompt_tok=""),
        request(timedelta(hours=3), output_tok=-1),
    ]
    ingest_logs(store, [write_csv("log.csv", rows)], now=now)

    found = load_quality(store, since=None, until=UNTIL, matches=[Match(team="a")])

    assert (found.files, found.rows_read, found.rows_rejected, found.rows_duplicate) == (1, 75, 1, 0)
    assert (found.requests, found.failed_requests, found.missing_tok_requests, found.gap_days) == (73, 1, 1, 2)
    assert found.rejected_by_reason == {"output_tok is negative": 1}
    assert found.since == date(2026, 11, 2)
    assert load_quality(store, since=UNTIL, until=UNTIL, matches=[]).requests == 0


def test_rows_that_are_no_requests_are_not_counted_as_read(tmp_path, store, now):
    path = tmp_path / "log.jsonl"
    path.write_text(
        '{"timestamp": "2026-11-02T00:00:00", "event": "request.received", "rid": "a"}\n'
        '{"timestamp": "2026-11-02T00:00:01", "event": "request.finished", "rid": "a",'
        ' "out": {"meta_info": {"prompt_tokens": 1, "completion_tokens": 1, "e2e_latency": 1.0}}}\n'
    )
    ingest_logs(store, [path], now=now)

    found = load_quality(store, since=None, until=UNTIL, matches=[])

    assert (found.rows_read, found.rows_rejected, found.requests) == (1, 0, 1)


def test_the_digest_is_that_of_the_content_and_not_of_the_way_it_came_in(tmp_path, write_csv, now):
    files = [write_csv("a.csv", hourly(range(1))), write_csv("b.csv", hourly(range(1, 2)))]
    digests = []
    for trial, order in enumerate((files, files[::-1], files[:1])):
        with open_store(tmp_path / f"{trial}.duckdb", write=True, now=now + timedelta(days=trial)) as store:
            for path in order:
                ingest_logs(store, [path], now=now + timedelta(days=trial))
            digests.append(store_digest(store))
    assert digests[0] == digests[1] != digests[2]


def test_labels_are_listed_with_their_span(store, write_csv, now):
    ingest_logs(store, [write_csv("log.csv", hourly(range(2)))], now=now)

    (row,) = labels(store).to_dict("records")

    assert (row["source_label"], row["files"]) == ("log", 1)
    assert row["last_utc"].isoformat() == "2026-11-03T23:30:00"
