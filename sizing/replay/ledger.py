"""What a set of purchases costs against a need: the one bill that every policy and the clairvoyant get."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sizing.replay.market import UNSERVED_TIMES, ReplayTerm

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """One policy's months, each (M,). reserved + on_demand + unserved = usd; held: GPUs in force."""

    reserved_usd: Floats
    on_demand_usd: Floats
    unserved_usd: Floats
    held: Ints
    served_gpu_hours: Floats
    unserved_gpu_hours: Floats

    @property
    def usd(self) -> Floats:
        """What each month cost, unserved hours among it."""
        return self.reserved_usd + self.on_demand_usd + self.unserved_usd


def held_units(units: Ints, terms: tuple[ReplayTerm, ...]) -> Ints:
    """Return (M,) units in force in each month, of purchases (M, T).

    >>> held_units(np.array([[1, 0], [0, 2], [1, 0]]), (ReplayTerm(months=1, discount=0.1),
    ...                                                 ReplayTerm(months=12, discount=0.3)))
    array([1, 2, 3])
    """
    held = np.zeros(len(units), dtype=np.int64)
    for t, term in enumerate(terms):
        total = np.cumsum(units[:, t])
        held += total
        held[term.months :] -= total[: -term.months] if term.months < len(units) else 0
    return held


def bill(
    units: Ints,
    busy: Floats,
    hours: Floats,
    prices: Floats,
    terms: tuple[ReplayTerm, ...],
    *,
    on_demand_max_gpus: int | None = None,
) -> Bill:
    """Return the bill of purchases (M, T) against the need's busy hours (M, K) at on-demand prices (M,).

    A unit is paid from the month it is signed in, at that month's price less its discount, in every hour of its
    term that lies within the data and whose need is known: the same for all. Need above what is held is bought on
    demand, up to the cap; what is above that too is unserved.
    """
    months, most = busy.shape
    held = held_units(units, terms)
    reserved = np.zeros(months)
    for t, term in enumerate(terms):
        rate = units[:, t] * prices * (1 - term.discount)
        total = np.cumsum(rate)
        total[term.months :] -= np.cumsum(rate)[: -term.months] if term.months < months else 0
        reserved += total * hours
    above = np.concatenate([np.cumsum(busy[:, ::-1], axis=1)[:, ::-1], np.zeros((months, 1))], axis=1)
    row = np.arange(months)
    over = above[row, np.minimum(held, most)]
    missed = np.zeros(months)
    if on_demand_max_gpus is not None:
        missed = above[row, np.minimum(held + on_demand_max_gpus, most)]
    return Bill(
        reserved_usd=reserved,
        on_demand_usd=(over - missed) * prices,
        unserved_usd=UNSERVED_TIMES * missed * prices,
        held=held,
        served_gpu_hours=above[:, 0] - missed,
        unserved_gpu_hours=missed,
    )
