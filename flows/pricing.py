"""The walk's second half: fleets and prices -> needs, held and bought -> cost lines -> choices."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from data.catalog.prices import GpuOffer, Term
from data.units import DAY_S
from flows.price_moves import Moves, at_moving_prices
from flows.selfhost import Behind, behind, extra_costs
from flows.settings import LoadedPlan, WorkloadSettings
from flows.walk import RESERVED, SizedGpu, as_day
from forecasting.demand import Demand
from sizing.breakeven import Breakeven, Replica, breakeven, mean_gpu_s
from sizing.commit.term import TermDecision
from sizing.commitments import ladder
from sizing.compare import DailyCost, GpuNeed, PricedLine, daily_costs, price_lines
from sizing.decide import Choice, decide
from sizing.fleet import FleetPlan
from sizing.gpu_cost import committed_gpus, use_held
from sizing.money import SHOWN_ONLY

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What one workload's fleet takes hour by hour on each candidate GPU, (S, D, 24): bought, and held already."""

    buy: Mapping[str, Floats]
    held: Mapping[str, Floats]


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """One workload's options and choices. costs: day by day; lines, choices: by horizon; ladder: by GPU.

    costs, lines and choices are at prices that move; still_costs are the same options at today's prices.
    """

    costs: tuple[DailyCost, ...]
    lines: Mapping[int, tuple[PricedLine, ...]]
    ladder: Mapping[str, tuple[TermDecision, ...]]
    choices: Mapping[int, Choice]
    breakevens: tuple[Breakeven, ...]
    behind: Behind = field(default_factory=Behind)
    still_costs: tuple[DailyCost, ...] = ()


def share_held(
    plan: LoadedPlan,
    demands: Sequence[Demand],
    sized: Sequence[Sequence[SizedGpu]],
    instead: Mapping[tuple[int, str], Floats] | None = None,
) -> tuple[Needs, ...]:
    """Serve the needs from reservations in force first, workloads in the plan's order.

    Every candidate is asked what it would take if it were chosen, so a workload may hold a share of several kinds;
    which of them it uses is known once it has chosen (`idle_gpus`).
    instead: the need (S, D, 24) of a workload (by its place) on a GPU where it is not its own fleet's: its part of
    a shared one.
    """
    instead = instead or {}
    free = held_gpus(plan, demands[0])
    found = []
    for n, candidates in enumerate(sized):
        buy, held = {}, {}
        for each in candidates:
            if each.fleet is None:
                continue
            own = instead.get((n, each.gpu))
            need = each.fleet.hourly_gpus().astype(np.float64) if own is None else own
            served = np.minimum(need, free[each.gpu]) if each.gpu in free else np.zeros_like(need)
            if each.gpu in free:
                free[each.gpu] = free[each.gpu] - served
            buy[each.gpu], held[each.gpu] = need - served, served
        found.append(Needs(buy=buy, held=held))
    return tuple(found)


def held_gpus(plan: LoadedPlan, demand: Demand) -> dict[str, Floats]:
    """Return the GPUs that reservations in force hold in every hour, by kind, (S, D, 24)."""
    commitments = [c.to_commitment() for c in plan.settings.commitments]
    shape = (*demand.requests.shape, 24)
    return {
        gpu: np.array(np.broadcast_to(committed_gpus(commitments, gpu, demand.days)[None, :, None], shape))
        for gpu in dict.fromkeys(c.gpu for c in commitments)
    }


def idle_gpus(
    plan: LoadedPlan, priced: Sequence[Priced], needs: Sequence[Needs], demand: Demand
) -> dict[str, Floats]:
    """Return GPUs that are reserved and unused, by kind, (S, D, 24): in force already, or chosen for the first
    horizon. A reservation in force is used by the workloads that chose its kind, and idle for all others.
    """
    idle = held_gpus(plan, demand)
    for each, need in zip(priced, needs, strict=True):
        cost = chosen_cost(each.costs, each.choices[plan.settings.horizons_days[0]])
        if cost is None or cost.gpu is None:
            continue
        if cost.gpu in idle:
            idle[cost.gpu] = idle[cost.gpu] - need.held[cost.gpu]
        if cost.held_gpus is not None:
            _, spare = use_held([need.buy[cost.gpu]], cost.held_gpus)
            idle[cost.gpu] = idle[cost.gpu] + spare if cost.gpu in idle else spare
    return idle


def chosen_cost(costs: Sequence[DailyCost], choice: Choice) -> DailyCost | None:
    """Return the option that a choice stands for, None where nothing was chosen."""
    return next((c for c in costs if c.option == choice.option and c.gpu == choice.gpu), None)


