"""Intervals: monotone in p and in h, and paths that carry exactly what the intervals say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.intervals import (
    KNOTS,
    SHAPE,
    UNKNOWN_HALF_WIDTH,
    LogPredictive,
    half_widths,
    normal_scores,
    persistence_share,
    sample_paths,
)


def errors(scale, origins=60, horizon=90, seed=0):
    return scale * np.random.default_rng(seed).standard_normal((origins, horizon))


def predictive(horizon=40, ceiling=20.0):
    return LogPredictive(
        centre=np.full(horizon, 5.0),
        half_width=np.linspace(0.1, 0.8, horizon),
        shape=np.array(SHAPE),
        ceiling=ceiling,
    )


@given(st.floats(0.001, 2.0), st.integers(0, 5))
@settings(max_examples=25)
def test_half_widths_never_shrink_with_the_horizon(scale, seed):
    assert (np.diff(half_widths(errors(scale, seed=seed), 365)) >= 0).all()


def test_half_widths_are_the_83rd_percentile_of_errors_where_many_are_known():
    found = half_widths(errors(1.0, origins=104), 30)

    assert found[3] == pytest.approx(1.37, abs=0.1)  # |z| of the 83rd percentile of a normal


def test_with_no_errors_the_first_week_takes_the_stated_width():
    found = half_widths(np.empty((0, 30)), 30)

    assert found[0] == pytest.approx(UNKNOWN_HALF_WIDTH)
    # (0.35^2 + 0.18^2 (30 - 4) / 30) ^ 0.5
    assert found[29] == pytest.approx(np.sqrt(0.35**2 + 0.18**2 * 26 / 30))


def test_rough_weeks_just_now_widen_the_near_days():
    calm = errors(0.1)
    rough = calm.copy()
    rough[-8:] *= 4

    assert half_widths(rough, 90)[0] > 1.5 * half_widths(calm, 90)[0]


def test_calm_weeks_just_now_do_not_narrow():
    usual = errors(0.1)
    calm = usual.copy()
    calm[-8:] /= 10

    assert half_widths(calm, 90)[0] > 0.9 * half_widths(usual, 90)[0]


@given(st.lists(st.floats(0.001, 0.999), min_size=2, max_size=20))
def test_quantiles_never_cross_and_are_never_negative(p):
    found = predictive().ppf(np.sort(np.array(p)))

    assert (np.diff(found, axis=0) >= 0).all()
    assert (found >= 0).all()


def test_no_quantile_passes_the_ceiling():
    assert predictive(ceiling=5.2).ppf(np.array([0.999])).max() <= np.expm1(5.2) * (1 + 1e-12)


def test_the_shape_is_symmetric_and_its_80_percent_band_is_one_half_width():
    shape = dict(zip(KNOTS, SHAPE, strict=True))

    assert shape[0.1] == -1
    assert shape[0.9] == 1
    assert list(SHAPE) == [-v for v in SHAPE[::-1]]


def walk(days):
    return [np.sqrt(np.arange(1.0, days + 1))]


def scored(share, level_sd, *, paths, noise=None):
    n = len(share)
    noise = np.eye(n) if noise is None else noise
    return normal_scores(share, level_sd, noise, np.eye(n), paths=paths, rng=np.random.default_rng(0))


def test_paths_carry_the_quantiles_exactly():
    marginal = predictive()
    scores = scored([np.full(40, 0.7)], walk(40), paths=200)[0]

    paths = sample_paths(marginal, scores)

    levels = (np.arange(200) + 0.5) / 200
    assert np.sort(paths, axis=0).tolist() == marginal.ppf(levels).tolist()


def test_near_days_of_a_path_hang_together_and_far_days_less():
    scores = scored([np.full(365, 0.98)], walk(365), paths=2000)[0]
    corr = np.corrcoef(scores[:, [180, 187, 360]].T)

    assert corr[0, 1] > 0.9
    assert 0.5 < corr[0, 2] < 0.8  # sqrt(181 / 361) = 0.71, times 0.98


def test_a_level_that_was_never_known_is_wrong_on_every_day_alike():
    scores = scored([np.full(90, 0.95)], [np.full(90, 0.9)], paths=2000)[0]

    assert scores.std(axis=0) == pytest.approx(np.ones(90), abs=0.06)
    assert np.corrcoef(scores[:, [0, 89]].T)[0, 1] == pytest.approx(0.95, abs=0.02)


def test_a_level_that_is_known_today_drifts_away():
    sd = np.concatenate([np.zeros(10), np.sqrt(np.arange(1.0, 81))])
    scores = scored([np.where(sd > 0, 0.98, 0.0)], [sd], paths=2000)[0]

    assert np.isfinite(scores).all()
    assert abs(np.corrcoef(scores[:, [0, 89]].T)[0, 1]) < 0.06


def test_quantities_move_together_as_asked():
    noise = np.array([[1.0, 0.6], [0.6, 1.0]])
    share = [np.full(50, 0.5), np.full(50, 0.5)]

    a, b = scored(share, walk(50) * 2, paths=4000, noise=noise)

    assert np.corrcoef(a[:, 20], b[:, 20])[0, 1] == pytest.approx(0.3, abs=0.05)


def test_noise_that_fills_the_interval_leaves_no_persistence_and_a_shared_level_nearly_all():
    noisy = errors(0.1)
    level = np.repeat(0.1 * np.random.default_rng(0).standard_normal((60, 1)), 90, axis=1)

    assert persistence_share(noisy, half_widths(noisy, 90), np.zeros(0))[0] < 0.3
    assert persistence_share(level, half_widths(level, 90), np.zeros(0)).min() == 0.98


def test_two_weeks_without_errors_still_tell_noise_from_level():
    week = np.tile(np.array([0.0, 0.1, 0.2, 0.1, 0.0, -0.4, -0.5]), 2)
    none = np.zeros((0, 30))
    rng = np.random.default_rng(0)

    calm = persistence_share(none, np.full(30, 0.4), week)
    noisy = persistence_share(none, np.full(30, 0.4), week + 0.3 * rng.standard_normal(14))
    unknown = persistence_share(none, np.full(30, 0.4), week[:5])

    assert calm[0] == 0.98
    assert noisy[0] < 0.6
    assert unknown[0] == 0.0
