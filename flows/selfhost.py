"""What stands behind a workload's cost lines: full cost, what moves the breakeven, prices later, units by band."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from data.catalog.prices import GpuOffer, Term
from data.catalog.provisioned import UnitCapacity, UnitPrice, load_provisioned
from data.units import HOUR_S, MTOK
from flows.settings import LoadedPlan, WorkloadSettings
from forecasting.demand import Demand
from sizing.api_cost import api_cost
from sizing.bands import Band
from sizing.breakeven import mean_gpu_s
from sizing.breakeven_later import Later, breakeven_later
from sizing.compare import DailyCost, GpuNeed, PricedLine
from sizing.extra_costs import owned_cost, provisioned_costs, spot_cost
from sizing.fleet import FleetPlan
from sizing.loaded import LoadedCost, loaded_cost
from sizing.money import SHOWN_ONLY
from sizing.provisioned import hourly_units, unit_bands
from sizing.scenarios.prices import PriceItem, price_paths
from sizing.tornado import Bar, Case, Lengths, tornado

if TYPE_CHECKING:
    from sizing.decide import Choice

Floats = npt.NDArray[np.float64]

LATER_DAYS = 366
"""Days of a price path: the last is a year after the first."""
LATER_PATHS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """One workload's: gpu and reached are of the breakeven that is drawn; loaded: label, days, cost, Mtok."""

    gpu: str | None = None
    reached: float | None = None
    loaded: tuple[tuple[str, int, LoadedCost, float], ...] = ()
    tornado: tuple[Bar, ...] = ()
    later: tuple[tuple[str, Later], ...] = ()
    units: str = ""
    unit_bands: tuple[Band, ...] = ()
    sentence: str = ""


def units_for(plan: LoadedPlan, workload: WorkloadSettings) -> tuple[UnitCapacity, tuple[UnitPrice, ...]] | None:
    """Return the provisioned units that the workload names, or those of its API's model; None where none are."""
    if workload.api is None:
        return None
    known = load_provisioned([plan.resolve(p) for p in plan.settings.catalog.provisioned])
    named = workload.api.provisioned
    if named is not None:
        capacity = known.find(named.provider, named.model, named.deployment)
        return capacity, known.prices_of(capacity)
    found = known.capacity(workload.api.provider, workload.api.model)
    return None if found is None else (found, known.prices_of(found))


def extra_costs(
    plan: LoadedPlan,
    workload: WorkloadSettings,
    demand: Demand,
    needs: Sequence[GpuNeed],
    api_usd: Floats | None,
    token_ratio: float,
) -> list[DailyCost]:
    """Return the lines that no plan takes by itself: spot, owned GPUs, provisioned units."""
    spot, owned = plan.settings.spot.to_terms(), {o.gpu.strip().lower(): o.to_owned() for o in plan.settings.owned}
    costs = [spot_cost(demand.workload, need, spot) for need in needs if "spot" in need.offers]
    costs += [owned_cost(demand.workload, need, owned[need.gpu]) for need in needs if need.gpu in owned]
    units = units_for(plan, workload)
    if units is not None:
        capacity, prices = units
        costs += provisioned_costs(
            demand,
            capacity,
            prices,
            api_usd,
            token_ratio=token_ratio,
            lead_days=min(plan.settings.lead_time_days, len(demand.days)),
        )
    return costs


