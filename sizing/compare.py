"""The same traffic bought every way: one cost line per option, each a sum of days over the same paths."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, cast

import numpy as np
import numpy.typing as npt

from data.catalog.prices import GpuOffer, Term
from data.traffic import Category
from data.units import MTOK
from forecasting.demand import Demand
from forecasting.spread import Spread
from sizing.api_cost import ApiPlan, api_cost
from sizing.gpu_cost import Commitment, committed_usd, on_demand_range_usd, on_demand_usd, reserved_usd
from sizing.money import CostLine

Floats = npt.NDArray[np.float64]
Option = Literal["api", "api-batch", "on-demand", "reserved-30d", "reserved-1y", "reserved-3y", "committed"]

RESERVED_TERMS: tuple[Term, ...] = ("reserved-30d", "reserved-1y")
COMMITMENTS = "(commitments)"
"""The workload that reservations in force stand under: they are paid whatever is decided for any workload."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuNeed:
    """What a workload asks of one GPU, and what that GPU is offered at.

    hourly_gpus: (S, D, 24), commitments in force already taken off (`sizing.gpu_cost.use_held`).
    offers: one offer a term; a missing term has no known price. unit_gpus: GPUs that are reserved together.
    """

    gpu: str
    hourly_gpus: Floats
    offers: Mapping[Term, GpuOffer]
    unit_gpus: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyCost:
    """One option for one workload, day by day. usd: (S, D), None where its price is unknown and note says why.

    usd_low, usd_high: (D,) means at the ends of the source's price range. paid_gpu_hours: (S, D).
    gpus: GPUs reserved in the first term, or for on demand the 80th percentile over the paths of the largest hour.
    held_gpus: (D,) GPUs that the option reserves on each day, None where it reserves none; with the need they give
    the idle hours for jobs (`sizing.gpu_cost.use_held`). provider: who sends the bill, empty where unknown.
    """

    workload: str
    option: Option
    label: str
    gpu: str | None
    usd: Floats | None
    usd_low: Floats | None
    usd_high: Floats | None
    paid_gpu_hours: Floats | None
    gpus: int | None
    source: str
    checked: date | None
    note: str = ""
    held_gpus: Floats | None = None
    provider: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedLine:
    """A cost line with the samples behind its spread, (S,) USD over the horizon on each path."""

    line: CostLine
    usd_paths: Floats | None
    gpus: int | None


def daily_costs(
    demand: Demand,
    *,
    category: Category,
    api: ApiPlan | None,
    gpus: Sequence[GpuNeed],
    batch_fraction: float | None = None,
    token_ratio: float = 1.0,
    lead_days: int = 0,
    terms: Sequence[Term] = RESERVED_TERMS,
) -> list[DailyCost]:
    """Return every option of one workload over all the demand's days: the API, then each GPU by term.

    category: only batch work can wait for the batch price. token_ratio: API tokens for each logged token.
    lead_days: days until a reservation signed today begins; until then its need is bought on demand.
    Raises UserError where the API's provider or model is not in the price list.
    """
    costs = [] if api is None else [_api(demand, api, "api", None, token_ratio)]
    if api is not None and category == "batch":
        costs.append(_api(demand, api, "api-batch", batch_fraction, token_ratio))
    for need in gpus:
        costs.append(_on_demand(demand.workload, need))
        costs += [_reserved(demand.workload, need, term, lead_days) for term in terms]
    return costs


def committed_cost(
    commitments: Sequence[Commitment], days: npt.NDArray[np.datetime64], paths: int, gpu: str
) -> DailyCost:
    """Return what reservations of one GPU in force cost over the days, a line of its own. `paths` repeats it."""
    held = [c for c in commitments if c.gpu == gpu]
    usd = committed_usd(held, days)
    hours = committed_usd([replace(c, usd_per_gpu_hour=1.0) for c in held], days)
    providers = ", ".join(dict.fromkeys(c.provider for c in held))
    return DailyCost(
        workload=COMMITMENTS,
        option="committed",
        label=f"{gpu} reserved already",
        gpu=gpu,
        usd=np.broadcast_to(usd, (paths, len(days))),
        usd_low=usd,
        usd_high=usd,
        paid_gpu_hours=np.broadcast_to(hours, (paths, len(days))),
        gpus=int(sum(c.units for c in held)),
        source=providers,
        checked=None,
        note="Paid whether used or not; the other lines are what comes on top.",
    )


def price_lines(costs: Sequence[DailyCost], demand: Demand, horizon_days: int) -> list[PricedLine]:
    """Return each option's line over the first `horizon_days` days, with its samples."""
    tokens = (demand.requests * (demand.prompt_tok + demand.output_tok))[:, :horizon_days]
    mtok = float(tokens.sum(axis=1).mean()) / MTOK
    return [_priced_line(cost, horizon_days, mtok) for cost in costs]


def cost_lines(costs: Sequence[DailyCost], demand: Demand, horizon_days: int) -> list[CostLine]:
    """Return each option's line over the first `horizon_days` days. A line is exactly the sum of its days."""
    return [priced.line for priced in price_lines(costs, demand, horizon_days)]


