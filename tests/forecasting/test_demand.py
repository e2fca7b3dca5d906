"""The contract between demand and fleet: prefixes, sums and hours."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from forecasting.demand import Demand, Moments, TokenOutlook


def demand(paths=3, days=14):
    shape = (paths, days)
    return Demand(
        workload="chat",
        as_of=date(2026, 11, 2),  # a Monday
        basis="history",
        days=np.datetime64("2026-11-02") + np.arange(days),
        requests=np.full(shape, 2400.0),
        prompt_tok=np.full(shape, 100.0),
        cached_prompt_tok=np.full(shape, 10.0),
        output_tok=np.full(shape, 20.0),
        busiest_10s_factor=np.full(shape, 3.0),
        window_s=10,
        moments=Moments(prompt_sq=2.0, cached_sq=3.0, prompt_cached=4.0, prompt_output=1.5, output_sq=5.0),
        long=(),
        tokens=(TokenOutlook(field="prompt", tok=np.ones((4, days, 5))),),
        hour_of_week=np.concatenate([np.full(24, 2.0), np.full(144, 5 / 6)]),
    )


def test_thirty_days_of_ninety_are_thirty_days():
    first = demand(days=14).first(10).first(5)

    assert first.requests.shape == (3, 5)
    assert first.tokens[0].tok.shape == (4, 5, 5)
    assert len(first.days) == 5


def test_the_nine_sums_of_a_day_by_hand():
    found = demand().sums()[0, 0]

    per_request = [1, 100, 10, 20, 2 * 100**2, 3 * 10**2, 4 * 100 * 10, 1.5 * 100 * 20, 5 * 20**2]
    assert found == pytest.approx(2400.0 * np.array(per_request))


def test_hours_of_a_day_add_up_to_the_day():
    assert demand().hourly().sum(axis=2) == pytest.approx(demand().requests)


def test_the_profile_of_each_weekday_is_its_own():
    rising = np.arange(168.0)
    hours = replace(demand(), hour_of_week=rising).hourly()[0]

    assert hours[0] == pytest.approx(2400 * rising[:24] / rising[:24].sum())
    assert hours[6] == pytest.approx(2400 * rising[144:] / rising[144:].sum())
    assert hours[7] == pytest.approx(hours[0])


def test_a_profile_that_says_nothing_spreads_evenly():
    assert replace(demand(), hour_of_week=np.zeros(168)).hourly() == pytest.approx(100.0)


def test_peak_rate_by_hand():
    assert demand().peak_qps()[0, 0] == pytest.approx(2400 / 86_400 * 3)


def test_hours_move_in_utc_when_the_local_clock_does():
    rush = np.zeros(168)
    rush[8::24] = 24.0  # at 8:00 UTC as the clocks stand on as_of
    shift = np.where(np.arange(14) >= 7, -1, 0)  # from the second week on they stand an hour back

    hours = replace(demand(), hour_of_week=rush, clock_shift_h=shift).hourly()[0]

    assert hours[6, 8] == 2400.0
    assert hours[7, 9] == 2400.0
    assert replace(demand(), clock_shift_h=shift).first(10).clock_shift_h.tolist() == shift[:10].tolist()
