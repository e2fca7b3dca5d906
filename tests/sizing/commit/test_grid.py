"""When terms may begin, and where what is held may change."""

from datetime import date

from data.catalog.commit_offers import HeldOffer
from sizing.commit.grid import bounds_of, expiries, first_start, starts_of

HELD = HeldOffer(gpus=2, usd_per_gpu_hour=1.0, start=date(2026, 12, 1), end=date(2026, 12, 12))


def test_terms_follow_each_other_and_a_long_one_may_begin_at_each_turn(cases):
    case = cases(1, terms=((20, 0.1), (50, 0.3)))

    assert [(s.term.days, s.first) for s in starts_of(case, 5)] == [
        (20, 5), (20, 25), (20, 45), (50, 5), (50, 25), (50, 45), (50, 55),
    ]  # fmt: skip


def test_what_ends_may_be_renewed_on_its_next_day(cases):
    case = cases(1, terms=((20, 0.1), (30, 0.3)), held=(HELD,))

    assert expiries(case) == [20]
    assert [(s.term.days, s.first) for s in starts_of(case, 5)] == [
        (20, 5), (20, 20), (20, 25), (20, 45), (30, 5), (30, 20), (30, 25), (30, 35), (30, 45),
    ]  # fmt: skip


def test_periods_end_where_anything_may_change(cases):
    case = cases(1, terms=((20, 0.1),), held=(HELD,))

    assert bounds_of(case, starts_of(case, 5)) == (0, 5, 8, 20, 25, 40, 45, 60)


def test_nothing_begins_before_it_can_be_had(cases):
    market = cases(1, lead_days=7).market

    assert [first_start(market, wait, 60) for wait in (0, 7, 12, 99)] == [7, 7, 12, 60]
