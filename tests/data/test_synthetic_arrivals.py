"""Arrivals: how many in the mean, and when."""

from datetime import UTC, date, datetime

import numpy as np
import pytest

from data.synthetic_arrivals import (
    chat_arrivals,
    mean_session_requests,
    midnight_us,
    moment_us,
    night_arrivals,
    session_arrivals,
    since_session_start,
)

DAY = date(2026, 6, 1)
HOUR_US = 3_600_000_000


def test_midnight_and_moment_count_microseconds_since_1970():
    assert midnight_us(date(1970, 1, 2)) == 86_400_000_000
    assert moment_us(datetime(2026, 6, 1, 1, tzinfo=UTC)) == midnight_us(DAY) + HOUR_US


def test_chat_arrives_inside_its_days_and_as_often_as_asked():
    arrived, region = chat_arrivals(np.random.default_rng(1), DAY, np.array([30_000.0, 60_000.0]))
    day = (arrived - midnight_us(DAY)) // (24 * HOUR_US)

    assert set(day) == {0, 1}
    assert np.bincount(day) == pytest.approx([30_000, 60_000], rel=0.03)
    assert (region == 0).mean() == pytest.approx(0.55, abs=0.01)


def test_the_two_regions_wake_seven_hours_apart():
    arrived, region = chat_arrivals(np.random.default_rng(1), DAY, np.full(10, 50_000.0))
    hour = (arrived - midnight_us(DAY)) // HOUR_US % 24
    europe, america = (np.bincount(hour[region == code], minlength=24) for code in (0, 1))

    assert np.corrcoef(np.roll(europe, 7), america)[0, 1] > 0.99


def test_sessions_have_the_mean_size_that_the_law_gives():
    sessions = session_arrivals(np.random.default_rng(2), DAY, np.full(60, 20_000.0))

    assert len(sessions.session) / sessions.count == pytest.approx(mean_session_requests(), rel=0.02)
    assert len(sessions.session) / 60 == pytest.approx(20_000, rel=0.05)


def test_a_session_runs_forward_from_where_it_began():
    sessions = session_arrivals(np.random.default_rng(2), DAY, np.array([5_000.0]))
    same = sessions.session[1:] == sessions.session[:-1]

    assert (np.diff(sessions.arrived_us)[same] >= 0).all()
    assert list(sessions.session[sessions.first]) == list(range(sessions.count))


def test_running_sums_start_again_with_each_session():
    steps = np.array([5.0, 1.0, 2.0, 9.0, 4.0])
    session, first = np.array([0, 0, 0, 1, 1]), np.array([0, 3])

    assert since_session_start(steps, session, first) == pytest.approx([0, 1, 3, 0, 4])


def test_a_day_without_traffic_has_no_arrivals():
    rng = np.random.default_rng(3)

    assert chat_arrivals(rng, DAY, np.zeros(2))[0].size == 0
    assert session_arrivals(rng, DAY, np.zeros(2)).arrived_us.size == 0
    assert night_arrivals(rng, DAY, np.zeros(2)).size == 0


def test_a_night_runs_from_ten_to_two_and_is_busier_before_midnight():
    arrived = night_arrivals(np.random.default_rng(4), DAY, np.array([100_000.0]))
    into_h = (arrived - midnight_us(DAY)) / HOUR_US

    assert into_h.min() >= 22
    assert into_h.max() < 26
    # 1 - 0.5 ** 1.3 by hand.
    assert (into_h < 24).mean() == pytest.approx(0.594, abs=0.01)
