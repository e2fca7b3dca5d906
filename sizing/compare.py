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
from sizing.api_cost import ApiCost, ApiPlan, api_cost
from sizing.gpu_cost import Commitment, committed_usd, on_demand_range_usd, on_demand_usd, reserved_usd
from sizing.loaded import Overheads, loaded_factor
from sizing.money import CostLine, Option

Floats = npt.NDArray[np.float64]

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
    reserved_usd: Floats | None = None
    """(D,) mean USD a day of the terms alone, without the overflow above them; None where it reserves none."""
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

    category: batch work can wait for batch and flex prices, of other work the share that
    `api.wait_share` states. token_ratio: API tokens for each logged token.
    lead_days: days until a reservation signed today begins; until then its need is bought on demand.
    Raises UserError where the API's provider or model is not in the price list.
    """
    costs = [] if api is None else _api_costs(demand, api, category, batch_fraction, token_ratio)
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


def price_lines(
    costs: Sequence[DailyCost], demand: Demand, horizon_days: int, overheads: Overheads | None = None
) -> list[PricedLine]:
    """Return each option's line over the first `horizon_days` days, with its samples.

    overheads: what comes on top of a GPU bill; None leaves the fully loaded figure unknown.
    """
    tokens = (demand.requests * (demand.prompt_tok + demand.output_tok))[:, :horizon_days]
    mtok = float(tokens.sum(axis=1).mean()) / MTOK
    return [_priced_line(cost, horizon_days, mtok, overheads) for cost in costs]


def cost_lines(costs: Sequence[DailyCost], demand: Demand, horizon_days: int) -> list[CostLine]:
    """Return each option's line over the first `horizon_days` days. A line is exactly the sum of its days."""
    return [priced.line for priced in price_lines(costs, demand, horizon_days)]


def _api_costs(
    demand: Demand, plan: ApiPlan, category: Category, batch_fraction: float | None, token_ratio: float
) -> list[DailyCost]:
    """Return the standard price, then batch and flex for what can wait, and priority for what cannot."""
    standard = api_cost(plan, demand, token_ratio=token_ratio)
    costs = [_api(demand, plan, "api", standard)]
    wait = 1.0 if category == "batch" else plan.wait_share
    kinds: tuple[tuple[Literal["api-batch", "api-flex"], Literal["batch", "flex"]], ...] = (
        ("api-batch", "batch"),
        ("api-flex", "flex"),
    )
    for option, processing in kinds if wait > 0 else ():
        fraction = batch_fraction if processing == "batch" else None
        cost = api_cost(plan, demand, processing=processing, batch_fraction=fraction, token_ratio=token_ratio)
        if cost.usd is not None or option == "api-batch":
            costs.append(_api(demand, plan, option, _mixed(cost, standard, wait)))
    if category != "batch":
        cost = api_cost(plan, demand, processing="priority", token_ratio=token_ratio)
        if cost.usd is not None:
            costs.append(_api(demand, plan, "api-priority", cost))
    return costs


def _mixed(waits: ApiCost, standard: ApiCost, wait_share: float) -> ApiCost:
    """Return what it costs where only a share of the traffic can wait; the discount counts for no more."""
    if wait_share >= 1 or waits.usd is None:
        return waits
    note = f"{wait_share:.0%} of the requests can wait, as the plan states; the others pay the standard price."
    usd = None if standard.usd is None else wait_share * waits.usd + (1 - wait_share) * standard.usd
    return replace(waits, usd=usd, notes=(note, *waits.notes))


def _api(
    demand: Demand,
    plan: ApiPlan,
    option: Literal["api", "api-batch", "api-flex", "api-priority"],
    cost: ApiCost,
) -> DailyCost:
    mean = None if cost.usd is None else cost.usd.mean(axis=0)
    return DailyCost(
        workload=demand.workload,
        option=option,
        label=f"{plan.provider}/{plan.model}" + option.removeprefix("api").replace("-", " "),
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
        reserved_usd=cost.reserved_usd,
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


def _priced_line(cost: DailyCost, horizon_days: int, mtok: float, overheads: Overheads | None) -> PricedLine:
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
        usd_loaded=_loaded(cost, spread, overheads),
        unpriced_mtok=mtok if spread is None else 0.0,
    )
    return PricedLine(line=line, usd_paths=paths, gpus=cost.gpus)


def _loaded(cost: DailyCost, spread: Spread | None, overheads: Overheads | None) -> float | None:
    """Return the bill with what is assumed to come on top; the API's has nothing on top."""
    if spread is None or (overheads is None and cost.gpu is not None):
        return None
    return spread.mean if cost.gpu is None or overheads is None else spread.mean * loaded_factor(overheads)
