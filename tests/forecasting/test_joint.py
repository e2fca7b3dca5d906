"""Paths of all that a workload asks, joined as it was seen to move."""

import numpy as np
import pytest

from forecasting.calendar import make_history
from forecasting.joint import correlation, is_volume, joint_paths, level_correlation
from forecasting.series import forecast_series

RNG = np.random.default_rng(0)
COMMON = RNG.standard_normal(200)


def series(share: float, level: float = 1000.0):
    noise = share * COMMON + np.sqrt(1 - share**2) * RNG.standard_normal(200)
    return level * np.exp(0.1 * noise)


def test_what_moved_together_is_correlated_and_shrunk_for_few_days():
    found = correlation({"requests": series(1.0), "prompt": series(1.0), "output": series(0.0)})

    assert found[0, 1] == pytest.approx(180 / 210, abs=0.02), "180 days count, 30 of doubt"
    assert abs(found[0, 2]) < 0.25
    assert np.diag(found).tolist() == [1.0] * 3


def test_one_series_that_is_hardly_known_does_not_loosen_the_others():
    rare = np.where(np.arange(200) >= 195, series(0.0), np.nan)

    found = correlation({"requests": series(1.0), "prompt": series(1.0), "cached": rare})

    assert found[0, 1] > 0.8
    assert found[0, 2] == 0.0, "5 days say nothing"


@pytest.mark.parametrize("seed", range(5))
def test_pairs_over_different_days_still_make_one_distribution(seed):
    rng = np.random.default_rng(seed)
    many = {str(i): np.where(rng.random(60) < 0.4, np.nan, rng.lognormal(0, 1, 60)) for i in range(17)}

    found = correlation(many)

    assert np.linalg.eigvalsh(found)[0] > 0
    np.linalg.cholesky(found)
    assert np.diag(found) == pytest.approx(np.ones(17))


def test_levels_of_peaks_follow_the_volume_and_lengths_do_not():
    names = ["requests", "peak", "peak_hour", "prompt", "prompt_p95"]
    noise = np.full((5, 5), 0.5) + 0.5 * np.eye(5)

    found = level_correlation(noise, names)

    assert [is_volume(name) for name in names] == [True, True, True, False, False]
    assert found[0, 1] == found[1, 2] == 0.9
    assert found[0, 3] == 0.0
    assert found[3, 4] == 0.5


def test_paths_keep_the_forecast_of_each_and_move_together():
    seen = {"requests": series(1.0), "prompt": series(1.0, 300.0), "prompt_p95": series(1.0, 900.0)}
    forecasts = {
        name: forecast_series(make_history(np.datetime64("2026-01-05"), y, where=name), 20, light=True)
        for name, y in seen.items()
    }

    drawn = joint_paths(seen, forecasts, gap=3, paths=200, rng=np.random.default_rng(1))

    for name, paths in drawn.items():
        assert paths.shape == (200, 17)
        levels = forecasts[name].predictive.ppf((np.arange(200) + 0.5) / 200)[:, 3:]
        assert np.sort(paths, axis=0) == pytest.approx(levels)
    assert np.corrcoef(drawn["prompt"][:, 5], drawn["prompt_p95"][:, 5])[0, 1] > 0.6
