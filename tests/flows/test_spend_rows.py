"""Spend by bill and month: the lines of a month add up to it, and a term is told from its overflow."""

from decimal import Decimal
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.pricing import Priced
from flows.spend import HELD, Spend, SpendPart, plan_spend
from flows.spend_rows import spend_rows

DAYS = 70
CALENDAR = np.datetime64("2026-11-23") + np.arange(DAYS)


def _part(usd, *, workload="chat", label="h100 on demand", kind="on-demand"):
    return SpendPart(workload=workload, option=kind, kind=kind, provider="example", label=label, gpu="h100",
                     usd=np.asarray(usd, dtype=float)[None, :], gpu_hours=np.ones(len(usd)))  # fmt: skip


def _spend(*parts):
    total = sum((part.usd for part in parts), np.zeros((1, DAYS)))
    return Spend(usd=total, committed_usd=np.zeros((1, DAYS)), unpriced=(), parts=parts)


@given(st.lists(st.floats(0, 1e5, allow_nan=False), min_size=1, max_size=6))
def test_the_rows_of_a_month_add_up_to_it_to_the_cent(levels):
    spend = _spend(*(_part(np.full(DAYS, level), label=f"bill {n}") for n, level in enumerate(levels)))
    rows = spend_rows(spend, CALENDAR)

    for month in {row.month for row in rows}:
        cents = sum((Decimal(str(row.usd)) for row in rows if row.month == month), Decimal(0))
        inside = CALENDAR.astype("datetime64[M]") == np.datetime64(month)
        assert abs(cents - Decimal(float(spend.usd[0, inside].sum()))) < Decimal("0.0051")


def test_a_bill_that_two_horizons_share_is_one_line_a_month():
    first, last = np.repeat([1.0, 0.0], (30, 40)), np.repeat([0.0, 2.0], (30, 40))
    rows = spend_rows(_spend(_part(first), _part(last)), CALENDAR)

    # 8 days of November and 22 of December at $1, 9 of December at $2, 31 of January at $2
    assert [(row.month, row.usd) for row in rows] == [("2026-11", 8.0), ("2026-12", 40.0), ("2027-01", 62.0)]
    assert [(str(row.start), str(row.end)) for row in rows][1] == ("2026-12-01", "2026-12-31")


def test_a_term_and_its_overflow_are_two_bills(plan_of):
    """2 GPUs held at $2 an hour are $96 of the day's $100; the other 2 of 50 GPU-hours are bought at $2."""
    cost = SimpleNamespace(workload="chat", option="reserved-30d", label="h100 reserved 30d", gpu="h100",
                           provider="example", usd=np.full((4, 365), 100.0), held_gpus=np.full(365, 2.0),
                           paid_gpu_hours=np.full((4, 365), 50.0), reserved_usd=np.full(365, 96.0))  # fmt: skip
    choice = SimpleNamespace(option="reserved-30d", action="commit", gpu="h100")
    choices = dict.fromkeys((30, 90, 365), choice)
    priced = Priced(costs=(cost,), lines={}, ladder={}, choices=choices, breakevens=())
    spend = plan_spend(plan_of().settings, [priced], np.full(365, 10.0), np.zeros((4, 365)))
    days = np.datetime64("2026-11-23") + np.arange(365)
    november = [row for row in spend_rows(spend, days) if row.month == "2026-11"]

    assert [(row.kind, row.label, row.usd, row.gpu_hours) for row in november if row.workload == "chat"] == [
        ("reserved", "h100 reserved 30d", 768.0, 384.0), ("on-demand", "h100 on demand", 32.0, 16.0),
    ]  # fmt: skip
    assert [(row.workload, row.kind, row.usd) for row in november if row.workload != "chat"] == [
        (HELD, "committed", 80.0)
    ]
    assert sum(part.usd for part in spend.parts) == pytest.approx(spend.usd)


def test_one_unknown_price_leaves_no_rows():
    spend = _spend(_part(np.ones(DAYS)))

    assert (
        spend_rows(Spend(usd=spend.usd, committed_usd=spend.usd, unpriced=("x",), parts=spend.parts), CALENDAR)
        == []
    )
