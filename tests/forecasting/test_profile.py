"""The hour-of-week profile: of the newest weeks, blind to growth, and true to people's clocks."""

from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.profile import clock_shift_h, followed_zone, hour_profile

BERLIN = ZoneInfo("Europe/Berlin")
AS_OF = date(2026, 11, 30)  # a Monday
DAY = 1.0 + 0.9 * np.sin(np.arange(24) * np.pi / 12)


def hours(days: int, shape=DAY, level=10_000.0, end=AS_OF):
    index = pd.date_range(pd.Timestamp(end) - pd.Timedelta(days=days), periods=24 * days, freq="h")
    return pd.Series(level * np.tile(shape, days)[: 24 * days], index=index)


def local(days: int, zone=BERLIN, end=AS_OF):
    """The same day by local clock, whatever UTC says."""
    index = pd.date_range(pd.Timestamp(end) - pd.Timedelta(days=days), periods=24 * days, freq="h")
    return pd.Series(10_000.0 * DAY[index.tz_localize("UTC").tz_convert(zone).hour], index=index)


def test_one_day_leans_on_an_even_one_by_hand():
    seen = pd.Series([24.0 * 24] + [0.0] * 23, index=pd.date_range("2026-11-29", periods=24, freq="h"))

    day = hour_profile(seen, AS_OF).reshape(7, 24)[6]

    # 576 requests: weight 576 / 600 = 0.96. Hour 0 has 24 times the mean.
    all_days = (0.96 * 24 + 0.5) / 1.46
    weekend = (0.96 * 24 + 2 * all_days) / 2.96
    assert day[0] == pytest.approx((0.96 * 24 + 4 * weekend) / 4.96)


@given(st.lists(st.floats(0, 1e9), min_size=48, max_size=24 * 20))
def test_the_profile_has_mean_one_and_is_never_negative(values):
    seen = pd.Series(values, index=pd.date_range("2026-11-09", periods=len(values), freq="h"))

    found = hour_profile(seen, AS_OF, BERLIN)

    if found is not None:
        assert found.shape == (168,)
        assert (found >= 0).all()
        assert found.mean() == pytest.approx(1.0)


@pytest.mark.parametrize("factor", [0.01, 5.0, 1e4])
def test_a_level_shift_does_not_tilt_the_profile(factor):
    plain = hours(56)
    grown = plain.where(plain.index < plain.index[24 * 30], plain * factor)

    after = hour_profile(grown, AS_OF).reshape(7, 24)

    after /= after.mean(axis=1, keepdims=True)
    before = hour_profile(plain, AS_OF).reshape(7, 24)
    assert after == pytest.approx(before / before.mean(axis=1, keepdims=True), abs=0.02)


def test_the_newest_weeks_outweigh_the_old():
    night = np.roll(DAY, 12)
    moved = pd.concat([hours(84, end=date(2026, 11, 2)), hours(28, night)])

    found = hour_profile(moved, AS_OF).reshape(7, 24).mean(axis=0)

    newest = np.corrcoef(found, night)[0, 1]
    assert newest > 0.99, "four weeks at a half-life of three outweigh the twelve before"


def test_a_quiet_weekend_is_told_from_working_days():
    seen = hours(56)
    weekend = pd.DatetimeIndex(seen.index).day_of_week >= 5
    seen[weekend] = 1_000.0

    found = hour_profile(seen, AS_OF).reshape(7, 24)

    # 5 days of 10,000 and 2 of 1,000: mean 7,429
    assert found[:5].mean() == pytest.approx(10_000 / 7_429, rel=0.03)
    assert found[5:].mean() == pytest.approx(1_000 / 7_429, rel=0.25)
    assert np.ptp(found[5:]) / found[5:].mean() < 0.5 < np.ptp(found[:5]) / found[:5].mean()


def test_days_with_a_hole_say_nothing_and_without_a_whole_day_nothing_is_known():
    seen = hours(3)
    spoilt = pd.concat([seen.iloc[:24] * np.linspace(0, 2, 24), seen.iloc[24:]]).drop(seen.index[5])

    assert hour_profile(spoilt, AS_OF) == pytest.approx(hour_profile(seen.iloc[24:], AS_OF))
    assert hour_profile(seen.iloc[:23], AS_OF) is None
    assert hour_profile(seen.iloc[:0], AS_OF, BERLIN) is None


def test_nothing_after_as_of_is_seen():
    seen = pd.concat([hours(28), hours(7, np.roll(DAY, 12), end=date(2026, 12, 7))])

    assert hour_profile(seen, AS_OF) == pytest.approx(hour_profile(hours(28), AS_OF))


def test_clocks_that_changed_lately_move_the_older_hours():
    found = hour_profile(local(56), AS_OF, BERLIN).reshape(7, 24)  # clocks changed on 2026-10-25

    alike = found / found.mean(axis=1, keepdims=True)
    expected = np.roll(DAY, -1)  # in November Berlin is an hour ahead of UTC
    assert alike[1] == pytest.approx(1 + (expected - 1) * (alike[1].max() - 1) / 0.9, abs=0.01)
    smeared = hour_profile(local(56), AS_OF).reshape(7, 24)[1]
    assert smeared.max() < found[1].max(), "two clocks at once blur the day"


def test_the_shift_is_what_the_clocks_will_differ_by():
    days = np.array(["2026-11-30", "2027-03-27", "2027-03-28", "2027-10-31"], dtype="datetime64[D]")

    assert clock_shift_h(days, AS_OF, BERLIN).tolist() == [0, 0, 1, 0]
    assert clock_shift_h(days[:2], AS_OF, BERLIN) is None
    assert clock_shift_h(days, AS_OF, ZoneInfo("Asia/Kolkata")) is None
    assert clock_shift_h(days, AS_OF, None) is None


def test_traffic_that_ignored_a_clock_change_goes_on_ignoring_it():
    assert followed_zone(hours(56), AS_OF, BERLIN) is None
    assert followed_zone(local(56), AS_OF, BERLIN) is BERLIN
    assert followed_zone(hours(28), AS_OF, BERLIN) is BERLIN, "no change was seen yet: what is stated holds"
    assert followed_zone(hours(56), AS_OF, None) is None
