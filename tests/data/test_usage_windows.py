"""What a source of sums does not state: refused with the way out, or filled with what the user assumes."""

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from data.errors import UserError
from data.ingest import ingest_logs
from data.read_traffic import load_quality, load_traffic
from data.traffic import Assumed, Match

MAP = """
[aggregate]
window_s = 3600
[columns]
window_utc = "at"
"""
KEYS = ("requests", "throttled_requests", "failed_requests", "prompt_tok_sum", "output_tok_sum", "total_tok_sum")


@pytest.fixture
def read(store, now, tmp_path: Path):
    def load(columns: dict[str, float | str], assumed: Assumed = Assumed(), hours: int = 24):  # noqa: B008
        log, mapping = tmp_path / "log.csv", tmp_path / "map.toml"
        lines = [",".join(["at", *columns])]
        lines += [
            ",".join([f"2026-11-01T{h:02}:00:00Z", *(str(v) for v in columns.values())]) for h in range(hours)
        ]
        log.write_text("\n".join(lines) + "\n")
        mapping.write_text(MAP + "".join(f'{key} = "{key}"\n' for key in columns))
        ingest_logs(store, [log], now=now, mapping=mapping)
        return load_traffic(
            store, workload="w", match=Match(), since=None, until=date(2026, 11, 23), assumed=assumed
        )

    return load


def test_sums_without_percentiles_have_none_and_an_assumed_spread(read):
    traffic = read({"requests": 10, "prompt_tok_sum": 1000, "output_tok_sum": 100})

    day = traffic.daily.iloc[0]
    assert traffic.percentile_basis == "none"
    assert np.isnan(day["prompt_p50_tok"])
    assert day["prompt_tok_sq_sum"] == pytest.approx(24 * 10 * 100**2 * (1 + 1.2**2))
    assert day["output_tok_sq_sum"] == pytest.approx(24 * 10 * 10**2 * (1 + 1.0**2))
    assert "percentiles of lengths are unknown" in traffic.notes[0]
    assert "1.2 times the mean prompt" in traffic.notes[0]


def test_the_user_may_know_the_spread_better(read):
    traffic = read({"requests": 10, "prompt_tok_sum": 1000, "output_tok_sum": 100}, Assumed(prompt_cv=0.5))

    assert traffic.daily.iloc[0]["prompt_tok_sq_sum"] == pytest.approx(240 * 100**2 * 1.25)


def test_requests_that_nobody_counted_are_asked_for_and_then_assumed(read):
    sums = {"prompt_tok_sum": 1500, "output_tok_sum": 300}
    with pytest.raises(UserError, match=r"does not count requests.*assume = \{ prompt_tok = 1500 \}"):
        read(sums)

    by_prompt, by_output = read(sums, Assumed(prompt_tok=150)), read(sums, Assumed(output_tok=10))

    assert by_prompt.daily["requests"].tolist() == [240]
    assert by_output.daily["requests"].tolist() == [720]
    assert "assumed to be its prompt tokens divided by 150" in by_prompt.notes[0]


def test_tokens_that_nobody_stated_are_asked_for_and_then_assumed(read):
    with pytest.raises(UserError, match="does not state prompt tokens"):
        read({"requests": 10})
    with pytest.raises(UserError, match="does not state output tokens"):
        read({"requests": 10}, Assumed(prompt_tok=100))

    traffic = read({"requests": 10}, Assumed(prompt_tok=100, output_tok=20))

    assert traffic.daily.iloc[0][["prompt_tok_sum", "output_tok_sum"]].tolist() == [24_000, 4_800]
    assert traffic.daily["missing_tok_requests"].tolist() == [0]
    assert "100 prompt tokens and 20 output tokens" in traffic.notes[0]


def test_tokens_that_are_not_told_apart_are_split_as_assumed(read):
    traffic = read({"total_tok_sum": 1200}, Assumed(prompt_tok=100, output_tok=20))

    day = traffic.daily.iloc[0]
    assert (day["requests"], day["prompt_tok_sum"], day["output_tok_sum"]) == (240, 24_000, 4_800)


def test_throttled_requests_are_demand_of_the_days_lengths_and_failed_ones_are_not(read, store):
    columns = {"requests": 8, "throttled_requests": 2, "failed_requests": 3}
    traffic = read({**columns, "prompt_tok_sum": 800, "output_tok_sum": 80})

    day = traffic.daily.iloc[0]
    assert (day["requests"], day["throttled_requests"], day["failed_requests"]) == (240, 48, 72)
    assert day["prompt_tok_sum"] == pytest.approx(24_000)
    assert day["missing_tok_requests"] == 48
    quality = load_quality(store, since=None, until=date(2026, 11, 23), matches=[Match()])
    assert (quality.requests, quality.throttled_requests, quality.failed_requests) == (240, 48, 72)
    assert quality.missing_tok_requests == 48


def test_costs_alone_are_no_traffic(store, now):
    folder = Path(__file__).parent / "formats" / "sums"
    ingest_logs(store, [folder / "openai-usage+lines" / "log.jsonl"], now=now, label="o")
    ingest_logs(store, [folder / "openai-costs" / "log.json"], now=now, label="o")

    traffic = load_traffic(store, workload="w", match=Match(label="o"), since=None, until=date(2026, 11, 23))

    assert traffic.daily["requests"].sum() == 20
    with pytest.raises(UserError, match="Nothing in the store matches"):
        load_traffic(
            store,
            workload="w",
            match=Match(label="o", team="p1"),
            since=None,
            until=datetime(2026, 11, 1, tzinfo=UTC).date(),
        )


@pytest.mark.parametrize(
    ("mine", "other", "counts_twice"),
    [
        ({}, {}, True),
        ({"model": "a"}, {"model": "b"}, False),
        ({"model": "a"}, {}, True),
        ({"model": "a", "team": "x"}, {"model": "a", "team": "y"}, False),
        ({"model": "a", "team": "x"}, {"model": "a"}, True),
    ],
)
def test_the_same_times_are_refused_unless_their_keys_tell_them_apart(
    mine, other, counts_twice, store, now, tmp_path: Path
):
    for name, keys in (("one", mine), ("two", other)):
        (tmp_path / f"{name}.csv").write_text(f"at,requests,name\n2026-11-01T00:00:00Z,1,{name}\n")
        constants = "".join(f'{key} = "{value}"\n' for key, value in keys.items())
        (tmp_path / f"{name}.toml").write_text(MAP + f'requests = "requests"\n[constants]\n{constants}')
    ingest_logs(store, [tmp_path / "one.csv"], now=now, label="l", mapping=tmp_path / "one.toml")

    if counts_twice:
        with pytest.raises(UserError, match="so that nothing counts twice"):
            ingest_logs(store, [tmp_path / "two.csv"], now=now, label="l", mapping=tmp_path / "two.toml")
    else:
        ingest_logs(store, [tmp_path / "two.csv"], now=now, label="l", mapping=tmp_path / "two.toml")
