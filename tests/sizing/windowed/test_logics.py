import numpy as np
import pytest

from forecasting.demand import TokenOutlook
from sizing.fleet import plan_fleet
from sizing.windowed.logics import plan_logics


def horizon_of(worlds, profile, tok):
    tokens = tuple(
        TokenOutlook(field=f, tok=tok if f == "prompt" else tok / 5) for f in ("prompt", "cached", "output")
    )
    demand, traffic = worlds(tokens=tokens)
    return plan_fleet(demand, traffic, profile, category="online").horizons[0]


def test_three_ways_of_planning_in_gpus_and_dollars(worlds, profile):
    horizon = horizon_of(worlds, profile, np.full((4, 40, 3), 4_000.0))
    mean, lengths, windowed = plan_logics(horizon, usd_per_gpu_hour=2.5)

    assert (mean.logic, lengths.logic, windowed.logic) == ("mean", "p95 lengths", "windowed")
    assert mean.gpus == horizon.mean_plan_gpus
    assert mean.usd == mean.gpus * 30 * 24 * 2.5
    assert mean.over_mean == 1.0
    assert lengths.usd == horizon.p95_lengths_gpus * 1_800.0
    assert windowed.gpus == horizon.windowed_p99_gpus == horizon.gpus_p80 - horizon.spare_gpus
    assert mean.gpus < windowed.gpus < lengths.gpus
    assert windowed.over_mean == pytest.approx(windowed.gpus / mean.gpus)


def test_what_is_unknown_stays_so(worlds, profile):
    horizon = horizon_of(worlds, profile, np.full((4, 40, 3), np.nan))
    mean, lengths, windowed = plan_logics(horizon, usd_per_gpu_hour=None)

    assert (lengths.gpus, lengths.usd, lengths.over_mean) == (None, None, None)
    assert mean.gpus > 0
    assert mean.usd is windowed.usd is None
