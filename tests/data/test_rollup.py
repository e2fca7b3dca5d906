from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.buckets import COARSE, FINE, bucket_of
from data.frames import frame
from data.ingest import ingest_logs
from data.rollup import FINE_DAYS
from data.traffic import LONG_PROMPT_TOK, SUMS
from data.warehouse import open_store

KEYS = ["source_label", "model", "region", "team", "category", "status_class"]
CLASS = {
    "ok": "served",
    "rate_limited": "throttled",
    "server_error": "failed",
    "": "served",
    "cancelled": "served",
}
BEGIN = datetime(2026, 11, 1, 23, 59, tzinfo=UTC)

TOK = st.one_of(st.none(), st.sampled_from([0, 1, 2, 99, 100, 101, 32_000, 32_001, 99_999, 272_001]))
REQUEST = st.fixed_dictionaries(
    {
        "after_s": st.integers(0, 150),
        "model": st.sampled_from(["a", ""]),
        "team": st.sampled_from(["x", "y", ""]),
        "status": st.sampled_from(list(CLASS)),
        "prompt_tok": TOK,
        "output_tok": st.one_of(st.none(), st.integers(0, 300)),
        "cached_share": st.one_of(st.none(), st.sampled_from([0.0, 0.5, 1.0])),
    }
)


def requests_frame(drawn: list[dict]) -> pd.DataFrame:
    rows = pd.DataFrame(drawn)
    rows["arrived_utc"] = [(BEGIN + timedelta(seconds=s)).isoformat() for s in rows.pop("after_s")]
    share = rows.pop("cached_share")
    cached = (rows["prompt_tok"].astype(float) * share.astype(float)).round(0)
    return rows.assign(
        cached_prompt_tok=cached.astype("Int64"),
        prompt_tok=rows["prompt_tok"].astype("Int64"),
        output_tok=rows["output_tok"].astype("Int64"),
    )


def recomputed(rows: pd.DataFrame, seconds: int) -> pd.DataFrame:
    """Return the rollup as pandas makes it, straight from its definition."""
    at = pd.to_datetime(rows["arrived_utc"], utc=True).dt.tz_convert(None).dt.floor(f"{seconds}s")
    status_class = rows["status"].map(CLASS)
    throttled_idle = (status_class == "throttled") & (rows["output_tok"] == 0).fillna(False)
    known = rows["prompt_tok"].notna() & rows["output_tok"].notna() & ~throttled_idle
    p, o, c = (
        rows[n].astype(float).where(known).fillna(0.0) for n in ("prompt_tok", "output_tok", "cached_prompt_tok")
    )
    values = {
        "requests": 1,
        "token_requests": known.astype(int),
        "cached_known_requests": (known & rows["cached_prompt_tok"].notna()).astype(int),
        "prompt_tok_sum": p,
        "cached_prompt_tok_sum": c,
        "output_tok_sum": o,
        "prompt_tok_sq_sum": p * p,
        "cached_prompt_tok_sq_sum": c * c,
        "prompt_cached_sum": p * c,
        "prompt_output_sum": p * o,
        "output_tok_sq_sum": o * o,
    }
    keys = [
        at.rename("at"),
        rows["model"].rename("model"),
        rows["team"].rename("team"),
        status_class.rename("cls"),
    ]
    return pd.DataFrame(values).groupby(keys).sum().astype(float)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=st.lists(REQUEST, min_size=1, max_size=40))
def test_rollups_equal_a_recomputation_in_pandas(tmp_path_factory, now, drawn: list[dict]):
    folder = tmp_path_factory.mktemp("roll")
    rows = requests_frame(drawn)
    rows.to_csv(folder / "log.csv", index=False)
    with open_store(folder / "s.duckdb", write=True, now=now) as store:
        ingest_logs(store, [folder / "log.csv"], now=now, max_rejected_share=1.0)
        for table, column, seconds in (("rollup_10s", "window_utc", 10), ("rollup_minute", "minute_utc", 60)):
            found = frame(store.con, f"SELECT * FROM {table}")
            found = found.fillna({"model": "", "team": ""})
            expect = recomputed(rows, seconds)
            index = pd.MultiIndex.from_frame(
                found[[column, "model", "team", "status_class"]], names=expect.index.names
            )
            mine = found[list(expect.columns)].astype(float).set_axis(index, axis=0).sort_index()
            pd.testing.assert_frame_equal(mine, expect.sort_index(), check_index_type=False, check_dtype=False)
        daily_histograms_agree(store, rows)


