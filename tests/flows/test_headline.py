"""The sentence on top: what to sign, for how much, until when, and who is served otherwise."""

from datetime import date
from types import SimpleNamespace

import pytest

from flows.headline import as_currency, decide_plan
from flows.pricing import Priced

DOLLARS = as_currency("USD", None, None, None)
SOON, LATER = date(2026, 11, 23), date(2026, 11, 30)


def _term(gpu="h100", gpus=4, usd=5_000.0, *, term="reserved-30d", action="commit", decide_by=SOON):
    return SimpleNamespace(gpu=gpu, term=term, action=action, gpus=gpus, usd_total=usd, decide_by=decide_by)


def _priced(action, *terms, option=None, gpu=None, year="on-demand"):
    """One workload: what its first horizon chose, its ladder, and what would be cheapest over the year."""
    gpu = gpu or (terms[0].gpu if terms else None)
    first = SimpleNamespace(action=action, option=option or action, gpu=gpu, sentence=f"{action} now")
    watch = SimpleNamespace(action="watch", option=year, gpu=gpu, sentence="watch it")
    ladder = {}
    for term in terms:
        ladder.setdefault(term.gpu, []).append(term)
    return Priced(costs=(), lines={}, ladder=ladder, choices={30: first, 365: watch}, breakevens=())


def _commit(*terms, **more):
    return _priced("commit", *terms, option="reserved-30d", **more)


def _headline(*priced, names=("chat", "code", "docs"), currency=DOLLARS, horizons=(30, 365)):
    workloads = [SimpleNamespace(name=name) for name in names[: len(priced)]]
    return decide_plan(workloads, priced, horizons, currency, spend={}, committed_share=None)


@pytest.mark.parametrize(
    ("priced", "headline"),
    [
        (
            [_commit(_term())],
            "Commit 4 h100 for 30 days, $5,000; hold the one-year offer; decide by 23 Nov 2026.",
        ),
        ([_priced("api")], "Commit nothing new; keep chat on the API; hold the one-year offer."),
        ([_priced("on-demand")], "Commit nothing new; rent for chat on demand; hold the one-year offer."),
        ([_priced("none")], "Commit nothing new; price chat before deciding; hold the one-year offer."),
        (
            [_priced("api"), _priced("api"), _priced("on-demand")],
            "Commit nothing new; keep chat and code on the API; rent for docs on demand; hold the one-year offer.",
        ),
        (
            [_commit(_term()), _priced("api"), _priced("none")],
            "Commit 4 h100 for 30 days, $5,000; keep code on the API; price docs before deciding;"
            " hold the one-year offer; decide by 23 Nov 2026.",
        ),
        (
            [_commit(_term()), _commit(_term("b200", 8, 30_000.0))],
            "Commit 4 h100 for 30 days and 8 b200 for 30 days, $35,000; hold the one-year offer;"
            " decide by 23 Nov 2026.",
        ),
        (
            [_priced("api", year="reserved-1y")],
            "Commit nothing new; keep chat on the API; watch the one-year offer, which pays on today's forecast.",
        ),
    ],
)
def test_the_headline_says_what_to_sign_and_who_is_served_otherwise(priced, headline):
    assert _headline(*priced).headline == headline


def test_the_same_gpu_of_two_workloads_is_one_order():
    decision = _headline(_commit(_term(gpus=4, usd=5_000.0)), _commit(_term(gpus=3, usd=3_750.5)))

    assert decision.headline.startswith("Commit 7 h100 for 30 days, $8,750;")


def test_the_earliest_decision_counts():
    decision = _headline(_commit(_term(decide_by=LATER)), _commit(_term("b200", decide_by=SOON)))

    assert decision.decide_by == SOON
    assert "decide by 23 Nov 2026" in decision.headline


def test_only_what_the_choice_asks_to_sign_now_is_signed():
    """The hedge of the next months, the watched year, another term and an empty order stay out of the sum."""
    others = (
        _term(action="hedge", usd=1.0),
        _term(term="reserved-1y", action="watch", usd=2.0),
        _term(term="reserved-1y", usd=3.0),
        _term(gpus=0, usd=4.0),
    )

    assert _headline(_commit(_term(), *others)).headline.startswith("Commit 4 h100 for 30 days, $5,000;")
    assert _headline(_priced("api", _term(), gpu="h100")).decide_by is None


def test_money_in_the_headline_is_in_the_plans_currency():
    euros = as_currency("EUR", 0.9, SOON, "ECB")

    assert "30 days, €4,500;" in _headline(_commit(_term()), currency=euros).headline


def test_a_short_plan_says_nothing_of_the_year():
    assert "one-year" not in _headline(_priced("api"), horizons=(30,)).headline


def test_every_workload_and_horizon_has_its_line():
    decision = _headline(_priced("api"), _priced("on-demand"))

    assert decision.lines == [
        "chat, 30 days: api now",
        "chat, 365 days: watch it",
        "code, 30 days: on-demand now",
        "code, 365 days: watch it",
    ]


def test_dollars_need_no_rate_and_other_money_keeps_its_source():
    assert (DOLLARS.per_usd, DOLLARS.rate_date, DOLLARS.source) == (1.0, None, "prices are quoted in USD")
    euros = as_currency("EUR", 0.9, SOON, "ECB reference rate")
    assert (euros.per_usd, euros.rate_date, euros.source) == (0.9, SOON, "ECB reference rate")
