"""The plan's own past decided again: its workloads, its prices, what its store knows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from data.catalog.prices import Term
from data.traffic import Traffic
from flows.settings import LoadedPlan, WorkloadSettings
from flows.walk import Facts, Past, SizedGpu, foresee, served_tokens, size
from forecasting.demand import Demand
from forecasting.tokens import mean_tokens
from reports.values.replay import PastDecisions, PastPolicy
from sizing.fleet import FleetPlan, plan_fleet
from sizing.replay.engine import Replayed, replay_needs
from sizing.replay.market import PRICE_PATHS, ReplayMarket, ReplayTerm, terms_for
from sizing.replay.need import PastNeed, month_starts
from sizing.replay.policies import OURS

Floats = npt.NDArray[np.float64]

LEAST_HISTORY_DAYS = 90
"""Days before the first decision: logs of a product are seldom years old."""
LEAST_MONTHS = 6
TERMS: tuple[tuple[int, Term], ...] = ((1, "reserved-30d"), (12, "reserved-1y"))
GPUS_PER_Y = 1e-3
"""Past needs are forecast in thousandths of a GPU, so that few GPUs are not taken for low counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanReplay:
    """One workload's past decided again; rows is empty and why_not a sentence where it cannot be."""

    workload: str
    gpu: str | None
    one_year_discount: float | None
    months: tuple[str, ...]
    rows: tuple[Replayed, ...]
    why_not: str


def replay_workloads(plan: LoadedPlan, facts: Facts, past: Past, as_of: date) -> list[PlanReplay]:
    """Replay every workload of a plan whose past before as_of is long enough."""
    found = []
    for workload, traffic in zip(plan.settings.workloads, past.traffic, strict=True):
        if why_not := too_short(traffic, as_of):  # before anything is forecast
            found.append(_unknown(workload.name, why_not))
            continue
        demand = foresee(plan, traffic, as_of).demand
        sized = size(plan, facts, workload, traffic, demand)
        found.append(replay_workload(plan, workload, traffic, demand, sized))
    return found


def replay_known(
    plan: LoadedPlan,
    workload: WorkloadSettings,
    traffic: Traffic,
    demand: Demand,
    sized: Sequence[SizedGpu],
    as_of: date,
) -> PlanReplay:
    """Replay one workload that is forecast and sized, or say why not."""
    if why_not := too_short(traffic, as_of):
        return _unknown(workload.name, why_not)
    return replay_workload(plan, workload, traffic, demand, sized)


def past_decisions(found: PlanReplay) -> PastDecisions:
    """Return the same as the page prints it, ours first."""
    flat = [row for row in found.rows if row.market.path == PRICE_PATHS[0]]
    worst: dict[str, list[float]] = {}
    for row in found.rows:
        if row.clairvoyant_usd > 0:
            worst.setdefault(row.policy, []).append(row.cost_usd / row.clairvoyant_usd)
    return PastDecisions(
        workload=found.workload,
        gpu=found.gpu,
        first_month=found.months[0] if found.months else None,
        last_month=found.months[-1] if found.months else None,
        one_year_discount=found.one_year_discount,
        hindsight_usd=flat[0].clairvoyant_usd if flat else None,
        why_not=found.why_not,
        rows=[
            PastPolicy(
                policy=row.policy,
                usd=row.cost_usd,
                regret_usd=row.regret_usd,
                regret_cvar_usd=row.regret_cvar_usd,
                unserved_gpu_hours=row.unserved_gpu_hours,
                over_hindsight=row.cost_usd / row.clairvoyant_usd if row.clairvoyant_usd > 0 else None,
                worst_over_hindsight=max(worst[row.policy]) if row.policy in worst else None,
            )
            for row in flat
        ],
    )


def too_short(traffic: Traffic, as_of: date) -> str:
    """Return why a past cannot be replayed, "" where it can."""
    first, days = _first(traffic), len(traffic.daily)
    starts = month_starts(first, days, history_days=LEAST_HISTORY_DAYS)
    if len(starts) - 1 >= LEAST_MONTHS:
        return ""
    needed = LEAST_HISTORY_DAYS + 31 * (LEAST_MONTHS + 1)
    ready = as_of + timedelta(days=max(needed - days, 1))
    return (
        f"{days} days of history are too few to decide {LEAST_MONTHS} past months again, each with"
        f" {LEAST_HISTORY_DAYS} days before it; from about {ready} there are enough."
    )


