"""The synthetic logs hold what their world says, and depend on nothing but their arguments."""

import hashlib
from dataclasses import replace
from datetime import UTC, date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from data.errors import UserError
from data.synthetic import SyntheticWorld, expected_requests, write_synthetic_logs

END = date(2026, 11, 23)
LABELS = ("chat", "code-agents", "doc-classification")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> SyntheticWorld:
    return write_synthetic_logs(tmp_path_factory.mktemp("logs"), seed=7, end=END, days=120, scale=0.1)


def rows_of(world: SyntheticWorld, label: str) -> pd.DataFrame:
    files = [file for file in world.files if file.name.startswith(label)]
    return pd.concat([pd.read_parquet(file) for file in files], ignore_index=True)


@pytest.fixture(scope="module")
def logs(world: SyntheticWorld) -> dict[str, pd.DataFrame]:
    return {label: rows_of(world, label) for label in LABELS}


def by_day(rows: pd.DataFrame) -> pd.Series:
    return rows.groupby(rows["arrived_utc"].dt.tz_localize(None).dt.normalize()).size()


def digests(files: tuple[Path, ...]) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_bytes(tmp_path):
    small = {"end": END, "days": 60, "scale": 0.01}
    first = write_synthetic_logs(tmp_path / "a", seed=1, **small)
    again = write_synthetic_logs(tmp_path / "b", seed=1, **small)
    other = write_synthetic_logs(tmp_path / "c", seed=2, **small)

    assert digests(first.files) == digests(again.files)
    assert set(digests(first.files).values()).isdisjoint(digests(other.files).values())


def test_there_is_one_file_for_each_label_and_month_and_it_holds_only_that_month(world):
    months = ("2026-07", "2026-08", "2026-09", "2026-10", "2026-11")

    assert [file.name for file in world.files] == [f"{label}-{m}.parquet" for label in LABELS for m in months]
    for file in world.files:
        arrived = pd.read_parquet(file, columns=["arrived_utc"])["arrived_utc"]
        assert set(arrived.dt.strftime("%Y-%m")) == {file.stem[-7:]}
        assert arrived.is_monotonic_increasing


def test_the_world_counts_the_rows_that_were_written(world, logs):
    assert world.rows == {label: len(logs[label]) for label in LABELS}
    assert world.days == 120
    for rows in logs.values():
        assert rows["request_id"].is_unique
        assert rows["arrived_utc"].min() >= pd.Timestamp(world.start, tz="UTC")
        assert rows["arrived_utc"].max() < pd.Timestamp(world.end, tz="UTC")


def test_duckdb_reads_the_canonical_columns_with_their_types(world):
    with duckdb.connect() as con:
        described = con.execute("DESCRIBE SELECT * FROM read_parquet($1)", [str(world.files[0])]).fetchall()

    tokens = dict.fromkeys(("prompt_tok", "cached_prompt_tok", "output_tok", "reasoning_tok"), "INTEGER")
    numbers = dict.fromkeys(("first_token_s", "duration_s", "cost_usd"), "DOUBLE")
    words = ("request_id", "source_label", "model", "region", "team", "tags", "category", "status")
    expected = {**tokens, **numbers, **dict.fromkeys(words, "VARCHAR"), "arrived_utc": "TIMESTAMP WITH TIME ZONE"}
    assert {name: kind for name, kind, *_ in described} == expected


@pytest.mark.parametrize("label", LABELS)
def test_lengths_are_never_negative_and_parts_never_exceed_their_whole(logs, label):
    rows = logs[label]

    assert (rows["prompt_tok"].dropna() >= 1).all()
    assert (rows["output_tok"].dropna() >= 1).all()
    both = rows.dropna(subset=["prompt_tok", "cached_prompt_tok"])
    assert (both["cached_prompt_tok"] >= 0).all()
    assert (both["cached_prompt_tok"] <= both["prompt_tok"]).all()
    both = rows.dropna(subset=["output_tok", "reasoning_tok"])
    assert (both["reasoning_tok"] >= 0).all()
    assert (both["reasoning_tok"] <= both["output_tok"]).all()
    assert (rows["first_token_s"].dropna() <= rows.loc[rows["first_token_s"].notna(), "duration_s"]).all()


