"""Provisioned API throughput: units held and paid in every hour, with what is above them at the API's price.

A third kind of reserved capacity beside reserved GPUs: the unit is sold by the hour or for a week, a month, a
quarter or a year, and carries so many input-equivalent tokens a minute. docs/money.md has the formulas.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data.catalog.provisioned import PROVISIONED_DAYS, UnitCapacity, UnitPrice
from forecasting.demand import Demand, LongShare
from sizing.bands import Band, bands

Floats = npt.NDArray[np.float64]

_SAME_THRESHOLD = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionedCost:
    """One term of one model's units. usd: (S, D) all of it, units and overflow; None where a price is unknown.

    units: of each term in order, (for hourly ones the mean held). unit_usd: (D,) the units alone. used_share: of
    the paid capacity. overflow_share: of the traffic that pays the API's price.
    """

    term: str
    usd: Floats | None
    unit_usd: Floats | None
    units: tuple[int, ...]
    used_share: float | None
    overflow_share: float | None


def input_equivalent_tok(demand: Demand, capacity: UnitCapacity, *, token_ratio: float = 1.0) -> Floats:
    """Return (S, D) input-equivalent tokens a day, NaN where the share of long prompts is not known.

        R ((P - C) + C w_cached + O w_output), long prompts by their own weights

    Unknown cached tokens count as input. token_ratio: API tokens for each token of the demand.
    """
    long = _long(demand, capacity, token_ratio)
    total = np.zeros_like(demand.requests)
    for share, weights in (
        (_rest(long), (1.0, capacity.cached_weight, capacity.output_weight)),
        (long, (capacity.long_input_weight, capacity.long_cached_weight, capacity.long_output_weight)),
    ):
        prompt = demand.prompt_tok * share[0]
        cached = np.nan_to_num(demand.cached_prompt_tok * share[1])
        total += (prompt - cached) * weights[0] + cached * weights[1] + demand.output_tok * share[2] * weights[2]
    return np.asarray(demand.requests * total * token_ratio)


def hourly_units(demand: Demand, capacity: UnitCapacity, *, token_ratio: float = 1.0) -> Floats | None:
    """Return (S, D, 24) units that each hour's tokens fill, None where what a unit carries is not published."""
    if capacity.tok_per_minute_per_unit is None:
        return None
    per_day = input_equivalent_tok(demand, capacity, token_ratio=token_ratio)
    requests = demand.requests[:, :, None]
    share = np.divide(
        demand.hourly(), requests, out=np.full((*demand.requests.shape, 24), 1 / 24), where=requests > 0
    )
    return np.asarray(per_day[:, :, None] * share / 60 / capacity.tok_per_minute_per_unit)


def peak_units(need: Floats, demand: Demand, capacity: UnitCapacity) -> int:
    """Return the units, as they are sold, that hold the busiest window of the days on 80% of the paths."""
    mean = need.mean(axis=2)
    factor = np.maximum(demand.busiest_10s_factor, need.max(axis=2) / np.where(mean > 0, mean, 1.0))
    return sold_units(float(np.quantile((mean * factor).max(axis=1), 0.8)), capacity)


def sold_units(units: float, capacity: UnitCapacity) -> int:
    """Return the least number that is sold and at least `units`: the minimum and whole increments above it.

    >>> from data.catalog.provisioned import load_provisioned
    >>> gpt = load_provisioned().find("azure", "gpt-5.2")
    >>> sold_units(105.88, gpt), sold_units(3.0, gpt)
    (110, 15)
    """
    least, step = capacity.minimum_units, capacity.increment_units
    return least + step * max(0, math.ceil((units - least) / step - 1e-9))


def provisioned_cost(
    need: Floats | None, api_usd: Floats | None, capacity: UnitCapacity, price: UnitPrice, *, first_day: int = 0
) -> ProvisionedCost:
    """Return what the traffic costs on units of this term, renewed back to back, the overflow at the API's price.

    need: (S, D, 24) units. api_usd: (S, D) what all of it costs as you go. Each term holds the number that costs
    least over its own days, and at least the minimum that is sold; until first_day all is as you go. Units by the
    hour follow the need: each hour holds what is sold for it, or none where as you go is cheaper.
    """
    if need is None or api_usd is None or np.isnan(need).any():
        return ProvisionedCost(
            term=price.term, usd=None, unit_usd=None, units=(), used_share=None, overflow_share=None
        )
    if price.term == "hourly":
        return _hourly(need, api_usd, capacity, price, first_day)
    days = PROVISIONED_DAYS[price.term]
    held = np.zeros(need.shape[1])
    for first in range(first_day, len(held), days):
        window = slice(first, first + days)
        held[window] = best_units(need[:, window], api_usd[:, window], capacity, price.hourly_usd)
    units = tuple(int(n) for n in held[first_day::days])
    return _cost(price, np.broadcast_to(held[None, :, None], need.shape), need, api_usd, units)


