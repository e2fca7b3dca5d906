"""The chart of the track record draws what came over what had been forecast."""

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest

from reports.budget import Scored
from reports.record_chart import last_plan

DAYS = [date(2026, 10, 24) + timedelta(days=k) for k in range(30)]
SCORED = Scored(
    workload="chat", as_of=DAYS[0], days=DAYS, actual=[110.0] * 30, mean=[100.0] * 30, q10=[80.0] * 30,
    q50=[100.0] * 30, q90=[140.0] * 30,
)  # fmt: skip


def _texts(scored):
    return re.findall(r"<text[^>]*>([^<]+)</text>", last_plan(scored, chart_id="r", title="t"))


def test_the_ends_are_labelled_and_the_days_named():
    texts = _texts(SCORED)

    assert {"110 came", "100 median", "140 (90%)", "80.0 (10%)"} <= set(texts)
    assert {"24 Oct 2026", "22 Nov 2026"} <= set(texts)


@pytest.mark.parametrize("actual", [[None] * 30, [None, *[110.0] * 29]])
def test_days_that_are_not_scored_leave_a_gap(actual):
    texts = _texts(replace(SCORED, actual=actual))

    assert ("110 came" in texts) == (actual[-1] is not None)


def test_a_long_record_has_an_axis_of_months():
    many = 4
    long = {name: getattr(SCORED, name) * many for name in ("actual", "mean", "q10", "q50", "q90")}
    days = [DAYS[0] + timedelta(days=k) for k in range(30 * many)]

    assert any(text.startswith("Dec") for text in _texts(replace(SCORED, days=days, **long)))
