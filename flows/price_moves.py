"""How prices move in a plan: its settings, its prices, their paths, and every option's cost on them."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from data.catalog.price_jumps import PriceJumps, PriceKind, load_jumps
from data.catalog.prices import TERM_DAYS, GpuOffer, Term
from flows.price_settings import PriceSettings
from flows.scenario_settings import LeverSettings, UpgradeSettings
from flows.settings import LoadedPlan, WorkloadSettings
from forecasting.demand import Demand
from sizing.compare import DailyCost
from sizing.scenarios.moving import moved_cost
from sizing.scenarios.prices import PriceItem, price_paths

Floats = npt.NDArray[np.float64]
Moves = Mapping[PriceItem, Floats]
"""Multipliers (S, D) of today's prices; a price that is missing does not move."""


def plan_jumps(settings: PriceSettings) -> dict[PriceKind, PriceJumps]:
    """Return how prices jump in this plan: the catalog's, the plan's own in place of them, or not at all."""
    if not settings.scenario.jumps:
        return {}
    return {kind: settings.jumps_of(kind, ours) for kind, ours in load_jumps().items()}


def api_item(of: WorkloadSettings | LeverSettings | UpgradeSettings | None) -> PriceItem | None:
    """Return the price of the API that a workload or a change names, None where it names none."""
    return None if of is None or of.api is None else PriceItem("api", f"{of.api.provider}/{of.api.model}")


def plan_moves(plan: LoadedPlan, demand: Demand) -> dict[PriceItem, Floats]:
    """Return the paths of every price that workloads and scenarios could pay, joint over all of them.

    One API model or GPU is one price, whoever buys it. The paths are those of the plan's seed.
    """
    settings, prices = plan.settings, plan.settings.prices
    others: list[LeverSettings | UpgradeSettings] = [*settings.scenarios, *settings.stress.upgrades]
    apis = [item for each in (*settings.workloads, *others) if (item := api_item(each)) is not None]
    gpus = [gpu for each in settings.workloads for gpu in each.gpus]
    gpus += [each.gpu for each in settings.scenarios if each.gpu is not None]
    return price_paths(
        list(dict.fromkeys([*apis, *(PriceItem("gpu", gpu) for gpu in gpus)])),
        demand.days,
        paths=demand.requests.shape[0],
        seed=plan.settings.seed,
        jumps=plan_jumps(prices),
        changes=[change.to_change() for change in prices.changes],
        yearly_fall=prices.scenario.yearly_fall,
    )


def at_moving_prices(
    costs: Sequence[DailyCost],
    workload: WorkloadSettings | None,
    offers: Mapping[str, Mapping[Term, GpuOffer]],
    moves: Moves,
    *,
    lead_days: int,
) -> tuple[DailyCost, ...]:
    """Return each option on its price's paths; prices under contract stand, terms keep the price they began at.

    workload: whose API it is, None where only GPUs are asked about. lead_days: days until the first term begins.
    """
    return tuple(_at_moving_prices(cost, workload, offers, moves, lead_days) for cost in costs)


def _at_moving_prices(
    cost: DailyCost,
    workload: WorkloadSettings | None,
    offers: Mapping[str, Mapping[Term, GpuOffer]],
    moves: Moves,
    lead_days: int,
) -> DailyCost:
    item = api_item(workload) if cost.gpu is None else PriceItem("gpu", cost.gpu)
    if item is None or item not in moves or cost.option == "owned":
        return cost
    own: Mapping[Term, GpuOffer] = {} if cost.gpu is None else offers.get(cost.gpu, {})
    overflow = own.get("on-demand")
    reserved = next((own[term] for term in TERM_DAYS if term == cost.option and term in own), None)
    multipliers = moves[item]
    if overflow is not None and overflow.contract:
        multipliers = np.ones_like(multipliers)
    if reserved is None:
        return moved_cost(cost, multipliers)
    return moved_cost(
        cost,
        multipliers,
        first_day=min(lead_days, multipliers.shape[1]),
        term_days=TERM_DAYS[reserved.term],
        contract=reserved.contract,
    )
