"""Holidays: on the right UTC days, learned where they did something, and touching no other day."""

from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from data.errors import UserError
from forecasting.holiday import (
    HolidayCalendar,
    HolidayEffect,
    check_calendar,
    holiday_multipliers,
    holiday_sentences,
    learn_holidays,
)

UTC = ZoneInfo("UTC")
US = HolidayCalendar(country="US", subdivision=None, zone=UTC)
FIRST = np.datetime64("2024-01-01")
DAYS = 3 * 365


def series(effect=0.0, *, noise=0.03, seed=1, others=0.0, calendar=US):
    """Three years with a week and a trend; Thanksgiving moves by `effect` (log), other holidays by `others`."""
    rng = np.random.default_rng(seed)
    week = np.array([0.1, 0.1, 0.1, 0.05, 0.0, -0.2, -0.25])
    x = 9 + np.tile(week, DAYS // 7 + 1)[:DAYS] + 0.0005 * np.arange(DAYS) + noise * rng.standard_normal(DAYS)
    for (name, _), share in calendar.exposure(FIRST, DAYS).items():
        x += share * (effect if name == "Thanksgiving Day" else others)
    return np.exp(x)


def test_a_holiday_lies_on_its_day_in_utc():
    exposure = US.exposure(np.datetime64("2026-12-20"), 10)

    assert list(exposure) == [("Christmas Day", date(2026, 12, 25))]
    assert exposure["Christmas Day", date(2026, 12, 25)].tolist() == [0, 0, 0, 0, 0, 1, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("zone", "shares"),
    [
        ("Australia/Melbourne", {"2026-12-24": 11 / 24, "2026-12-25": 13 / 24}),  # summer time, UTC+11
        ("America/New_York", {"2026-12-25": 19 / 24, "2026-12-26": 5 / 24}),
        ("Asia/Kolkata", {"2026-12-24": 5.5 / 24, "2026-12-25": 18.5 / 24}),
    ],
)
def test_a_holiday_elsewhere_lies_on_two_utc_days(zone, shares):
    calendar = HolidayCalendar(country="US", subdivision=None, zone=ZoneInfo(zone))
    share = calendar.exposure(np.datetime64("2026-12-20"), 10)["Christmas Day", date(2026, 12, 25)]

    found = {str(np.datetime64("2026-12-20") + i): v for i, v in enumerate(share) if v}
    assert found == pytest.approx(shares)


def test_subdivisions_have_their_own_days():
    bavaria = HolidayCalendar(country="DE", subdivision="BY", zone=UTC)
    berlin = HolidayCalendar(country="DE", subdivision="BE", zone=UTC)
    epiphany = np.datetime64("2026-01-06")

    assert bavaria.exposure(epiphany, 1)
    assert not berlin.exposure(epiphany, 1)


def test_what_a_holiday_did_three_times_is_learned_with_its_uncertainty():
    effect = learn_holidays(FIRST, series(-0.7), US)

    mean, sd = effect.of("Thanksgiving Day")
    assert mean == pytest.approx(-0.7, abs=0.06)
    assert 0.0 < sd < 0.15
    assert abs(effect.of("Labor Day")[0]) < 0.08
    assert effect.occurrences > 25


def test_a_series_that_knows_no_holidays_learns_next_to_nothing():
    means = [learn_holidays(FIRST, series(seed=s), US).of("Thanksgiving Day")[0] for s in range(8)]

    assert np.abs(means).mean() < 0.015  # half of one day's noise, over root three occurrences


def test_a_holiday_that_was_never_seen_takes_after_the_others():
    effect = learn_holidays(FIRST, series(-0.4, others=-0.4), US)

    mean, sd = effect.of("A new one")
    assert mean == pytest.approx(-0.4, abs=0.05)
    assert sd >= min(sd for _, sd in effect.names.values())


def test_the_same_effect_is_learned_across_two_utc_days():
    melbourne = HolidayCalendar(country="US", subdivision=None, zone=ZoneInfo("Australia/Melbourne"))

    effect = learn_holidays(FIRST, series(-0.7, calendar=melbourne), melbourne)

    assert effect.of("Thanksgiving Day")[0] == pytest.approx(-0.7, abs=0.1)


@pytest.mark.parametrize(
    "y", [series(-0.7)[:150], np.full(DAYS, np.nan), np.random.default_rng(0).poisson(3, DAYS) * 1.0]
)
def test_little_history_and_low_counts_teach_nothing(y):
    assert learn_holidays(FIRST, y, US) is None


def test_paths_are_moved_on_holidays_alone_by_what_was_learned():
    effect = HolidayEffect(names={"Christmas Day": (-0.5, 0.1)}, unseen=(0.2, 0.0), occurrences=9)
    days = np.datetime64("2026-12-20") + np.arange(14)

    found = holiday_multipliers(effect, US, days, 400, np.random.default_rng(0))

    touched = (found != 1).any(axis=0)
    assert days[touched].tolist() == [date(2026, 12, 25), date(2027, 1, 1)]
    assert np.median(found[:, 5]) == pytest.approx(np.exp(-0.5), rel=0.01)
    assert np.quantile(found[:, 5], [0.1, 0.9]) == pytest.approx(np.exp([-0.5 - 0.128, -0.5 + 0.128]), rel=0.01)
    assert found[:, 12] == pytest.approx(np.exp(0.2))


def test_the_sentence_says_what_was_learned_or_why_not():
    effect = learn_holidays(FIRST, series(-0.7), US)

    assert holiday_sentences(None, None) == []
    assert "too few lie in this history" in holiday_sentences(US, None)[0]
    assert "Thanksgiving Day −" not in holiday_sentences(US, effect)[0]
    assert "largest: Thanksgiving Day -" in holiday_sentences(US, effect)[0]


def test_unknown_places_are_refused_with_the_way_to_find_them():
    with pytest.raises(UserError, match=r"country 'UK' is not one of .* such as UA, .*list_supported_countries"):
        check_calendar("UK", None)
    with pytest.raises(UserError, match=r"subdivision 'Bayern' is not one of those of DE; known: BB, BE"):
        check_calendar("DE", "Bayern")
    check_calendar("DE", "BY")
