"""Sentences on earlier plans: the largest causes first, the worst workload named, and none made up."""

from dataclasses import replace
from datetime import date

import pytest

from reports.budget import Moved, MovedPart, Scored, TrackRow
from reports.history import (
    cause,
    grade_word,
    last_plan_sentence,
    moved_sentence,
    quantity_word,
    top_parts,
    track_sentence,
)

MOVED = Moved(
    since=date(2026, 10, 24),
    days=30,
    requests_before=1_000_000.0,
    requests_now=1_100_000.0,
    tokens_before=2e9,
    tokens_now=2.5e9,
    came_over_forecast=1.04,
    parts=[
        MovedPart(cause="calendar", requests=-20_000.0, tokens=-4e7),
        MovedPart(cause="level", requests=120_000.0, tokens=2.4e8),
        MovedPart(cause="trend", requests=100.0, tokens=2e5),
        MovedPart(cause="lengths", requests=0.0, tokens=3e8),
    ],
    sentence="",
)


def _row(workload="chat", error=0.05, grade="good", **changes):
    row = TrackRow(
        workload=workload, quantity="requests", from_day=1, to_day=30, plans=2, days=60, event_days=0,
        outage_days=0, error=error, bias=0.0, coverage_80=0.8, loss_vs_naive=None, grade=grade,
    )  # fmt: skip
    return replace(row, **changes)


def test_the_sentence_names_the_causes_by_their_size():
    assert moved_sentence(MOVED) == (
        "Since the plan of 24 Oct 2026, 30-day requests went from 1.00M to 1.10M (+10%, tokens +25%):"
        " tokens a request +300M tokens, the level of newer data +120K, later days (as foreseen) −20.0K;"
        " what came since was +4.0% against that forecast."
    )


def test_what_is_small_beside_the_largest_is_not_said():
    assert [p.cause for p in top_parts(MOVED)] == ["lengths", "level", "calendar"]
    nothing = replace(MOVED, parts=[MovedPart(cause="level", requests=0.0, tokens=0.0)])
    assert "nothing moved it" in moved_sentence(nothing)


def test_a_plan_without_a_forecast_of_anything_before_has_no_percentage():
    assert "(–" in moved_sentence(replace(MOVED, requests_before=0.0))


@pytest.mark.parametrize(
    ("names", "said"),
    [((), "events and holidays"), (("Fair",), "Fair +"), (("A", "B", "C"), "A and B and others")],
)
def test_events_are_named_where_they_are_known(names, said):
    moved = replace(MOVED, parts=[MovedPart(cause="events", requests=10.0, tokens=None)])

    assert said in moved_sentence(moved, names)


def test_the_record_names_its_worst_workload():
    rows = [_row(), _row("code", 0.3, "poor"), _row("far", 0.9, "poor", from_day=31, to_day=90)]

    assert track_sentence(rows, 2) == (
        "2 earlier plans, 1 to 30 days ahead: requests were off by 5.0% to 30%, most for code (poor);"
        " 80% of days fell into their 80% range."
    )
    assert "requests were off by 5.0% (good)" in track_sentence(rows[:1], 1)
    assert track_sentence([_row(error=None, grade="none")], 1).startswith("No earlier forecast can be scored")


def test_the_last_plan_is_told_by_what_came():
    scored = Scored(
        workload="chat", as_of=date(2026, 10, 24), days=[date(2026, 10, 24)] * 3, actual=[110.0, None, 130.0],
        mean=[100.0] * 3, q10=[90.0] * 3, q50=[100.0] * 3, q90=[120.0] * 3,
    )  # fmt: skip

    assert last_plan_sentence(scored) == (
        "chat: what came was +20% against the plan of 24 Oct 2026; 1 of 2 days fell into its 80% range"
    )
    assert "no day since" in last_plan_sentence(replace(scored, actual=[None] * 3))


def test_words_for_rows_and_parts():
    assert quantity_word(_row(quantity="peak_60s_qps")) == "requests a second in the busiest 60 s"
    assert quantity_word(_row(quantity="of a later release")) == "of a later release"
    assert grade_word(_row(grade="none")) == "too few days to grade"
    assert cause(MOVED.parts[0]) == "later days (as foreseen)"
