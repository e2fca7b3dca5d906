"""The library's opinion on series whose future is known, where it has none, and what it may not see."""

import warnings
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from statsmodels.tsa.holtwinters import ExponentialSmoothing

from forecasting.calendar import make_history
from forecasting.outlook import forecast_traffic
from forecasting.scenarios import Growth
from forecasting.second_opinion import library_days, second_opinion
from forecasting.spread import Spread

FIRST = np.datetime64("2025-01-06")  # a Monday
WEEK = [110.0, 110, 110, 110, 110, 60, 60]
NOISY = 1e5 * np.exp(0.1 * np.random.default_rng(3).standard_normal(420)) * np.tile([1.1] * 5 + [0.6] * 2, 60)
AS_OF = date(2026, 11, 5)


def history(y):
    return make_history(FIRST, y, where="test")


def opinion(y, ours=None, *, gap=0, scenarios=False):
    ours = np.full((3, 60), 100.0) if ours is None else ours
    return second_opinion(None if y is None else history(y), ours, gap=gap, scenarios=scenarios)


def test_a_constant_stays_constant():
    found = opinion(np.full(200, 100.0))

    assert found.over(30).requests == pytest.approx(3_000, rel=1e-6)
    assert found.over(60).ours_over_it == pytest.approx(1.0, rel=1e-6)
    assert found.why_not == ""


def test_a_week_repeats():
    daily, _ = library_days(history(np.tile(WEEK, 20)), 14)

    np.testing.assert_allclose(daily, WEEK * 2, rtol=1e-6)


def test_days_between_the_data_and_the_plan_are_not_counted():
    """Two days after a Sunday the plan starts on a Wednesday: 3 x 110 + 2 x 60 + 2 x 110 in its first week."""
    found = opinion(np.tile(WEEK, 20), gap=2)

    assert found.over(7).requests == pytest.approx(670)
    assert found.over(1).requests == pytest.approx(110)
    assert found.over(4).requests == pytest.approx(390)


def test_noisy_days_add_up_to_their_mean_and_not_to_their_middle():
    """Days of a log-normal with sd 0.4 have a mean e^0.08 = 1.083 times their middle."""
    y = 1e5 * np.exp(0.4 * np.random.default_rng(5).standard_normal(700))

    daily, _ = library_days(history(y), 28)

    assert daily.mean() == pytest.approx(1.083e5, rel=0.05)


@pytest.mark.parametrize(
    ("y", "why"),
    [
        (None, "0 full days of history, and it needs 60"),
        (np.full(59, 100.0), "59 full days of history, and it needs 60"),
        (np.r_[np.full(30, 100.0), np.full(40, np.nan), 100.0], "31 full days of history, and it needs 60"),
    ],
)
def test_a_short_history_has_none_and_says_why(y, why):
    found = opinion(y)

    assert found.over(30) is None
    assert found.requests is None
    assert found.why_not == why


def test_sixty_days_are_enough():
    assert opinion(np.full(60, 100.0)).over(60).requests == pytest.approx(6_000)


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("converge", "its fit to 420 days did not converge"),
        ("raise", "the library could not fit 420 days (singular)"),
    ],
)
def test_a_fit_that_fails_is_no_opinion(monkeypatch, fault, why):
    fit = ExponentialSmoothing.fit

    def failing(self, **options):
        if fault == "raise":
            raise np.linalg.LinAlgError("singular")
        return fit(self, minimize_kwargs={"options": {"maxiter": 1}}, **options)

    monkeypatch.setattr(ExponentialSmoothing, "fit", failing)
    found = opinion(NOISY)

    assert found.over(30) is None
    assert found.why_not == why


def test_growth_beyond_all_numbers_is_no_opinion():
    assert library_days(history(np.exp(np.arange(140) * 5.0)), 365) == (
        None,
        "its forecast from 140 days leaves all bounds",
    )


@pytest.mark.parametrize("y", [np.zeros(200), np.full(100, 7.0), NOISY, np.r_[NOISY, np.zeros(60)]])
def test_nothing_is_said_on_the_terminal(y, capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        daily, why = library_days(history(y), 365)

    assert (daily >= 0).all()
    assert np.isfinite(daily).all()
    assert (why, *capsys.readouterr()) == ("", "", "")


def test_the_same_past_gives_the_same_opinion():
    once, again = (library_days(history(NOISY), 365)[0] for _ in range(2))

    np.testing.assert_array_equal(once, again)


def test_it_is_held_against_the_totals_of_our_paths():
    """Paths of 80, 90, ..., 120 a day over 10 days: 10% and 90% of the totals are 840 and 1,160."""
    ours = np.tile(np.arange(80.0, 121.0, 10)[:, None], (1, 10))
    found = opinion(np.full(100, 118.0), ours).over(10)

    assert (found.ours_q10, found.ours_q50, found.ours_q90) == pytest.approx((840, 1_000, 1_160))
    assert found.ours_over_it == pytest.approx(1_000 / 1_180)
    assert not found.inside_80
    assert opinion(np.full(100, 115.0), ours).over(10).inside_80
    assert not opinion(np.full(100, 83.0), ours).over(10).inside_80


@pytest.mark.parametrize("days", [0, 61])
def test_it_is_asked_only_about_the_days_that_were_forecast(days):
    with pytest.raises(ValueError, match="1 to 60 days"):
        opinion(np.full(100, 100.0)).over(days)


def test_it_sees_nothing_after_as_of(make_traffic):
    traffic = make_traffic(200)
    later = traffic.daily.copy()
    later.index = later.index + pd.Timedelta(days=200)
    longer = replace(traffic, daily=pd.concat([traffic.daily, later * 9]))

    seen, more = (forecast_traffic(t, as_of=AS_OF, seed=1, days=30, paths=20) for t in (traffic, longer))

    np.testing.assert_array_equal(seen.second_opinion.requests, more.second_opinion.requests)


def test_stated_growth_is_left_out_of_the_comparison_and_said(make_traffic):
    ask = {"as_of": AS_OF, "seed": 1, "days": 60, "paths": 50}
    traffic = make_traffic(200)
    plain = forecast_traffic(traffic, **ask)
    grown = forecast_traffic(traffic, **ask, growth=Growth(low=2.0, likely=9.0, high=20.0))

    assert not plain.second_opinion.scenarios
    assert grown.second_opinion.scenarios
    total = Spread.of(plain.demand.requests.sum(axis=1))
    found = plain.second_opinion.over(60)
    assert (found.ours_q10, found.ours_q50, found.ours_q90) == pytest.approx((total.p10, total.p50, total.p90))
    assert grown.second_opinion.over(60).ours_q50 == pytest.approx(total.p50, rel=0.05)
    assert grown.second_opinion.over(60).requests == found.requests
    assert grown.demand.requests.sum(axis=1).mean() > 1.15 * total.mean


def test_a_workload_without_a_full_day_has_none(make_traffic):
    traffic = make_traffic(1)
    traffic = replace(traffic, daily=traffic.daily.assign(observed_share=0.5))

    found = forecast_traffic(traffic, as_of=AS_OF, seed=1, days=30, paths=20).second_opinion

    assert found.requests is None
    assert found.why_not.startswith("0 full days")
