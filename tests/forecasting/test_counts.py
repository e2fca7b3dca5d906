"""Low counts: whole numbers around the mean, never negative."""

import numpy as np
import pytest

from forecasting.calendar import make_history
from forecasting.counts import CountPredictive, count_forecast

MONDAY = np.datetime64("2026-01-05")


def forecast(y, horizon=365):
    return count_forecast(make_history(MONDAY, y, where="rare"), horizon)


def test_the_mean_is_the_mean_of_the_past():
    y = np.random.default_rng(0).poisson(2.0, 400).astype(float)

    assert forecast(y).mean.mean() == pytest.approx(2.0, rel=0.15)


def test_quantiles_are_whole_counts_in_order():
    found = forecast(np.random.default_rng(0).poisson(0.7, 400).astype(float)).ppf(np.linspace(0.01, 0.99, 30))

    assert (found == np.round(found)).all()
    assert (np.diff(found, axis=0) >= 0).all()
    assert (found >= 0).all()


def test_a_series_of_zeros_stays_at_zero():
    assert not forecast(np.zeros(100)).ppf(np.array([0.5, 0.999])).any()


def test_a_weekday_that_is_always_busier_keeps_its_share():
    y = np.tile([4.0, 1, 1, 1, 1, 1, 1], 40)

    mean = forecast(y, 7).mean

    assert mean[0] == mean.max()
    assert mean[0] / mean[1] > 1.5


def test_the_variance_of_the_negative_binomial_is_mean_plus_mean_squared_over_dispersion():
    one = CountPredictive(mean=np.array([3.0]), dispersion=np.array([2.0]))

    draws = one.ppf((np.arange(20_000) + 0.5) / 20_000)[:, 0]

    assert draws.mean() == pytest.approx(3.0, rel=0.01)
    assert draws.var() == pytest.approx(3 + 9 / 2, rel=0.02)