def replay_workload(
    plan: LoadedPlan,
    workload: WorkloadSettings,
    traffic: Traffic,
    demand: Demand,
    sized: Sequence[SizedGpu],
) -> PlanReplay:
    """Replay one workload on the GPU that costs least on demand, at the plan's discounts, by five price paths."""
    needs = {
        each.gpu: past_need(plan, workload, traffic, demand, each.fleet)
        for each in sized
        if each.fleet is not None and "on-demand" in each.offers
    }
    if not needs:
        return _unknown(workload.name, "No GPU that could serve it has an on-demand price.")
    by_gpu = {each.gpu: each.offers for each in sized}
    hourly = {gpu: by_gpu[gpu]["on-demand"].usd_per_gpu_hour for gpu in needs}
    gpu = min(needs, key=lambda name: float(np.nansum(needs[name].gpus)) * hourly[name])
    off = {
        months: max(1 - by_gpu[gpu][term].usd_per_gpu_hour / hourly[gpu], 0.0)
        for months, term in TERMS
        if term in by_gpu[gpu]
    }
    if 12 not in off:
        return _unknown(workload.name, f"No one-year price of {gpu} is known, so there is no term to weigh.")
    stated = [ReplayTerm(months=months, discount=discount) for months, discount in off.items()]
    markets = [
        ReplayMarket(on_demand_usd_per_gpu_hour=hourly[gpu], terms=terms_for(off[12], stated), path=path)
        for path in PRICE_PATHS
    ]
    rows = replay_needs([needs[gpu]], markets, seed=plan.settings.seed)
    return PlanReplay(
        workload=workload.name,
        gpu=gpu,
        one_year_discount=off[12],
        months=tuple(needs[gpu].month_names()),
        rows=tuple(rows),
        why_not="",
    )


def past_need(
    plan: LoadedPlan, workload: WorkloadSettings, traffic: Traffic, demand: Demand, fleet: FleetPlan
) -> PastNeed:
    """Return the GPUs that the workload's past took on a fleet as it is sized today, hour by hour.

    Days that were cut off or not seen are unknown. Hours follow today's hour-of-week profile and busy windows
    those of the newest weeks, because older ones are not kept.
    """
    daily = traffic.daily
    requests = daily["requests"].to_numpy(dtype=np.float64)
    known = np.isfinite(requests) & (daily["observed_share"].fillna(0.0).to_numpy(dtype=np.float64) >= 1.0)
    tokens = {field: _filled(mean_tokens(daily, field)) for field in ("prompt", "cached", "output")}
    days = daily.index.to_numpy().astype("datetime64[D]")
    seen = replace(
        demand,
        days=days,
        requests=np.where(known, requests, 0.0)[None],
        prompt_tok=tokens["prompt"][None],
        cached_prompt_tok=tokens["cached"][None],
        output_tok=tokens["output"][None],
        busiest_10s_factor=np.ones((1, len(days))),
        busiest=(),
        tokens=(),
        clock_shift_h=None,
    )
    taken = plan_fleet(
        served_tokens(seen, workload.token_ratio),
        traffic,
        fleet.profile,
        category=workload.category,
        mean_utilisation=plan.settings.utilisation.mean,
        window_utilisation=plan.settings.utilisation.window,
        window_percentile=plan.settings.windows.percentile,
        window_s=plan.settings.windows.window_s,
        deadline_h=workload.deadline_h,
        horizons=(),
    )
    gpus = np.where(known[:, None], taken.hourly_gpus()[0].astype(np.float64), np.nan)
    return PastNeed(
        name=workload.name,
        first=_first(traffic),
        y=gpus.mean(axis=1) / GPUS_PER_Y,
        gpus_per_y=GPUS_PER_Y,
        gpus=gpus,
        starts=month_starts(_first(traffic), len(days), history_days=LEAST_HISTORY_DAYS),
    )


def replay_sentence(found: PlanReplay) -> str:
    """Return the verdict as a person reads it: against the cheapest other policy and hindsight, at flat prices."""
    if not found.rows:
        return f"{found.workload}: unknown what the decisions would have been worth. {found.why_not}"
    flat = [row for row in found.rows if row.market.path == PRICE_PATHS[0]]
    ours = next(row for row in flat if row.policy == OURS)
    other = min((row for row in flat if row.policy != OURS), key=lambda row: row.cost_usd)
    spot = next(row for row in flat if row.policy == "on-demand")
    over = (
        "nothing was to be paid"
        if ours.clairvoyant_usd == 0
        else (f"{ours.cost_usd / ours.clairvoyant_usd:.2f} times what hindsight would have paid")
    )
    return (
        f"{found.workload}: {found.months[0]} to {found.months[-1]} decided again on {found.gpu} would have cost"
        f" ${ours.cost_usd:,.0f}, {over}; on demand ${spot.cost_usd:,.0f}, the cheapest other policy"
        f" ({other.policy}) ${other.cost_usd:,.0f}."
    )


def _first(traffic: Traffic) -> np.datetime64:
    return np.datetime64(traffic.daily.index[0], "D")


def _filled(values: Floats) -> Floats:
    """Days without a known mean take the one before them, the first ones the first that is known; else 0."""
    known = np.flatnonzero(np.isfinite(values))
    if not known.size:
        return np.zeros_like(values)
    at = np.searchsorted(known, np.arange(len(values)), side="right") - 1
    return values[known[np.maximum(at, 0)]]


def _unknown(workload: str, why_not: str) -> PlanReplay:
    return PlanReplay(workload=workload, gpu=None, one_year_discount=None, months=(), rows=(), why_not=why_not)
