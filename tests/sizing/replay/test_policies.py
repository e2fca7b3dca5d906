"""Every baseline at its natural reading, on needs whose answer is known."""

import numpy as np
import pytest

from sizing.replay.foresight import AHEAD_MONTHS, summed
from sizing.replay.market import ReplayTerm
from sizing.replay.policies import OURS, POLICIES, Known

TERMS = (
    ReplayTerm(months=1, discount=0.1),
    ReplayTerm(months=3, discount=0.2),
    ReplayTerm(months=12, discount=0.5),
)
ENDS = np.arange(1, AHEAD_MONTHS + 1) * 30


def known(held=0, last_month=10.0):
    """10 GPUs always, 20 on two days of three from the second month on; the last 30 days needed `last_month`."""
    paths = np.full((64, ENDS[-1]), 10.0)
    paths[:, 30:][:, np.arange(ENDS[-1] - 30) % 3 > 0] = 20.0
    return Known(
        seen=summed(paths, ENDS, np.full((30, 1), last_month)),
        held=np.full(AHEAD_MONTHS, held, dtype=np.int64),
        prices=np.full(13, 4.0),
        terms=TERMS,
    )


@pytest.mark.parametrize(
    ("policy", "signed"),
    [
        ("on-demand", [0, 0, 0]),
        ("rolling-30d", [10, 0, 0]),
        ("rolling-90d", [0, 10, 0]),
        ("one-year", [0, 0, 20]),
        ("mix", [0, 0, 20]),
        ("look-back", [0, 0, 10]),
        ("look-back-30d", [10, 0, 0]),
        ("ladder", [0, 10, 0]),
    ],
)
def test_what_each_baseline_signs(policy, signed):
    assert POLICIES[policy](known()).tolist() == signed


@pytest.mark.parametrize("policy", POLICIES)
def test_nobody_signs_more_than_is_ever_needed(policy):
    assert POLICIES[policy](known(held=20)).sum() == 0


def test_the_recommender_believes_its_last_30_days():
    assert POLICIES["look-back"](known(last_month=17.0)).tolist() == [0, 0, 17]


def test_ours_stands_first():
    assert next(iter(POLICIES)) == OURS == "fleetcast"
