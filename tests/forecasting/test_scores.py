"""Scores, each against a number worked by hand."""

import numpy as np
import pytest

from forecasting.scores import coverage, naive_quantiles, pinball


def test_the_loss_of_a_median_is_its_absolute_error():
    actual, same = np.array([10.0, 20.0]), np.array([[13.0, 20.0]] * 3)

    # 2 (0.9 + 0.5 + 0.1) x 3 / 3 quantiles / 2 days
    assert pinball(actual, same) == pytest.approx(1.5)


def test_missing_above_the_high_quantile_costs_nine_times_missing_below_it():
    q = np.array([[1.0], [1.0], [1.0]])

    high = pinball(np.array([2.0]), q)
    low = pinball(np.array([0.0]), q)

    assert high == pytest.approx(low) == pytest.approx(1.0)  # 2 (0.1 + 0.5 + 0.9) / 3, and the same mirrored


def test_coverage_counts_the_edges_as_inside():
    assert coverage(np.array([1.0, 2.0, 4.0]), np.full(3, 1.0), np.full(3, 2.0)) == pytest.approx(2 / 3)


def test_the_naive_repeats_the_week_and_widens_week_by_week():
    y = np.concatenate([np.arange(7.0), np.arange(7.0) + 1, np.arange(7.0) + 2]) + 100

    q = naive_quantiles(y, 14)

    assert q[1].tolist() == [*y[-7:], *y[-7:]]
    # every difference over a week is 1, so sigma is 1 in the first week and sqrt 2 in the second
    assert q[2, 0] - q[1, 0] == pytest.approx(1.281552)
    assert q[2, 7] - q[1, 7] == pytest.approx(1.281552 * np.sqrt(2))