def behind(
    plan: LoadedPlan,
    workload: WorkloadSettings,
    demand: Demand,
    fleets: Mapping[str, FleetPlan],
    offers: Mapping[str, Mapping[Term, GpuOffer]],
    costs: Sequence[DailyCost],
    lines: Mapping[int, Sequence[PricedLine]],
    choices: Mapping[int, "Choice"],
    needs: Sequence[GpuNeed],
    token_ratio: float,
) -> Behind:
    """Return what stands behind the lines, for the GPU that is chosen or would cost least."""
    first = plan.settings.horizons_days[0]
    gpu = choices[first].gpu or _cheapest_gpu(lines[first])
    api = next((cost.usd for cost in costs if cost.option == "api"), None)
    if gpu is None or gpu not in fleets:
        return Behind()
    bars: tuple[Bar, ...] = ()
    later: tuple[tuple[str, Later], ...] = ()
    offer, fleet = offers[gpu].get("on-demand"), fleets[gpu]
    if api is not None and offer is not None and workload.api is not None:
        case, lengths = _case(demand, fleet, offer, api)
        bars = _bars(workload, demand, fleet, offer, case, lengths, token_ratio)
        name = f"{workload.api.provider}/{workload.api.model}"
        today = date.fromisoformat(str(demand.days[0].astype("datetime64[D]")))
        later = tuple(later_cases(case, name, gpu, today=today, seed=plan.settings.seed))
    named, rows = _unit_bands(plan, workload, demand, api, token_ratio)
    need = next(n for n in needs if n.gpu == gpu)
    return Behind(
        gpu=gpu,
        reached=fleet.busy_share(),
        loaded=tuple(_loaded(plan, demand, fleet, need, lines)),
        tornado=bars,
        later=later,
        units=named,
        unit_bands=rows,
        sentence=_sentence(lines[first], choices[first]),
    )


def _cheapest_gpu(lines: Sequence[PricedLine]) -> str | None:
    known = [p.line for p in lines if p.line.gpu and p.line.usd and p.line.option not in SHOWN_ONLY]
    return min(known, key=lambda line: line.usd.mean if line.usd else np.inf).gpu if known else None


def _loaded(
    plan: LoadedPlan, demand: Demand, fleet: FleetPlan, need: GpuNeed, lines: Mapping[int, Sequence[PricedLine]]
) -> Iterator[tuple[str, int, LoadedCost, float]]:
    """Take every priced line of this GPU apart. Work is counted on the GPUs that are bought, not on those held."""
    work_hours = fleet.profile.gpu_work_s(demand.sums()) / HOUR_S
    whole = fleet.hourly_gpus().sum(axis=2)
    bought = np.divide(need.hourly_gpus.sum(axis=2), whole, out=np.ones_like(work_hours), where=whole > 0)
    overheads = plan.settings.overheads.to_overheads()
    tokens = demand.requests * (demand.prompt_tok + demand.output_tok)
    for days, priced in lines.items():
        work = float((work_hours * bought)[:, :days].sum(axis=1).mean())
        mtok = float(tokens[:, :days].sum(axis=1).mean()) / MTOK
        for line in (p.line for p in priced if p.line.gpu == need.gpu):
            if line.usd is not None and line.gpu_hours:
                share = min(1.0, work / line.gpu_hours)
                yield line.label, days, loaded_cost(line.usd.mean, work_share=share, overheads=overheads), mtok


def _case(demand: Demand, fleet: FleetPlan, offer: GpuOffer, api: Floats) -> tuple[Case, Lengths]:
    requests = float(demand.requests.sum())
    prompt, cached, output = (
        float((demand.requests * np.nan_to_num(mean)).sum()) / requests
        for mean in (demand.prompt_tok, demand.cached_prompt_tok, demand.output_tok)
    )
    case = Case(
        gpus=fleet.profile.gpus,
        usd_per_gpu_hour=offer.usd_per_gpu_hour,
        utilisation=fleet.busy_share(),
        gpu_s=mean_gpu_s(fleet.profile, demand),
        api_usd=float(api.sum()) / requests,
        tok_per_request=prompt + output,
    )
    return case, Lengths(prompt_tok=prompt, cached_tok=cached, output_tok=output)


def _bars(
    workload: WorkloadSettings,
    demand: Demand,
    fleet: FleetPlan,
    offer: GpuOffer,
    case: Case,
    lengths: Lengths,
    token_ratio: float,
) -> tuple[Bar, ...]:
    """Draw the first 30 days' traffic with other lengths, priced and worked out again request by request."""
    month = demand.first(30)
    api = workload.api
    assert api is not None  # noqa: S101  # the caller has one

    def other(each: Lengths) -> Demand:
        prompt, output = each.prompt_tok / lengths.prompt_tok, each.output_tok / lengths.output_tok
        return scaled(month, prompt, output, each.cached_share)

    @cache
    def api_usd(each: Lengths) -> float:
        usd = api_cost(api.to_plan(), other(each), token_ratio=token_ratio).usd
        return float("nan") if usd is None else float(usd.sum() / month.requests.sum())

    def gpu_s(each: Lengths) -> float:
        return mean_gpu_s(fleet.profile, other(each))

    if not lengths.prompt_tok or not lengths.output_tok:
        return ()
    base = replace(case, api_usd=api_usd(lengths), gpu_s=gpu_s(lengths))
    bars = tornado(
        base,
        lengths,
        gpu_s=gpu_s,
        api_usd=api_usd,
        throughput_band=(fleet.profile.error_p10, fleet.profile.error_p90),
        gpu_price_range=(offer.usd_per_gpu_hour_low, offer.usd_per_gpu_hour_high),
    )
    return bars if np.isfinite([x for b in bars for x in (b.base, b.low, b.high)]).all() else ()


