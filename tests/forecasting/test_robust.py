"""Whatever a log may hold, `run_backtest` and `forecast_traffic` give a sane forecast or refuse."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.errors import UserError
from forecasting.backtest import QUANTILES, run_backtest
from forecasting.intervals import UPPER_CAP
from forecasting.outlook import forecast_traffic
from forecasting.scenarios import Growth

COLUMNS = [f"q{q}" for q in QUANTILES]
WEEK = np.array([1.1, 1.1, 1.05, 1.0, 1.0, 0.6, 0.5])
AS_OF = date(2026, 11, 5)


def week(days, noise=0.1, level=10_000.0):
    y = level * np.tile(WEEK, days // 7 + 1)[:days]
    return y * np.exp(noise * np.random.default_rng(0).standard_normal(days))


def backtest(y, horizon=365, name="chat"):
    """Forecast the days after y, NaN = a row that is absent."""
    ds = pd.date_range("2025-01-06", periods=len(y))
    frame = pd.DataFrame({"unique_id": name, "ds": ds, "y": y}).dropna()
    windows = pd.DataFrame({"unique_id": [name], "cutoff": [ds[-1]], "horizon": [horizon]})
    return run_backtest(frame, windows)


def check(found, horizon=365):
    q = found[COLUMNS].to_numpy()
    assert len(found) == horizon
    assert np.isfinite(found[["mean", *COLUMNS]].to_numpy()).all()
    assert (q >= 0).all()
    assert (np.diff(q, axis=1) >= 0).all(), "quantiles in order"
    assert (found["mean"] >= 0).all()


def outages(y):
    return np.where(np.arange(len(y)) % 40 == 20, 0.0, y)


def spikes(y):
    return np.where(np.arange(len(y)) % 60 == 30, 50 * y, y)


def shift(y):
    return np.where(np.arange(len(y)) >= len(y) - 20, 6 * y, y)


def cut_off(y):
    return np.where(np.arange(len(y)) == len(y) - 1, 0.1 * y, y)


def jump(y):
    return np.where(np.arange(len(y)) == len(y) - 1, 100 * y, y)


def gaps(y):
    return np.where((np.arange(len(y)) % 11 < 4) & (np.arange(len(y)) > 0), np.nan, y)


SPOILT = [outages, spikes, shift, cut_off, jump, gaps, np.zeros_like, lambda y: np.full_like(y, 5e3)]


@pytest.mark.parametrize("spoil", SPOILT)
@pytest.mark.parametrize("days", [30, 200, 800])
def test_what_is_wrong_with_a_series_never_breaks_its_forecast(spoil, days):
    check(backtest(spoil(week(days))))


@pytest.mark.parametrize("spoil", [outages, spikes, cut_off, jump, gaps])
def test_days_that_are_no_demand_hardly_move_the_forecast(spoil):
    usual, spoilt = (backtest(y, 30)["q0.5"].mean() for y in (week(300), spoil(week(300))))

    assert spoilt == pytest.approx(usual, rel=0.08)


def test_a_level_that_moved_for_good_is_followed():
    found = backtest(shift(week(300)), 30)["q0.5"].mean()

    assert found == pytest.approx(6 * 10_000 * WEEK.mean(), rel=0.25)


def test_every_length_from_three_to_sixty_days_is_forecast():
    y = week(60)
    ds = pd.date_range("2025-01-06", periods=60)
    cutoffs = ds[2:]
    windows = pd.DataFrame({"unique_id": "chat", "cutoff": cutoffs, "horizon": 90})

    found = run_backtest(pd.DataFrame({"unique_id": "chat", "ds": ds, "y": y}), windows)

    check(found, 58 * 90)
    for cutoff, rows in found.groupby("cutoff"):
        seen = y[: (cutoff - ds[0]).days + 1]
        assert seen.min() * 0.7 < rows["q0.5"].mean() < seen.max() * 1.3


@pytest.mark.parametrize("level", [0.0, 3.0, 7e4])
def test_a_constant_stays_where_it_is(level):
    found = backtest(np.full(200, level), 90)

    assert found["q0.5"].to_numpy() == pytest.approx(np.full(90, level), rel=0.35 if level == 3 else 0.01)


def test_all_zero_is_forecast_as_zero():
    found = backtest(np.zeros(120), 90)

    assert not found[["mean", *COLUMNS]].to_numpy().any()


def test_counts_beyond_what_32_or_53_bits_hold_stay_numbers():
    y = np.full(100, 2**62, dtype=np.int64)

    found = backtest(y, 30)

    check(found, 30)
    assert found["q0.5"].to_numpy() == pytest.approx(np.full(30, 2.0**62), rel=0.01)


@pytest.mark.parametrize("days", [40, 130, 800])
def test_intervals_only_widen_with_the_horizon(days):
    found = backtest(week(days))

    width = np.log1p(found["q0.9"]) - np.log1p(found["q0.1"])
    assert (np.diff(width) >= -1e-9).all()


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.2])
def test_data_alone_never_lets_the_year_explode(rate):
    y = 1000 * np.exp(rate * np.arange(200))

    found = backtest(y)

    assert found["q0.9"].max() <= UPPER_CAP * np.median(y[-28:]) * 1.001


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.one_of(st.floats(0, 1e15), st.integers(0, 50).map(float), st.just(0.0)), min_size=3, max_size=120),
    st.integers(1, 60),
)
def test_any_values_of_zero_or_more_give_a_sane_forecast(y, horizon):
    check(backtest(np.array(y), horizon), horizon)


@pytest.mark.parametrize("stamp", ["2025-03-30T00:00:00+01:00", "2025-03-30 00:00:00Z"])
def test_a_day_with_a_time_zone_is_refused_because_days_are_utc(stamp):
    frame = pd.DataFrame({"unique_id": "a", "ds": ["2025-03-29", stamp], "y": [1.0, 2.0]})
    windows = pd.DataFrame({"unique_id": ["a"], "cutoff": ["2025-03-29"], "horizon": [7]})

    with pytest.raises(UserError, match="time zone"):
        run_backtest(frame, windows)


def test_the_days_around_a_change_of_clocks_are_days_like_others():
    # 2025-03-30 has 23 hours in Berlin and 24 in UTC: no day is missing, none comes twice
    found = backtest(week(83), 14)

    assert found["ds"].diff().dropna().eq(pd.Timedelta(days=1)).all()
    assert found["ds"].iloc[0] == pd.Timestamp("2025-03-30")


def traffic_with(make_traffic, change, days=200):
    traffic = make_traffic(days)
    daily = traffic.daily.copy()
    daily["requests"] = change(daily["requests"].to_numpy(dtype=np.float64))
    return replace(traffic, daily=daily)


@pytest.mark.parametrize("change", [outages, spikes, shift, jump, gaps, np.zeros_like])
def test_a_workload_with_the_same_faults_still_has_its_outlook(make_traffic, change):
    outlook = forecast_traffic(traffic_with(make_traffic, change), as_of=AS_OF, seed=1, days=120, paths=40)

    paths = outlook.demand.requests
    assert np.isfinite(paths).all()
    assert (paths >= 0).all()
    table = outlook.daily_requests[["q2.5", "q10", "q50", "q90", "q97.5"]].to_numpy()
    assert (np.diff(table, axis=1) >= -1e-9).all()


@pytest.mark.parametrize("days", [14, 20, 59, 60])
def test_a_young_workload_has_its_outlook(make_traffic, days):
    outlook = forecast_traffic(make_traffic(days), as_of=AS_OF, seed=1, days=60, paths=40)

    assert outlook.daily_requests["q50"].mean() == pytest.approx(100_000 * 0.957, rel=0.15)


@pytest.mark.parametrize("bad", [-1.0, np.inf])
def test_a_workload_with_an_impossible_day_is_refused(make_traffic, bad):
    change = lambda y: np.where(np.arange(len(y)) == 5, bad, y)  # noqa: E731

    with pytest.raises(UserError, match="values of 0 or more"):
        forecast_traffic(traffic_with(make_traffic, change), as_of=AS_OF, seed=1, days=30, paths=20)


def test_stated_growth_spans_its_three_points_and_stops_at_its_saturation(make_traffic):
    traffic = make_traffic(200, noise=0.01)
    plain, grown, full = (
        forecast_traffic(traffic, as_of=AS_OF, seed=1, days=365, paths=400, growth=growth).daily_requests
        for growth in (Growth(low=1, likely=1, high=1), Growth(low=2, likely=3, high=5), Growth(2, 3, 5, 1.5))
    )

    assert (grown["q50"] / plain["q50"]).iloc[-7:].mean() == pytest.approx(3, rel=0.15)
    assert (grown["q90"] / plain["q50"]).iloc[-7:].mean() > (plain["q90"] / plain["q50"]).iloc[-7:].mean() * 3
    assert (full["q97.5"] / plain["q97.5"]).max() <= 1.5 + 1e-6
