"""Commitments decided once for each kind of GPU, on the needs of all workloads on it, and shared out again.

Workloads that are reserved for apart leave each other's gaps unfilled. The pool reserves for the sum of their
needs; what it costs is then borne by each in the measure of its GPU-hours, so that the parts add up to the bill.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import gcd

import numpy as np
import numpy.typing as npt

from data.catalog.commit_offers import HeldOffer
from data.catalog.prices import GpuOffer, Term
from flows.price_moves import Moves, at_moving_prices
from flows.pricing import Needs, Priced, chosen_cost
from flows.settings import LoadedPlan
from flows.spend import stretches
from flows.walk import SizedGpu, as_day
from forecasting.demand import Demand
from sizing.commit.decision import CommitDecision, decide_commitments, wanted_start
from sizing.commit.market import Market, market_of_prices
from sizing.commit.recourse import DAY_HOURS, Case
from sizing.compare import DailyCost
from sizing.gpu_cost import ReservedCost, committed_gpus, reserved_usd

Floats = npt.NDArray[np.float64]
POOLED: tuple[Term, ...] = ("on-demand", "reserved-30d")
"""Choices that a pool serves; longer terms are watched and not signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """One kind of GPU and everybody on it.

    costs: what each bears, by workload, at prices that move; still_costs: the same at today's.
    idle_gpus: (S, D, 24) GPUs that are held, or will be, and unused; hour by hour, for scheduled jobs.
    apart_usd: mean bill over the plan if each reserved for itself, None where a part of it has no price.
    """

    gpu: str
    decision: CommitDecision
    costs: Mapping[str, DailyCost]
    still_costs: Mapping[str, DailyCost]
    idle_gpus: Floats
    apart_usd: float | None


def pool_commitments(
    plan: LoadedPlan,
    demands: Sequence[Demand],
    sized: Sequence[Sequence[SizedGpu]],
    needs: Sequence[Needs],
    priced: Sequence[Priced],
    moves: Moves | None = None,
) -> tuple[Pool, ...]:
    """Return a pool for each kind of GPU that a workload chose to rent, on demand or for 30 days at a time.

    moves: paths of the prices, None = today's stand. What is committed to is decided at today's prices, for a term
    keeps the price it was signed at; what it costs with the overflow is borne at the prices of its days.
    """
    gpus = dict.fromkeys(
        choice.gpu
        for each in priced
        for _, _, choice in stretches(plan.settings.horizons_days, each.choices)
        if choice.option in POOLED and choice.gpu is not None
    )
    found = (_pool(plan, gpu, demands, sized, needs, priced, moves or {}) for gpu in gpus)
    return tuple(pool for pool in found if pool is not None)


def _pool(
    plan: LoadedPlan,
    gpu: str,
    demands: Sequence[Demand],
    sized: Sequence[Sequence[SizedGpu]],
    needs: Sequence[Needs],
    priced: Sequence[Priced],
    moves: Moves,
) -> Pool | None:
    there = dict(_needs_on(plan, gpu, demands, needs, priced))
    fleets = {each.gpu: each for n, name in enumerate(_names(demands)) if name in there for each in sized[n]}
    market = _market(plan, gpu, fleets[gpu].offers, _unit(gpu, demands, sized, there))
    total = np.sum(list(there.values()), axis=0)
    days = demands[0].days
    if market is None or not market.terms:
        return None
    case = Case(need=total, start=as_day(days[0]), market=market)
    settings = plan.settings.commit
    if wanted_start(case, settings.decision_days) >= case.days:
        return None
    decision = decide_commitments(
        case, risk=settings.risk, decision_days=settings.decision_days, follow="ladder", workloads=there
    )
    held = committed_gpus([c.to_commitment() for c in plan.settings.commitments], gpu, days)
    net = np.maximum(total - held[None, :, None], 0.0)
    offers = fleets[gpu].offers
    first = wanted_start(case, settings.decision_days)
    bill = _bill(net, offers, market.unit_gpus, first, settings.max_gpus(gpu).get("reserved-30d"))
    still = {} if bill is None else dict(_shares(gpu, bill, there, priced, demands))
    paid = held + (0.0 if bill is None else bill.held_gpus)
    return Pool(
        gpu=gpu,
        decision=decision,
        costs={name: _moved(cost, offers, moves, first) for name, cost in still.items()},
        still_costs=still,
        idle_gpus=np.maximum(paid[None, :, None] - total, 0.0),
        apart_usd=_apart_usd(plan, gpu, there, priced),
    )


def borne(pools: Sequence[Pool], *, still: bool = False) -> dict[tuple[str, str], DailyCost]:
    """Return what each workload bears on each kind of GPU, at prices that move, or at today's."""
    return {
        (name, pool.gpu): cost
        for pool in pools
        for name, cost in (pool.still_costs if still else pool.costs).items()
    }


