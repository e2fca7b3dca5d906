"""The policies that are replayed: what each signs on the first of a month, from what was known then."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sizing.replay.adaptive import decide
from sizing.replay.foresight import Foresight
from sizing.replay.market import ReplayTerm, paid_twice

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MONTH, QUARTER, YEAR = 1, 3, 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """All that a policy may use. seen: of the need; held: (J,) units in force in the months ahead; prices: (n,) on
    demand in the months so far, today's last; terms, on_demand_max_gpus: what is on offer today.
    """

    seen: Foresight
    held: Ints
    prices: Floats
    terms: tuple[ReplayTerm, ...]
    on_demand_max_gpus: int | None = None

    def cap(self) -> int | None:
        """Lots to be had on demand."""
        return None if self.on_demand_max_gpus is None else self.on_demand_max_gpus // self.seen.lot


Policy = Callable[[Known], Ints]
"""(T,) units of each term to sign now."""


def on_demand(known: Known) -> Ints:
    """Sign nothing."""
    return np.zeros(len(known.terms), dtype=np.int64)


def rolling(months: int) -> Policy:
    """Return the policy that keeps to one term: every month each further GPU that pays over it, as forecast."""

    def policy(known: Known) -> Ints:
        return _signed(known, {months: _short(known, months, known.seen.busy)})

    return policy


def mix(known: Known) -> Ints:
    """Sign one year for each GPU that pays over it, then 30 days for each further one that pays in the month."""
    year = _short(known, YEAR, known.seen.busy)
    month = _short(known, MONTH, known.seen.busy, besides=year)
    return _signed(known, {YEAR: year, MONTH: month})


def ladder(known: Known) -> Ints:
    """Sign 90 days for the GPUs that pay on nine paths in ten, 30 days for the rest that pay, no year."""
    quarter = _short(known, QUARTER, known.seen.firm)
    month = _short(known, MONTH, known.seen.busy, besides=quarter)
    return _signed(known, {QUARTER: quarter, MONTH: month})


def look_back(months: int) -> Policy:
    """Return a cloud console's recommender: the GPUs that would have paid over the last 30 days, for one term."""

    def policy(known: Known) -> Ints:
        share = paid_twice(known.seen.looked_back, known.cap())
        discount = _discount(known, months)
        if discount <= 0:
            return on_demand(known)
        paying = int(np.count_nonzero(share >= 1 - discount)) * known.seen.lot
        return _signed(known, {months: max(paying - int(known.held[0]), 0)})

    return policy


def fleetcast(known: Known) -> Ints:
    """Sign what is worth more than deciding again next month."""
    return decide(known.seen, known.held, known.prices, known.terms, on_demand_max_gpus=known.on_demand_max_gpus)


OURS = "fleetcast"

POLICIES: dict[str, Policy] = {
    OURS: fleetcast,
    "on-demand": on_demand,
    "rolling-30d": rolling(MONTH),
    "rolling-90d": rolling(QUARTER),
    "one-year": rolling(YEAR),
    "mix": mix,
    "look-back": look_back(YEAR),
    "look-back-30d": look_back(MONTH),
    "ladder": ladder,
}


def _short(known: Known, months: int, busy: Floats, *, besides: int = 0) -> int:
    """GPUs that the closed form wants held over the term (busy share >= 1 - discount), less those held today.

    Judged on the whole level and not on what is left when older terms end, because those are signed again.
    """
    discount = _discount(known, months)
    if discount <= 0:
        return 0
    share = paid_twice(busy[:months], known.cap()).sum(axis=0) / known.seen.hours[:months].sum()
    wanted = int(np.count_nonzero(share >= 1 - discount)) * known.seen.lot
    return max(wanted - int(known.held[0]) - besides, 0)


def _discount(known: Known, months: int) -> float:
    return next((term.discount for term in known.terms if term.months == months), 0.0)


def _signed(known: Known, units: dict[int, int]) -> Ints:
    return np.array([units.get(term.months, 0) for term in known.terms], dtype=np.int64)
