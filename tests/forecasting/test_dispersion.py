"""The index of dispersion, and the busiest moment inside windows that were seen."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from forecasting.dispersion import Dispersion, busiest_within, dispersion, index_of_dispersion


def test_alternating_counts_by_hand():
    # 2, 10, 2, 10: second differences of 16, so a variance of 256 / 6, over a mean of 6
    assert index_of_dispersion(np.tile([2.0, 10.0], 20)) == pytest.approx(256 / 36)


def test_a_straight_climb_does_not_scatter_and_gaps_are_skipped():
    climb = np.arange(100.0)
    climb[50] = np.nan

    assert index_of_dispersion(climb) == pytest.approx(0.0)


def test_independent_arrivals_have_an_index_of_one_at_every_window():
    counts = np.random.default_rng(0).poisson(50, 20_000).astype(float)

    found = dispersion(counts, 60)

    assert found.index == pytest.approx(1.0, abs=0.05)
    assert found.at(10) == pytest.approx(1.0, abs=0.05)


def test_a_rate_that_wanders_hourly_scatters_little_within_ten_seconds():
    rate = 1_000 + 500 * np.sin(np.arange(8 * 1440) * 2 * np.pi / 20)  # a wave of 20 minutes
    counts = np.random.default_rng(1).poisson(rate).astype(float)

    found = dispersion(counts, 60)

    assert found.slope > 0.9
    assert found.at(10) < found.index


@pytest.mark.parametrize("counts", [np.zeros(100), np.full(100, np.nan), np.arange(20.0)])
def test_too_little_tells_nothing(counts):
    assert dispersion(counts, 60) is None


def test_the_stated_burstiness_of_clients_is_a_floor():
    counts = np.random.default_rng(2).poisson(50, 2_000).astype(float)

    assert dispersion(counts, 600, arrival_cv=3.0).at(10) == pytest.approx(1.0, abs=0.1), (
        "never above what was seen"
    )
    assert Dispersion(window_s=600, index=609.0, floor=9.0, slope=1.0).at(10) == pytest.approx(19.0)


def test_one_fine_window_is_the_gamma_quantile_by_hand():
    # 60 in the window, two parts of 30 each; index 2: gamma with shape 15, scale 2
    found = busiest_within(np.array([[60.0]]), 2, 2.0, 0.5)

    one = stats.gamma.ppf(0.5**0.5, 15, scale=2)  # both below x has the probability F(x)^2
    assert found == pytest.approx([one])
    assert one == pytest.approx(33.7, abs=0.1)


@settings(max_examples=50)
@given(
    st.lists(st.floats(0, 1e5), min_size=1, max_size=40),
    st.integers(2, 60),
    st.floats(0.2, 500),
    st.sampled_from([0.1, 0.5, 0.9]),
)
def test_the_busiest_part_lies_between_an_even_share_and_all(counts, parts, index, p):
    found = busiest_within(np.array([counts]), parts, index, p)[0]

    assert max(counts) / parts <= found * (1 + 1e-9) + 1e-9
    assert found <= max(counts) + 1e-9


@settings(max_examples=25)
@given(st.integers(2, 60), st.floats(0.5, 50))
def test_more_scatter_and_a_higher_quantile_never_lower_the_peak(parts, index):
    day = np.array([np.linspace(200, 900, 40)])

    low, middle, high = (busiest_within(day, parts, index, p)[0] for p in (0.1, 0.5, 0.9))

    assert low <= middle <= high
    assert middle <= busiest_within(day, parts, 2 * index, 0.5)[0] * (1 + 1e-9)


def test_it_finds_the_busiest_ten_seconds_of_made_traffic():
    fine = np.random.default_rng(3).negative_binomial(25, 0.2, (30, 8640)).astype(float)  # mean 100, index 5
    minutes = fine.reshape(30, 1440, 6).sum(axis=2)

    found = busiest_within(minutes, 6, 5.0, 0.5)

    assert found.mean() == pytest.approx(fine.max(axis=1).mean(), rel=0.06)
    assert busiest_within(minutes, 6, 1.0, 0.5).mean() < 0.88 * fine.max(axis=1).mean(), "Poisson is too low"