def test_what_a_source_does_not_state_is_missing_and_never_zero(logs):
    documents, chat = logs["doc-classification"], logs["chat"]

    assert documents[["cached_prompt_tok", "reasoning_tok", "first_token_s", "cost_usd"]].isna().all().all()
    assert chat["reasoning_tok"].isna().all()
    served = chat[chat["status"] == "ok"]
    assert 0.0003 < served["output_tok"].isna().mean() < 0.003
    assert served.loc[served["output_tok"].isna(), "cost_usd"].isna().all()
    assert chat.loc[chat["status"] != "ok", ["prompt_tok", "output_tok"]].isna().all().all()


# Three standard deviations: about 1,400 sessions as uneven as these have a total known to 4%, the others to 0.6%.
@pytest.mark.parametrize(
    ("label", "off", "alike"),
    [("chat", 0.02, 0.95), ("code-agents", 0.12, 0.5), ("doc-classification", 0.02, 0.95)],
)
def test_daily_requests_follow_the_truth(world, logs, label, off, alike):
    truth = expected_requests(world, label, world.start, world.end)
    seen = by_day(logs[label]).reindex(truth.index, fill_value=0)
    disturbed = [pd.Timestamp(day) for day in world.gaps[label]]
    if label == world.outage.label:
        disturbed.append(pd.Timestamp(world.outage.start.date()))
    truth, seen = truth.drop(disturbed), seen.drop(disturbed)

    assert seen.sum() == pytest.approx(truth.sum(), rel=off)
    assert np.corrcoef(seen, truth)[0, 1] > alike


def test_the_campaign_lifts_chat_by_what_the_world_says(world, logs):
    campaign, daily = world.campaign, by_day(logs["chat"])
    inside = pd.date_range(campaign.first, campaign.last)
    quiet = expected_requests(
        replace(world, campaign=replace(campaign, requests=1.0)), "chat", world.start, world.end
    )

    assert len(inside) == 10
    assert (daily[inside] / quiet[inside]).mean() == pytest.approx(1.6, rel=0.06)
    assert daily[inside + pd.Timedelta(days=10)].mean() / quiet[inside + pd.Timedelta(days=10)].mean() < 1.1


def test_days_are_missing_where_the_world_says_and_nowhere_else(world, logs):
    for label in LABELS:
        seen = set(by_day(logs[label]).index)
        missing = [
            day.date() for day in pd.date_range(world.start, world.end, inclusive="left") if day not in seen
        ]
        assert tuple(missing) == world.gaps[label]
    assert [len(world.gaps[label]) for label in LABELS] == [2, 1, 0]


def test_the_outage_fails_for_two_hours_and_is_dark_for_four(world, logs):
    outage, chat = world.outage, logs["chat"]
    arrived = chat["arrived_utc"]

    failing = chat[(arrived >= outage.start) & (arrived < outage.dark)]
    dark = chat[(arrived >= outage.dark) & (arrived < outage.until)]

    assert outage.until - outage.start == timedelta(hours=6)
    assert outage.start.tzinfo is UTC
    assert (failing["status"] == "server_error").mean() == pytest.approx(outage.failing_share, abs=0.08)
    assert len(failing) > 50
    assert len(dark) == 0
    assert (chat["status"] == "server_error").mean() < 0.01


def test_throttled_requests_come_back_as_retries(logs):
    status, tags = logs["chat"]["status"], logs["chat"]["tags"]

    throttled, retried = (status == "rate_limited").sum(), (tags == '["prod", "retry"]').sum()
    assert 0.002 < throttled / len(status) < 0.02
    assert retried / throttled == pytest.approx(0.85, abs=0.05)


def test_the_upgrade_makes_agents_write_and_read_more(world, logs):
    served = logs["code-agents"].dropna(subset=["prompt_tok", "output_tok"])
    after = served["arrived_utc"] >= pd.Timestamp(world.upgrade.first, tz="UTC")
    means = served.groupby(after)[["prompt_tok", "output_tok"]].mean()

    assert means.loc[True, "output_tok"] / means.loc[False, "output_tok"] == pytest.approx(1.30, rel=0.05)
    assert means.loc[True, "prompt_tok"] / means.loc[False, "prompt_tok"] == pytest.approx(1.15, rel=0.08)
    assert (served.loc[~after, "reasoning_tok"] == 0).all()
    assert served.loc[after, "reasoning_tok"].sum() / served.loc[after, "output_tok"].sum() > 0.2


