"""Dates that stand out every year are learned; noise, single years and the future are not."""

import numpy as np
import pandas as pd
import pytest

from forecasting.calendar import make_history
from forecasting.dates import LEAST_LOG, SEEN_AHEAD_DAYS, date_effects, matching_days

FIRST = np.datetime64("2020-01-01")
DAYS = pd.date_range("2020-01-01", "2025-12-31")
WEEK = np.array([1.1, 1.1, 1.05, 1.0, 1.0, 0.6, 0.5])


def series(special=(), factor=0.4, noise=0.03, days=DAYS):
    rng = np.random.default_rng(0)
    y = 10_000 * WEEK[days.day_of_week] * np.exp(noise * rng.standard_normal(len(days)))
    return np.where(days.isin(pd.DatetimeIndex(special)), factor * y, y)


def effects(y, origin, horizon=365, first=FIRST):
    history = make_history(first, y, where="chat")
    at = int((np.datetime64(origin) - first).astype(int))
    found = date_effects(history, np.array([at]), horizon)[0]
    return pd.Series(found, index=pd.date_range(origin, periods=horizon))


CHRISTMAS = [f"{year}-12-25" for year in range(2020, 2026)]
THANKSGIVING = ["2020-11-26", "2021-11-25", "2022-11-24", "2023-11-23", "2024-11-28", "2025-11-27"]
MEMORIAL_DAY = ["2020-05-25", "2021-05-31", "2022-05-30", "2023-05-29", "2024-05-27", "2025-05-26"]
EASTER_MONDAY = ["2020-04-13", "2021-04-05", "2022-04-18", "2023-04-10", "2024-04-01", "2025-04-21"]


@pytest.mark.parametrize("special", [CHRISTMAS, THANKSGIVING, MEMORIAL_DAY, EASTER_MONDAY])
def test_a_day_that_drops_every_year_is_expected_to_drop_again(special):
    y = series(special)
    origin = "2025-01-01"

    found = effects(y[: (origin > DAYS).sum()], origin)

    assert found[special[-1]] == pytest.approx(np.log(0.4), rel=0.12)
    assert (found.drop(pd.Timestamp(special[-1])) == 0).mean() > 0.97


def test_noise_has_no_dates():
    y = series(noise=0.2)

    found = effects(y[: (DAYS < "2025-01-01").sum()], "2025-01-01")

    assert (found != 0).mean() < 0.02


def test_one_past_year_is_enough_for_the_turn_of_the_year_only():
    y = series(["2020-12-25", "2020-07-04"])
    seen = y[: (DAYS < "2021-06-01").sum()]

    found = effects(seen, "2021-06-01")

    assert found["2021-12-25"] == pytest.approx(0.7 * np.log(0.4), rel=0.12)
    assert found["2021-07-04"] == 0


def test_two_years_that_disagree_say_nothing():
    y = series(["2020-07-04"])
    y = np.where(DAYS == "2021-07-04", 2.5 * y, y)

    assert effects(y[: (DAYS < "2022-01-01").sum()], "2022-01-01")["2022-07-04"] == 0


def test_a_date_must_stand_out_by_a_tenth():
    y = series(CHRISTMAS, factor=1 - LEAST_LOG / 3, noise=0.001)

    assert effects(y[: (DAYS < "2025-01-01").sum()], "2025-01-01")["2025-12-25"] == 0


@pytest.mark.parametrize("horizon", [30, 365, 700])
def test_nothing_after_the_origin_is_used(horizon):
    y = series(CHRISTMAS)
    origin = int((DAYS < "2024-02-01").sum())
    changed = y.copy()
    changed[origin:] = series(noise=1.0)[origin:]

    one, two = (
        date_effects(make_history(FIRST, v, where="chat", counts=False), np.array([origin]), horizon)
        for v in (y, changed)
    )

    differs = np.flatnonzero(one[0] != two[0])
    # robust deviations are centred: how rough the next quarter is may only move what is close to the threshold
    assert differs.size <= 0.01 * horizon


def test_a_year_ahead_still_knows_the_year_before_last():
    y = series(CHRISTMAS)
    origin = "2025-01-20"

    found = effects(y[: (origin > DAYS).sum()], origin)

    assert (pd.Timestamp("2025-12-25") - pd.Timestamp(origin)).days > SEEN_AHEAD_DAYS
    assert found["2025-12-25"] == pytest.approx(np.log(0.4), rel=0.12)


def test_less_than_a_year_says_nothing():
    assert not date_effects(make_history(FIRST, series()[:300], where="chat"), np.array([200, 300]), 365).any()


def test_matching_days_are_those_of_the_calendar():
    matched = matching_days(FIRST, len(DAYS))
    at = {str(day.date()): i for i, day in enumerate(DAYS)}

    assert DAYS[matched[0, 0, at["2024-02-29"]]] == pd.Timestamp("2023-02-28")
    assert DAYS[matched[1, 0, at["2024-11-28"]]] == pd.Timestamp("2023-11-23")
    assert DAYS[matched[2, 1, at["2024-05-27"]]] == pd.Timestamp("2022-05-30")
    assert DAYS[matched[3, 0, at["2024-03-29"]]] == pd.Timestamp("2023-04-07")
    assert matched[0, 0, at["2020-05-01"]] == -1
