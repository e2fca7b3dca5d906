"""What the API charges for traffic: every request billed at the tier of its own length."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from forecasting.demand import Demand, LongShare
from sizing.price_list import ApiPlan, ApiPrice, ApiTier, Processing, api_price, batch_price, prices_over

__all__ = [
    "ApiCost",
    "ApiPlan",
    "ApiPrice",
    "ApiTier",
    "Processing",
    "api_cost",
    "api_price",
    "batch_price",
    "demand_api_usd",
    "request_usd",
    "tier_notes",
]

Floats = npt.NDArray[np.float64]

_SAME_THRESHOLD = 0.001
"""Thresholds this close are taken for one: the list has both 199,999 and 200,000 for the same step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCost:
    """USD per path and day, (S, D), or None where the list has no such price; notes say why and what was assumed.

    price: the one in force on the first day.
    """

    usd: Floats | None
    price: ApiPrice | None
    notes: tuple[str, ...]


def request_usd(
    price: ApiPrice,
    prompt_tok: npt.ArrayLike,
    cached_tok: npt.ArrayLike,
    output_tok: npt.ArrayLike,
    *,
    cache_write_tok: npt.ArrayLike = 0.0,
    cache_write_1h_tok: npt.ArrayLike = 0.0,
    reasoning_tok: npt.ArrayLike = 0.0,
) -> Floats:
    """Return USD for each request; the lengths broadcast. The whole request pays the tier of its prompt.

    usd = ((P - C - W) input + C cached + W write + (O - Z) output + Z reasoning) / 1e6, at the prices of the
    highest threshold below P. Cached reads and writes are part of the prompt, reasoning Z of the output;
    cache_write_1h_tok are the writes that are kept an hour.
    """
    prompt, cached, output, write, hour, reasoning = np.broadcast_arrays(
        *(
            np.asarray(x, dtype=np.float64)
            for x in (prompt_tok, cached_tok, output_tok, cache_write_tok, cache_write_1h_tok, reasoning_tok)
        )
    )
    thresholds = np.array([t.threshold_tok for t in price.tiers], dtype=np.float64)
    rate = price.rates()[np.searchsorted(thresholds, prompt, side="left")]
    tokens = (prompt - cached - write, cached, output - reasoning, write - hour, hour, reasoning)
    return np.asarray(sum(tok * rate[..., k] for k, tok in enumerate(tokens)) + price.usd_per_request)


def demand_api_usd(
    price: ApiPrice,
    demand: Demand,
    *,
    token_ratio: float = 1.0,
    cache_write_share: float | None = None,
    reasoning_share: float | None = None,
) -> Floats:
    """Return (S, D) USD of each path and day if every request went to the API at this price.

    Linear in requests and token sums within each tier, and `demand.long` has those sums above each threshold,
    so the total is what billing request by request gives (`tier_notes` says where a threshold is not kept).
    token_ratio: tokens of this model's tokenizer for each token logged. cache_write_share: of the prompt tokens
    that were not read from the cache, reasoning_share: of the output (`ApiPlan`).
    NaN where a tier's share of the traffic is not known. Unknown cached tokens get no discount.
    """
    rates, shares = price.rates(), _tier_shares(price, demand, token_ratio)
    prompt, output = demand.prompt_tok * token_ratio, demand.output_tok * token_ratio
    cached = demand.cached_prompt_tok * token_ratio
    per_request = np.full_like(demand.requests, price.usd_per_request)
    write_of, think_of = cache_write_share or 0.0, reasoning_share or 0.0
    for rate, (_, prompt_share, cached_share, output_share) in zip(rates, shares, strict=True):
        cached_here = np.nan_to_num(cached * cached_share)
        uncached = prompt * prompt_share - cached_here
        per_request += uncached * ((1 - write_of) * rate[0] + write_of * rate[3]) + cached_here * rate[1]
        per_request += output * output_share * ((1 - think_of) * rate[2] + think_of * rate[5])
    return np.asarray(demand.requests * per_request)


def tier_notes(price: ApiPrice, demand: Demand, *, token_ratio: float = 1.0) -> tuple[str, ...]:
    """Return a sentence for each tier whose threshold is not one that the traffic is kept for."""
    notes = []
    for tier in price.tiers:
        share = _share_above(demand, tier.threshold_tok / token_ratio)
        if share is None:
            notes.append(
                f"{price.model} costs more above {tier.threshold_tok:,} tokens, and the share of requests above"
                " that length is not known: no cost can be given."
            )
        elif abs(share.threshold_tok * token_ratio / tier.threshold_tok - 1) > _SAME_THRESHOLD:
            notes.append(
                f"{price.model} costs more above {tier.threshold_tok:,} tokens; requests above"
                f" {share.threshold_tok:,} logged tokens, the nearest length kept below, are billed so, at most."
            )
    if price.cached_usd_per_mtok < price.input_usd_per_mtok and np.isnan(demand.cached_prompt_tok).any():
        notes.append("Cached tokens are not known on some days; no cache discount is counted there.")
    if (window := _window_note(price, demand, token_ratio)) is not None:
        notes.append(window)
    return tuple(notes)


