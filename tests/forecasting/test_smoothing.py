"""The bank of smoothings against statsmodels, and against itself at other origins."""

import numpy as np
import pytest
from statsmodels.tsa.holtwinters import ExponentialSmoothing

from forecasting import smoothing
from forecasting.smoothing import smooth

RNG = np.random.default_rng(0)
WEEK = np.array([0.2, 0.1, 0.1, 0.0, 0.1, -0.2, -0.3])
X = 7 + np.tile(WEEK, 43)[:300] + np.cumsum(0.02 * RNG.standard_normal(300)) + 0.05 * RNG.standard_normal(300)


def reference(x, alpha, gamma, beta, phi):
    """statsmodels' forecast of each day from the day before, with the same start and the parameters given.

    Its seasonal share is gamma (1 - alpha).
    """
    table = x[: smoothing.START_DAYS].reshape(-1, 7)
    model = ExponentialSmoothing(
        x,
        trend="add",
        damped_trend=True,
        seasonal="add",
        seasonal_periods=7,
        initialization_method="known",
        initial_level=np.median(table),
        initial_trend=0.0,
        initial_seasonal=table.mean(axis=0) - table.mean(),
    )
    fitted = model.fit(
        smoothing_level=alpha,
        smoothing_seasonal=gamma * (1 - alpha),
        smoothing_trend=beta,
        damping_trend=phi,
        optimized=False,
    )
    return fitted.fittedvalues


def test_each_member_of_the_bank_is_what_statsmodels_gives_for_its_parameters():
    found = smooth(X, np.arange(smoothing.START_DAYS, len(X)), 1)[:, :, 0]

    bank = zip(*smoothing._bank(trend=True), strict=True)
    for row, (alpha, gamma, beta, phi) in zip(found, bank, strict=True):
        assert row == pytest.approx(reference(X, alpha, gamma, beta, phi)[smoothing.START_DAYS :], abs=1e-9)


def test_the_weeks_ahead_follow_the_damped_slope_by_hand():
    # after a run the level is l, the slope b: day h adds b (phi + ... + phi^h), and the week comes round again
    one, more = (smooth(X, np.array([300]), h)[-1, 0] for h in (1, 15))
    _, _, _, phi = (values[-1] for values in smoothing._bank(trend=True))

    assert more[0] == one[0]
    step = more[7] - more[0]
    assert more[14] - more[7] == pytest.approx(step * phi**7)


def test_one_pass_gives_what_a_run_up_to_each_origin_gives():
    origins = np.array([60, 67, 150, 299])

    found = smooth(X, origins, 20)

    for i, t in enumerate(origins):
        # the first origin decides where the run begins, so the shorter run must begin there too
        alone = smooth(X[:t], np.array([60, t]), 20)[:, 1]
        assert found[:, i].tolist() == alone.tolist()


def test_without_trend_no_member_has_a_slope():
    rising = 7 + 0.01 * np.arange(200)

    found = smooth(rising, np.array([200]), 70, trend=False)[:, 0]

    assert len(found) == len(smoothing.ALPHAS) * len(smoothing.GAMMAS)
    assert found[:, 63:70] == pytest.approx(found[:, :7])


@pytest.mark.parametrize("level", [0.0, 7.0])
def test_a_constant_stays_constant(level):
    assert smooth(np.full(100, level), np.array([60, 100]), 365) == pytest.approx(level, abs=1e-12)
