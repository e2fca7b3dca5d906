"""What the API lists: prices of the pinned `genai-prices`, read offline.

Nothing here reaches the network. The copy of the price list that the installed package carries is the only
one read; `UpdatePrices`, which would fetch a newer one, is never started.
"""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from data.errors import UserError
from data.units import MTOK

if TYPE_CHECKING:
    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import ModelInfo, ModelPrice, Provider, StartDateConstraint, TimeOfDateConstraint

Floats = npt.NDArray[np.float64]
Processing = Literal["standard", "batch", "flex", "priority"]

_CONTEXT: dict[Processing, dict[str, str]] = {
    "standard": {},
    "batch": {"processing": "batch"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
}
TOKEN_KINDS = (
    "input",
    "cached input",
    "output",
    "cache write",
    "cache write kept an hour",
    "reasoning",
)
"""What a request's tokens are billed as, in the order of `ApiPrice.rates`."""

_RATES = (
    "input_usd_per_mtok",
    "cached_usd_per_mtok",
    "output_usd_per_mtok",
    "cache_write_usd_per_mtok",
    "cache_write_1h_usd_per_mtok",
    "reasoning_usd_per_mtok",
)
_RELEASED = {"0.2.3": date(2026, 11, 10)}
"""When a version of the list was published. Source: its release page on PyPI, checked 2026-11-23."""

_SLOT = timedelta(minutes=30)
"""Time-of-day prices in the list change on the half hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiPlan:
    """Which API a workload could use, as the price list names it, and what its bill needs beyond the logs.

    cache_write_share: share of the prompt tokens not read from the cache that are written to it, reasoning_share:
    share of the output that is reasoning; None = nobody knows, and they are billed as plain input and output.
    wait_share: share of the requests that can wait for batch or flex processing.
    """

    provider: str
    model: str
    cache_write_share: float | None = None
    reasoning_share: float | None = None
    wait_share: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiTier:
    """Prices of a whole request whose prompt is longer than threshold_tok; None as in `ApiPrice`."""

    threshold_tok: int
    input_usd_per_mtok: float
    cached_usd_per_mtok: float
    output_usd_per_mtok: float
    cache_write_usd_per_mtok: float | None = None
    cache_write_1h_usd_per_mtok: float | None = None
    reasoning_usd_per_mtok: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiPrice:
    """One model's list price at one moment: base prices, and the tiers of long requests, shortest first.

    cached_usd_per_mtok is the input price where the list states no price for cached reads (a note says so). The
    list states no price for cache writes, for those kept an hour, or for reasoning where these are None: it bills
    writes as input, hour-long ones as the others, and reasoning as output.
    """

    provider: str
    model: str
    processing: Processing
    input_usd_per_mtok: float
    cached_usd_per_mtok: float
    output_usd_per_mtok: float
    cache_write_usd_per_mtok: float | None
    usd_per_request: float
    tiers: tuple[ApiTier, ...]
    context_window_tok: int | None
    source: str
    checked: date | None
    notes: tuple[str, ...] = ()
    cache_write_1h_usd_per_mtok: float | None = None
    reasoning_usd_per_mtok: float | None = None

    def rates(self) -> Floats:
        """Return (1 + tiers, 6): USD per token of each of TOKEN_KINDS, base first."""
        steps: tuple[ApiPrice | ApiTier, ...] = (self, *self.tiers)
        return np.array([token_rates(step) for step in steps], dtype=np.float64) / MTOK

    def at_length(self, prompt_tok: float) -> "ApiPrice | ApiTier":
        """Return the prices that a request with so long a prompt pays: the highest threshold below it."""
        reached = [tier for tier in self.tiers if tier.threshold_tok < prompt_tok]
        return reached[-1] if reached else self

    def scaled(self, fraction: float, note: str) -> "ApiPrice":
        """Return the price at a fraction of itself, with the reason as a note."""
        return replace(
            self,
            **_scaled_rates(self, fraction),
            usd_per_request=self.usd_per_request * fraction,
            tiers=tuple(replace(tier, **_scaled_rates(tier, fraction)) for tier in self.tiers),
            notes=(*self.notes, note),
        )


def token_rates(step: ApiPrice | ApiTier) -> tuple[float, float, float, float, float, float]:
    """Return USD per Mtok of each of TOKEN_KINDS, with what the list bills where it states no own price."""
    write = step.input_usd_per_mtok if step.cache_write_usd_per_mtok is None else step.cache_write_usd_per_mtok
    hour = write if step.cache_write_1h_usd_per_mtok is None else step.cache_write_1h_usd_per_mtok
    output = step.output_usd_per_mtok
    reasoning = output if step.reasoning_usd_per_mtok is None else step.reasoning_usd_per_mtok
    return step.input_usd_per_mtok, step.cached_usd_per_mtok, output, write, hour, reasoning


def _scaled_rates(step: ApiPrice | ApiTier, fraction: float) -> dict[str, Any]:
    stated = {name: getattr(step, name) for name in _RATES}
    return {name: rate * fraction for name, rate in stated.items() if rate is not None}


def api_price(provider: str, model: str, *, at: datetime, processing: Processing = "standard") -> ApiPrice:
    """Return the list price in force at `at`.

    Raises UserError for a provider or model that the list does not have (with near matches), and for a model
    without prices per token or without this kind of processing.
    """
    host, info = _find(provider, model)
    listed = _listed_price(host, info, at, processing)
    if listed is None:
        raise UserError(_no_processing(host, info, processing, at.date()))
    return _read_price(host, info, listed, asked=model, processing=processing)


def batch_price(
    provider: str, model: str, *, at: datetime, batch_fraction: float | None = None
) -> tuple[ApiPrice | None, str]:
    """Return the batch price and how it is known, or None and why not.

    batch_fraction: the batch price as a fraction of the standard one, for models that the list gives no batch
    price; without it such a model has none.
    """
    host, info = _find(provider, model)
    listed = _listed_price(host, info, at, "batch")
    if listed is not None:
        return _read_price(host, info, listed, asked=model, processing="batch"), "Batch price from the list."
    if batch_fraction is None:
        return None, _no_processing(host, info, "batch", at.date())
    price = _at_fraction(api_price(provider, model, at=at), batch_fraction)
    return price, price.notes[-1]


def prices_over(
    plan: ApiPlan,
    days: Sequence[date],
    hour_share: Floats,
    *,
    processing: Processing = "standard",
    batch_fraction: float | None = None,
) -> tuple[list[tuple[ApiPrice, Floats]], str]:
    """Return each price in force over the days with the share (D,) of each day's traffic that pays it.

    hour_share: (D, 24) share of a day's traffic in each UTC hour, for prices that differ by time of day. Announced
    prices count from their day. The list is empty, with the reason, where some day has no such price.
    """
    host, info = _find(plan.provider, plan.model)
    shares: dict[tuple[bool, ...], tuple[ApiPrice, Floats]] = {}
    constraints = _constraints(info)
    for day, moment, weight in _moments(info, days, hour_share):
        active = tuple(c.active(moment) for c in constraints)  # all that a price depends on
        if active not in shares:
            price, reason = _price_then(host, info, moment, plan.model, processing, batch_fraction)
            if price is None:
                return [], reason
            shares[active] = (price, np.zeros(len(days)))
        shares[active][1][day] += weight
    return _merged(list(shares.values())), ""


def _merged(periods: list[tuple[ApiPrice, Floats]]) -> list[tuple[ApiPrice, Floats]]:
    """Return the periods with equal prices added up: a constraint may concern another kind of processing."""
    merged: dict[str, tuple[ApiPrice, Floats]] = {}
    for price, share in periods:
        _, total = merged.setdefault(repr(price), (price, np.zeros_like(share)))
        total += share
    return list(merged.values())


def _price_then(
    host: "Provider",
    info: "ModelInfo",
    at: datetime,
    asked: str,
    processing: Processing,
    batch_fraction: float | None,
) -> tuple[ApiPrice | None, str]:
    if processing == "batch":
        return batch_price(host.id, asked, at=at, batch_fraction=batch_fraction)
    listed = _listed_price(host, info, at, processing)
    if listed is None:
        return None, _no_processing(host, info, processing, at.date())
    return _read_price(host, info, listed, asked=asked, processing=processing), ""


def _at_fraction(price: ApiPrice, batch_fraction: float) -> ApiPrice:
    if not 0 < batch_fraction <= 1:
        raise UserError(f"batch_fraction = {batch_fraction} must lie above 0 and at most at 1; 0.5 is half price.")
    note = f"Batch price: {batch_fraction:g} of the standard price, as the plan states."
    return replace(price.scaled(batch_fraction, note), processing="batch")


def _moments(info: "ModelInfo", days: Sequence[date], hour_share: Floats) -> list[tuple[int, datetime, float]]:
    """Return (day index, moment, share of the day's traffic) at which prices have to be looked up."""
    midnights = [datetime.combine(day, time(), tzinfo=UTC) for day in days]
    if not _has_hours(info):
        return [(day, midnight, 1.0) for day, midnight in enumerate(midnights)]
    return [
        (day, midnight + slot * _SLOT, float(hour_share[day, slot // 2] / 2))
        for day, midnight in enumerate(midnights)
        for slot in range(48)
    ]


def _constraints(info: "ModelInfo") -> list["StartDateConstraint | TimeOfDateConstraint"]:
    from genai_prices.types import ModelPrice

    dated = [] if isinstance(info.prices, ModelPrice) else info.prices
    found = [p.constraint for p in dated] + [v.constraint for v in info.price_variants or ()]
    return [c for c in found if c is not None]


def _has_hours(info: "ModelInfo") -> bool:
    from genai_prices.types import TimeOfDateConstraint

    return any(isinstance(c, TimeOfDateConstraint) for c in _constraints(info))


@cache
def _installed() -> str:
    return version("genai-prices")


@cache
def _price_list() -> "DataSnapshot":
    from genai_prices.data import providers
    from genai_prices.data_snapshot import DataSnapshot

    return DataSnapshot(providers=providers, from_auto_update=False)


def _find(provider: str, model: str) -> tuple["Provider", "ModelInfo"]:
    prices = _price_list()
    try:
        host = prices.find_provider(None, provider, None)
    except LookupError:
        raise UserError(
            f"The price list (genai-prices {_installed()}) has no provider {provider!r};"
            f" {_near(provider, [p.id for p in prices.providers])}."
        ) from None
    try:
        return prices.find_provider_model(model, host, None, None)
    except LookupError:
        raise UserError(
            f"The price list (genai-prices {_installed()}) has no model {model!r} at {host.id};"
            f" {_near(model, [m.id for m in host.models])}."
        ) from None


def _near(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name.lower(), known, n=4, cutoff=0.5)
    return "did you mean " + " or ".join(close) if close else "it knows " + ", ".join(sorted(known)[:8]) + ", ..."


def _listed_price(
    host: "Provider", info: "ModelInfo", at: datetime, processing: Processing
) -> "ModelPrice | None":
    """Return the list's own price object; None where this kind of processing has no price at that moment."""
    context = _CONTEXT[processing]
    if not context:
        return info.get_prices(at)
    own = any(info is m for m in host.models)  # the list applies no variants to a model it borrows
    active = [v for v in info.price_variants or () if v.when == context]
    if not own or not any(v.constraint is None or v.constraint.active(at) for v in active):
        return None
    return info.get_prices(at, context)


def _no_processing(host: "Provider", info: "ModelInfo", processing: Processing, day: date) -> str:
    return f"genai-prices {_installed()} has no {processing} price for {host.id}/{info.id} on {day};" + (
        " state batch_fraction in the plan if your contract has one."
        if processing == "batch"
        else " use standard."
    )


def _read_price(
    host: "Provider", info: "ModelInfo", listed: "ModelPrice", *, asked: str, processing: Processing
) -> ApiPrice:
    if listed.input_mtok is None or listed.output_mtok is None:
        raise UserError(
            f"The price list has no price per input and output token for {host.id}/{info.id};"
            " name another model of that provider as the API alternative."
        )
    notes = [] if asked.lower() == info.id.lower() else [f"{asked} is priced as {host.id}/{info.id}."]
    if listed.cache_read_mtok is None:
        notes.append(f"{info.id} has no price for cached reads; cached tokens are billed as input.")
    cached = listed.input_mtok if listed.cache_read_mtok is None else listed.cache_read_mtok
    extra = (listed.cache_write_mtok, listed.cache_write_1h_mtok, listed.output_reasoning_mtok)
    rates = (listed.input_mtok, cached, listed.output_mtok, *extra)
    starts = sorted({t.start for rate in rates for t in getattr(rate, "tiers", ())})
    installed = _installed()
    return ApiPrice(
        provider=host.id,
        model=info.id,
        processing=processing,
        **_rates_above(rates, None),
        usd_per_request=0.0
        if listed.requests_kcount is None
        else float(_rate_above(listed.requests_kcount, None) or 0.0) / 1_000,
        tiers=tuple(ApiTier(threshold_tok=start, **_rates_above(rates, start)) for start in starts),
        context_window_tok=info.context_window,
        source=f"genai-prices {installed}",
        checked=_RELEASED.get(installed),
        notes=tuple(notes),
    )


def _rates_above(rates: Sequence[object], start: int | None) -> dict[str, Any]:
    return {name: _rate_above(rate, start) for name, rate in zip(_RATES, rates, strict=True)}


def _rate_above(rate: object, start: int | None) -> float | None:
    """Return the rate just above the threshold `start`, or the base rate for None; None where there is no rate."""
    from genai_prices.types import TieredPrices

    if rate is None:
        return None

    if not isinstance(rate, TieredPrices):
        return float(rate)  # type: ignore[arg-type]  # a Decimal: the list types its prices by name at run time
    reached = [t.price for t in rate.tiers if start is not None and t.start <= start]
    return float(reached[-1] if reached else rate.base)
