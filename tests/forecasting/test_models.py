"""Each model against what it must give on a simple series; none may see beyond its origin."""

import numpy as np
import pytest

from forecasting.calendar import make_history
from forecasting.models import DampedSmoothing, RobustLevels, SeasonalNaive, ShortHistory

MONDAY = np.datetime64("2026-01-05")
MODELS = [SeasonalNaive(), ShortHistory(), RobustLevels(), DampedSmoothing()]


def series(days=200, seed=0):
    week = np.array([1.0, 1.1, 1.1, 1.05, 1.0, 0.6, 0.5])
    rng = np.random.default_rng(seed)
    return 1000 * np.tile(week, days // 7 + 1)[:days] * np.exp(0.05 * rng.standard_normal(days))


def history(y):
    return make_history(MONDAY, y, where="chat")


def test_the_naive_repeats_the_last_week():
    found = SeasonalNaive().predict(history(series()), np.array([140]), 10)[0]

    assert found.tolist() == np.log1p([*series()[133:140], *series()[133:136]]).tolist()


def test_the_short_rule_takes_the_28_day_median_when_there_is_no_rhythm():
    found = ShortHistory().predict(history(np.arange(1.0, 15.0)), np.array([14]), 3)[0]

    assert np.expm1(found) == pytest.approx(np.full(3, 7.5), rel=0.5)


@pytest.mark.parametrize("days", [1, 2, 5, 13])
def test_the_short_rule_stays_flat_below_two_weeks(days):
    found = ShortHistory().predict(history(np.full(days, 50.0)), np.array([days]), 20)[0]

    assert np.expm1(found) == pytest.approx(np.full(20, 50.0))


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_a_forecast_made_in_the_past_is_the_one_made_then(model):
    y = series()
    later = model.predict(history(y), np.array([150]), 30)
    then = model.predict(history(y[:150]), np.array([150]), 30)

    # cleaning looks at both sides of a day, so spikes near the origin may differ a little; here there are none
    assert later == pytest.approx(then, abs=1e-6)


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
@pytest.mark.parametrize("level", [0.0, 42.0])
def test_a_constant_series_stays_constant(model, level):
    y = np.full(200, level)

    found = model.predict(make_history(MONDAY, y, where="chat", counts=False), np.array([200]), 365)

    assert np.expm1(found) == pytest.approx(np.full((1, 365), level), abs=1e-6)


def test_the_mixture_that_was_right_in_the_past_gets_the_weight():
    falling = 1e6 * np.exp(-0.01 * np.arange(300.0))

    found = RobustLevels().predict(history(falling), np.arange(100, 301, 7)[-1:], 30)
    learnt = RobustLevels().predict(history(falling), np.append(np.arange(97, 293, 7), 300), 30)[-1:]

    truth = np.log1p(1e6 * np.exp(-0.01 * np.arange(300.0, 330.0)))
    assert np.abs(learnt - truth).mean() < np.abs(found - truth).mean()


def test_smoothing_damps_its_trend():
    y = 1000 * np.exp(0.01 * np.arange(200))

    found = DampedSmoothing().predict(history(y), np.array([200]), 365)[0]

    assert np.all(np.isfinite(found))
    assert found[-1] - found[0] < 0.01 * 99 + 0.05, "phi is at most 0.99: the slope adds up to 99 days"
