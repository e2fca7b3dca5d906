"""A term's decision: its units, dates, savings and reason."""

from datetime import date

import numpy as np
import pytest

from data.catalog.prices import GpuOffer
from data.errors import UserError
from sizing.commitments import action_for, decide_term, ladder
from sizing.gpu_cost import on_demand_usd, reserved_usd


def offer(term, usd):
    return GpuOffer(
        gpu="h100",
        term=term,
        usd_per_gpu_hour_low=usd,
        usd_per_gpu_hour_high=usd,
        provider="example",
        source="worked example",
        checked=date(2026, 11, 23),
        price_source="test",
    )


HOURLY, MONTHLY, YEARLY = offer("on-demand", 3.0), offer("reserved-30d", 1.65), offer("reserved-1y", 1.5)
START = date(2026, 11, 23)


def eighth_gpu_in(share, days=30):
    """Seven GPUs in every hour, the eighth in this share of the hours."""
    need = np.full(days * 24, 7.0)
    need[: round(share * days * 24)] = 8.0
    return need.reshape(1, days, 24)


def random_need(days, seed=3, paths=20):
    rng = np.random.default_rng(seed)
    level = np.exp(np.cumsum(rng.normal(0, 0.03, (paths, days)), axis=1))
    return np.ceil(level[:, :, None] * (6 + 4 * np.sin(np.arange(24) / 24 * 2 * np.pi)))


def test_a_term_states_its_units_price_dates_and_reason():
    term = decide_term(eighth_gpu_in(0.63), offer=MONTHLY, on_demand=HOURLY, start=START)

    assert (term.gpus, term.action) == (8, "commit")
    assert (term.start, term.end, term.decide_by) == (START, date(2026, 12, 22), date(2026, 11, 16))
    assert term.usd_per_hour == pytest.approx(8 * 1.65)
    assert term.usd_total == pytest.approx(8 * 1.65 * 720)
    assert term.breakeven_utilisation == pytest.approx(0.55)
    assert term.expected_utilisation == pytest.approx((7 + 0.63) / 8, abs=1e-3)
    assert "#8 is busy 63% of hours and needs 55%" in term.reason


def test_the_saving_is_the_difference_of_the_two_bills():
    need = random_need(30)

    term = decide_term(need, offer=MONTHLY, on_demand=HOURLY, start=START)

    bills = on_demand_usd(need, HOURLY).sum(axis=1) - reserved_usd(need, MONTHLY, HOURLY).usd.sum(axis=1)
    assert term.saving_usd.mean == pytest.approx(bills.mean())
    assert term.saving_usd.p10 == pytest.approx(np.quantile(bills, 0.1))


def test_the_chance_of_loss_counts_paths_that_end_dearer_than_on_demand():
    """One GPU on three paths of four, none on the fourth: worth it on average (75% > 55%), a loss on a quarter."""
    need = np.ones((4, 30, 24))
    need[3] = 0.0

    term = decide_term(need, offer=MONTHLY, on_demand=HOURLY, start=START)

    assert term.gpus == 1
    assert term.chance_of_loss == 0.25
    assert term.firm_gpus == 0


def test_a_need_that_is_rarely_there_reserves_nothing_and_says_what_it_lacks():
    need = np.zeros((1, 30, 24))
    need[:, :, :6] = 1.0

    term = decide_term(need, offer=MONTHLY, on_demand=HOURLY, start=START)

    assert (term.gpus, term.usd_total, term.expected_utilisation) == (0, 0.0, None)
    assert "must be busy 55% of hours and is busy 25%" in term.reason


def test_a_term_that_outlasts_the_plan_is_judged_on_the_days_that_are_known():
    term = decide_term(eighth_gpu_in(0.63), offer=YEARLY, on_demand=HOURLY, start=START)

    assert term.known_days == 30
    assert term.usd_total == pytest.approx(8 * 1.5 * 365 * 24)
    assert term.reason.endswith("judged on the 30 days that are planned.")


def test_the_ladder_commits_now_hedges_two_terms_and_watches_the_year():
    steps = ladder(
        random_need(400),
        offers={"on-demand": HOURLY, "reserved-30d": MONTHLY, "reserved-1y": YEARLY},
        start=START,
        lead_days=7,
    )

    assert [(s.action, s.term) for s in steps] == [
        ("commit", "reserved-30d"),
        ("hedge", "reserved-30d"),
        ("hedge", "reserved-30d"),
        ("watch", "reserved-1y"),
    ]
    assert [s.decide_by for s in steps] == [START, date(2026, 12, 23), date(2027, 1, 22), START]
    assert all((s.start - s.decide_by).days == 7 for s in steps)


def test_a_ladder_without_an_on_demand_price_has_nothing_to_compare_with():
    assert ladder(random_need(30), offers={"reserved-30d": MONTHLY}, start=START) == ()


def test_firm_gpus_never_outnumber_those_that_pay_on_average_here():
    term = decide_term(random_need(30, seed=8), offer=MONTHLY, on_demand=HOURLY, start=START)

    assert term.firm_gpus <= term.gpus


@pytest.mark.parametrize(
    ("days", "action"), [(1, "commit"), (45, "commit"), (46, "hedge"), (180, "hedge"), (181, "watch")]
)
def test_a_horizon_knows_what_it_is_for(days, action):
    assert action_for(days) == action


def test_an_hourly_offer_is_no_term_to_commit_to():
    with pytest.raises(UserError, match="no term to commit to"):
        decide_term(eighth_gpu_in(0.5), offer=HOURLY, on_demand=HOURLY, start=START)
