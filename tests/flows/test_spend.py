"""Spend is the sum of what was chosen day by day: months, horizons and shares are cuts of one array."""

from types import SimpleNamespace

import numpy as np
import pytest

from flows.pricing import Priced
from flows.spend import Spend, by_month, committed_share, over_days, plan_spend

PATHS, DAYS = 4, 365
START = np.datetime64("2026-11-23")
CALENDAR = START + np.arange(DAYS)
RATE = 2.0
"""USD per GPU-hour of a reserved GPU."""
NOTHING_HELD, NO_JOBS = np.zeros(DAYS), np.zeros((PATHS, DAYS))


def _cost(option, usd_a_day, *, gpu="h100", held=None):
    """An option that costs so much each day, on the paths a little less or more; unknown where None."""
    paths = np.linspace(0.9, 1.1, PATHS)[:, None]
    return SimpleNamespace(
        workload="chat",
        option=option,
        gpu=None if option == "api" else gpu,
        usd=None if usd_a_day is None else paths * np.full(DAYS, float(usd_a_day)),
        held_gpus=None if held is None else np.full(DAYS, float(held)),
        reserved_usd=None if held is None else np.full(DAYS, held * 24 * RATE),
        paid_gpu_hours=None if option == "api" else np.full((PATHS, DAYS), 24.0),
        provider="example",
        label=option,
    )


def _choice(option, action, gpu="h100"):
    return SimpleNamespace(option=option, action=action, gpu=None if option in ("api", "none") else gpu)


COSTS = (
    _cost("api", 100),
    _cost("on-demand", 70),
    _cost("reserved-30d", 50, held=1),
    _cost("reserved-1y", 40, held=1),
)


def _priced(*choices, costs=COSTS):
    return Priced(
        costs=costs,
        lines={},
        ladder={},
        choices=dict(zip((30, 90, 365), choices, strict=True)),
        breakevens=(),
    )


def _spend(plan_of, *priced, held=NOTHING_HELD, jobs=NO_JOBS, **more):
    return plan_spend(plan_of().settings, priced, held, jobs, **more)


API, MONTHS, YEAR = _choice("api", "api"), _choice("reserved-30d", "hedge"), _choice("reserved-1y", "watch")
COMMIT = _choice("reserved-30d", "commit")


def test_each_horizon_pays_for_the_days_that_the_shorter_one_does_not_reach(plan_of):
    spend = _spend(plan_of, _priced(API, MONTHS, _choice("on-demand", "on-demand")))

    mean = spend.usd.mean(axis=0)
    assert mean[:30] == pytest.approx(np.full(30, 100.0))
    assert mean[30:90] == pytest.approx(np.full(60, 50.0))
    assert mean[90:] == pytest.approx(np.full(275, 70.0))


def test_a_watched_term_is_not_paid_for(plan_of):
    """The year's choice would cost 40 a day; nobody signs it, so the 90-day choice goes on."""
    spend = _spend(plan_of, _priced(API, MONTHS, YEAR))

    assert spend.usd.mean(axis=0)[90:] == pytest.approx(np.full(275, 50.0))


def test_workloads_jobs_and_reservations_in_force_add_up(plan_of):
    held = np.where(np.datetime64("2027-01-01") > CALENDAR, 24 * 2 * 2.0, 0.0)
    jobs = np.full((PATHS, DAYS), 3.0)

    spend = _spend(plan_of, _priced(API, API, YEAR), _priced(COMMIT, MONTHS, YEAR), held=held, jobs=jobs)

    assert spend.usd[0] == pytest.approx(0.9 * (100 + 50) + 3 + held)


def test_a_reservation_in_force_is_paid_though_the_api_serves(plan_of):
    spend = _spend(plan_of, _priced(API, API, YEAR), held=np.full(DAYS, 96.0))

    assert spend.usd.mean(axis=0)[:30] == pytest.approx(np.full(30, 196.0))
    assert committed_share(spend, 30) == pytest.approx(96 / 196)


def test_only_reserved_gpus_are_committed_and_not_the_overflow_above_them(plan_of):
    spend = _spend(plan_of, _priced(COMMIT, MONTHS, YEAR))

    assert spend.committed_usd[0, :30] == pytest.approx(np.full(30, 48.0))  # 1 GPU x 24 h x $2 of the day's $50
    assert committed_share(spend, 30) == pytest.approx(48 / 50)
    assert committed_share(_spend(plan_of, _priced(API, API, API)), 30) == 0.0


def test_months_are_calendar_months_and_add_up_to_the_year(plan_of):
    spend = _spend(plan_of, _priced(API, MONTHS, YEAR))
    months = by_month(spend, CALENDAR, {"2026-12": 3_000.0, "2030-01": 1.0})

    assert [m.month for m in months] == [
        *("2026-11", "2026-12"), *(f"2027-{n:02d}" for n in range(1, 12))
    ]  # fmt: skip
    assert [m.days for m in months[:4]] == [8, 31, 31, 28]
    assert sum(m.days for m in months) == DAYS
    assert (months[0].budget_usd, months[1].budget_usd) == (None, 3_000.0)
    assert months[1].usd.mean == pytest.approx(22 * 100 + 9 * 50)  # 22 December is the 30th day
    assert months[0].usd.p10 == pytest.approx(8 * 92)  # between 90 and 96.67 a day
    year = over_days(spend, 365)
    assert year is not None
    assert sum(m.usd.mean for m in months) == pytest.approx(year.mean, rel=1e-12)


def test_a_horizon_beyond_the_plan_is_unknown(plan_of):
    spend = Spend(usd=NO_JOBS[:, :90] + 1, committed_usd=NO_JOBS[:, :90], unpriced=())

    assert over_days(spend, 91) is None
    ninety = over_days(spend, 90)
    assert ninety is not None
    assert ninety.mean == 90


@pytest.mark.parametrize(
    "priced",
    [
        _priced(_choice("none", "none"), MONTHS, YEAR),
        _priced(_choice("on-demand", "on-demand"), MONTHS, YEAR, costs=(_cost("on-demand", None), *COSTS[2:])),
        _priced(API, MONTHS, _choice("none", "none")),
    ],
)
def test_one_choice_without_a_price_leaves_every_sum_unknown_and_never_less(plan_of, priced):
    spend = _spend(plan_of, _priced(API, API, YEAR), priced)

    assert spend.unpriced
    assert by_month(spend, CALENDAR, {}) == []
    assert [over_days(spend, days) for days in (30, 90, 365)] == [None] * 3
    assert committed_share(spend, 30) is None


def test_a_job_without_a_price_leaves_every_sum_unknown(plan_of):
    spend = _spend(plan_of, _priced(API, API, YEAR), unpriced=["Weekly fine-tune"])

    assert spend.unpriced == ("Weekly fine-tune",)
    assert over_days(spend, 30) is None


def test_a_plan_of_nothing_has_no_committed_share():
    assert committed_share(Spend(usd=NO_JOBS, committed_usd=NO_JOBS, unpriced=()), 30) is None


def test_the_inputs_stay_as_they_were(plan_of):
    jobs, held = np.ones((PATHS, DAYS)), np.ones(DAYS)
    _spend(plan_of, _priced(API, MONTHS, YEAR), held=held, jobs=jobs)

    assert (jobs == 1).all()
    assert (held == 1).all()
    assert COSTS[0].usd.mean(axis=0) == pytest.approx(np.full(DAYS, 100.0))