def daily_histograms_agree(store, rows: pd.DataFrame) -> None:
    throttled_idle = (rows["status"] == "rate_limited") & (rows["output_tok"] == 0).fillna(False)
    known = rows[rows["prompt_tok"].notna() & rows["output_tok"].notna() & ~throttled_idle]
    day = pd.to_datetime(known["arrived_utc"], utc=True).dt.tz_convert(None).dt.floor("D")
    for field, column in (("prompt", "prompt_tok"), ("cached", "cached_prompt_tok"), ("output", "output_tok")):
        tok = known[column].dropna().astype(np.int64)
        expect = (
            pd.Series(bucket_of(FINE, tok)).groupby([day.loc[tok.index].to_numpy(), bucket_of(FINE, tok)]).size()
        )
        found = store.con.execute(
            "SELECT day_utc, bucket, sum(requests) FROM token_histogram_daily WHERE field = $field GROUP BY ALL",
            {"field": field},
        ).fetchall()
        assert {(pd.Timestamp(d), b): n for d, b, n in found} == dict(expect.items())
    pairs = store.con.execute(
        "SELECT prompt_bucket, output_bucket, sum(requests) FROM joint_histogram_daily GROUP BY ALL"
    )
    joint = list(zip(bucket_of(COARSE, known["prompt_tok"]), bucket_of(COARSE, known["output_tok"]), strict=True))
    assert {row[:2]: row[2] for row in pairs.fetchall()} == {pair: joint.count(pair) for pair in set(joint)}
    for threshold in LONG_PROMPT_TOK:
        longer = known[known["prompt_tok"] > threshold]
        found = store.con.execute(
            "SELECT coalesce(sum(requests), 0), coalesce(sum(output_tok_sum), 0),"
            " coalesce(sum(prompt_output_sum), 0)"
            " FROM long_requests_daily WHERE threshold_tok = $threshold",
            {"threshold": threshold},
        ).fetchall()
        p, o = longer["prompt_tok"].astype(float), longer["output_tok"].astype(float)
        assert found == [(len(longer), o.sum(), (p * o).sum())]


def log_of(days: range) -> list[dict[str, object]]:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    times = [(noon + timedelta(days=d)).isoformat() for d in days]
    return [{"arrived_utc": time, "prompt_tok": 1, "output_tok": 1} for time in times]


def fine_days(store) -> list[int]:
    rows = store.con.execute(
        "SELECT DISTINCT CAST(window_utc AS DATE) - DATE '2026-01-01' FROM rollup_10s ORDER BY 1"
    )
    return [row[0] for row in rows.fetchall()]


def test_ten_second_rows_are_kept_for_the_newest_days_of_each_source_and_minutes_for_good(store, write_csv, now):
    ingest_logs(store, [write_csv("a.csv", log_of(range(40)))], now=now, label="one")
    ingest_logs(store, [write_csv("b.csv", log_of(range(3)))], now=now, label="two")

    rows = store.con.execute(
        "SELECT source_label, count(*), min(CAST(window_utc AS DATE)) FROM rollup_10s GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert [(label, n, day.day) for label, n, day in rows] == [("one", FINE_DAYS, 6), ("two", 3, 1)]
    assert store.con.execute("SELECT count(*) FROM rollup_minute").fetchall() == [(43,)]


def test_when_the_newest_days_go_the_older_ones_get_their_ten_second_rows_back(store, write_csv, now):
    ingest_logs(
        store,
        [write_csv("a.csv", log_of(range(30))), write_csv("b.csv", log_of(range(30, 60)))],
        now=now,
        label="x",
    )
    assert fine_days(store) == list(range(25, 60))

    ingest_logs(store, [write_csv("b.csv", log_of(range(30, 40)))], now=now, label="x")

    assert fine_days(store) == list(range(5, 40))


def test_late_rows_recompute_just_their_days(store, write_csv, now):
    ingest_logs(store, [write_csv("a.csv", log_of(range(3)))], now=now, label="x")
    store.con.execute("UPDATE rollup_minute SET requests = 77 WHERE CAST(minute_utc AS DATE) = DATE '2026-01-01'")

    ingest_logs(store, [write_csv("b.csv", log_of(range(1, 2)) * 2)], now=now, label="x")

    rows = store.con.execute("SELECT requests FROM rollup_minute ORDER BY minute_utc").fetchall()
    assert rows == [(77,), (3,), (1,)]  # the first day was not touched, wrong as it is


@pytest.mark.parametrize("name", SUMS)
def test_the_minute_has_every_sum_that_work_follows_from(store, name: str):
    columns = {
        row[0]
        for row in store.con.execute(
            "SELECT column_name FROM duckdb_columns() WHERE table_name = 'rollup_minute'"
        ).fetchall()
    }

    assert name in columns
    assert set(KEYS) <= columns
