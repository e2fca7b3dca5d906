"""Costs at prices that move: what was priced at today's list, on the price's own path."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from sizing.compare import DailyCost
from sizing.scenarios.prices import at_signing

Floats = npt.NDArray[np.float64]


def moved_cost(
    cost: DailyCost,
    multipliers: Floats | None,
    *,
    first_day: int = 0,
    term_days: int = 1,
    contract: bool = False,
) -> DailyCost:
    """Return the cost with every day's dollars at that day's price on its path.

    multipliers: (S, D) of today's price, None = it does not move (unknown costs stay unknown too). What terms
    have locked in (`DailyCost.reserved_usd`), of term_days each and rolling from first_day on, pays the price of
    the day that its term began; under contract it stands. The ends of the price range move as the mean does.

        usd'(s, d) = locked(d) m(s, first day of d's term) + (usd(s, d) - locked(d)) m(s, d)
    """
    if cost.usd is None or multipliers is None:
        return cost
    usd, locked = cost.usd * multipliers, cost.reserved_usd
    if locked is not None:
        kept = np.ones_like(multipliers) if contract else at_signing(multipliers, first_day, term_days)
        usd = usd + locked[None, :] * (kept - multipliers)
        locked = locked * kept.mean(axis=0)
    before, after = cost.usd.mean(axis=0), usd.mean(axis=0)
    by = np.divide(after, before, out=np.ones_like(after), where=before > 0)
    return replace(
        cost,
        usd=np.asarray(usd),
        usd_low=None if cost.usd_low is None else cost.usd_low * by,
        usd_high=None if cost.usd_high is None else cost.usd_high * by,
        reserved_usd=locked,
    )