def price(
    plan: LoadedPlan,
    workload: WorkloadSettings,
    demand: Demand,
    sized: Sequence[SizedGpu],
    needs: Needs,
    moves: Moves | None = None,
    bare: bool = False,
) -> Priced:
    """Price every option of one workload day by day, and choose for each horizon.

    moves: paths of the prices (`flows.price_moves.plan_moves`), None = today's prices stand. bare: without
    breakevens and what stands behind the lines, for those who ask for choices and dollars alone.
    """
    lead_days = plan.settings.lead_time_days
    api = workload.api.to_plan() if workload.api else None
    ratio = api_token_ratio(workload)
    fleets = {each.gpu: each.fleet for each in sized if each.fleet is not None}
    offers = {each.gpu: each.offers for each in sized}
    bought = [
        GpuNeed(gpu=gpu, hourly_gpus=needs.buy[gpu], offers=offers[gpu], unit_gpus=fleet.profile.gpus)
        for gpu, fleet in fleets.items()
    ]
    still = daily_costs(
        demand,
        category=workload.category,
        api=api,
        gpus=bought,
        batch_fraction=workload.api.batch_fraction if workload.api else None,
        token_ratio=ratio,
        lead_days=lead_days + plan.settings.commit.decision_days,
        terms=RESERVED,
    )
    api_usd = next((cost.usd for cost in still if cost.option == "api"), None)
    still += extra_costs(plan, workload, demand, bought, api_usd, ratio)
    terms = {
        gpu: ladder(
            needs.buy[gpu],
            offers=offers[gpu],
            start=as_day(demand.days[0]),
            lead_days=lead_days,
            decision_days=plan.settings.commit.decision_days,
            unit_gpus=fleet.profile.gpus,
        )
        for gpu, fleet in fleets.items()
    }
    signed = lead_days + plan.settings.commit.decision_days
    costs = at_moving_prices(still, workload, offers, moves or {}, lead_days=signed)
    every_term = [term for each in terms.values() for term in each]
    overheads = plan.settings.overheads.to_overheads()
    lines = {days: tuple(price_lines(costs, demand, days, overheads)) for days in plan.settings.horizons_days}
    choices = {
        days: decide([p for p in priced if p.line.option not in SHOWN_ONLY], terms=every_term)
        for days, priced in lines.items()
    }
    return Priced(
        costs=costs,
        lines=lines,
        ladder=terms,
        choices=choices,
        breakevens=() if bare else tuple(_breakevens(demand, fleets, offers, still)),
        behind=Behind()
        if bare
        else behind(plan, workload, demand, fleets, offers, still, lines, choices, bought, ratio),
        still_costs=tuple(still),
    )


def api_token_ratio(workload: WorkloadSettings) -> float:
    """Return API tokens for each token of the planned model: the demand is already in those."""
    return workload.api.token_ratio / workload.token_ratio if workload.api else 1.0


def hosting_gpu(priced: Priced, days: int) -> str | None:
    """Return the GPU that serves the workload over a horizon, or would if the API is chosen instead.

    The chosen one, else the one whose cheapest option costs least; None where no GPU has a known price.
    """
    choice = priced.choices[days]
    if choice.gpu is not None:
        return choice.gpu
    known = [p.line for p in priced.lines[days] if p.line.gpu is not None and p.line.usd is not None]
    return min(known, key=lambda line: line.usd.mean if line.usd else np.inf).gpu if known else None


def hosting_need(sized: Sequence[SizedGpu], priced: Priced, days: int) -> tuple[str, Ints]:
    """Return the GPU that serves the workload over a horizon, or would without the API, and its (S, D) need."""
    gpu = hosting_gpu(priced, days)
    fleets = {each.gpu: each.fleet for each in sized if each.fleet is not None}
    name = gpu if gpu in fleets else next(iter(fleets))
    return name, fleets[name].need_gpus


def _breakevens(
    demand: Demand,
    fleets: Mapping[str, FleetPlan],
    offers: Mapping[str, Mapping[Term, GpuOffer]],
    costs: Sequence[DailyCost],
) -> Iterator[Breakeven]:
    """Compare each fleet with the API at what the whole year's requests cost there."""
    api = next((cost.usd for cost in costs if cost.option == "api"), None)
    if api is None:
        return
    requests = float(demand.requests.sum())
    tokens = float((demand.requests * (demand.prompt_tok + demand.output_tok)).sum())
    for gpu, fleet in fleets.items():
        on_demand = offers[gpu].get("on-demand")
        if on_demand is None:
            continue
        yield breakeven(
            Replica(
                gpus=fleet.profile.gpus,
                gpu_s_per_request=mean_gpu_s(fleet.profile, demand),
                utilisation=fleet.busy_share(),
                error_p10=fleet.profile.error_p10,
                error_p90=fleet.profile.error_p90,
            ),
            on_demand,
            api_usd_per_request=float(api.sum()) / requests,
            tok_per_request=tokens / requests,
            now_qps=float(demand.requests[:, :30].mean()) / DAY_S,
        )