def _api(
    demand: Demand,
    plan: ApiPlan,
    option: Literal["api", "api-batch"],
    batch_fraction: float | None,
    token_ratio: float,
) -> DailyCost:
    batch = option == "api-batch"
    cost = api_cost(
        plan,
        demand,
        processing="batch" if batch else "standard",
        batch_fraction=batch_fraction if batch else None,
        token_ratio=token_ratio,
    )
    mean = None if cost.usd is None else cost.usd.mean(axis=0)
    return DailyCost(
        workload=demand.workload,
        option=option,
        label=f"{plan.provider}/{plan.model}" + (" batch" if batch else ""),
        gpu=None,
        usd=cost.usd,
        usd_low=mean,
        usd_high=mean,
        paid_gpu_hours=None,
        gpus=None,
        source="genai-prices" if cost.price is None else cost.price.source,
        checked=None if cost.price is None else cost.price.checked,
        note=" ".join(cost.notes),
        provider=plan.provider,
    )


def _on_demand(workload: str, need: GpuNeed) -> DailyCost:
    offer = need.offers.get("on-demand")
    if offer is None:
        return _unknown(workload, need.gpu, "on-demand", f"No on-demand price of {need.gpu} is known.")
    low, high = on_demand_range_usd(need.hourly_gpus, offer)
    largest = need.hourly_gpus.max(axis=(1, 2), initial=0.0)
    return DailyCost(
        workload=workload,
        option="on-demand",
        label=f"{need.gpu} on demand",
        gpu=need.gpu,
        usd=on_demand_usd(need.hourly_gpus, offer),
        usd_low=low,
        usd_high=high,
        paid_gpu_hours=need.hourly_gpus.sum(axis=2),
        gpus=int(np.ceil(np.quantile(largest, 0.8))),
        source=offer.source,
        checked=offer.checked,
        note=_price_note(offer),
        provider=offer.provider,
    )


def _reserved(workload: str, need: GpuNeed, term: Term, lead_days: int) -> DailyCost:
    option = cast(Option, term)
    offer, on_demand = need.offers.get(term), need.offers.get("on-demand")
    if offer is None or on_demand is None:
        missing = term if offer is None else "on-demand (for the overflow)"
        return _unknown(workload, need.gpu, option, f"No {missing} price of {need.gpu} is known.")
    first_day = min(lead_days, need.hourly_gpus.shape[1])
    cost = reserved_usd(need.hourly_gpus, offer, on_demand, unit_gpus=need.unit_gpus, first_day=first_day)
    idle = "" if cost.idle_share is None else f" {cost.idle_share:.0%} of the reserved hours are idle."
    return DailyCost(
        workload=workload,
        option=option,
        label=f"{need.gpu} {term.replace('-', ' ')}",
        gpu=need.gpu,
        usd=cost.usd,
        usd_low=cost.usd_low,
        usd_high=cost.usd_high,
        paid_gpu_hours=cost.paid_gpu_hours,
        gpus=cost.gpus[0] if cost.gpus else 0,
        source=offer.source,
        checked=offer.checked,
        note=f"{_price_note(offer)} Overflow on demand.{idle}",
        held_gpus=cost.held_gpus,
        provider=offer.provider,
    )


def _price_note(offer: GpuOffer) -> str:
    note = f"${offer.usd_per_gpu_hour:,.2f} per GPU-hour"
    if offer.usd_per_gpu_hour_high > offer.usd_per_gpu_hour_low:
        note += f", middle of ${offer.usd_per_gpu_hour_low:,.2f} to ${offer.usd_per_gpu_hour_high:,.2f}"
    return note + (f" ({offer.note.rstrip('.')})." if offer.derived and offer.note else ".")


def _unknown(workload: str, gpu: str, option: Option, note: str) -> DailyCost:
    return DailyCost(
        workload=workload,
        option=option,
        label=f"{gpu} {option.replace('-', ' ')}",
        gpu=gpu,
        usd=None,
        usd_low=None,
        usd_high=None,
        paid_gpu_hours=None,
        gpus=None,
        source="",
        checked=None,
        note=note,
    )


def _priced_line(cost: DailyCost, horizon_days: int, mtok: float) -> PricedLine:
    paths = None if cost.usd is None else cost.usd[:, :horizon_days].sum(axis=1)
    spread = None if paths is None else Spread.of(paths)
    rated = spread is not None and mtok > 0 and cost.option != "committed"
    hours = None if cost.paid_gpu_hours is None else cost.paid_gpu_hours[:, :horizon_days]
    line = CostLine(
        workload=cost.workload,
        horizon_days=horizon_days,
        option=cost.option,
        label=cost.label,
        usd=spread,
        usd_low=None if cost.usd_low is None else float(cost.usd_low[:horizon_days].sum()),
        usd_high=None if cost.usd_high is None else float(cost.usd_high[:horizon_days].sum()),
        usd_per_mtok=spread.mean / mtok if spread is not None and rated else None,
        gpu=cost.gpu,
        gpu_hours=None if hours is None else float(hours.sum(axis=1).mean()),
        source=cost.source,
        checked=cost.checked,
        note=cost.note,
    )
    return PricedLine(line=line, usd_paths=paths, gpus=cost.gpus)
