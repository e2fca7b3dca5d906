"""Candidates are compared at past origins, with the intervals that were known there."""

import numpy as np
import pytest

from forecasting.calendar import make_history
from forecasting.judging import Judged, expected_loss, judged_positions, model_share

MONDAY = np.datetime64("2026-01-05")


def steady(days=200):
    week = np.array([1.0, 1.1, 1.1, 1.05, 1.0, 0.6, 0.5])
    noise = np.exp(0.1 * np.random.default_rng(0).standard_normal(days))
    return make_history(MONDAY, 1000 * np.tile(week, days // 7 + 1)[:days] * noise, where="chat")


def judged(errors=None, horizon=28):
    history = steady()
    origins = np.arange(60, 200, 7)
    errors = np.full((len(origins), horizon), 0.1) if errors is None else errors
    return history, Judged.of(history, origins, errors, np.array([10, 14]), horizon)


def perfect(history, one, horizon=28):
    return np.array([np.log1p(history.y)[t : t + horizon] for t in one.origins])


def test_a_perfect_centre_loses_less_than_one_that_is_off():
    history, one = judged()
    right = perfect(history, one)

    assert one.loss(right) < one.loss(right + 0.3) < one.loss(right + 1.0)
    assert one.coverage(right) == 1.0
    assert one.coverage(right + 5.0) == 0.0


def test_errors_whose_outcome_lies_after_the_origin_do_not_widen_its_interval():
    origins = np.arange(60, 200, 7)
    late = np.full((len(origins), 28), 0.1)
    late[origins[:, None] + np.arange(28) >= 130] = 10.0  # origin 10 is day 130

    _, one = judged()
    _, other = judged(late)

    assert one.half_width[0].tolist() == other.half_width[0].tolist()
    assert (one.half_width[1] < other.half_width[1]).all()


def test_the_better_model_gets_the_larger_share():
    assert model_share(1.0, 1.0) == 0.5
    assert model_share(1.0, 0.9) == pytest.approx(1 / (1 + 0.9**6))
    assert model_share(1.0, 2.0) < 0.02
    assert model_share(float("nan"), 1.0) == 0.5


def test_a_few_origins_are_shrunk_towards_what_is_usual():
    assert expected_loss(float("nan"), 0) == 0.7
    assert expected_loss(1.0, 2) == pytest.approx(np.sqrt(0.7))
    assert expected_loss(1.2, 1000) == pytest.approx(1.2, rel=0.01)


def test_judged_origins_leave_at_least_four_weeks_of_outcomes_and_see_sixty_days():
    for n in (95, 130, 400, 1500):
        origins = np.arange(n - 7, 59, -7)[::-1]
        at = origins[judged_positions(origins, n, 365)]
        assert at.size == 0 or (at.max() <= n - 28 and at.min() >= 60)
        assert len(at) <= 6


def test_with_too_little_history_nothing_is_judged():
    assert judged_positions(np.array([60]), 68, 30).size == 0
