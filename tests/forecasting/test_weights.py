"""Forecasts are weighed by what each got wrong before the origin, horizon by horizon."""

import numpy as np
import pytest

from forecasting.calendar import make_history
from forecasting.weights import weighted

MONDAY = np.datetime64("2026-01-05")
ORIGINS = np.arange(60, 301, 7)


def flat(x=7.0, days=300):
    return make_history(MONDAY, np.full(days, np.expm1(x)), where="chat")


def held(*values, horizon=90):
    """Forecasts that say one value on every day from every origin."""
    return np.array([np.full((len(ORIGINS), horizon), v) for v in values])


def test_forecasts_that_agree_are_left_as_they_are():
    each = held(7.2, 7.2)

    assert weighted(flat(), ORIGINS, each) == pytest.approx(each[0])


def test_without_outcomes_the_weights_are_equal():
    found = weighted(flat(days=300), ORIGINS[:1], held(7.0, 9.0)[:, :1])

    assert found == pytest.approx(np.full((1, 90), 8.0))


def test_where_one_forecast_errs_twice_as_much_the_weights_follow_the_eighth_power():
    # at h = 1 (the horizons 1 and 2 speak for it) the errors are 0.1 and 0.2 at each of n origins, 7 days apart:
    # log weight = -n 8 log error / (4 + n)
    found = weighted(flat(), ORIGINS, held(7.1, 7.2))[-1, 0]

    n = int((ORIGINS[-1] >= ORIGINS + 2).sum())
    ratio = 2.0 ** (8 * n / (4 + n))
    assert found == pytest.approx((7.1 * ratio + 7.2) / (ratio + 1), rel=1e-9)


def test_outcomes_after_an_origin_do_not_move_its_weights():
    y = np.expm1(np.full(300, 7.0))
    later = y.copy()
    later[200:] *= 5
    each = held(7.0, 8.0)
    before = ORIGINS <= 200

    one, two = (weighted(make_history(MONDAY, v, where="chat", counts=False), ORIGINS, each) for v in (y, later))

    assert one[before].tolist() == two[before].tolist()


def test_a_long_horizon_without_outcomes_follows_the_next_shorter_one():
    history, origins = flat(days=130), np.arange(60, 131, 7)

    found = weighted(history, origins, held(7.0, 8.0, horizon=365)[:, : len(origins)])[-1]

    assert found[364] == pytest.approx(found[80], abs=0.05)
    assert found[364] < 7.1


def test_days_that_are_not_known_are_no_error():
    y = np.expm1(np.full(300, 7.0))
    y[::2] = np.nan

    found = weighted(make_history(MONDAY, y, where="chat"), ORIGINS, held(7.0, 8.0))

    assert np.isfinite(found).all()
    assert found[-1, 0] < 7.01