def scaled(demand: Demand, prompt: float, output: float, cached_share: float) -> Demand:
    """Return the demand with longer or shorter prompts and outputs, and this share of prompts from the cache."""
    tok = demand.prompt_tok * prompt
    seen = np.nan_to_num(demand.cached_prompt_tok)
    total = float((demand.requests * demand.prompt_tok).sum())
    share = float((demand.requests * seen).sum()) / total if total else 0.0
    cached = tok * cached_share if share == 0 else np.minimum(seen * prompt * cached_share / share, tok)
    return replace(
        demand,
        prompt_tok=tok,
        cached_prompt_tok=cached,
        output_tok=demand.output_tok * output,
        long=tuple(replace(s, threshold_tok=round(s.threshold_tok * prompt)) for s in demand.long),
    )


def later_cases(case: Case, api_name: str, gpu: str, *, today: date, seed: int) -> Iterator[tuple[str, Later]]:
    """Ask the same now and in 12 months: prices that stand, that jump as they have, and smooth falls by name."""
    api, card = PriceItem("api", api_name), PriceItem("gpu", gpu)
    days = np.datetime64(today, "D") + np.arange(LATER_DAYS)
    yield "now", breakeven_later(case, "prices of today", api_factor=1.0, gpu_factor=1.0)
    jumps = price_paths([api, card], days, paths=LATER_PATHS, seed=seed)
    yield (
        "in 12 months",
        breakeven_later(
            case, "prices jump as they have", api_factor=jumps[api][:, -1], gpu_factor=jumps[card][:, -1]
        ),
    )
    for name, api_factor, gpu_factor in (
        ("the API falls by half", 0.5, 1.0),
        ("GPUs fall by 30%", 1.0, 0.7),
        ("both: API by half, GPUs by 30%", 0.5, 0.7),
    ):
        yield "in 12 months", breakeven_later(case, name, api_factor=api_factor, gpu_factor=gpu_factor)


def _unit_bands(
    plan: LoadedPlan, workload: WorkloadSettings, demand: Demand, api: Floats | None, token_ratio: float
) -> tuple[str, tuple[Band, ...]]:
    units = units_for(plan, workload)
    if units is None or api is None or not units[1]:
        return "", ()
    capacity, prices = units
    need = hourly_units(demand.first(30), capacity, token_ratio=token_ratio)
    if need is None or np.isnan(need).any():
        return "", ()
    price = next((p for p in prices if p.term == "monthly"), prices[0])
    rows = unit_bands(need, api[:, :30], capacity, price)
    return f"{capacity.provider}/{capacity.model}, {capacity.unit} by the {_word(price)}", rows


def _word(price: UnitPrice) -> str:
    return {"hourly": "hour", "weekly": "week", "monthly": "month", "quarterly": "quarter", "yearly": "year"}.get(
        price.term, "half year"
    )


def _sentence(lines: Sequence[PricedLine], choice: "Choice") -> str:
    """Say where an option that is only shown would cost less than what was chosen."""
    shown = [p.line for p in lines if p.line.option in SHOWN_ONLY and p.line.usd is not None]
    if choice.usd is None or not shown:
        return ""
    best = min(shown, key=lambda line: line.usd.mean if line.usd else np.inf)
    mean = best.usd.mean if best.usd else np.inf
    if mean >= choice.usd:
        return ""
    return (
        f"{best.label} would cost ${mean:,.0f} over {best.horizon_days} days, ${choice.usd - mean:,.0f} less than"
        " what was chosen; it is shown, not chosen, for the reason in its note."
    )
