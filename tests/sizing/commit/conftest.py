from datetime import date

import numpy as np
import pytest

from data.catalog.commit_offers import Offers, TermOffer
from sizing.commit.market import market_of
from sizing.commit.recourse import Case

START = date(2026, 11, 23)
HOURLY = 3.0


@pytest.fixture(scope="session")
def cases():
    """Return a maker of cases: a need over paths, and what its GPU can be bought for."""
    return make_case


def make_case(need, terms=((30, 0.1),), *, price_index=None, start=START, **offers) -> Case:
    """terms: (days, discount) or a TermOffer. need: (S, D, 24), or one number for 60 days of it."""
    sold = tuple(
        t if isinstance(t, TermOffer) else TermOffer(name=f"{t[0]} days", days=t[0], discount=t[1]) for t in terms
    )
    hours = np.full((1, 60, 24), float(need)) if np.isscalar(need) else np.asarray(need, dtype=float)
    market = market_of(Offers(gpu="h100", on_demand_usd_per_gpu_hour=HOURLY, terms=sold, **offers))
    return Case(need=hours, start=start, market=market, price_index=price_index)


@pytest.fixture(scope="session")
def random_needs():
    """Return a maker of needs (S, D, 24) in whole GPUs, which drift apart and breathe with the day."""

    def make(days, *, paths=20, seed=3, level=6.0, wave=4.0, spread=0.03):
        rng = np.random.default_rng(seed)
        drift = np.exp(np.cumsum(rng.normal(0, spread, (paths, days)), axis=1))
        return np.ceil(drift[:, :, None] * (level + wave * np.sin(np.arange(24) / 24 * 2 * np.pi)))

    return make
