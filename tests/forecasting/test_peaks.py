"""The busiest window: minute peaks stretch the 35 days of 10-second ones."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.traffic import SUMS
from forecasting.calendar import make_history
from forecasting.outlook import forecast_traffic
from forecasting.peaks import PeakPredictive, daily_peaks, finer_peaks, peak_factor, peak_forecast
from forecasting.series import forecast_series


def test_old_days_take_the_minute_peak_times_the_usual_ratio(make_traffic):
    traffic = make_traffic(days=100)

    found = daily_peaks(traffic)

    minute = traffic.daily["peak_minute_requests"].to_numpy()
    assert found == pytest.approx(minute / 6 * 1.5), "the fixture's 10-s peak is 1.5 times the minute's share"


def test_aggregates_take_the_largest_kept_window_of_the_day(make_traffic):
    traffic = make_traffic(days=3)
    index = pd.date_range(traffic.daily.index[0], periods=3 * 144, freq="10min", name="window_utc")
    windows = pd.DataFrame(dict.fromkeys(SUMS, 0.0), index=index)
    windows["requests"] = np.arange(3 * 144.0)
    daily = traffic.daily.assign(peak_10s_requests=np.nan, peak_hour_requests=np.nan)

    found = daily_peaks(replace(traffic, windows=windows, daily=daily, window_s=600))

    assert found.tolist() == [143.0, 287.0, 431.0]


def test_with_neither_windows_nor_peaks_nothing_is_known(make_traffic):
    traffic = make_traffic(days=3)
    daily = traffic.daily.assign(peak_10s_requests=np.nan)

    assert np.isnan(daily_peaks(replace(traffic, daily=daily))).all()


def test_the_factor_is_at_least_one_and_one_without_traffic():
    peaks, requests = np.array([[20.0, 5.0, 7.0]]), np.array([[86_400.0, 86_400.0, 0.0]])

    assert peak_factor(peaks, requests, 10).tolist() == [[2.0, 1.0, 1.0]]


P = np.array([0.1, 0.5, 0.9])


def series_forecast(y, days=14):
    history = make_history(np.datetime64("2026-01-05"), y, where="peak", counts=False)
    return forecast_series(history, days, light=True)


class Known:
    """A day known to be `low`, `middle` or `high`."""

    def __init__(self, *values):
        self.values = np.array(values)

    def ppf(self, p):
        return np.interp(p, (0.1, 0.5, 0.9), self.values)[:, None]


def test_quantiles_lie_midway_between_both_ways_by_hand():
    found = PeakPredictive(
        direct=Known(9.0, 19.0, 39.0),
        level=Known(500.0, 1000.0, 2000.0),
        factor=0.039,
        above=np.log(2.0),
        below=0.0,
        ceiling=1e9,
    ).ppf(P)[:, 0]

    # level x factor: 39 in the middle; 39 / 2 below; above, a doubling of each at right angles: 2^sqrt(2)
    composed = np.array([39 / 2, 39.0, 39 * 2 ** np.sqrt(2)])
    assert found == pytest.approx(np.sqrt(np.array([10.0, 20.0, 40.0]) * (1 + composed)) - 1)


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(3, 80))
def test_peak_quantiles_are_ordered_finite_and_not_negative(seed, days):
    rng = np.random.default_rng(seed)
    requests = rng.lognormal(8, 1, days) * (rng.random(days) > 0.1)
    peaks = np.where(rng.random(days) < 0.2, np.nan, requests * rng.lognormal(-4, 1, days))
    peaks[0] = requests[0] = 1000.0

    found = peak_forecast(series_forecast(peaks), series_forecast(requests), peaks, requests).predictive
    q = found.ppf(np.array([0.005, 0.1, 0.5, 0.9, 0.995]))

    assert np.isfinite(q).all()
    assert (q >= 0).all()
    assert (np.diff(q, axis=0) >= -1e-9).all()


def test_peaks_of_days_that_were_never_both_seen_are_forecast_alone():
    direct = series_forecast(np.full(20, 50.0))

    assert peak_forecast(direct, direct, np.full(20, np.nan), np.ones(20)) is direct


def ten_minutes(make_traffic, counts):
    traffic = make_traffic(days=len(counts) // 144, window_s=600)
    index = pd.date_range(traffic.daily.index[0], periods=len(counts), freq="10min", name="window_utc")
    windows = pd.DataFrame(dict.fromkeys(SUMS, 0.0), index=index).assign(requests=counts)
    daily = traffic.daily.assign(peak_10s_requests=np.nan, peak_minute_requests=np.nan)
    return replace(traffic, windows=windows, daily=daily, source_kind="aggregates")


def test_windows_below_those_seen_are_estimated_from_their_own_scatter(make_traffic):
    rng = np.random.default_rng(0)
    calm = finer_peaks(ten_minutes(make_traffic, rng.poisson(6_000, 10 * 144).astype(float)))
    rough = finer_peaks(ten_minutes(make_traffic, rng.negative_binomial(60, 0.01, 10 * 144).astype(float)))

    assert [each.window_s for each in calm] == [60, 10]
    minute, ten = calm
    # Poisson: about 600 in a minute, 100 in 10 s; their busiest are a few standard deviations above an even share
    assert minute.ratio == pytest.approx(1 / 10 * 1.08, rel=0.05)
    assert ten.ratio == pytest.approx(1 / 60 * 1.33, rel=0.08)
    assert rough[1].ratio > ten.ratio
    assert ten.above > 0
    assert ten.below > 0


def test_what_cannot_be_estimated_is_not(make_traffic):
    assert finer_peaks(make_traffic()) == (), "10 s were seen"
    assert finer_peaks(replace(make_traffic(), window_s=86_400)) == ()
    assert finer_peaks(ten_minutes(make_traffic, np.zeros(3 * 144))) == ()


def test_shorter_windows_are_at_least_as_busy_on_every_path(make_traffic):
    traffic = ten_minutes(make_traffic, np.random.default_rng(1).poisson(6_000, 20 * 144).astype(float))

    found = forecast_traffic(traffic, as_of=date(2026, 11, 5), seed=1, days=30, paths=60)

    hour, minute, ten = found.demand.busiest
    assert [b.window_s for b in found.demand.busiest] == [3600, 60, 10]
    assert [b.estimated for b in found.demand.busiest] == [False, True, True]
    assert (hour.factor >= 1).all()
    assert (minute.factor >= hour.factor).all()
    assert (ten.factor >= minute.factor).all()
    assert "minute and 10 s are estimated" in " ".join(found.notes)


def test_seen_windows_are_forecast_each_from_its_own_peaks(make_traffic):
    found = forecast_traffic(make_traffic(), as_of=date(2026, 11, 5), seed=1, days=30, paths=60).demand

    hour, minute, ten = (np.median(b.factor) for b in found.busiest)
    assert hour == pytest.approx(1.8, rel=0.1)
    assert minute == pytest.approx(2.2, rel=0.1)
    assert ten == pytest.approx(3.3, rel=0.1)
    assert not any(b.estimated for b in found.busiest)
    assert (found.first(7).busiest[0].factor == found.busiest[0].factor[:, :7]).all()
