"""A past need: whole GPUs, months, and what is unknown."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import UserError
from sizing.replay.need import busy_hours, month_starts, scaled_need


def test_the_maximum_before_the_first_decision_takes_the_peak_and_later_days_may_take_more():
    y = np.full(460, 10.0)
    y[100], y[430] = 20.0, 40.0  # 2024-01-01 + 366 days is 2025-01-01, the first decision
    need = scaled_need("s", np.datetime64("2024-01-01"), y, peak_gpus=40)

    assert need.starts[0] == 366
    assert (need.gpus[100, 0], need.gpus[0, 0], need.gpus[430, 0]) == (40, 20, 80)
    assert need.month_names() == ["2025-01", "2025-02", "2025-03", "2025-04"]


def test_what_is_not_known_is_neither_needed_nor_counted():
    y = np.full(425, 1.0)
    y[400:410] = np.nan
    need = scaled_need("s", np.datetime64("2024-01-01"), y, peak_gpus=1)

    assert need.hours().sum() == (425 - 366 - 10) * 24
    assert need.busy().sum() == (425 - 366 - 10) * 24
    assert need.unknown_days() == 10


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40))
def test_busy_hours_add_up_to_the_need_and_fall_with_k(days):
    gpus = np.array(days, dtype=float)[:, None]
    busy = busy_hours(gpus, 9)

    assert busy.sum() == 24 * sum(days)
    assert (np.diff(busy) <= 0).all()


def test_months_begin_on_the_first_with_a_year_before_it():
    assert month_starts(np.datetime64("2023-03-15"), 420, history_days=365).tolist() == [383, 413, 420]
    assert month_starts(np.datetime64("2023-03-15"), 380, history_days=365).size == 0


@pytest.mark.parametrize(
    ("y", "words"), [(np.ones(300), "at least 396"), (np.zeros(800), "nothing sets its scale")]
)
def test_a_series_that_cannot_be_replayed_is_refused_with_its_numbers(y, words):
    with pytest.raises(UserError, match=words):
        scaled_need("s", np.datetime64("2023-01-01"), y)
