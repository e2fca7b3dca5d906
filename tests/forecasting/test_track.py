"""Scores, worked by hand and as laws: what came against what had been forecast."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.scenarios import Event, Factor
from forecasting.track import Actuals, grade, peak_quantity, pool, read_actuals, score_forecast

FIRST = np.datetime64("2026-01-01")
PLAN = date(2026, 1, 15)


def actuals(y, *, outage=(), event=()):
    mask = np.zeros((2, len(y)), dtype=bool)
    mask[0, list(outage)] = True
    mask[1, list(event)] = True
    return Actuals(first=FIRST, values={"requests": np.array(y, dtype=float)}, outage=mask[0], event=mask[1])


def bands(mean, low, high, days):
    return np.array([np.full(days, v, dtype=float) for v in (mean, low, mean, high)])


def test_a_score_worked_by_hand():
    came = actuals([100.0] * 14 + [100.0, 120.0, 80.0, 200.0])

    (score,) = score_forecast(PLAN, bands(100, 90, 130, 365), came, "requests")

    assert (score.from_day, score.to_day, score.days) == (1, 30, 4)
    assert score.actual_mean == 125
    assert score.error == pytest.approx((0 + 20 + 20 + 100) / 500)
    assert score.bias == pytest.approx((0 - 20 + 20 - 100) / 500)
    assert score.coverage_80 == 0.5  # 80 lies below 90, 200 above 130
    # doubled pinball at 0.1, 0.5, 0.9 of each day, e.g. 200: 0.2 x 110 + 1 x 100 + 1.8 x 70
    by_day = [(0.2 * 10 + 0 + 0.2 * 30), (0.2 * 30 + 20 + 0.2 * 10), (1.8 * 10 + 20 + 0.2 * 50), (22 + 100 + 126)]
    assert score.pinball == pytest.approx(sum(by_day) / 12)
    # the naive repeats 100 without a spread, so its loss is the mean of |error| over the four days
    assert score.naive_pinball == pytest.approx((0 + 20 + 20 + 100) / 4)
    assert score.through == date(2026, 1, 18)


def test_days_ahead_are_scored_by_their_range_and_only_as_far_as_they_have_come():
    came = actuals([100.0] * (14 + 95))

    scores = score_forecast(PLAN, bands(100, 90, 110, 365), came, "requests")

    assert [(s.from_day, s.to_day, s.days) for s in scores] == [(1, 30, 30), (31, 90, 60), (91, 365, 5)]
    assert scores[-1].through == PLAN + timedelta(days=94)
    assert score_forecast(date(2026, 5, 1), bands(100, 90, 110, 365), came, "requests") == ()


def test_unknown_days_and_outages_are_in_no_score_and_events_are_counted():
    came = actuals([100.0] * 14 + [np.nan, 0.0, 150.0, 100.0], outage=[15], event=[15, 16])

    (score,) = score_forecast(PLAN, bands(100, 90, 110, 30), came, "requests")

    assert (score.days, score.outage_days, score.event_days) == (2, 1, 1)
    assert score.error == pytest.approx(50 / 250)


def test_where_nothing_came_the_error_is_unknown_and_coverage_is_not():
    (score,) = score_forecast(PLAN, bands(1, 0, 3, 10), actuals([0.0] * 24), "requests")

    assert score.error is score.bias is None
    assert score.coverage_80 == 1
    assert grade(score.error, score.days) == "none"


def test_a_quantity_that_nobody_states_has_no_score():
    assert score_forecast(PLAN, bands(1, 0, 3, 10), actuals([5.0] * 24), "prompt_tok") == ()


def test_a_calibrated_forecast_covers_four_days_in_five_and_has_no_bias():
    rng = np.random.default_rng(4)
    days, mean, sd = 365, 1_000.0, 100.0
    found = []
    for _ in range(40):
        y = np.concatenate([np.full(14, mean), mean + sd * rng.standard_normal(days)])
        z = 1.2815515655
        found += score_forecast(PLAN, bands(mean, mean - z * sd, mean + z * sd, days), actuals(y), "requests")

    together = pool(found)
    assert together.days == 40 * days
    assert together.coverage_80 == pytest.approx(0.80, abs=0.01)  # 4 standard errors are 0.013
    assert together.bias == pytest.approx(0.0, abs=0.004)
    assert together.error == pytest.approx(0.0798, abs=0.002)  # sqrt(2 / pi) x 0.1


@given(
    y=st.lists(st.floats(1, 1e6), min_size=2, max_size=60),
    cut=st.integers(1, 59),
    mean=st.floats(1, 1e6),
)
def test_scores_of_parts_pool_to_the_score_of_the_whole(y, cut, mean):
    cut = min(cut, len(y) - 1)
    ahead = bands(mean, mean * 0.9, mean * 1.1, 30)
    parts = [score_forecast(date(2026, 1, 1), ahead, actuals(part), "requests") for part in (y[:cut], y[cut:])]
    parts = [s for part in parts for s in part]
    # each part begins on the first day of a forecast that is the same on all days
    both = np.array([*y[:cut][:30], *y[cut:][:30]])

    together = pool(parts)

    assert together.days == len(both)
    assert together.error == pytest.approx(np.abs(both - mean).sum() / both.sum(), rel=1e-9)
    assert together.coverage_80 == pytest.approx(np.mean((both >= mean * 0.9) & (both <= mean * 1.1)))


def test_nothing_to_pool_is_an_error():
    with pytest.raises(ValueError, match="no score to pool"):
        pool([])


def test_actuals_are_whole_days_before_as_of_with_outages_and_events_marked(make_traffic):
    traffic = make_traffic(days=60)
    days = traffic.daily.index
    traffic.daily.loc[days[0], "observed_share"] = 0.5
    traffic.daily.loc[days[20], ["requests", "prompt_tok_sum"]] = 0.0
    campaign = Event(
        name="c", start=days[30].date(), end=days[32].date(), requests=Factor(low=1.0, likely=1.0, high=1.0)
    )
    for_good = Event(name="l", start=days[40].date(), requests=Factor(low=1.0, likely=1.0, high=1.0))

    found = read_actuals(traffic, [campaign, for_good], days[50].date())

    assert len(found.days) == 50
    assert np.isnan(found.values["requests"][0])
    assert np.flatnonzero(found.outage).tolist() == [20]
    assert np.flatnonzero(found.event).tolist() == [30, 31, 32], "an event without an end is no exception"
    assert found.values["prompt_tok"][5] == pytest.approx(1000, rel=0.15)
    assert found.values[peak_quantity(60)][5] == traffic.daily["peak_minute_requests"].iloc[5] / 60
