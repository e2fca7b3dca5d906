"""The busiest window: minute peaks stretch the 35 days of 10-second ones."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from data.traffic import SUMS
from forecasting.peaks import daily_peaks, peak_factor


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
