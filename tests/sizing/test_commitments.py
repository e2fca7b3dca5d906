"""The ladder at a plan's prices: its steps, and the days to decide by."""

from datetime import date

import numpy as np

from data.catalog.prices import GpuOffer
from sizing.commitments import ladder


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


def random_need(days, seed=3, paths=20):
    rng = np.random.default_rng(seed)
    level = np.exp(np.cumsum(rng.normal(0, 0.03, (paths, days)), axis=1))
    return np.ceil(level[:, :, None] * (6 + 4 * np.sin(np.arange(24) / 24 * 2 * np.pi)))


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


def test_days_to_decide_in_move_the_ladder_and_the_day_to_decide_by():
    steps = ladder(
        random_need(400), offers={"on-demand": HOURLY, "reserved-30d": MONTHLY}, start=START, decision_days=5
    )

    assert [s.decide_by for s in steps] == [date(2026, 11, 28), date(2026, 12, 28), date(2027, 1, 27)]
    assert steps[0].start == date(2026, 12, 5)


def test_a_year_alone_is_only_watched():
    steps = ladder(random_need(400), offers={"on-demand": HOURLY, "reserved-1y": YEARLY}, start=START)

    assert [s.action for s in steps] == ["watch"]


def test_firm_gpus_never_outnumber_those_that_pay_on_average():
    steps = ladder(random_need(60, seed=8), offers={"on-demand": HOURLY, "reserved-30d": MONTHLY}, start=START)

    assert all(step.firm_gpus <= step.gpus for step in steps)