def _moved(cost: DailyCost, offers: Mapping[Term, GpuOffer], moves: Moves, first: int) -> DailyCost:
    gpu = str(cost.gpu)
    return at_moving_prices([cost], None, {gpu: offers}, moves, lead_days=first)[0]


def _names(demands: Sequence[Demand]) -> list[str]:
    return [demand.workload for demand in demands]


def _needs_on(
    plan: LoadedPlan, gpu: str, demands: Sequence[Demand], needs: Sequence[Needs], priced: Sequence[Priced]
) -> Iterator[tuple[str, Floats]]:
    """Yield each workload that rents this kind, with what it needs on the days on which it does."""
    for demand, need, each in zip(demands, needs, priced, strict=True):
        days = np.zeros(len(demand.days))
        for first, last, choice in stretches(plan.settings.horizons_days, each.choices):
            days[first:last] = choice.gpu == gpu and choice.option in POOLED
        if days.any():
            yield demand.workload, (need.buy[gpu] + need.held[gpu]) * days[None, :, None]


def _unit(
    gpu: str, demands: Sequence[Demand], sized: Sequence[Sequence[SizedGpu]], there: Mapping[str, Floats]
) -> int:
    """Return the GPUs that are reserved together: what every replica on them is made of."""
    return gcd(
        *(
            each.fleet.profile.gpus
            for name, candidates in zip(_names(demands), sized, strict=True)
            if name in there
            for each in candidates
            if each.gpu == gpu and each.fleet is not None
        )
    )


def _market(plan: LoadedPlan, gpu: str, offers: Mapping[Term, GpuOffer], unit_gpus: int) -> Market | None:
    held = tuple(
        HeldOffer(gpus=c.units, usd_per_gpu_hour=c.usd_per_gpu_hour, start=c.start, end=c.end)
        for c in plan.settings.commitments
        if c.gpu == gpu
    )
    return market_of_prices(
        offers,
        unit_gpus=unit_gpus,
        max_gpus=plan.settings.commit.max_gpus(gpu),
        held=held,
        lead_days=plan.settings.lead_time_days,
    )


def _bill(
    net: Floats, offers: Mapping[Term, GpuOffer], unit_gpus: int, first: int, most: int | None
) -> ReservedCost | None:
    """Return what the pool costs in 30-day terms, as far as they are to be had; None where none is on offer."""
    month = offers.get("reserved-30d")
    if month is None:
        return None
    return reserved_usd(net, month, offers["on-demand"], unit_gpus=unit_gpus, first_day=first, max_gpus=most)


def _shares(
    gpu: str,
    bill: ReservedCost,
    there: Mapping[str, Floats],
    priced: Sequence[Priced],
    demands: Sequence[Demand],
) -> Iterator[tuple[str, DailyCost]]:
    """Yield what each bears: the terms by its mean share of the day's GPU-hours, the overflow path by path."""
    hours = np.stack([need.sum(axis=2) for need in there.values()])
    by_path = _share(hours)
    by_day = _share(hours.mean(axis=1, keepdims=True))[:, 0]
    overflow_usd = bill.usd - bill.reserved_usd[None]
    overflow_hours = bill.paid_gpu_hours - bill.held_gpus[None] * DAY_HOURS
    own = {demand.workload: each for demand, each in zip(demands, priced, strict=True)}
    for n, name in enumerate(there):
        model = next(c for c in own[name].costs if c.option == "reserved-30d" and c.gpu == gpu)
        yield (
            name,
            replace(
                model,
                usd=bill.reserved_usd[None] * by_day[n] + overflow_usd * by_path[n],
                reserved_usd=bill.reserved_usd * by_day[n],
                usd_low=bill.usd_low * by_day[n],
                usd_high=bill.usd_high * by_day[n],
                held_gpus=bill.held_gpus * by_day[n],
                paid_gpu_hours=bill.held_gpus[None] * DAY_HOURS * by_day[n] + overflow_hours * by_path[n],
                note=f"Its share of what all workloads on {gpu} reserve together. {model.note}",
            ),
        )


def _share(hours: Floats) -> Floats:
    """Return hours (W, ...) as shares of their sum over W; equal ones where nobody needs anything."""
    total = hours.sum(axis=0)
    return np.where(total > 0, hours / np.where(total > 0, total, 1.0), 1.0 / len(hours))


def _apart_usd(plan: LoadedPlan, gpu: str, there: Mapping[str, Floats], priced: Sequence[Priced]) -> float | None:
    """Return what the same choices cost if each workload reserves for itself."""
    usd = 0.0
    for each in priced:
        if each.costs[0].workload not in there:
            continue
        for first, last, choice in stretches(plan.settings.horizons_days, each.choices):
            cost = chosen_cost(each.costs, choice)
            if choice.gpu != gpu or choice.option not in POOLED:
                continue
            if cost is None or cost.usd is None:
                return None
            usd += float(cost.usd[:, first:last].sum(axis=1).mean())
    return usd
