"""The decision whole: when a term is wanted, what is signed, who bears it."""

from datetime import date, timedelta

import numpy as np
import pytest

from data.catalog.commit_offers import HeldOffer
from data.errors import UserError
from sizing.commit.decision import decide_commitments, shared_usd, wanted_start
from sizing.commit.optimum import Risk

START = date(2026, 11, 23)


def held_until(day, gpus=2):
    return (HeldOffer(gpus=gpus, usd_per_gpu_hour=1.0, start=date(2026, 1, 1), end=day),)


def test_the_day_to_decide_by_leaves_days_to_decide_in(cases):
    decision = decide_commitments(cases(4, terms=((30, 0.2),), lead_days=7), decision_days=5)

    (row,) = decision.sign
    assert (row.start, row.decide_by) == (START + timedelta(days=12), START + timedelta(days=5))
    assert decision.decide_by == row.decide_by
    assert decision.sentence.startswith("Sign 4 x h100 for 30 days by 2026-11-28, from 2026-12-05:")


@pytest.mark.parametrize(
    ("last_day", "first"),
    [(8, 9), (5, 12), (6, 7), (20, 12)],
)
def test_what_ends_soon_is_followed_on_the_next_day(cases, last_day, first):
    """Lead 7, five days to decide: day 12, or the day after one in force ends if that can still be had."""
    case = cases(4, lead_days=7, held=held_until(START + timedelta(days=last_day)))

    assert wanted_start(case, 5) == first


def test_a_commitment_that_ends_within_the_first_term_is_renewed_on_its_own_row(cases):
    end = date(2026, 12, 12)
    decision = decide_commitments(
        cases(6, terms=((30, 0.2),), lead_days=7, held=held_until(end, gpus=4)), decision_days=5
    )

    commits = [(row.start, row.gpus, row.decide_by) for row in decision.ladder if row.action == "commit"]
    assert commits == [
        (date(2026, 12, 5), 6, date(2026, 11, 28)),
    ] or commits == [
        (date(2026, 12, 5), 2, date(2026, 11, 28)),
        (end + timedelta(days=1), 4, end - timedelta(days=6)),
    ]


def test_the_ladder_commits_now_hedges_two_terms_and_watches_the_year(cases, random_needs):
    decision = decide_commitments(cases(random_needs(365), terms=((30, 0.2), (365, 0.4))), decision_days=0)

    assert [(row.action, row.name, (row.start - START).days) for row in decision.ladder] == [
        ("commit", "30 days", 0), ("hedge", "30 days", 30), ("hedge", "30 days", 60), ("watch", "365 days", 0),
    ]  # fmt: skip


def test_what_is_followed_costs_least_and_a_console_never_is(cases, random_needs):
    decision = decide_commitments(cases(random_needs(365), terms=((30, 0.1), (365, 0.4))))

    least = min(policy.usd.mean() for policy in decision.policies if policy.name != "look-back")
    assert decision.policy(decision.follows).usd.mean() == pytest.approx(least)
    assert decision.follows != "look-back"
    assert {row.name: row.gpus for row in decision.sign} == decision.policy(decision.follows).now


def test_the_ladder_is_followed_where_that_is_asked(cases, random_needs):
    decision = decide_commitments(
        cases(random_needs(365), terms=((30, 0.1), (365, 0.4))), follow="ladder", risk=Risk(weight=0.3)
    )

    assert decision.follows == "ladder"
    assert all(row.name == "30 days" for row in decision.sign)
    assert decision.ladder_price_usd > 0


def test_where_nothing_pays_nothing_is_signed_and_no_day_presses(cases):
    need = np.zeros((1, 60, 24))
    need[:, :, :4] = 1.0

    decision = decide_commitments(cases(need))

    assert (decision.sign, decision.decide_by, decision.follows) == ((), None, "on demand")
    assert decision.sentence.startswith("Sign nothing for h100 now")


def test_pooled_needs_are_never_dearer_than_apart(cases):
    """Day and night fill each other's gaps: together two GPUs are always busy, apart none pays."""
    day, night = np.zeros((1, 60, 24)), np.zeros((1, 60, 24))
    day[:, :, :12], night[:, :, 12:] = 2.0, 2.0
    bills = [decide_commitments(cases(n, terms=((30, 0.4),))) for n in (day, night, day + night)]
    apart, together = bills[0].policies, bills[2]

    assert bills[0].sign == ()
    assert together.sign[0].gpus == 2
    assert together.policy(together.follows).usd[0] < 2 * apart[0].usd[0]


def test_who_bears_the_bill_adds_up_to_the_cent():
    needs = {name: np.full((3, 2, 24), gpus) for name, gpus in (("a", 1.0), ("b", 1.0), ("c", 1.0))}

    shares = shared_usd(np.array([100.0, 100.0, 100.0]), needs)

    assert sum(round(100 * usd) for usd in shares.values()) == 10_000
    assert shares == {"a": 33.34, "b": 33.33, "c": 33.33}


def test_who_needs_more_bears_more_and_nobody_bears_an_empty_bill():
    needs = {"a": np.full((1, 1, 24), 3.0), "b": np.full((1, 1, 24), 1.0)}

    assert shared_usd(np.array([80.0]), needs) == {"a": 60.0, "b": 20.0}
    assert shared_usd(np.array([80.0]), {}) == {}
    assert shared_usd(np.array([8.0]), {n: 0 * need for n, need in needs.items()}) == {"a": 4.0, "b": 4.0}


def test_a_need_that_ends_before_a_term_can_begin_is_refused(cases):
    with pytest.raises(UserError, match="begins 60 days in, and the need covers 60 days"):
        decide_commitments(cases(3, lead_days=80))


def test_a_term_that_outlasts_the_need_by_far_has_a_row_and_no_policy_buys_it(cases):
    decision = decide_commitments(cases(4, terms=((30, 0.1), (70, 0.2), (1_095, 0.7))), decision_days=0)

    assert [row.name for row in decision.terms] == ["30 days", "70 days", "1095 days"]
    assert decision.not_weighed == ("1095 days",)
    assert {name for policy in decision.policies for name in policy.now} == {"30 days", "70 days"}
    assert all(row.name != "1095 days" for row in decision.planned)
