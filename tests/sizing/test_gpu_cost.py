"""GPU-hours times prices, by hand and as laws: nothing is served twice, nothing is lost."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from data.catalog.prices import GpuOffer
from data.errors import UserError
from sizing.gpu_cost import (
    Commitment,
    committed_gpus,
    committed_usd,
    on_demand_range_usd,
    on_demand_usd,
    reserved_usd,
    use_held,
)


def offer(term, low, high=None, gpu="h100"):
    return GpuOffer(
        gpu=gpu,
        term=term,
        usd_per_gpu_hour_low=low,
        usd_per_gpu_hour_high=low if high is None else high,
        provider="example",
        source="worked example",
        checked=date(2026, 11, 23),
        price_source="test",
    )


HOURLY, MONTHLY, YEARLY = offer("on-demand", 2.0, 4.0), offer("reserved-30d", 1.4, 2.8), offer("reserved-1y", 1.8)
needs = hnp.arrays(np.float64, (3, 40, 24), elements=st.integers(0, 6))


def test_on_demand_is_gpu_hours_times_the_middle_of_the_range():
    need = np.full((1, 2, 24), 5.0)

    assert on_demand_usd(need, HOURLY).tolist() == [[360.0, 360.0]]  # 5 x 24 x $3
    low, high = on_demand_range_usd(need, HOURLY)
    assert (low[0], high[0]) == (240.0, 480.0)


def test_reserved_pays_every_hour_and_buys_the_overflow():
    """Two GPUs always, a third for 6 of 24 hours: reserve 2 at $2.10, buy 6 hours at $3."""
    need = np.full((1, 30, 24), 2.0)
    need[:, :, :6] = 3.0

    cost = reserved_usd(need, MONTHLY, HOURLY)

    assert cost.gpus == (2,)
    assert cost.usd[0] == pytest.approx([2 * 24 * 2.1 + 6 * 3.0] * 30)
    assert cost.reserved_usd == pytest.approx([100.8] * 30)
    assert cost.usd_low[0] == pytest.approx(2 * 24 * 1.4 + 6 * 2.0)
    assert cost.idle_share == 0.0


def test_reserving_too_many_leaves_hours_idle():
    cost = reserved_usd(np.full((1, 30, 24), 1.0), MONTHLY, HOURLY, gpus=4)

    assert cost.idle_share == pytest.approx(0.75)
    assert cost.paid_gpu_hours[0, 0] == 96


def test_each_term_is_decided_on_its_own_days():
    need = np.full((1, 65, 24), 1.0)
    need[:, 30:60] = 4.0

    assert reserved_usd(need, MONTHLY, HOURLY).gpus == (1, 4, 1)
    assert reserved_usd(need, YEARLY, HOURLY).gpus == (1,)


def test_until_the_first_term_begins_everything_is_on_demand():
    need = np.full((1, 37, 24), 1.0)

    cost = reserved_usd(need, MONTHLY, HOURLY, first_day=7)

    assert cost.held_gpus.tolist() == [0.0] * 7 + [1.0] * 30
    assert cost.usd[0, :7] == pytest.approx([72.0] * 7)
    assert cost.usd[0, 7:] == pytest.approx([24 * 2.1] * 30)


@settings(max_examples=40, deadline=None)
@given(need=needs)
def test_reserving_by_the_rule_never_costs_more_on_average_than_on_demand(need):
    assert reserved_usd(need, MONTHLY, HOURLY).usd.sum() <= on_demand_usd(need, HOURLY).sum() * (1 + 1e-12)


def test_overflow_needs_the_same_gpus_price():
    with pytest.raises(UserError, match="its own on-demand price"):
        reserved_usd(np.ones((1, 1, 24)), MONTHLY, offer("on-demand", 1.0, gpu="l40s"))


def test_an_hourly_price_is_no_term():
    with pytest.raises(UserError, match="no reserved term"):
        reserved_usd(np.ones((1, 1, 24)), offer("spot", 1.0), HOURLY)


def test_a_commitment_is_held_and_paid_through_its_last_day():
    days = np.datetime64("2026-12-30") + np.arange(3)
    held = Commitment(
        gpu="h100", units=2, usd_per_gpu_hour=2.2, start=date(2026, 7, 1), end=date(2026, 12, 31), provider="x"
    )

    assert committed_gpus([held], "h100", days).tolist() == [2.0, 2.0, 0.0]
    assert committed_gpus([held], "b200", days).tolist() == [0.0, 0.0, 0.0]
    assert committed_usd([held], days) == pytest.approx([105.6, 105.6, 0.0])  # 2 x $2.20 x 24


def test_held_gpus_serve_the_first_need_first():
    chat, code = np.full((1, 1, 24), 3.0), np.full((1, 1, 24), 4.0)

    (chat_rest, code_rest), idle = use_held([chat, code], np.array([5.0]))

    assert (chat_rest[0, 0, 0], code_rest[0, 0, 0], idle[0, 0, 0]) == (0.0, 2.0, 0.0)


@settings(max_examples=40, deadline=None)
@given(first=needs, second=needs, units=st.integers(0, 10))
def test_what_is_held_is_served_or_idle_and_never_both(first, second, units):
    held = np.full(40, float(units))

    rest, idle = use_held([first, second], held)

    served = first - rest[0] + second - rest[1]
    assert (served + idle == held[None, :, None]).all()
    assert min(r.min() for r in (*rest, idle)) >= 0
    assert (idle[rest[0] + rest[1] > 0] == 0).all()
