"""The pipeline on one series: robust by construction, honest about what it rests on."""

import numpy as np
import pytest

from forecasting.calendar import make_history
from forecasting.intervals import MEDIAN_CAP, UPPER_CAP
from forecasting.series import forecast_series

MONDAY = np.datetime64("2025-01-06")
P = np.array([0.005, 0.025, 0.1, 0.5, 0.9, 0.975, 0.995])


def week(days, level=1000.0, noise=0.05, seed=0):
    shape = np.array([1.0, 1.1, 1.1, 1.05, 1.0, 0.6, 0.5])
    rng = np.random.default_rng(seed)
    return level * np.tile(shape, days // 7 + 1)[:days] * np.exp(noise * rng.standard_normal(days))


def forecast(y, horizon=90, **options):
    return forecast_series(make_history(MONDAY, y, where="chat"), horizon, **options)


def outage(y):
    return np.where(np.arange(len(y)) % 50 == 20, 0.0, y)


def jump(y):
    return np.where(np.arange(len(y)) == len(y) - 1, 100 * y, y)


def shift(y):
    return np.where(np.arange(len(y)) > len(y) - 30, 5 * y, y)


def gaps(y):
    return np.where(np.arange(len(y)) % 9 < 3, np.nan, y)


NASTY = [lambda y: y, outage, jump, shift, gaps, lambda y: y * 0, lambda y: y * 0 + 5e4, lambda y: y * 1e14]


@pytest.mark.parametrize("days", [1, 2, 3, 7, 13, 14, 20, 59, 60, 75, 130, 400])
@pytest.mark.parametrize("spoil", NASTY)
def test_whatever_the_history_quantiles_are_finite_ordered_and_not_negative(days, spoil):
    y = spoil(week(days))
    if not np.isfinite(y).any():
        y[0] = 1000.0

    found = forecast(y, 365, light=True).predictive.ppf(P)

    assert np.isfinite(found).all()
    assert (found >= 0).all()
    assert (np.diff(found, axis=0) >= 0).all()


@pytest.mark.parametrize("days", [20, 75, 400])
def test_log_intervals_never_narrow_with_the_horizon(days):
    q = np.log1p(forecast(week(days), 365).predictive.ppf(np.array([0.1, 0.9])))

    width = q[1] - q[0]
    assert (np.diff(width) >= -1e-9).all()


def test_a_steady_week_is_forecast_within_its_noise():
    found = forecast(week(400, noise=0.02)).predictive.ppf(np.array([0.5]))[0]

    assert found == pytest.approx(week(490, noise=0.0)[400:], rel=0.05)


def test_one_last_day_a_hundred_times_too_high_changes_little():
    y = week(400)
    usual, spiked = (forecast(v).predictive.ppf(np.array([0.5])).mean() for v in (y, jump(y)))

    assert spiked == pytest.approx(usual, rel=0.1)


def test_after_a_month_at_five_times_the_level_the_new_level_is_forecast():
    y = week(400)

    found = forecast(shift(y)).predictive.ppf(np.array([0.5]))[0]

    assert found.mean() == pytest.approx(5 * 907, rel=0.25)


def test_data_alone_never_forecasts_beyond_the_documented_cap():
    y = 1000 * np.exp(0.03 * np.arange(300))
    highest = np.median(y[-28:])

    found = forecast(y, 365).predictive.ppf(np.array([0.5, 0.9, 0.995]))

    assert found[0].max() <= MEDIAN_CAP * highest * 1.001 + 1
    assert found.max() <= UPPER_CAP * highest * 1.001 + 8


def test_under_sixty_days_the_short_rule_is_taken_and_named():
    method = forecast(week(59)).method

    assert method.basis == "short history"
    assert method.model.startswith("28-day median")
    assert "59 days" in method.sentence


def test_the_method_says_what_won_by_how_much_and_over_how_many_origins():
    method = forecast(week(500, noise=0.2)).method

    assert method.origins == 6
    assert method.loss_vs_naive is not None
    assert 0.3 < method.loss_vs_naive < 1.0
    assert method.coverage_80 is not None
    assert 0.5 < method.coverage_80 <= 1.0
    assert f"{method.loss_vs_naive:.2f} times" in method.sentence


def test_where_nothing_beats_the_naive_it_is_used_and_said():
    # every eight weeks the week takes a new shape, which only the last week tells
    shapes = 1000 * np.exp(np.random.default_rng(0).standard_normal((8, 1, 7)))

    method = forecast(np.repeat(shapes, 8, axis=1).reshape(-1)[-400:], 28).method

    assert method.model == "seasonal naive"
    assert method.loss_vs_naive == 1.0
    assert method.sentence.startswith("Nothing beat the seasonal naive, so it is used:")


def test_few_requests_a_day_are_counted_in_whole_numbers():
    y = np.random.default_rng(0).poisson(0.8, 200).astype(float)

    found = forecast(y)

    assert found.method.model == "negative binomial mean"
    q = found.predictive.ppf(np.array([0.9]))
    assert (q == np.round(q)).all()


def test_the_light_pipeline_takes_levels_alone():
    assert "smoothing" not in forecast(week(400), light=True).method.model
    assert "smoothing" in forecast(week(400)).method.model


def test_a_short_history_is_never_surer_than_its_own_days_are_alike():
    x = 5.0 + np.array([-1.0, -1, -1, 0, 0, 1, 1, 1])  # log1p; median 5, five in six days a whole unit from it

    low, middle, high = np.log1p(forecast(np.expm1(x), 3).predictive.ppf(np.array([0.1, 0.5, 0.9])))

    assert middle == pytest.approx(5.0)
    assert high - middle == pytest.approx(1.0), "not the 0.35 that a series without errors gets"
    assert middle - low == pytest.approx(1.0)