def test_agents_have_a_long_tail_and_find_most_of_their_prompt_cached(logs):
    code, chat = logs["code-agents"], logs["chat"]

    assert 0.005 < (code["prompt_tok"] > 128_000).mean() < 0.04
    assert 0.0002 < (code["prompt_tok"] > 200_000).mean() < 0.01
    assert code["prompt_tok"].max() <= 262_144
    assert chat["prompt_tok"].max() <= 131_072
    assert code["cached_prompt_tok"].sum() / code["prompt_tok"].sum() > 0.8
    assert 0.2 < chat["cached_prompt_tok"].sum() / chat["prompt_tok"].sum() < 0.4


def dispersion(rows: pd.DataFrame, window_s: int) -> float:
    """Variance over mean of counts in windows, around the mean of their own hour."""
    since, until = pd.Timestamp("2026-11-01", tz="UTC"), pd.Timestamp("2026-11-22", tz="UTC")
    arrived = rows["arrived_utc"][(rows["arrived_utc"] >= since) & (rows["arrived_utc"] < until)]
    window = ((arrived - since).dt.total_seconds() // window_s).astype(int)
    counts = np.bincount(window, minlength=21 * 86_400 // window_s).reshape(-1, 3_600 // window_s)
    return float(counts.var(axis=1, ddof=1).sum() / counts.mean(axis=1).sum())


def test_agents_are_far_more_bursty_than_chat(logs):
    chat, code = (dispersion(logs[label], 60) for label in ("chat", "code-agents"))

    assert 1.0 <= chat < 3.0
    assert code > 13


def test_chat_is_diurnal_and_weekly(logs):
    arrived = logs["chat"]["arrived_utc"]
    hours = arrived.dt.hour.value_counts()
    days = by_day(logs["chat"])

    assert hours.max() / hours.min() > 1.8
    assert hours.idxmax() in range(16, 21)
    weekend = days[days.index.day_of_week >= 5].mean()
    assert weekend / days[days.index.day_of_week < 5].mean() == pytest.approx(0.81 / 1.076, rel=0.08)


def test_documents_are_classified_between_ten_and_two_at_night(logs):
    hours = set(logs["doc-classification"]["arrived_utc"].dt.hour)

    assert hours == {22, 23, 0, 1}
    assert set(logs["doc-classification"]["category"]) == {"batch"}


def test_the_logs_hold_what_a_plan_must_map(logs):
    chat, code = logs["chat"], logs["code-agents"]

    assert set(chat["model"]) == {"llama-3.1-70b"}
    assert set(code["model"]) == {"qwen3-coder-480b-a35b"}
    assert set(chat["region"]) == {"eu-west-1", "us-east-1"}
    assert chat["team"].nunique() == 4
    assert code["team"].nunique() == 3
    assert set(chat["source_label"]) == {"chat"}


def test_progress_is_told_after_each_file(tmp_path):
    told: list[tuple[int, int]] = []

    world = write_synthetic_logs(
        tmp_path, seed=3, end=END, days=60, scale=0.002, progress=lambda done, total: told.append((done, total))
    )

    assert told == [(n + 1, len(world.files)) for n in range(len(world.files))]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"days": 59}, "Synthetic logs of 59 days have no room for their events; ask for 60 or more."),
        ({"scale": 0.0}, "The scale of synthetic logs is 0.0; give more than 0 and at most 100."),
        ({"scale": float("nan")}, "The scale of synthetic logs is nan; give more than 0 and at most 100."),
    ],
)
def test_a_world_that_cannot_be_is_refused_in_one_sentence(tmp_path, wrong, sentence):
    with pytest.raises(UserError) as raised:
        write_synthetic_logs(tmp_path / "out", seed=1, end=END, **{"days": 60, **wrong})

    assert str(raised.value) == sentence
    assert not (tmp_path / "out").exists()
