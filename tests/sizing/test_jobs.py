"""Declared jobs: their hours by hand, and idle reserved GPUs used first and never twice."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from data.errors import UserError
from sizing.jobs import WEEKDAYS, ScheduledJob, job_gpu_hours, job_sentence, job_usd, place_in_idle, place_jobs

MONDAY = np.datetime64("2026-11-23")
WEEK = MONDAY + np.arange(7)
SUNDAYS = ScheduledJob(name="Fine-tune", gpu="h100", gpus=8, hours=10, weekdays=("sunday",), start_hour_utc=1)
NIGHTLY = ScheduledJob(name="Eval", gpu="h100", gpus=2, hours=4, weekdays=WEEKDAYS, start_hour_utc=22)


def test_thirty_days_of_a_sunday_job_hold_four_runs():
    """From Monday 2026-11-23 thirty days hold the Sundays 29 November, 6, 13 and 20 December."""
    hours = job_gpu_hours(SUNDAYS, MONDAY + np.arange(30))

    assert hours.sum() == 4 * 8 * 10
    assert np.flatnonzero(hours).tolist() == [6, 13, 20, 27]


def test_a_run_past_midnight_counts_whole_on_the_day_it_starts():
    assert job_gpu_hours(NIGHTLY, WEEK).tolist() == [8.0] * 7


def test_idle_reserved_hours_are_used_first_and_the_rest_is_bought():
    """One GPU is idle all day: of 2 GPUs for 4 hours it takes half; the last night has two planned hours only."""
    placement, idle = place_in_idle(NIGHTLY, WEEK, np.ones((1, 7, 24)))

    assert placement.idle_gpu_hours[0].tolist() == [4.0] * 6 + [2.0]
    assert placement.on_demand_gpu_hours[0].tolist() == [4.0] * 6 + [6.0]
    assert idle[0, 0, 22:].tolist() == [0.0, 0.0]
    assert idle[0, 1, :3].tolist() == [0.0, 0.0, 1.0]


def test_a_job_that_may_wait_moves_into_the_idle_hours_of_its_window():
    """Idle only from 04:00 to 10:00: a run from 01:00 to 07:00 gets three of them, one with a window all six."""
    idle = np.zeros((1, 7, 24))
    idle[:, :, 4:10] = 8.0
    patient = replace(SUNDAYS, hours=6, window_hours=12)

    fixed, _ = place_in_idle(replace(SUNDAYS, hours=6), WEEK, idle)
    moved, _ = place_in_idle(patient, WEEK, idle)

    assert fixed.idle_gpu_hours[0, 6] == 8 * 3
    assert moved.idle_gpu_hours[0, 6] == 8 * 6
    assert moved.on_demand_gpu_hours.sum() == 0


def test_half_hours_count_by_their_part():
    job = ScheduledJob(name="j", gpu="h100", gpus=1, hours=1.5, weekdays=("monday",), start_hour_utc=0.75)

    placement, idle = place_in_idle(job, WEEK, np.ones((1, 7, 24)))

    assert placement.idle_gpu_hours[0, 0] == pytest.approx(1.5)
    assert idle[0, 0, :3] == pytest.approx([0.75, 0.0, 0.75])


def test_two_jobs_never_take_the_same_hour():
    first, second = NIGHTLY, replace(NIGHTLY, name="Second")

    (a, b), idle = place_jobs([first, second], WEEK, np.full((1, 7, 24), 3.0), gpu="h100")

    assert a.idle_gpu_hours[0, 0] == 8.0
    assert b.idle_gpu_hours[0, 0] == 4.0
    assert idle.min() == 0.0


def test_jobs_of_another_gpu_are_left_alone():
    placements, idle = place_jobs([NIGHTLY], WEEK, np.ones((1, 7, 24)), gpu="b200")

    assert placements == []
    assert idle.sum() == 168


@settings(max_examples=60, deadline=None)
@given(
    idle=hnp.arrays(np.float64, (2, 7, 24), elements=st.integers(0, 5)),
    hours=st.floats(0.5, 30),
    start=st.floats(0, 23.5),
    gpus=st.integers(1, 9),
    wait=st.floats(0, 20),
)
def test_work_is_placed_once_and_idle_hours_only_shrink(idle, hours, start, gpus, wait):
    job = ScheduledJob(
        name="j",
        gpu="h100",
        gpus=gpus,
        hours=hours,
        weekdays=WEEKDAYS,
        start_hour_utc=start,
        window_hours=hours + wait,
    )

    placement, left = place_in_idle(job, WEEK, idle)

    total = placement.idle_gpu_hours + placement.on_demand_gpu_hours
    assert total == pytest.approx(np.full((2, 7), gpus * hours))
    assert (idle - left).sum(axis=(1, 2)) == pytest.approx(placement.idle_gpu_hours.sum(axis=1), abs=1e-9)
    assert left.min() >= -1e-9
    assert (left <= idle + 1e-9).all()
    assert placement.on_demand_gpu_hours.min() >= -1e-9


def test_incremental_cost_leaves_out_what_is_paid_already():
    placement, _ = place_in_idle(NIGHTLY, WEEK, np.ones((1, 7, 24)))

    incremental, loaded = job_usd(placement, on_demand_usd_per_gpu_hour=3.0, idle_usd_per_gpu_hour=0.1)

    assert incremental[0, 0] == pytest.approx(4 * 3.0 + 4 * 0.1)
    assert loaded[0, 0] == pytest.approx(8 * 3.0)


def test_the_sentence_says_how_much_of_it_is_idle():
    placement, _ = place_in_idle(NIGHTLY, MONDAY + np.arange(30), np.ones((1, 30, 24)))

    assert "is 240 GPU-hours in 30 days, 118 of them in idle reserved hours" in job_sentence(placement)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"weekdays": ("caturday",)}, "weekday 'caturday'"),
        ({"gpus": 0}, "gpus = 0"),
        ({"start_hour_utc": 24}, "start_hour_utc = 24"),
        ({"window_hours": 2}, "window_hours = 2 is shorter"),
    ],
)
def test_a_job_that_cannot_run_as_declared_is_refused(wrong, said):
    with pytest.raises(UserError, match=said):
        replace(NIGHTLY, **wrong)


def test_a_job_that_needs_so_many_at_once_takes_idle_gpus_in_whole_multiples():
    """Three idle GPUs hold one of the two pairs that a run of 4 x 2 h takes: 2 x 2 of its 8 GPU-hours."""
    job = ScheduledJob(
        name="train", gpu="h100", gpus=4, hours=2, weekdays=tuple(WEEKDAYS), window_hours=2, least_gpus=2
    )
    days = np.array(["2026-11-23"], dtype="datetime64[D]")
    placement, left = place_in_idle(job, days, np.full((1, 1, 24), 3.0))

    assert placement.idle_gpu_hours.tolist() == [[4.0]]
    assert placement.on_demand_gpu_hours.tolist() == [[4.0]]
    assert left[0, 0, :3].tolist() == [1.0, 1.0, 3.0]
    whole, _ = place_in_idle(replace(job, least_gpus=1), days, np.full((1, 1, 24), 3.0))
    assert whole.idle_gpu_hours.tolist() == [[6.0]]
