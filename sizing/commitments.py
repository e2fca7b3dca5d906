"""The ladder of one need at a plan's prices: commit on 30 days, hedge on 90, watch on 365."""

from collections.abc import Mapping
from datetime import date

import numpy as np
import numpy.typing as npt

from data.catalog.prices import GpuOffer, Term
from sizing.commit.decision import ladder_of, wanted_start
from sizing.commit.grid import bounds_of, starts_of
from sizing.commit.market import market_of_prices
from sizing.commit.recourse import Case, recourse
from sizing.commit.term import TermDecision

Floats = npt.NDArray[np.float64]


def ladder(
    hourly_gpus: Floats,
    *,
    offers: Mapping[Term, GpuOffer],
    start: date,
    lead_days: int = 7,
    decision_days: int = 0,
    unit_gpus: int = 1,
) -> tuple[TermDecision, ...]:
    """Return the ladder over the paths: commit on 30 days, hedge on 90, watch on 365.

    hourly_gpus: (S, D, 24), its first day `start`, commitments in force already taken off. A term is wanted as
    soon as a signature within decision_days can give it, so it begins lead_days + decision_days in, and is to be
    decided by `start` + decision_days. The 30-day offer is decided for that term (commit) and for the two after
    it (hedge), the one-year offer for the year (watch). A term without an offer, or past the planned days, has no
    row.
    """
    market = market_of_prices(offers, unit_gpus=unit_gpus, lead_days=lead_days)
    if market is None or not market.terms:
        return ()
    case = Case(need=hourly_gpus, start=start, market=market)
    first = wanted_start(case, decision_days)
    if first >= case.days:
        return ()
    return ladder_of(case, recourse(case, bounds_of(case, starts_of(case, first))), first)
