"""The band rule buys the least expected cost: against brute force, and by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from data.errors import UserError
from sizing.bands import bands, busy_hours, units_to_commit

needs = hnp.arrays(
    np.float64, st.tuples(st.integers(1, 4), st.integers(1, 3), st.just(24)), elements=st.integers(0, 9)
)
fractional = hnp.arrays(np.float64, (2, 1, 24), elements=st.floats(0, 9, allow_nan=False, width=32))
prices = st.floats(0.05, 5.0)


def expected_usd(need, units, unit_gpus, reserved, on_demand):
    held = units * unit_gpus
    overflow = (np.maximum(need - held, 0) * on_demand).sum(axis=(1, 2)).mean()
    return held * reserved * need[0].size + overflow


def busy_63_percent():
    """One path of 100 hours-like days: seven GPUs always, the eighth in 63 of 100 days."""
    need = np.full((1, 100, 24), 7.0)
    need[0, :63] = 8.0
    return need


@settings(max_examples=150, deadline=None)
@given(need=needs, reserved=prices, on_demand=prices, unit_gpus=st.sampled_from([1, 2, 4]))
def test_no_other_number_of_units_costs_less(need, reserved, on_demand, unit_gpus):
    n = units_to_commit(
        need, reserved_usd_per_gpu_hour=reserved, on_demand_usd_per_gpu_hour=on_demand, unit_gpus=unit_gpus
    )

    costs = [expected_usd(need, k, unit_gpus, reserved, on_demand) for k in range(12)]
    assert costs[n] <= min(costs) * (1 + 1e-9) + 1e-9


@settings(max_examples=80, deadline=None)
@given(need=needs, reserved=prices, seed=st.integers(0, 1_000))
def test_no_other_number_costs_less_when_the_on_demand_price_moves_by_the_hour(need, reserved, seed):
    on_demand = np.random.default_rng(seed).uniform(0.1, 5.0, need.shape[1:])
    n = units_to_commit(need, reserved_usd_per_gpu_hour=reserved, on_demand_usd_per_gpu_hour=on_demand)

    costs = [expected_usd(need, k, 1, reserved, on_demand) for k in range(12)]
    assert costs[n] <= min(costs) * (1 + 1e-9) + 1e-9


@settings(max_examples=80, deadline=None)
@given(need=fractional, unit_gpus=st.sampled_from([1, 3, 8]))
def test_bands_add_up_to_the_need(need, unit_gpus):
    hours = busy_hours(need, unit_gpus=unit_gpus)

    assert hours.sum(axis=1) * unit_gpus == pytest.approx(need.sum(axis=(1, 2)))


@settings(max_examples=80, deadline=None)
@given(need=needs)
def test_a_later_band_is_never_busier_than_an_earlier_one(need):
    assert (np.diff(busy_hours(need), axis=1) <= 0).all()


def test_gpu_8_is_busy_63_percent_of_hours_and_needs_55():
    rows = bands(
        busy_63_percent(), gpu="h100", reserved_usd_per_gpu_hour=1.65, on_demand_usd_per_gpu_hour=3.0, unit_gpus=1
    )

    assert rows[7].sentence == "h100 #8 is busy 63% of hours, needs 55%: commit."
    assert [row.commit for row in rows] == [True] * 8


def test_the_same_gpu_stays_on_demand_at_a_smaller_discount():
    rows = bands(
        busy_63_percent(), gpu="h100", reserved_usd_per_gpu_hour=2.1, on_demand_usd_per_gpu_hour=3.0, unit_gpus=1
    )

    assert rows[7].sentence == "h100 #8 is busy 63% of hours, needs 70%: leave on demand."
    assert sum(row.commit for row in rows) == 7


def test_a_node_of_eight_counts_by_the_part_that_is_needed():
    """Seven GPUs always and the eighth 63% of the time keep a node busy (7 + 0.63) / 8 of the time."""
    (row,) = bands(
        busy_63_percent(), gpu="h100", reserved_usd_per_gpu_hour=2.1, on_demand_usd_per_gpu_hour=3.0, unit_gpus=8
    )

    assert row.busy_share == pytest.approx(7.63 / 8)
    assert (row.first_gpu, row.last_gpu) == (1, 8)


def test_paths_that_disagree_spread_the_busy_share():
    need = np.stack([np.full((1, 24), k) for k in (0.0, 1.0, 1.0, 1.0, 1.0)])

    (row,) = bands(need, gpu="h100", reserved_usd_per_gpu_hour=1.0, on_demand_usd_per_gpu_hour=2.0)

    assert row.busy_share == pytest.approx(0.8)
    assert (row.busy_share_p10, row.busy_share_p90) == pytest.approx((0.4, 1.0))


def test_no_need_commits_to_nothing():
    need = np.zeros((3, 2, 24))

    assert units_to_commit(need, reserved_usd_per_gpu_hour=1.0, on_demand_usd_per_gpu_hour=2.0) == 0
    assert bands(need, gpu="h100", reserved_usd_per_gpu_hour=1.0, on_demand_usd_per_gpu_hour=2.0) == ()


def test_a_unit_of_no_gpus_is_refused():
    with pytest.raises(UserError, match="unit_gpus = 0"):
        busy_hours(np.ones((1, 1, 24)), unit_gpus=0)
