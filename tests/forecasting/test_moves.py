"""Why a number moved: each cause by hand, and parts that always add up."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from forecasting.moves import Expected, explain_move

OLD = date(2026, 10, 24)
DAYS = 30
flows = st.floats(0, 1e9)


def expected(as_of=OLD, days=365, *, base=100.0, growth=0.0, events=0.0, tok=10.0, event_tok=0.0):
    rows = {"base": base, "growth": growth, "events": events, "event_tok": event_tok}
    rows = {name: np.broadcast_to(np.asarray(v, dtype=float), (days,)).copy() for name, v in rows.items()}
    requests = rows["base"] + rows["growth"] + rows["events"]
    return Expected(as_of=as_of, total_tok=requests * tok + rows["event_tok"], **rows)


def by_cause(move):
    return {p.cause: p.requests for p in move.parts}


def new(**changes):
    return expected(OLD + timedelta(days=30), **changes)


def test_the_same_forecast_moves_only_by_its_calendar():
    slope = 100 + np.arange(365.0)
    move = explain_move(expected(base=slope), new(base=slope[30:], days=335), slope, DAYS)

    assert by_cause(move) == {
        "calendar": 30 * 30, "method": 0, "level": 0, "trend": 0, "growth": 0, "events": 0, "lengths": 0,
        "length events": 0,
    }  # fmt: skip


def test_a_higher_level_is_the_levels_and_a_rise_beyond_the_first_week_the_trends():
    rise = np.where(np.arange(365) < 7, 110.0, 120.0)

    moved = by_cause(explain_move(expected(), new(base=rise), None, DAYS))

    assert moved["level"] == pytest.approx(10 * 30)
    assert moved["trend"] == pytest.approx(10 * 23)


def test_what_todays_method_makes_of_the_same_past_is_the_methods():
    moved = by_cause(explain_move(expected(), new(base=130.0), np.full(365, 125.0), DAYS))

    assert moved["method"] == pytest.approx(25 * 30)
    assert moved["level"] == pytest.approx(5 * 30)


def test_growth_that_was_stated_and_came_is_no_surprise():
    stated = np.arange(1, 366.0)  # one request a day more each day

    moved = by_cause(explain_move(expected(growth=stated), new(base=130.0, growth=stated), None, DAYS))

    assert moved["calendar"] == pytest.approx(30 * 30)
    assert moved["growth"] == moved["level"] == moved["trend"] == 0
    other = by_cause(explain_move(expected(growth=stated), new(base=130.0, growth=2 * stated), None, DAYS))
    assert other["growth"] == pytest.approx(stated[:30].sum())


def test_events_are_what_they_add_in_either_window():
    leaving, entering = np.zeros(365), np.zeros(365)
    leaving[:10], entering[5:25] = 40.0, 7.0

    moved = by_cause(explain_move(expected(events=leaving), new(events=entering), None, DAYS))

    assert moved["events"] == pytest.approx(20 * 7 - 10 * 40)


def test_tokens_a_request_are_a_cause_of_their_own_and_events_of_lengths_another():
    move = explain_move(expected(tok=10.0), new(base=200.0, tok=12.0, event_tok=300.0), None, DAYS)
    tokens = {p.cause: p.tokens for p in move.parts}

    assert tokens["level"] == pytest.approx(100 * 30 * 10)
    assert tokens["lengths"] == pytest.approx(200 * 30 * 2)
    assert tokens["length events"] == pytest.approx(300 * 30)
    assert sum(tokens.values()) == pytest.approx(move.tokens_now - move.tokens_before)


def test_a_plan_that_does_not_reach_today_has_one_part_beside_the_events():
    move = explain_move(expected(days=40), new(base=130.0, events=1.0), None, DAYS)

    assert {c: v for c, v in by_cause(move).items() if v} == {"level": 900, "events": 30}


def test_unknown_lengths_stay_unknown():
    move = explain_move(expected(tok=np.nan), new(), None, DAYS)

    assert move.tokens_before is None
    assert {p.tokens for p in move.parts} == {None}


def test_plans_shorter_than_the_window_are_refused():
    with pytest.raises(ValueError, match="both plans must have 30 days"):
        explain_move(expected(days=20), new(), None, DAYS)


@given(
    values=hnp.arrays(np.float64, (2, 5, 60), elements=st.floats(0, 1e6)),
    refit=hnp.arrays(np.float64, 60, elements=st.floats(0, 1e6)),
    gap=st.integers(1, 59),
)
def test_the_parts_always_add_up(values, refit, gap):
    names = ("base", "growth", "events", "total_tok", "event_tok")
    plans = [
        Expected(as_of=as_of, **dict(zip(names, rows, strict=True)))
        for as_of, rows in zip((OLD, OLD + timedelta(days=gap)), values + 1.0, strict=True)
    ]

    move = explain_move(*plans, refit, DAYS)

    total = move.requests_now - move.requests_before
    assert sum(p.requests for p in move.parts) == pytest.approx(total, rel=1e-9, abs=1e-3)
    tokens = move.tokens_now - move.tokens_before
    assert sum(p.tokens for p in move.parts) == pytest.approx(tokens, rel=1e-6, abs=1e-1)