def best_units(need: Floats, api_usd: Floats, capacity: UnitCapacity, unit_usd_per_hour: float) -> int:
    """Return the number of units, as they are sold, whose expected cost over these days is least.

    The n-th unit pays while it is busy in at least r / a of the hours, a the API's price of what a full unit
    carries in an hour: so n is the need's quantile at 1 - r / a. The cost is convex in n, so the number sold on
    either side of it is the best.
    """
    total = float(need.sum())
    as_you_go = float(api_usd.sum()) / total if total > 0 else 0.0
    if as_you_go <= unit_usd_per_hour:
        return capacity.minimum_units
    wanted = float(np.quantile(need, 1 - unit_usd_per_hour / as_you_go))
    above = sold_units(wanted, capacity)
    options = {above, max(capacity.minimum_units, above - capacity.increment_units)}

    def cost(n: int) -> float:
        overflow = float(np.maximum(need - n, 0.0).sum())
        return n * unit_usd_per_hour * need.size + overflow * as_you_go

    return min(sorted(options), key=cost)


def unit_bands(
    need: Floats, api_usd: Floats, capacity: UnitCapacity, price: UnitPrice, *, most: int = 12
) -> tuple[Band, ...]:
    """Return how often each step of units is busy, and the share that this price asks, in at most `most` bands.

    The first band is the minimum that is sold; the others are as many increments as make `most` bands.
    """
    total = float(need.sum())
    as_you_go = float(api_usd.sum()) / total if total > 0 else 0.0
    if as_you_go <= 0:
        return ()
    step = max(capacity.increment_units, math.ceil(float(need.max()) / most))
    return bands(
        need,
        gpu=capacity.unit,
        reserved_usd_per_gpu_hour=price.hourly_usd,
        on_demand_usd_per_gpu_hour=as_you_go,
        unit_gpus=step,
    )


def _hourly(
    need: Floats, api_usd: Floats, capacity: UnitCapacity, price: UnitPrice, first_day: int
) -> ProvisionedCost:
    """Hold in each hour of the mean path what is sold for it, where that costs less than as you go."""
    mean = need.mean(axis=0)
    as_you_go = float(api_usd.sum()) / max(float(need.sum()), 1e-300)
    least, step = capacity.minimum_units, capacity.increment_units
    sold = least + step * np.maximum(0, np.ceil((mean - least) / step - 1e-9))
    held = np.where(sold * price.hourly_usd <= mean * as_you_go, sold, 0.0)
    held[:first_day] = 0.0
    if not held.any():
        held[first_day:] = least  # the dearest way to use it, but what the option would cost if it were taken
    units = (round(float(held[first_day:].mean())),) if len(held) > first_day else ()
    return _cost(price, np.broadcast_to(held[None], need.shape), need, api_usd, units)


def _cost(price: UnitPrice, held: Floats, need: Floats, api_usd: Floats, units: Sequence[int]) -> ProvisionedCost:
    overflow = np.maximum(need - held, 0.0).sum(axis=2)
    all_units = need.sum(axis=2)
    share = np.divide(overflow, all_units, out=np.zeros_like(overflow), where=all_units > 0)
    unit_usd = held[0].sum(axis=1) * price.hourly_usd
    paid, used = float(held.sum()), float(all_units.sum() - overflow.sum())
    return ProvisionedCost(
        term=price.term,
        usd=unit_usd[None, :] + api_usd * share,
        unit_usd=unit_usd,
        units=tuple(units),
        used_share=used / paid if paid else None,
        overflow_share=float(overflow.sum() / all_units.sum()) if all_units.sum() else None,
    )


def _long(demand: Demand, capacity: UnitCapacity, token_ratio: float) -> tuple[float, float, float]:
    """Return the shares of prompt, cached and output tokens that prompts above the threshold make up."""
    if capacity.long_threshold_tok is None:
        return 0.0, 0.0, 0.0
    reach = capacity.long_threshold_tok / token_ratio * (1 + _SAME_THRESHOLD)
    kept: list[LongShare] = [s for s in demand.long if s.threshold_tok <= reach]
    if not kept:
        return math.nan, math.nan, math.nan
    share = max(kept, key=lambda s: s.threshold_tok)
    return share.prompt_tok, share.cached_prompt_tok, share.output_tok


def _rest(share: tuple[float, float, float]) -> tuple[float, float, float]:
    return 1 - share[0], 1 - share[1], 1 - share[2]
