"""What a policy may know at a turn, and what it holds and pays."""

import numpy as np
import pytest

from sizing.commit.book import Book, Foresight
from sizing.commit.policies import field_of


def test_before_a_week_has_passed_all_paths_are_alike(cases, random_needs):
    seen = Foresight(field_of(cases(random_needs(60)), 5))

    assert seen.near(5) is None
    assert seen.near(11) is None
    assert seen.near(35).shape == (20, 10)


def test_nobody_is_asked_about_his_own_future(cases, random_needs):
    near = Foresight(field_of(cases(random_needs(60)), 0)).near(30)

    assert not (near == np.arange(20)[:, None]).any()


def test_the_nearest_are_those_that_have_needed_alike(cases):
    need = np.ones((40, 60, 24)) * np.repeat([1.0, 9.0], 20)[:, None, None]
    near = Foresight(field_of(cases(need), 0)).near(30)

    assert (near[:20] < 20).all()
    assert (near[20:] >= 20).all()


def test_expectations_are_means_over_the_near(cases, random_needs):
    field = field_of(cases(random_needs(60)), 0)
    seen = Foresight(field)

    near, value = seen.near(30), field.worth.value_usd
    assert seen.mean(30)[3] == pytest.approx(value[near[3]].mean(axis=0))
    assert seen.low(30)[3] == pytest.approx(np.quantile(value[near[3]], 0.1, axis=0))
    assert seen.low(0)[0] == pytest.approx(np.quantile(value, 0.1, axis=0))


def test_a_book_adds_up_by_hand(cases):
    """Three GPUs for 60 days, two of them for a month at $2.70: 2 x 720 x 2.7, the rest at $3."""
    field = field_of(cases(3), 0)
    book = Book(field, Foresight(field))
    book.buy(field.case.market.terms[0], 0, np.array([2]))

    assert book.usd() == pytest.approx([2 * 720 * 2.7 + (3 * 1_440 - 2 * 720) * 3])
    assert book.now == {"30 days": 2}
