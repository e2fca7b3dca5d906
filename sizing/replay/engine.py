"""Past months decided again, one after the other: the same need, the same offers, every policy."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
import numpy.typing as npt

from sizing.replay.clairvoyant import clairvoyant_plan
from sizing.replay.foresight import AHEAD_MONTHS, Foresight, foresee
from sizing.replay.ledger import Bill, bill
from sizing.replay.market import SEEN_MONTHS, ReplayMarket, paid_twice
from sizing.replay.need import PastNeed
from sizing.replay.policies import OURS, POLICIES, Known, Policy

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Progress = Callable[[int, int], None]

WORST_SHARE = 0.1
"""CVaR is the mean of the worst tenth of the months."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """One policy in one cell of the grid on one need, over all decided months.

    cost_usd: unserved hours among it. clairvoyant_usd: of the same need and prices. regret_cvar_usd: mean over the
    worst tenth of the months of what the month cost above the clairvoyant's same month. bill: month by month.
    """

    name: str
    policy: str
    market: ReplayMarket
    cost_usd: float
    clairvoyant_usd: float
    served_gpu_hours: float
    unserved_gpu_hours: float
    regret_cvar_usd: float
    bill: Bill

    @property
    def regret_usd(self) -> float:
        """What knowing the future would have saved."""
        return self.cost_usd - self.clairvoyant_usd


def replay_needs(
    needs: Sequence[PastNeed],
    markets: Sequence[ReplayMarket],
    *,
    seed: int,
    workers: int = 1,
    progress: Progress | None = None,
) -> list[Replayed]:
    """Replay each need in each market, in the order of the needs; more workers, the same result."""
    found: list[Replayed] = []
    for done, part in enumerate(_spread(needs, markets, seed, min(workers, len(needs))), start=1):
        found += part
        if progress:
            progress(done, len(needs))
    return found


def replay_need(need: PastNeed, markets: Sequence[ReplayMarket], seed: int) -> list[Replayed]:
    """Replay one need in every market with every policy. What was foreseen is worked out once a month for all."""
    seen = [foresee(need, month, seed=seed) for month in range(need.months)]
    busy, hours = need.busy(), need.hours()
    found = []
    blind: dict[tuple[object, ...], Ints] = {}
    for market in markets:
        prices = market.prices(need.months)
        weight = paid_twice(busy, market.on_demand_max_gpus)

        def billed(units: Ints, market: ReplayMarket = market, prices: Floats = prices) -> Bill:
            return bill(units, busy, hours, prices, market.terms, on_demand_max_gpus=market.on_demand_max_gpus)

        best = billed(clairvoyant_plan(weight, hours, prices, market.terms))
        for name, policy in POLICIES.items():
            key = (name, market.terms, market.on_demand_max_gpus)
            if name == OURS or key not in blind:  # the others do not look at prices: one plan for all paths
                blind[key] = signed_units(policy, seen, market)
            found.append(_replayed(need.name, name, market, billed(blind[key]), best))
    return found


def signed_units(policy: Policy, seen: Sequence[Foresight], market: ReplayMarket) -> Ints:
    """Return (M, T): what a policy signs month by month, from that month's foresight and the prices so far."""
    months = len(seen)
    prices = market.seen_prices(months)
    units = np.zeros((months, len(market.terms)), dtype=np.int64)
    held = np.zeros(months + AHEAD_MONTHS, dtype=np.int64)
    for month in range(months):
        units[month] = policy(
            Known(
                seen=seen[month],
                held=held[month : month + AHEAD_MONTHS],
                prices=prices[: SEEN_MONTHS + month + 1],
                terms=market.terms,
                on_demand_max_gpus=market.on_demand_max_gpus,
            )
        )
        for t, term in enumerate(market.terms):
            held[month : month + term.months] += units[month, t]
    return units


def worst_mean(values: Floats) -> float:
    """Return the mean of the largest tenth of the values, one at least.

    >>> worst_mean(np.arange(20.0))
    18.5
    """
    count = max(1, round(WORST_SHARE * values.size))
    return float(np.sort(values)[-count:].mean())


def _replayed(name: str, policy: str, market: ReplayMarket, own: Bill, best: Bill) -> Replayed:
    return Replayed(
        name=name,
        policy=policy,
        market=market,
        cost_usd=float(own.usd.sum()),
        clairvoyant_usd=float(best.usd.sum()),
        served_gpu_hours=float(own.served_gpu_hours.sum()),
        unserved_gpu_hours=float(own.unserved_gpu_hours.sum()),
        regret_cvar_usd=worst_mean(own.usd - best.usd),
        bill=own,
    )


def _spread(
    needs: Sequence[PastNeed], markets: Sequence[ReplayMarket], seed: int, workers: int
) -> Iterator[list[Replayed]]:
    if workers <= 1:
        for need in needs:
            yield replay_need(need, markets, seed)
        return
    # A fresh interpreter per worker: a forked one would share locks of the parent's threads.
    pool = ProcessPoolExecutor(max_workers=workers, mp_context=get_context("spawn"))
    try:
        waiting: deque[Future[list[Replayed]]] = deque(pool.submit(replay_need, n, markets, seed) for n in needs)
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def by_policy(rows: Sequence[Replayed]) -> Mapping[str, list[Replayed]]:
    """Return the rows of each policy, ours first."""
    return {name: [row for row in rows if row.policy == name] for name in POLICIES}
