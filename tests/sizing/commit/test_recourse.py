"""What holding one more unit is worth: by hand, against an hour-by-hour reckoning, and falling always."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.catalog.commit_offers import BatchOffer, HeldOffer
from data.errors import UserError
from sizing.commit.recourse import Case, batch_runs, recourse

NIGHTS = BatchOffer(name="nights", gpu_hours=10, start_hour_utc=20, deadline_h=4)


def bill(hours, level, tiers):
    """Hour by hour, tier by tier."""
    usd = 0.0
    for need in np.ravel(hours):
        over = max(need - level, 0.0)
        for price, most in tiers:
            taken = over if most is None else min(over, most)
            usd, over = usd + price * taken, over - taken
    return usd


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), spot=st.integers(0, 3), most=st.integers(0, 4), unit=st.sampled_from([1, 2]))
def test_overflow_by_bands_is_overflow_by_hours(cases, seed, spot, most, unit):
    need = np.random.default_rng(seed).uniform(0, 9, (2, 3, 24)).round(1)
    prices = {"spot_usd_per_gpu_hour": 1.0, "api_usd_per_gpu_hour": 5.0}
    case = cases(need, terms=(), spot_max_gpus=spot, on_demand_max_gpus=most, **prices)

    worth = recourse(case, [0, 1, 3])

    tiers = [(1.0, spot), (3.0, most), (5.0, None)]
    for path in range(2):
        for level in (0, 1, 4, 9):
            got = worth.cost_usd(np.array([level, level]))[path]
            assert got[0] == pytest.approx(bill(need[path, :1], level, tiers))
            assert got[1] == pytest.approx(bill(need[path, 1:], level, tiers))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), work=st.floats(0.5, 60), most=st.sampled_from([None, 1, 3]))
def test_each_unit_is_worth_no_more_than_the_one_before(cases, seed, work, most):
    need = np.random.default_rng(seed).integers(0, 7, (3, 4, 24))
    batch = (
        BatchOffer(name="a", gpu_hours=work, start_hour_utc=8, deadline_h=30, max_gpus=most),
        BatchOffer(name="b", gpu_hours=12, start_hour_utc=20, deadline_h=6),
    )

    worth = recourse(cases(need, spot_usd_per_gpu_hour=1.5, batch=batch), [0, 2, 4])

    assert (np.diff(worth.value_usd, axis=2) <= 1e-9).all()
    assert (worth.value_usd >= -1e-9).all()


def test_idle_hours_of_held_gpus_do_work_that_can_wait(cases):
    """Two GPUs needed until 20:00, none after: one held GPU gives 4 idle hours of the 10, each $3 elsewhere."""
    need = np.full((1, 1, 24), 2.0)
    need[:, :, 20:] = 0.0

    worth = recourse(cases(need, batch=(NIGHTS,)), [0, 1])

    assert worth.base_usd[0, 0] == pytest.approx(2 * 20 * 3 + 10 * 3)
    assert worth.value_usd[0, 0, :4] == pytest.approx([24 * 3, 24 * 3, 2 * 3, 0])
    assert worth.left_gpu_hours[0, 0, :4] == pytest.approx([10, 6, 2, 0])


def test_runs_that_share_hours_and_are_capped_are_reckoned_dear_rather_than_cheap(cases):
    """At 6 GPUs the night's run takes hours that the capped one needs, and no level may seem to win by that."""
    need = np.random.default_rng(184).integers(0, 7, (3, 4, 24))
    batch = (
        BatchOffer(name="a", gpu_hours=29, start_hour_utc=8, deadline_h=30, max_gpus=1),
        BatchOffer(name="b", gpu_hours=12, start_hour_utc=20, deadline_h=6),
    )

    worth = recourse(cases(need, spot_usd_per_gpu_hour=1.5, batch=batch), [0, 4])

    placed = worth.base_usd[:, 0] - worth.value_usd[:, 0].sum(axis=1)
    assert (placed >= worth.left_gpu_hours[:, 0, -1] * 1.5 - 1e-9).all()


def test_a_commitment_in_force_serves_first_and_its_idle_hours_count(cases):
    need = np.full((1, 2, 24), 3.0)
    held = HeldOffer(gpus=2, usd_per_gpu_hour=1.0, start=date(2026, 1, 1), end=date(2026, 11, 23))

    case = cases(need, held=(held,), batch=(NIGHTS,))
    worth = recourse(case, [0, 1, 2])

    assert worth.base_usd[0] == pytest.approx([24 * 3 + 30, 3 * 24 * 3 + 30])
    assert case.held_usd() == 2 * 24


def test_runs_that_would_pass_a_period_are_done_within_it():
    (run,) = batch_runs([NIGHTS], date(2026, 11, 23), 22)[:1] or [None]
    assert run is None  # no whole day

    assert batch_runs([NIGHTS], date(2026, 11, 23), 24) == [(20, 24, 10, None)]
    late = BatchOffer(name="late", gpu_hours=1, start_hour_utc=20, deadline_h=12, weekdays=("monday",))
    assert batch_runs([late], date(2026, 11, 23), 48) == [(20, 32, 1, None)]
    assert batch_runs([late], date(2026, 11, 24), 48) == []


def test_falling_prices_weigh_each_day_by_its_own(cases):
    case = cases(np.ones((1, 2, 24)), price_index=np.array([1.0, 0.5]))

    assert recourse(case, [0, 2]).value_usd[0, 0, 0] == pytest.approx(24 * 3 * 1.5)


@pytest.mark.parametrize(
    ("need", "index"),
    [(np.full((1, 2, 24), -1.0), None), (np.ones((1, 2, 23)), None), (np.ones((1, 2, 24)), np.ones(3)),
     (np.full((1, 1, 24), np.nan), None)],
)  # fmt: skip
def test_a_need_that_is_none_is_refused(cases, need, index):
    market = cases(1).market
    with pytest.raises(UserError):
        Case(need=need, start=date(2026, 1, 1), market=market, price_index=index)
