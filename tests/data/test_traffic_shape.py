from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.traffic import Match
from data.traffic_shape import HOURS_DAYS, Ask, Observed, hour_of_week, observed_share, whole_hours, window_grid


def observed(first: str, last: str, without: tuple[str, ...] = ()) -> Observed:
    days = pd.date_range(pd.Timestamp(first).floor("D"), pd.Timestamp(last).floor("D"), unit="ns")
    return Observed(
        first=pd.Timestamp(first).as_unit("ns"),
        last=pd.Timestamp(last).as_unit("ns"),
        days=days[~days.isin(pd.DatetimeIndex(without))],
        fine_since=None,
        files=(),
    )


def shares(seen: Observed, requests: float) -> list[float]:
    days = pd.date_range(seen.days.min(), seen.days.max(), name="day_utc", unit="ns")
    return observed_share(days, seen, pd.Series(requests, index=days)).round(3).tolist()


def test_days_that_are_cut_off_say_by_how_much():
    assert shares(observed("2026-11-01 18:00", "2026-11-03 06:00"), 1e6) == [0.25, 1.0, 0.25]
    assert shares(observed("2026-11-01 06:00", "2026-11-01 18:00"), 1e6) == [0.5]


def test_a_day_that_begins_with_its_first_request_is_whole():
    assert shares(observed("2026-11-01 00:00:40", "2026-11-02 23:59:30"), 1e6) == [1.0, 1.0]
    assert shares(observed("2026-11-01 00:20", "2026-11-02 23:40"), 300) == [1.0, 1.0]  # a request each 5 minutes
    assert shares(observed("2026-11-01 00:20", "2026-11-02 23:40"), 1e6) == [0.986, 0.986]


def test_a_gap_has_no_share():
    assert shares(observed("2026-11-01", "2026-11-03 23:59:59", without=("2026-11-02",)), 1e6) == [1.0, 0.0, 1.0]


@pytest.mark.parametrize("window_s", [10, 60, 600, 3600])
def test_the_grid_covers_observed_time_and_no_gap(window_s: int):
    seen = observed("2026-11-01 06:00:05", "2026-11-03 11:59:59", without=("2026-11-02",))

    grid = window_grid(seen, window_s)

    assert grid.is_monotonic_increasing
    assert grid.is_unique
    assert len(grid) == (18 + 12) * 3600 // window_s
    assert grid[0] <= seen.first < grid[0] + pd.Timedelta(seconds=window_s)


def test_only_the_newest_five_weeks_have_windows():
    assert len(window_grid(observed("2026-01-01", "2026-11-03 23:59:59"), 600)) == 35 * 144


@given(values=st.lists(st.floats(0, 1e6), min_size=24, max_size=400))
def test_the_profile_has_mean_one_and_no_hole(values: list[float]):
    hours = pd.Series(values, index=pd.date_range("2026-11-02", periods=len(values), freq="h", unit="ns"))
    seen = observed("2026-11-02", str(hours.index[-1] + pd.Timedelta(hours=1)))

    profile = hour_of_week(hours, seen)

    assert profile.shape == (168,)
    assert np.isfinite(profile).all()
    assert profile.mean() == pytest.approx(1)


def test_hours_cut_by_the_first_and_last_record_do_not_count():
    hours = pd.Series(100.0, index=pd.date_range("2026-11-02 05:00", "2026-11-04 05:00", freq="h", unit="ns"))
    hours.iloc[[0, -1]] = 1.0

    assert hour_of_week(hours, observed("2026-11-02 05:59", "2026-11-04 05:01")) == pytest.approx(np.ones(168))


def test_a_span_is_half_open_and_in_utc():
    asked = Ask(match=Match(team="a"), since=None, until=date(2026, 11, 3)).parameters(date(2026, 11, 1))

    assert (asked["since"].isoformat(), asked["until"].isoformat()) == (
        "2026-11-01T00:00:00+00:00",
        "2026-11-03T00:00:00+00:00",
    )
    assert (asked["team"], asked["model"]) == ("a", None)


def test_whole_hours_have_zeros_inside_observed_time_and_no_day_that_nobody_watched():
    seen = observed("2026-11-02 00:30", "2026-11-03 23:59:59")
    counted = pd.Series({pd.Timestamp("2026-11-02 05:00"): 7.0})

    hours = whole_hours(counted, seen)

    assert hours.index[0] == pd.Timestamp("2026-11-02 01:00"), "the hour that the first record cuts is left out"
    assert len(hours) == 23 + 23, "the last one ends before its hour does"
    assert len(whole_hours(counted, seen, whole_days=seen.days[1:])) == 23 + 24
    assert hours.sum() == hours["2026-11-02 05:00"] == 7.0
    assert len(whole_hours(counted, observed("2026-01-01", "2026-11-03 23:59:59"))) <= HOURS_DAYS * 24
