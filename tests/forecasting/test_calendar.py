"""Cleaning: what is repaired, what is left alone, what is refused."""

import numpy as np
import pytest

from data.errors import UserError
from forecasting.calendar import fill_by_week, make_history, spell_days

MONDAY = np.datetime64("2026-01-05")


def history(y, **options):
    return make_history(MONDAY, y, where="chat", **options)


def busy(days=120, seed=0):
    rng = np.random.default_rng(seed)
    week = np.array([1.0, 1.1, 1.1, 1.05, 1.0, 0.6, 0.5])
    return np.round(1000 * np.tile(week, days // 7 + 1)[:days] * np.exp(0.05 * rng.standard_normal(days)))


@pytest.mark.parametrize("bad", [-1.0, np.inf, -np.inf])
def test_a_value_that_cannot_be_is_refused_with_its_day(bad):
    y = busy(30)
    y[4] = bad

    with pytest.raises(UserError, match=r"chat: day 5 of the series is"):
        history(y)


def test_a_series_of_which_nothing_is_known_is_refused():
    with pytest.raises(UserError, match="no day has a known value"):
        history(np.full(10, np.nan))


def test_a_zero_day_in_busy_weeks_is_an_outage():
    y = busy()
    y[50] = 0.0

    found = history(y)

    assert np.isnan(found.y[50])
    assert found.x[50] == found.x[43], "the same weekday a week before stands in"
    assert found.cleaned == ("1 zero day taken as an outage: 2026-02-24",)


def test_weekends_that_are_always_zero_are_no_outages():
    y = busy()
    y[5::7] = y[6::7] = 0.0

    assert np.isfinite(history(y).y).all()


def test_zeros_up_to_the_end_for_two_weeks_are_a_workload_that_stopped():
    y = busy()
    y[-14:] = 0.0

    found = history(y)

    assert (found.y[-14:] == 0).all()


def test_a_spike_is_drawn_in_but_stays_in_what_was_seen():
    y = busy()
    y[60] *= 100

    found = history(y)

    assert found.y[60] == y[60]
    assert found.x[60] < np.log1p(2 * y[53])
    assert "1 spike drawn in before levelling: 2026-03-06" in found.cleaned


def test_a_level_shift_is_not_drawn_in():
    y = busy()
    y[60:] *= 3

    found = history(y)

    assert found.x[67:].tolist() == np.log1p(y[67:]).tolist(), "a week on, nothing is left of it"


def test_missing_days_are_bridged_and_counted():
    y = busy()
    y[30:33] = np.nan

    found = history(y)

    assert found.known_days == 117
    assert np.isfinite(found.x).all()
    assert "3 days without data bridged: 2026-02-04 to 2026-02-06" in found.cleaned


def test_few_requests_a_day_call_for_the_count_model_and_keep_their_zeros():
    y = np.random.default_rng(1).poisson(0.7, 200).astype(float)

    found = history(y)

    assert found.low_count
    assert np.isfinite(found.y).all()


def test_lengths_are_no_counts_so_a_small_mean_stays_on_the_log_scale():
    assert not history(np.full(100, 3.0), counts=False).low_count


def test_weekdays_follow_the_calendar():
    assert history(busy(10)).weekday.tolist() == [0, 1, 2, 3, 4, 5, 6, 0, 1, 2]


def test_a_gap_at_the_start_takes_the_week_after():
    filled = fill_by_week(np.array([np.nan, 2.0, 3, 4, 5, 6, 7, 8.0, 9.0]))

    assert filled[0] == 8.0


def test_the_largest_integers_do_not_overflow():
    y = np.full(70, np.iinfo(np.int64).max, dtype=np.int64)

    assert np.isfinite(history(y).x).all()


def test_dates_are_spelt_by_runs_and_the_oldest_are_only_counted():
    mask = np.zeros(60, dtype=bool)
    mask[::4] = True
    mask[57:59] = True

    said = spell_days(np.datetime64("2026-01-05"), mask)

    assert said.startswith("9 earlier, then 2026-02-10, ")
    assert said.endswith("2026-02-26, 2026-03-02 to 2026-03-04")
    assert spell_days(np.datetime64("2026-01-05"), mask & False) == ""
