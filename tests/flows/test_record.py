"""Earlier plans as the store keeps them: the newest revision counts, scores stay, nothing goes silently."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import duckdb
import numpy as np
import pytest

from data.warehouse import open_store, query
from flows import record as record_module
from flows.record import Scored, keep_record, keep_scores, read_record, record_digest
from flows.runs import begin_run, end_run
from flows.settings import load_plan
from forecasting.track import Score

AS_OF = date(2026, 11, 23)
BEFORE = AS_OF - timedelta(days=30)
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.fixture
def kept(copied, walked, monkeypatch):
    """A world with two earlier plans of one day (the first one twice as high), and what a plan of today reads."""
    monkeypatch.setattr(record_module, "expected_requests", lambda *_args, days, **_kwargs: np.full(days, 7.0))
    world = copied()
    outlooks = [_dated(outlook, BEFORE) for outlook in walked["outlooks"]]
    ratios = {outlook.workload: 1.0 for outlook in outlooks}
    with open_store(world / "store" / "fleetcast.duckdb", write=True, now=walked["now"]) as store:
        for factor, digest in ((2.0, "a" * 64), (1.0, "b" * 64)):
            run = begin_run(store.con, kind="plan", as_of=BEFORE, digest=digest, now=walked["now"])
            keep_record(store.con, run, [_scaled(o, factor) for o in outlooks], ratios)
            end_run(store.con, run, now=walked["now"], out_dir=world)
    return world


def _dated(outlook, as_of):
    days = outlook.demand.days - (outlook.demand.days[0] - np.datetime64(as_of, "D"))
    return replace(
        outlook, demand=replace(outlook.demand, days=days, as_of=as_of), parts=replace(outlook.parts, as_of=as_of)
    )


def _scaled(outlook, factor):
    return replace(outlook, demand=replace(outlook.demand, requests=factor * outlook.demand.requests))


def _read(world, walked, as_of=AS_OF):
    return read_record(load_plan(world / "plan.toml"), walked["past"], as_of)


def test_the_newest_revision_of_a_day_is_scored_and_no_other(kept, walked):
    record = _read(kept, walked)

    assert {s.run_id for s in record.scores} == {f"plan-{BEFORE:%Y%m%d}-2-bbbbbbbb"}
    chat = [s for s in record.scores if s.workload == "chat" and s.quantity == "requests"]
    assert [(s.score.from_day, s.score.to_day, s.score.days) for s in chat] == [(1, 30, 30)]
    assert {s.quantity for s in record.scores if s.workload == "chat"} == {
        "requests", "peak_10s_qps", "prompt_tok", "cached_prompt_tok", "output_tok"
    }  # fmt: skip


def test_the_last_plan_comes_back_as_it_was_kept(kept, walked):
    before = _read(kept, walked).before["chat"]
    outlook = walked["outlooks"][0]

    assert before.expected.as_of == BEFORE
    assert before.expected.base.tolist() == outlook.parts.base.tolist()
    assert before.refit is not None
    assert before.bands.shape == (4, 30)
    assert before.bands[0] == pytest.approx(outlook.demand.requests.mean(axis=0)[:30])


def test_a_plan_of_an_earlier_day_knows_nothing_of_later_ones(kept, walked):
    assert _read(kept, walked, BEFORE).scores == ()


def test_a_failed_plan_is_not_scored(kept, walked):
    with open_store(kept / "store" / "fleetcast.duckdb", write=True, now=walked["now"]) as store:
        store.con.execute("UPDATE run SET status = 'failed' WHERE revision = 2")

    assert {s.run_id for s in _read(kept, walked).scores} == {f"plan-{BEFORE:%Y%m%d}-1-aaaaaaaa"}


def test_a_workload_that_is_no_longer_planned_is_named(kept, walked):
    with open_store(kept / "store" / "fleetcast.duckdb", write=True, now=walked["now"]) as store:
        store.con.execute("UPDATE forecast_record SET workload = 'retired' WHERE workload = 'chat'")

    record = _read(kept, walked)

    assert record.unscored == ("retired",)
    assert "retired" not in {s.workload for s in record.scores}


def test_a_stored_score_stands_where_the_plan_no_longer_reads_its_days(kept, walked):
    fresh = _read(kept, walked)
    old = [replace(s, score=replace(s.score, error=0.5)) for s in fresh.scores]
    past = walked["past"]
    short = replace(past, traffic=tuple(replace(t, daily=t.daily.tail(10)) for t in past.traffic))
    with open_store(kept / "store" / "fleetcast.duckdb", write=True, now=walked["now"]) as store:
        keep_scores(store.con, old)

    plan = load_plan(kept / "plan.toml")
    again = read_record(plan, short, AS_OF)

    assert {s.score.error for s in again.scores} == {0.5}
    assert {s.score.days for s in again.scores} == {s.score.days for s in fresh.scores}
    assert read_record(plan, past, AS_OF).scores == fresh.scores, "what can be read again is scored again"


def test_a_forecast_whose_year_is_scored_whole_is_not_read_again(kept, walked):
    fresh = _read(kept, walked).scores
    whole = [
        replace(s, as_of=BEFORE, score=replace(s.score, error=0.25, through=AS_OF - timedelta(days=1)))
        for s in fresh
    ]
    with open_store(kept / "store" / "fleetcast.duckdb", write=True, now=walked["now"]) as store:
        keep_scores(store.con, whole)
        store.con.execute("UPDATE forecast_score SET as_of = as_of - INTERVAL 335 DAY")

    assert {s.score.error for s in _read(kept, walked).scores} == {0.25}


@pytest.fixture
def con():
    with duckdb.connect() as con:
        con.execute(query("schema"))
        yield con


def _score(error=0.1, through=date(2026, 11, 1), days=8):
    score = Score(
        from_day=1, to_day=30, days=days, event_days=0, outage_days=0, actual_mean=5.0, error=error, bias=None,
        coverage_80=0.5, pinball=1.0, naive_pinball=None, through=through,
    )  # fmt: skip
    return Scored(run_id="r", as_of=BEFORE, workload="chat", quantity="requests", score=score)


def test_a_newer_score_takes_the_place_of_an_older_one_and_never_the_other_way(con):
    keep_scores(con, [_score(0.1)])
    keep_scores(con, [_score(0.2, through=date(2026, 11, 5), days=12)])
    keep_scores(con, [_score(0.3)])
    keep_scores(con, [])

    assert con.execute("SELECT error, days, bias, naive_pinball FROM forecast_score").fetchall() == [
        (0.2, 12, None, None)
    ]


def test_the_digest_knows_earlier_plans_by_their_inputs(con):
    def published(as_of, digest):
        run = begin_run(con, kind="plan", as_of=as_of, digest=digest, now=NOW)
        con.execute(
            "INSERT INTO forecast_record VALUES ($run, $day, 'chat', $day, 'requests', 1, 1, 1, 1)",
            {"run": run.run_id, "day": as_of},
        )
        end_run(con, run, now=NOW, out_dir=None)

    empty = record_digest(con, AS_OF)
    published(BEFORE, "a" * 64)
    once = record_digest(con, AS_OF)
    published(BEFORE, "a" * 64)  # planned again from the same inputs
    published(AS_OF, "c" * 64)

    assert record_digest(con, AS_OF) == once != empty
    published(BEFORE, "d" * 64)
    assert record_digest(con, AS_OF) != once
