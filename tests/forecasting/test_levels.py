"""The parts of the robust model, on series whose answer is known."""

from dataclasses import replace

import numpy as np
import pytest

from forecasting.calendar import make_history
from forecasting.levels import (
    MIXTURES,
    Levels,
    level_shifts,
    predict_levels,
    weekday_effects,
    without_trend,
    yearly_move,
)

MONDAY = np.datetime64("2026-01-05")
WEEK = np.array([0.2, 0.1, 0.1, 0.0, 0.1, -0.2, -0.3])


def history(x):
    return make_history(MONDAY, np.expm1(x), where="chat")


def rows(x, origins, horizon=28, mixture=MIXTURES[0]):
    return predict_levels(history(x), np.array(origins), horizon, (mixture,))[0]


def test_a_steady_week_is_repeated():
    x = 7 + np.tile(WEEK, 20)

    found = rows(x, [140], 14)[0]

    # effects are shrunk by 10 / 10.3, so the week comes back to within 3% of its swing
    assert found - 7 == pytest.approx(np.tile(WEEK, 2), abs=0.01)


def test_weekday_effects_add_up_to_nothing_and_are_shrunk_by_the_weeks_seen():
    x = 7 + np.tile(WEEK, 20)

    effects = weekday_effects(x)

    assert effects.sum(axis=1) == pytest.approx(0)
    assert effects[-1] == pytest.approx((WEEK - WEEK.mean()) * 10 / 10.3, abs=1e-9)


@pytest.mark.parametrize("origin", [70, 100, 133])
def test_no_forecast_changes_when_the_future_does(origin):
    x = 7 + np.tile(WEEK, 20) + 0.05 * np.random.default_rng(0).standard_normal(140)
    other = np.concatenate([x[:origin], x[origin:] + 3.0])

    assert weekday_effects(x)[origin].tolist() == weekday_effects(other)[origin].tolist()
    one, two = (predict_levels(replace(history(x), x=v), np.array([origin]), 28, MIXTURES) for v in (x, other))
    assert one.tolist() == two.tolist()


def test_after_a_level_shift_only_the_new_level_counts():
    x = np.concatenate([np.full(120, 7.0), np.full(8, 8.0)])

    assert rows(x, [128])[0] == pytest.approx(8.0, abs=0.25)


def test_without_trend_a_rising_series_is_held():
    x = 7 + 0.005 * np.arange(200)
    steep = Levels(fade=1e6, slow_share=0.0, slope_share=1.0)

    rising, held = (rows(x, [200], 90, m)[0] for m in (steep, without_trend((steep,))[0]))

    assert rising[-1] - held[-1] == pytest.approx(0.005 * 0.98 * (1 - 0.98**90) / 0.02, rel=1e-6)
    assert held[-1] == pytest.approx(held[0], abs=0.01)


def test_less_than_a_year_gives_no_yearly_shape():
    x = 7 + np.sin(2 * np.pi * np.arange(380) / 364)

    assert not yearly_move(x, np.array([380]), 90).any()


def test_one_year_is_taken_at_seven_tenths():
    x = 7 + np.sin(2 * np.pi * np.arange(700) / 364)
    origin = np.array([600])

    one, two = yearly_move(x[:600], origin, 90)[0], np.sin(2 * np.pi * (600 + np.arange(90)) / 364)

    # the level before the origin is the median of 21 days, 10.5 days old: the shape starts from there
    assert one == pytest.approx(0.7 * (two - np.sin(2 * np.pi * 589 / 364)), abs=0.05)


def test_two_years_give_the_shape_of_the_year():
    t = np.arange(364 * 3)
    x = 7 + np.sin(2 * np.pi * t / 364)

    found = yearly_move(x, np.array([364 * 3]), 364)[0]

    assert found.max() - found.min() == pytest.approx(2.0, abs=0.1)
    assert np.argmax(found) == pytest.approx(91, abs=4)


def test_growth_over_the_year_is_no_season():
    x = 5 + 0.002 * np.arange(364 * 3)

    assert np.abs(yearly_move(x, np.array([364 * 3]), 364)).max() < 0.05


def test_a_level_shift_is_said_once_with_its_first_day_and_a_campaign_of_days_is_none():
    noise = 0.02 * np.random.default_rng(3).standard_normal(140)
    calm, shifted, short = (7 + np.tile(WEEK, 20) + noise for _ in range(3))
    shifted[100:] += np.log(3)
    short[100:104] += np.log(3)

    assert level_shifts(history(calm)) == ()
    assert level_shifts(history(short)) == ()
    assert level_shifts(history(shifted)) == ("1 level shift taken up: 2026-04-15",)
    assert level_shifts(history(calm[:30])) == ()
