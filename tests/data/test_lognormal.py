import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri

from data.lognormal import LogNormal, add_up, fit, mixture_quantiles
from data.traffic import PERCENTILES


@given(mu=st.floats(0, 9), sigma=st.floats(0.05, 2.5))
def test_a_lognormal_is_found_again_from_its_mean_and_percentiles(mu: float, sigma: float):
    truth = LogNormal(mu, sigma)

    found = fit(truth.mean, np.exp(mu + sigma * ndtri(PERCENTILES)).tolist())

    assert found is not None
    assert found.mu == pytest.approx(mu, abs=1e-3)
    assert found.sigma == pytest.approx(sigma, abs=1e-3)


@given(mean=st.floats(1, 1e5), p50=st.floats(1, 1e4), factors=st.lists(st.floats(1, 3), min_size=3, max_size=3))
def test_the_mean_is_kept_whatever_the_percentiles_say(mean: float, p50: float, factors: list[float]):
    found = fit(mean, (p50 * np.cumprod([1, *factors])).tolist())

    assert found is not None
    assert found.mean == pytest.approx(mean)


@pytest.mark.parametrize(("mean", "stated"), [(np.nan, [1, 2, 3, 4]), (0, [0, 0, 0, 0]), (5, [np.nan] * 4)])
def test_nothing_is_fitted_to_nothing(mean: float, stated: list[float]):
    assert fit(mean, stated) is None


def test_moments_above_a_length_agree_with_a_sample():
    lengths = LogNormal(5.0, 1.2)
    sample = np.exp(5.0 + 1.2 * np.random.default_rng(1).standard_normal(2_000_000))

    for power, threshold in ((0, 500), (1, 500), (2, 500), (1, 0)):
        expect = np.mean(np.where(sample > threshold, sample**power, 0.0))
        assert lengths.moment_above(power, threshold) == pytest.approx(expect, rel=0.03)


@given(sigma=st.floats(0.01, 2.5), edges=st.lists(st.floats(0.01, 0.99), min_size=1, max_size=9, unique=True))
def test_slices_add_up_to_the_mean_and_grow(sigma: float, edges: list[float]):
    kept = [e for i, e in enumerate(sorted(edges)) if i == 0 or e - sorted(edges)[i - 1] > 1e-3]
    means, weights = LogNormal(3.0, sigma).slices([0.0, *kept, 1.0])

    assert weights.sum() == pytest.approx(1)
    assert means @ weights == pytest.approx(LogNormal(3.0, sigma).mean)
    assert (np.diff(means) > 0).all()


def test_independent_parts_add_up_in_mean_and_variance():
    one, two = LogNormal(4.0, 0.8), LogNormal(6.0, 0.5)

    whole = add_up([one, two])

    assert whole.mean == pytest.approx(one.mean + two.mean)
    variance = [part.moment_above(2, 0) - part.mean**2 for part in (one, two, whole)]
    assert variance[2] == pytest.approx(variance[0] + variance[1])


STATED = st.lists(st.floats(1, 5), min_size=4, max_size=4).map(lambda steps: np.cumprod(steps) * 10)


@given(stated=STATED)
def test_one_window_gives_back_what_it_stated(stated):
    assert mixture_quantiles([stated], [7]) == pytest.approx(stated, rel=1e-6)


@given(windows=st.lists(st.tuples(STATED, st.floats(0.1, 100)), min_size=2, max_size=6))
def test_windows_together_lie_between_the_windows_and_never_cross(windows):
    stated = np.array([lengths for lengths, _ in windows])

    found = mixture_quantiles(stated, [weight for _, weight in windows])

    assert (found >= stated.min(axis=0) * (1 - 1e-6)).all()
    assert (found <= stated.max(axis=0) * (1 + 1e-6)).all()
    assert (np.diff(found) >= -1e-6 * found[1:]).all()


def test_windows_that_state_nothing_have_no_say():
    stated = [[10, 20, 30, 40], [np.nan] * 4, [99, 99, 99, 99]]

    assert mixture_quantiles(stated, [1, 5, 0]) == pytest.approx([10, 20, 30, 40], rel=1e-6)
    assert np.isnan(mixture_quantiles([[np.nan] * 4], [1])).all()
