"""A term's decision: its units, dates, savings, regret and reason."""

from datetime import date

import numpy as np
import pytest

from data.catalog.commit_offers import BatchOffer, HeldOffer, TermOffer
from data.errors import UserError
from sizing.commit.grid import bounds_of, starts_of
from sizing.commit.recourse import recourse
from sizing.commit.term import action_for, decide_term

START = date(2026, 11, 23)


def decided(case, *, first=0, **options):
    worth = recourse(case, bounds_of(case, starts_of(case, first)))
    return decide_term(case, worth, case.market.terms[0], first, **options)


def eighth_gpu_in(share, days=30):
    """Seven GPUs in every hour, the eighth in this share of the hours."""
    need = np.full(days * 24, 7.0)
    need[: round(share * days * 24)] = 8.0
    return need.reshape(1, days, 24)


def test_a_term_states_its_units_price_dates_and_reason(cases):
    term = decided(cases(eighth_gpu_in(0.63, 37), terms=((30, 0.45),), lead_days=7), first=7)

    assert (term.gpus, term.action, term.term) == (7, "commit", "30 days")
    assert (term.start, term.end, term.decide_by) == (date(2026, 11, 30), date(2026, 12, 29), START)

    term = decided(cases(eighth_gpu_in(0.63), terms=((30, 0.45),)))
    assert (term.gpus, term.start, term.decide_by) == (8, START, START)
    assert term.usd_per_hour == pytest.approx(8 * 1.65)
    assert term.usd_total == pytest.approx(8 * 1.65 * 720)
    assert term.breakeven_utilisation == pytest.approx(0.55)
    assert term.expected_utilisation == pytest.approx((7 + 0.63) / 8, abs=1e-3)
    assert term.bands[7].sentence == "h100 #8 is busy 63% of hours, needs 55%: commit."
    assert "#8 is busy 63% of hours and needs 55%" in term.reason


def test_the_saving_is_the_difference_of_the_two_bills(cases, random_needs):
    need = random_needs(30)
    term = decided(cases(need, terms=((30, 0.4),)))

    with_it = term.gpus * 1.8 * 720 + np.maximum(need - term.gpus, 0).sum(axis=(1, 2)) * 3
    bills = need.sum(axis=(1, 2)) * 3 - with_it
    assert term.saving_usd.mean == pytest.approx(bills.mean())
    assert term.saving_usd.p10 == pytest.approx(np.quantile(bills, 0.1))


def test_regret_is_what_the_best_units_in_hindsight_would_have_saved_more(cases, random_needs):
    need = random_needs(30, spread=0.1)
    term = decided(cases(need, terms=((30, 0.4),)))

    def bill(path, units):
        return units * 1.8 * 720 + np.maximum(path - units, 0).sum() * 3

    best = [min(bill(path, n) for n in range(60)) for path in need]
    regret = [bill(path, term.gpus) - least for path, least in zip(need, best, strict=True)]
    assert term.regret_p95_usd == pytest.approx(np.quantile(regret, 0.95))


def test_the_chance_of_loss_counts_paths_that_end_dearer(cases):
    """One GPU on three paths of four, none on the fourth: worth it on average (75% > 55%), a loss on a quarter."""
    need = np.ones((4, 30, 24))
    need[3] = 0.0

    term = decided(cases(need, terms=((30, 0.45),)))

    assert (term.gpus, term.chance_of_loss, term.firm_gpus) == (1, 0.25, 0)


def test_a_need_that_is_rarely_there_reserves_nothing_and_says_what_it_lacks(cases):
    need = np.zeros((1, 30, 24))
    need[:, :, :6] = 1.0

    term = decided(cases(need, terms=((30, 0.45),)))

    assert (term.gpus, term.usd_total, term.expected_utilisation) == (0, 0.0, None)
    assert "must be busy 55% of hours and is busy 25%" in term.reason


def test_idle_hours_that_do_work_which_can_wait_may_make_a_gpu_pay(cases):
    """Busy 25% of hours, 12 more of batch work in the rest: worth 75% of them."""
    need = np.zeros((1, 30, 24))
    need[:, :, :6] = 1.0
    night = BatchOffer(name="night", gpu_hours=12, start_hour_utc=6, deadline_h=18)

    term = decided(cases(need, terms=((30, 0.45),), batch=(night,)))

    assert term.gpus == 1
    assert term.expected_utilisation == pytest.approx(0.75)
    assert term.bands[0].sentence == (
        "h100 #1 is busy 25% of hours (worth 75% of them at the on-demand price), needs 55%: commit."
    )


def test_a_term_that_outlasts_the_need_is_judged_on_the_days_that_are_known(cases):
    term = decided(cases(eighth_gpu_in(0.63), terms=((365, 0.5),)))

    assert term.known_days == 30
    assert term.usd_total == pytest.approx(8 * 1.5 * 365 * 24)
    assert term.reason.endswith("judged on the 30 days that are planned.")


def test_what_is_held_serves_first_and_what_is_scarce_is_all_that_is_bought(cases):
    held = HeldOffer(gpus=3, usd_per_gpu_hour=1.0, start=START, end=date(2027, 12, 31))
    scarce = TermOffer(name="m", days=30, discount=0.5, max_gpus=4, upfront_fraction=0.5)

    term = decided(cases(np.full((1, 30, 24), 8.0), terms=(scarce,), held=(held,)))

    assert term.gpus == 4
    assert term.upfront_usd == pytest.approx(4 * 1.5 * 720 / 2)
    assert len(term.bands) == 5


def test_no_need_is_said_so(cases):
    assert decided(cases(np.zeros((1, 30, 24)))).reason == "No h100 is needed over these 30 days."


@pytest.mark.parametrize(
    ("days", "action"), [(1, "commit"), (45, "commit"), (46, "hedge"), (180, "hedge"), (181, "watch")]
)
def test_a_horizon_knows_what_it_is_for(days, action):
    assert action_for(days) == action


def test_a_term_past_the_need_is_refused(cases):
    case = cases(np.ones((1, 30, 24)))
    with pytest.raises(UserError, match="past the 30 planned"):
        decide_term(case, recourse(case, [0, 30]), case.market.terms[0], 40)