def api_cost(
    plan: ApiPlan,
    demand: Demand,
    *,
    processing: Processing = "standard",
    batch_fraction: float | None = None,
    token_ratio: float = 1.0,
) -> ApiCost:
    """Return what the traffic costs at this API over the demand's days, following dated and time-of-day prices.

    A price that the list announces for a later day counts from that day; where prices differ by time of day,
    each hour's share of the traffic pays its own.
    """
    days = demand.days.astype("datetime64[D]").tolist()
    hour_share = replace(demand, requests=np.ones((1, len(days)))).hourly()[0]
    periods, reason = prices_over(plan, days, hour_share, processing=processing, batch_fraction=batch_fraction)
    if not periods:
        return ApiCost(usd=None, price=None, notes=(reason,))
    usd = np.zeros_like(demand.requests)
    for price, share in periods:
        usd += share[None, :] * demand_api_usd(
            price,
            demand,
            token_ratio=token_ratio,
            cache_write_share=plan.cache_write_share,
            reasoning_share=plan.reasoning_share,
        )
    first = periods[0][0]
    notes = dict.fromkeys(
        note
        for p, _ in periods
        for note in (*p.notes, *tier_notes(p, demand, token_ratio=token_ratio), *_shape_notes(plan, p))
    )
    if len(periods) > 1:
        notes[_changes(periods)] = None
    return ApiCost(usd=None if np.isnan(usd).any() else usd, price=first, notes=tuple(notes))


def _shape_notes(plan: ApiPlan, price: ApiPrice) -> list[str]:
    """Say what the bill assumes of tokens that the list prices apart and that logs rarely tell apart."""
    notes = []
    if price.cache_write_usd_per_mtok not in (None, price.input_usd_per_mtok):
        notes.append(
            f"Cache writes cost ${price.cache_write_usd_per_mtok:g} per Mtok;"
            + (
                " how many tokens are written is not known (api.cache_write_share), so all are billed as input."
                if plan.cache_write_share is None
                else f" {plan.cache_write_share:.0%} of the uncached prompt is billed so, as the plan states."
            )
        )
    if price.reasoning_usd_per_mtok not in (None, price.output_usd_per_mtok):
        notes.append(
            f"Reasoning tokens cost ${price.reasoning_usd_per_mtok:g} per Mtok;"
            + (
                " how many there are is not known (api.reasoning_share), so all are billed as output."
                if plan.reasoning_share is None
                else f" {plan.reasoning_share:.0%} of the output is billed so, as the plan states."
            )
        )
    return notes


def _window_note(price: ApiPrice, demand: Demand, token_ratio: float) -> str | None:
    """Return the sentence about requests that this API would refuse, where some are longer than it takes."""
    window = price.context_window_tok
    if window is None:
        return None
    longer = [s for s in demand.long if s.threshold_tok * token_ratio >= window and s.requests > 0]
    if not longer:
        return None
    share = min(longer, key=lambda s: s.threshold_tok).requests
    return (
        f"{share:.2%} of requests have prompts above the context window of {price.model} ({window:,} tokens) and"
        " would be refused; they are priced all the same."
    )


def _changes(periods: list[tuple[ApiPrice, Floats]]) -> str:
    steps = "; ".join(
        f"{p.input_usd_per_mtok:g} in / {p.output_usd_per_mtok:g} out for {share.mean():.0%} of the days' traffic"
        for p, share in periods
    )
    return f"The list price of {periods[0][0].model} changes within the horizon (USD per Mtok): {steps}."


def _tier_shares(price: ApiPrice, demand: Demand, token_ratio: float) -> list[tuple[float, float, float, float]]:
    """Return the shares of requests, prompt, cached and output sums in the base tier and in each later one."""
    above = [(1.0, 1.0, 1.0, 1.0)]
    for tier in price.tiers:
        share = _share_above(demand, tier.threshold_tok / token_ratio)
        unknown = (np.nan,) * 4
        above.append(
            unknown
            if share is None
            else (share.requests, share.prompt_tok, share.cached_prompt_tok, share.output_tok)
        )
    above.append((0.0, 0.0, 0.0, 0.0))
    return [(a[0] - b[0], a[1] - b[1], a[2] - b[2], a[3] - b[3]) for a, b in pairwise(above)]


def _share_above(demand: Demand, threshold_tok: float) -> LongShare | None:
    """Return the kept share at this length, or at the nearest one below; None where there is none."""
    reach = threshold_tok * (1 + _SAME_THRESHOLD)
    kept = [s for s in demand.long if s.threshold_tok <= reach]
    return max(kept, key=lambda s: s.threshold_tok, default=None)
