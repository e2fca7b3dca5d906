"""Our decision, where the right one is known."""

import numpy as np
import pytest

from sizing.replay.adaptive import DRIFTS_PER_YEAR, decide, drift_weights
from sizing.replay.foresight import AHEAD_MONTHS, summed
from sizing.replay.market import ReplayTerm
from tests.sizing.replay.cases import MONTH_AND_YEAR

ENDS = np.arange(1, AHEAD_MONTHS + 1) * 30
STEADY = np.full(13, 4.0)
NOTHING = np.zeros(AHEAD_MONTHS, dtype=np.int64)


def flat(gpus=10.0):
    return summed(np.full((64, ENDS[-1]), gpus), ENDS, np.full((60, 1), gpus))


def test_a_steady_need_at_steady_prices_takes_the_deeper_discount():
    assert decide(flat(), NOTHING, STEADY, MONTH_AND_YEAR).tolist() == [0, 10]


def test_what_is_held_is_not_signed_again():
    held = np.where(np.arange(AHEAD_MONTHS) < 12, 7, 0)

    assert decide(flat(), held, STEADY, MONTH_AND_YEAR).tolist() == [0, 3]


def test_prices_that_fall_fast_are_not_locked_for_a_small_discount():
    falling = 4.0 * 0.5 ** (np.arange(13) / 12)
    terms = (ReplayTerm(months=1, discount=0.1), ReplayTerm(months=12, discount=0.2))

    assert decide(flat(), NOTHING, falling, terms).tolist() == [10, 0]
    assert decide(flat(), NOTHING, STEADY, terms).tolist() == [0, 10]


def test_a_need_that_may_end_is_kept_short_where_waiting_tells():
    # Half of the paths need nothing after the first month, and the month shows which.
    paths = np.full((64, ENDS[-1]), 10.0)
    paths[::2, 30:] = 0.0
    seen = np.full((60, 1), 10.0)
    terms = (ReplayTerm(months=1, discount=0.2), ReplayTerm(months=12, discount=0.25))
    paths[::2, 20:30] = 9.0  # the sign by which the group is told

    assert decide(summed(paths, ENDS, seen), NOTHING, STEADY, terms)[0] == 10


def test_a_gpu_that_is_seldom_busy_is_left_on_demand():
    paths = np.full((64, ENDS[-1]), 4.0)
    paths[:, ::3] = 10.0

    assert decide(summed(paths, ENDS, paths[:1, :60].T), NOTHING, STEADY, MONTH_AND_YEAR).tolist() == [0, 4]


def test_without_a_discount_nothing_is_signed():
    assert decide(flat(), NOTHING, STEADY, (ReplayTerm(months=12, discount=0.0),)).tolist() == [0]


def test_scarce_on_demand_is_a_reason_to_hold_more():
    paths = np.full((64, ENDS[-1]), 4.0)
    paths[:, ::3] = 10.0
    seen = summed(paths, ENDS, paths[:1, :60].T)

    assert decide(seen, NOTHING, STEADY, MONTH_AND_YEAR, on_demand_max_gpus=0).tolist() == [0, 10]


@pytest.mark.parametrize("change", [-0.5, -0.3, 0.0, 0.2])
def test_a_steady_drift_is_found_from_a_year_of_prices(change):
    weights = drift_weights(4.0 * (1 + change) ** (np.arange(13) / 12))

    assert DRIFTS_PER_YEAR[int(np.argmax(weights))] == change
    assert weights.max() > 0.9


def test_one_jump_is_no_drift():
    weights = drift_weights(np.array([4.0] * 8 + [2.0] * 3))

    assert DRIFTS_PER_YEAR[int(np.argmax(weights))] == 0.0
