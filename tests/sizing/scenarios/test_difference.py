import numpy as np
import pytest

from sizing.scenarios.difference import differences, gpu_quantiles, spliced

PLANNED = np.array([[2, 2, 2], [2, 4, 2], [4, 4, 8], [2, 2, 2], [6, 6, 6]])


def test_a_horizons_fleet_is_a_quantile_of_the_largest_days():
    # Largest within two days by path: 2, 4, 4, 2, 6; within three 2, 4, 8, 2, 6. The 80% point is a path's own.
    assert gpu_quantiles(PLANNED, 2) == (4, 6, 6)
    assert gpu_quantiles(PLANNED, 3) == (4, 8, 8)


def test_parts_take_their_place_from_their_day_on():
    base = np.zeros((1, 4))

    out = spliced(base, [(1, np.ones((1, 3))), (3, np.full((1, 1), 5.0))])

    assert out.tolist() == [[0.0, 1.0, 1.0, 5.0]]
    assert (base == 0).all()


def test_differences_by_hand():
    usd = np.array([[1.0, 2.0, 3.0]] * 5)

    short, long = differences(PLANNED, PLANNED + 2, usd, (2, 3))

    assert short.gpus == long.gpus == (2, 2, 2)
    assert short.usd.mean == pytest.approx(3.0)
    assert long.usd.mean == pytest.approx(6.0)


def test_nothing_changed_is_nothing_and_unknown_stays_unknown():
    assert differences(PLANNED, PLANNED, np.zeros((5, 3)), (3,))[0].usd.p90 == 0
    assert differences(PLANNED, PLANNED, None, (3,))[0].usd is None
    assert differences(PLANNED, PLANNED, None, (3,))[0].gpus == (0, 0, 0)
