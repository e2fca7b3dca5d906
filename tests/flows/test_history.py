"""The page's view of earlier plans: sentences and rows from the record, and honest where there is none."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from flows.history import moved_since, track_record
from flows.record import Before, Record, Scored
from forecasting.scenarios import Event, Factor
from forecasting.track import Actuals, Score

AS_OF = date(2026, 11, 23)
BEFORE = AS_OF - timedelta(days=30)
NOTHING = Record(scores=(), before={}, actuals={}, unscored=())
TWICE = Factor(low=2.0, likely=2.0, high=2.0)


@pytest.fixture
def outlook(walked):
    return walked["outlooks"][0]


@pytest.fixture
def record(outlook):
    """Yesterday's month, planned a tenth higher than it came, with an outage on its third day."""
    days = 60
    came = np.full(days, 100.0)
    outage = np.zeros(days, dtype=bool)
    outage[32] = True
    actuals = Actuals(
        first=np.datetime64(AS_OF, "D") - days, values={"requests": came}, outage=outage, event=outage & False
    )
    expected = replace(outlook.parts, as_of=BEFORE)
    bands = np.array([np.full(30, v) for v in (110.0, 90.0, 110.0, 130.0)])
    return Record(
        scores=(_scored("chat", 0.1, 29), _scored("gone", 0.3, 29, quantity="prompt_tok")),
        before={"chat": Before(expected=expected, refit=None, bands=bands)},
        actuals={"chat": actuals},
        unscored=("retired",),
    )


def _scored(workload, error, days, quantity="requests"):
    score = Score(
        from_day=1, to_day=30, days=days, event_days=2, outage_days=1, actual_mean=100.0, error=error, bias=0.1,
        coverage_80=1.0, pinball=5.0, naive_pinball=10.0, through=AS_OF - timedelta(days=1),
    )  # fmt: skip
    return Scored(run_id="r", as_of=BEFORE, workload=workload, quantity=quantity, score=score)


def test_without_an_earlier_plan_the_page_says_so(outlook):
    moved, track = moved_since(NOTHING, outlook, []), track_record(NOTHING)

    assert moved.since is moved.requests_before is moved.came_over_forecast is None
    assert moved.sentence.startswith("This is the first plan of this workload")
    assert moved.requests_now == pytest.approx(outlook.demand.requests[:, :30].sum(axis=1).mean())
    assert track.since is None
    assert track.rows == track.by_plan == track.last == []
    assert track.sentence.startswith("No earlier forecast can be scored yet")


def test_the_move_is_in_the_numbers_of_the_page_and_adds_up(outlook, record):
    moved = moved_since(record, outlook, [])

    first = outlook.demand.first(30)
    assert moved.since == BEFORE
    assert moved.requests_now == pytest.approx(first.requests.sum(axis=1).mean())
    assert moved.tokens_now == pytest.approx(
        (first.requests * (first.prompt_tok + first.output_tok)).sum(axis=1).mean()
    )
    assert sum(p.requests for p in moved.parts) == pytest.approx(
        moved.requests_now - moved.requests_before, abs=1e-6
    )
    assert moved.came_over_forecast == pytest.approx(100 / 110)
    assert "24 Oct 2026" in moved.sentence
    assert "what came since was −9.1% against that forecast" in moved.sentence


def test_an_event_that_enters_is_named(outlook, record):
    entering = Event(name="Fair", start=AS_OF + timedelta(days=9), end=AS_OF + timedelta(days=10), requests=TWICE)
    elsewhere = replace(entering, name="Other", workload="code-agents")
    parts = outlook.parts
    more = replace(outlook, parts=replace(parts, events=parts.events + 1e6))

    assert "Fair +30.0M" in moved_since(record, more, [entering, elsewhere]).sentence


def test_rows_are_pooled_graded_and_what_is_left_out_is_said(record):
    track = track_record(record)

    row = track.rows[0]
    assert (track.since, track.plans) == (BEFORE, 1)
    assert (row.workload, row.plans, row.days, row.error, row.grade) == ("chat", 1, 29, 0.1, "good")
    assert row.loss_vs_naive == 0.5
    assert [s.workload for s in track.by_plan] == ["chat"]
    (last,) = track.last
    assert len(last.days) == 30
    assert [i for i, v in enumerate(last.actual) if v is None] == [2]
    assert track.notes == [
        "2 scored days lie in declared events; they count like any other.",
        "Left out of every score, because the source was out: 1 day.",
        "Earlier plans forecast 'retired', which this plan does not have, so it is not scored.",
    ]
