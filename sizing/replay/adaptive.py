"""Our policy: what a term is worth against deciding again next month with more known, GPU by GPU."""

from functools import cache

import numpy as np
import numpy.typing as npt

from data.catalog.price_jumps import load_jumps
from sizing.replay.foresight import Foresight
from sizing.replay.market import ReplayTerm, paid_twice

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

DRIFTS_PER_YEAR = (-0.6, -0.5, -0.4, -0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.4)
STEADY_PRIOR = 0.8
"""Prior chance that the price stays where it is between rare jumps; the other drifts share the rest."""
JUMP_CHANCE = 0.02
STEP_SD = 0.005
"""Standard deviation (log) of a month's price around its drift."""
SEEN_STEPS = 6
LEAST_WEIGHT = 0.02


@cache
def jumps_per_year() -> float:
    """Return what rare jumps do to a steady price in a year, in the mean (data/catalog/price_jumps.toml)."""
    jumps = load_jumps()["gpu"]
    cut = jumps.cuts_per_year * (float(np.mean(jumps.cut_factors)) - 1)
    return cut + jumps.raises_per_year * (float(np.mean(jumps.raise_factors)) - 1)


def drift_weights(prices: Floats) -> Floats:
    """Return the posterior chance of each drift, given the on-demand prices (n,) of the months so far."""
    drifts = np.log1p(DRIFTS_PER_YEAR) / 12
    prior = np.where(drifts == 0, STEADY_PRIOR, (1 - STEADY_PRIOR) / (len(drifts) - 1))
    steps = np.diff(np.log(prices))[-SEEN_STEPS:]
    gap = (steps[:, None] - drifts[None]) / STEP_SD
    density = np.exp(-0.5 * gap**2) / (STEP_SD * np.sqrt(2 * np.pi))
    logs = np.log((1 - JUMP_CHANCE) * density + JUMP_CHANCE * 1.0).sum(axis=0) + np.log(prior)
    weight = np.exp(logs - logs.max())
    weight = np.where(weight >= LEAST_WEIGHT * weight.sum(), weight, 0.0)
    return np.asarray(weight / weight.sum())


def decide(
    seen: Foresight,
    held: Ints,
    prices: Floats,
    terms: tuple[ReplayTerm, ...],
    *,
    on_demand_max_gpus: int | None = None,
    by_group: Floats | None = None,
) -> Ints:
    """Return (T,) units to sign now.

    held: (J,) units in force in each month ahead. prices: (n,) seen so far, the last one today's. The n-th further
    unit serves band held_j + n in month j, so each unit is a problem of its own with the layers below it held.
    """
    layers = seen.busy.shape[1]
    base = np.minimum(held // seen.lot, layers)
    cap = None if on_demand_max_gpus is None else max(on_demand_max_gpus // seen.lot, 0)
    busy = paid_twice(seen.by_group if by_group is None else by_group, cap)
    at = base[:, None] + np.arange(layers)[None]
    busy = np.concatenate([busy, np.zeros_like(busy)], axis=2)
    weight = np.take_along_axis(busy, at[:, None, :], axis=2)  # (J, G, K): busy hours of the n-th further unit
    chances = drift_weights(prices)
    drift = np.log1p(np.array(DRIFTS_PER_YEAR)[chances > 0] + jumps_per_year()) / 12
    chance = chances[chances > 0]
    months = len(seen.hours)
    paid = np.concatenate([[0.0], np.cumsum(seen.hours)])
    value: list[Floats] = [np.zeros((len(drift), 1, 1))] * (months + 12 + 1)
    for j in range(months - 1, 0, -1):
        options = [weight[j][None] + _later(seen, value, j, 1, drift)]
        for term in terms:
            if term.discount > 0:
                end = min(j + term.months, months)
                due = (1 - term.discount) * (paid[end] - paid[j])
                options.append(due + _later(seen, value, j, term.months, drift))
        best = options[0]
        for option in options[1:]:
            best = np.minimum(best, option)
        value[j] = best
    now = [weight[0, 0] + _today(seen, value, 1, chance, drift)]
    sold = [t for t, term in enumerate(terms) if term.discount > 0]
    for t in sold:
        end = min(terms[t].months, months)
        now.append((1 - terms[t].discount) * paid[end] + _today(seen, value, terms[t].months, chance, drift))
    choice = np.argmin(np.array([np.broadcast_to(o, (layers,)) for o in now]), axis=0)
    units = np.zeros(len(terms), dtype=np.int64)
    for i, t in enumerate(sold):
        units[t] = int((choice == i + 1).sum()) * seen.lot
    return units


def _later(seen: Foresight, value: list[Floats], j: int, wait: int, drift: Floats) -> Floats:
    """(R, G, K): the value `wait` months after month j, as expected in each group at j, in prices of month j."""
    if j + wait >= len(seen.hours):
        return np.zeros((1, 1, 1))
    risen = np.exp(drift * wait)[:, None, None]
    return np.asarray(risen * (seen.to_group[wait][j] @ value[j + wait]))


def _today(seen: Foresight, value: list[Floats], wait: int, chance: Floats, drift: Floats) -> Floats:
    """(K,): the same for today, over the drifts that the price may turn out to have."""
    if wait >= len(seen.hours):
        return np.zeros(1)
    return np.asarray(chance @ _later(seen, value, 0, wait, drift)[:, 0])
