"""Small needs and foresights for tests of replay."""

import numpy as np

from sizing.replay.market import ReplayTerm
from sizing.replay.need import scaled_need

MONTH_AND_YEAR = (ReplayTerm(months=1, discount=0.1), ReplayTerm(months=12, discount=0.4))


def waves(days=760, *, seed=7, growth=0.0, first="2023-01-05"):
    """A daily series of weeks and a slow wave, as a need of at most 40 GPUs in its first year."""
    rng = np.random.default_rng(seed)
    t = np.arange(days)
    y = 1_000 * np.exp(growth * t / 365) * (1 + 0.2 * np.sin(t / 50) + 0.15 * (t % 7 < 5))
    return scaled_need("waves", np.datetime64(first), y * rng.lognormal(0, 0.05, days))
