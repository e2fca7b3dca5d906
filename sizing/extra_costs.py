"""Ways to buy the same traffic that no plan takes by itself: spot, owned GPUs, provisioned API throughput.

They stand beside the other cost lines. None of them is chosen: spot may be taken away, owned GPUs bind for years,
and provisioned units are bought from the vendor's own console; the page says where one of them would cost less.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data.catalog.provisioned import UnitCapacity, UnitPrice
from data.errors import UserError
from forecasting.demand import Demand
from sizing.compare import DailyCost, Floats, GpuNeed
from sizing.loaded import OwnedGpu
from sizing.money import PROVISIONED_OPTIONS, Option
from sizing.provisioned import ProvisionedCost, hourly_units, peak_units, provisioned_cost

_TERM_WORDS = {
    "hourly": "by the hour",
    "weekly": "by the week",
    "monthly": "by the month",
    "quarterly": "by the quarter",
    "half-yearly": "by the half year",
    "yearly": "by the year",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SpotTerms:
    """What interruptions cost, both assumptions: work done twice and restarts, and hours without any spot GPU.

    overhead: GPU-hours on top of the need. fallback: share of the need that is bought on demand instead.
    """

    overhead: float = 0.10
    fallback: float = 0.10

    def __post_init__(self) -> None:
        """Refuse shares that cannot be."""
        if not 0 <= self.overhead < float("inf") or not 0 <= self.fallback <= 1:
            raise UserError(
                f"spot.overhead = {self.overhead} must be 0 or more and spot.fallback = {self.fallback} at most 1."
            )


def spot_cost(workload: str, need: GpuNeed, terms: SpotTerms) -> DailyCost:
    """Return what the need costs on spot GPUs, the fallback on demand.

    need ((1 - fallback) (1 + overhead) p_spot + fallback p_on-demand)
    """
    spot, on_demand = need.offers.get("spot"), need.offers.get("on-demand")
    if spot is None or on_demand is None:
        why = f"No spot price of {need.gpu} is known in this table of prices."
        return _unknown(workload, "spot", f"{need.gpu} spot", need.gpu, why)
    hours = need.hourly_gpus.sum(axis=2)
    bought, back = hours * (1 - terms.fallback) * (1 + terms.overhead), hours * terms.fallback

    def usd(spot_usd: float, on_demand_usd: float) -> Floats:
        return np.asarray(bought * spot_usd + back * on_demand_usd)

    low = usd(spot.usd_per_gpu_hour_low, on_demand.usd_per_gpu_hour_low).mean(axis=0)
    high = usd(spot.usd_per_gpu_hour_high, on_demand.usd_per_gpu_hour_high).mean(axis=0)
    return DailyCost(
        workload=workload,
        option="spot",
        label=f"{need.gpu} spot",
        gpu=need.gpu,
        usd=usd(spot.usd_per_gpu_hour, on_demand.usd_per_gpu_hour),
        usd_low=low,
        usd_high=high,
        paid_gpu_hours=bought + back,
        gpus=int(np.ceil(np.quantile(need.hourly_gpus.max(axis=(1, 2), initial=0.0), 0.8))),
        source=spot.source,
        checked=spot.checked,
        note=(
            f"${spot.usd_per_gpu_hour:,.2f} per GPU-hour. Interruptions are assumed to add {terms.overhead:.0%} of"
            f" work done twice, and {terms.fallback:.0%} of the need to find no spot GPU and be bought on demand."
            " May be taken away at any time: shown, never chosen."
        ),
        provider=spot.provider,
    )


def owned_cost(workload: str, need: GpuNeed, owned: OwnedGpu) -> DailyCost:
    """Return what the need costs on GPUs of one's own, as many as its largest hour on 80% of the paths asks.

    Every GPU stands (value lost, upkeep, idle power) in every hour, and draws power in those that it works.
    """
    gpus = int(np.ceil(np.quantile(need.hourly_gpus.max(axis=(1, 2), initial=0.0), 0.8)))
    unit = need.unit_gpus
    gpus = -(-gpus // unit) * unit
    busy = need.hourly_gpus.sum(axis=2)
    usd = gpus * 24 * owned.standing_usd_per_hour + busy * owned.work_usd_per_hour
    mean = usd.mean(axis=0)
    return DailyCost(
        workload=workload,
        option="owned",
        label=f"{need.gpu} owned",
        gpu=need.gpu,
        usd=np.asarray(usd),
        usd_low=mean,
        usd_high=mean,
        paid_gpu_hours=np.full_like(busy, gpus * 24.0),
        gpus=gpus,
        source=owned.source,
        checked=owned.checked,
        note=(
            f"{gpus} GPUs stand at ${owned.standing_usd_per_hour:,.2f} an hour (${owned.capex_usd:,.0f} over"
            f" {owned.life_years:g} years, upkeep, idle power); an hour of work adds"
            f" ${owned.work_usd_per_hour:,.3f} of power ({owned.kw:g} kW, PUE {owned.pue:g},"
            f" ${owned.usd_per_kwh:g} per kWh). Binds for years: shown, never chosen."
        ),
    )


def provisioned_costs(
    demand: Demand,
    capacity: UnitCapacity,
    prices: Sequence[UnitPrice],
    api_usd: Floats | None,
    *,
    token_ratio: float = 1.0,
    lead_days: int = 0,
) -> list[DailyCost]:
    """Return a line for each term that units of this model are sold for; one without a price where none is."""
    need = hourly_units(demand, capacity, token_ratio=token_ratio)
    name = f"{capacity.provider}/{capacity.model} {capacity.unit}"
    if not prices:
        why = (
            f"No price of a {capacity.unit} for {capacity.provider}/{capacity.model} is published. {capacity.note}"
        )
        return [_unknown(demand.workload, "provisioned-monthly", name, None, why.strip())]
    peak = None if need is None else peak_units(need, demand, capacity)
    return [
        _provisioned_line(
            demand.workload,
            f"{name} {_TERM_WORDS[price.term]}",
            capacity,
            price,
            provisioned_cost(need, api_usd, capacity, price, first_day=lead_days),
            peak,
        )
        for price in prices
    ]


def _provisioned_line(
    workload: str, label: str, capacity: UnitCapacity, price: UnitPrice, cost: ProvisionedCost, peak: int | None
) -> DailyCost:
    option = PROVISIONED_OPTIONS[price.term]
    if cost.usd is None:
        why = (
            f"What a {capacity.unit} carries of {capacity.model} is not published. {capacity.note}"
            if capacity.tok_per_minute_per_unit is None
            else "The API's price, or the share of long prompts, is not known: no cost can be given."
        )
        return _unknown(workload, option, label, None, why.strip())
    mean = cost.usd.mean(axis=0)
    return DailyCost(
        workload=workload,
        option=option,
        label=label,
        gpu=None,
        usd=cost.usd,
        usd_low=mean,
        usd_high=mean,
        paid_gpu_hours=None,
        gpus=cost.units[0] if cost.units else 0,
        source=price.source,
        checked=price.checked,
        note=_provisioned_note(capacity, price, cost, peak),
        provider=price.provider,
    )


def _provisioned_note(capacity: UnitCapacity, price: UnitPrice, cost: ProvisionedCost, peak: int | None) -> str:
    units = cost.units[0] if cost.units else 0
    mean = " on average" if price.term == "hourly" else ""
    used = "" if cost.used_share is None else f", {cost.used_share:.0%} used"
    over = (
        "" if cost.overflow_share is None else f"; {cost.overflow_share:.0%} of the traffic overflows to the API"
    )
    busiest = "" if peak is None else f" The busiest window would take {peak:,}."
    return (
        f"{units:,} {capacity.unit}{mean} at ${price.hourly_usd:,.4g} an hour each,"
        f" {capacity.tok_per_minute_per_unit:,.0f} input tokens a minute (an output token"
        f" counts {capacity.output_weight:g}, a cached one {capacity.cached_weight:g};"
        f" sold from {capacity.minimum_units}){used}{over}.{busiest}"
    )


def _unknown(workload: str, option: Option, label: str, gpu: str | None, note: str) -> DailyCost:
    return DailyCost(
        workload=workload,
        option=option,
        label=label,
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
