import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.formats.counters import LENGTHS_S, in_windows, rises, step_of, window_length_s


def test_a_counter_that_falls_was_reset_and_rises_from_nothing():
    assert rises(np.array([100.0, 130.0, 5.0, 9.0])).tolist() == [30.0, 5.0, 4.0]


def test_what_lies_between_two_readings_is_spread_evenly_over_the_windows():
    edges = np.array([0.0, 60.0, 120.0, 180.0])

    found = in_windows(np.array([30.0, 150.0]), np.array([0.0, 120.0]), edges, 120.0)

    assert found.tolist() == [30.0, 60.0, 30.0]


def test_a_silence_has_nothing_in_it_and_nothing_is_made_up_for_it():
    times, values = np.array([0.0, 60.0, 7200.0, 7260.0]), np.array([0.0, 5.0, 500.0, 507.0])
    edges = np.arange(0.0, 7321.0, 60.0)

    found = in_windows(times, values, edges, 60.0)

    assert found[0] == 5.0
    assert found[120] == 7.0
    assert np.isnan(found[1:120]).all()


def test_a_single_reading_says_nothing():
    assert np.isnan(in_windows(np.array([5.0]), np.array([9.0]), np.array([0.0, 60.0]), 60.0)).all()


@given(
    st.lists(st.integers(0, 1000), min_size=2, max_size=50),
    st.integers(15, 400),
    st.integers(0, 59),
)
def test_windows_add_up_to_what_the_counter_rose_by(values, step, offset):
    times = offset + step * np.arange(len(values), dtype=np.float64)
    length = window_length_s(step)
    edges = np.arange(0.0, times[-1] + 2 * length, length)

    found = in_windows(times, np.array(values, dtype=np.float64), edges, float(step))

    assert np.nansum(found) == pytest.approx(rises(np.array(values, dtype=np.float64)).sum())
    assert (found[~np.isnan(found)] >= -1e-9).all()


def test_the_step_is_the_commonest_gap_and_its_window_divides_the_day():
    assert step_of([np.array([0.0, 15.0, 30.0, 90.0]), np.array([0.0, 15.0])]) == 15.0
    assert np.isnan(step_of([np.array([1.0])]))
    assert np.isnan(step_of([]))
    assert all(86_400 % length == 0 for length in LENGTHS_S)
    assert window_length_s(1e9) == 86_400
