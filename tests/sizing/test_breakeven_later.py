"""The breakeven a year on: prices multiplied path by path."""

import numpy as np
import pytest

from sizing.breakeven_later import breakeven_later
from sizing.tornado import Case

NOW = Case(gpus=1, usd_per_gpu_hour=3.0, utilisation=0.7, gpu_s=0.36, api_usd=0.00144, tok_per_request=8_000)


def test_prices_that_stand_leave_it_where_it_is():
    same = breakeven_later(NOW, "as today", api_factor=1.0, gpu_factor=1.0)

    assert same.utilisation == pytest.approx((0.20833,) * 3, abs=1e-5)
    assert same.qps == (NOW.qps,) * 3
    assert same.chance == 1.0


def test_an_api_at_a_quarter_of_the_price_needs_more_than_the_fleet_reaches():
    """0.2083 x 4 = 0.83 of paid time, above 0.7: no volume breaks even."""
    gone = breakeven_later(NOW, "API at a quarter", api_factor=0.25, gpu_factor=1.0)

    assert gone.utilisation[1] == pytest.approx(0.8333, abs=1e-4)
    assert (gone.qps, gone.mtok_per_month, gone.chance) == ((None,) * 3, (None,) * 3, 0.0)


def test_the_chance_counts_paths():
    mixed = breakeven_later(NOW, "one in four", api_factor=np.array([1, 1, 1, 0.25]), gpu_factor=1.0)

    assert mixed.chance == 0.75
    assert mixed.utilisation[0] == pytest.approx(NOW.needed_utilisation)
    assert mixed.utilisation[2] == pytest.approx(4 * NOW.needed_utilisation)


def test_both_prices_falling_alike_change_nothing_but_the_scale():
    half = breakeven_later(NOW, "both halve", api_factor=0.5, gpu_factor=0.5)

    assert half.utilisation[1] == pytest.approx(NOW.needed_utilisation)
    assert half.qps[1] == pytest.approx(NOW.qps)
