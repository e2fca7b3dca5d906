"""What is foreseen: nothing of the future, busy hours that add up, groups that are all of the paths."""

from dataclasses import replace

import numpy as np
import pytest

from sizing.replay.foresight import (
    AHEAD_MONTHS,
    GROUPS,
    by_hour,
    foresee,
    month_ends,
    need_paths,
    summed,
    with_repeats,
)
from tests.sizing.replay.cases import waves


@pytest.fixture(scope="module")
def need():
    return waves()


def test_changing_the_future_changes_nothing_that_was_foreseen(need):
    month = 3
    today = need.starts[month]
    other = replace(
        need,
        y=np.concatenate([need.y[:today], need.y[today:] * 9]),
        gpus=np.concatenate([need.gpus[:today], need.gpus[today:] * 9]),
    )
    one, two = foresee(need, month, seed=1), foresee(other, month, seed=1)

    assert (one.busy == two.busy).all()
    assert (one.by_group == two.by_group).all()
    assert (one.looked_back == two.looked_back).all()


def test_the_same_seed_gives_the_same_paths_and_another_gives_others(need):
    today = int(need.starts[0])

    assert (need_paths(need, today, 40, seed=1) == need_paths(need, today, 40, seed=1)).all()
    assert (need_paths(need, today, 40, seed=1) != need_paths(need, today, 40, seed=2)).any()


def test_every_second_path_repeats_the_newest_four_weeks():
    seen = np.arange(60.0)[:, None]
    seen[59] = np.nan
    mixed = with_repeats(np.full((4, 30), 99.0), seen)

    assert (mixed[::2] == 99).all()
    assert mixed[1].tolist() == [*range(31, 59), 31, 32]


def test_groups_hold_every_path_and_chances_add_up(need):
    found = foresee(need, 0, seed=1)

    assert found.by_group.shape[:2] == (AHEAD_MONTHS, GROUPS)
    assert (np.diff(found.by_group, axis=2) <= 1e-9).all()
    assert found.to_group[1][1].sum(axis=1) == pytest.approx(np.ones(GROUPS))


def test_what_the_forecast_expects_stands_beside_the_blend():
    forecast, seen = np.full((16, 62), 8.0), np.full((40, 1), 2.0)
    found = summed(forecast, np.array([31, 62]), seen, blended=with_repeats(forecast, seen))

    assert found.busy[0].tolist() == [31 * 24] * 8
    assert found.by_group[0, 0].tolist() == [31 * 24] * 2 + [31 * 12] * 6


def test_busy_hours_of_lots_add_up_to_the_need():
    paths = np.full((8, 31), 250.0)
    found = summed(paths, np.array([10, 31]), np.full((40, 1), 250.0))

    assert found.lot == 3
    assert found.busy.sum(axis=1) * found.lot == pytest.approx([250 * 240, 250 * 21 * 24])


def test_months_ahead_end_with_the_calendar():
    assert month_ends(np.datetime64("2023-12-02"), 30)[:3].tolist() == [31, 60, 91]


def test_hours_of_a_day_follow_those_seen():
    seen = np.tile(np.repeat([1.0, 3.0], 12), (60, 1))
    hours = by_hour(np.full((2, 10), 4.0), seen)

    assert hours.shape == (2, 240)
    assert hours[0, :24].tolist() == [2] * 12 + [6] * 12
    found = summed(with_repeats(hours, seen), np.array([4, 10]), seen)
    assert found.hours.tolist() == [96, 144]
    assert found.looked_back[:3].tolist() == [1.0, 0.5, 0.5]
    assert found.busy[0].sum() == pytest.approx((4.0 + 2.0) / 2 * 96)
