"""What one kind of GPU can be bought for, as the decision reads it: overflow by merit order, and terms."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from math import gcd

from data.catalog.commit_offers import UNSERVED_TIMES_ON_DEMAND, BatchOffer, HeldOffer, Offers
from data.catalog.prices import TERM_DAYS, GpuOffer, Term

TERM_WORDS: dict[Term, str] = {"reserved-30d": "30 days", "reserved-1y": "1 year", "reserved-3y": "3 years"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One way to serve what is not held, up to max_gpus at once; None = any number."""

    name: str
    usd_per_gpu_hour: float
    max_gpus: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketTerm:
    """One term on offer. max_gpus: to be had at once, None = any number. upfront_fraction: due at the start.

    option: what the price catalog calls it, empty where it is from a file of offers.
    """

    name: str
    days: int
    usd_per_gpu_hour: float
    unit_gpus: int = 1
    max_gpus: int | None = None
    upfront_fraction: float = 0.0
    option: str = ""
    source: str = ""
    checked: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """Everything that one kind of GPU can be bought for.

    tiers: what serves the need above what is held, cheapest first; the last takes any number.
    batch_usd_per_gpu_hour: the cheapest way to do work that can wait outside of held GPUs, never dearer than the
    first tier. terms: shortest first. held: commitments in force. on_demand_usd_per_gpu_hour: what savings and
    discounts are against.
    """

    gpu: str
    on_demand_usd_per_gpu_hour: float
    tiers: tuple[Tier, ...]
    batch_usd_per_gpu_hour: float
    terms: tuple[MarketTerm, ...]
    held: tuple[HeldOffer, ...] = ()
    batch: tuple[BatchOffer, ...] = ()
    lead_days: int = 0

    @property
    def unit_gpus(self) -> int:
        """GPUs of a band: the largest number that every term's unit is made of."""
        return gcd(*(term.unit_gpus for term in self.terms)) or 1


def market_of(offers: Offers) -> Market:
    """Return the market that OFFERS.toml describes."""
    tiers = [Tier(name="on demand", usd_per_gpu_hour=offers.on_demand_usd_per_gpu_hour,
                  max_gpus=offers.on_demand_max_gpus)]  # fmt: skip
    if offers.spot_usd is not None and offers.spot_max_gpus:
        tiers.append(Tier(name="spot", usd_per_gpu_hour=offers.spot_usd, max_gpus=offers.spot_max_gpus))
    if offers.api_usd_per_gpu_hour is not None:
        tiers.append(Tier(name="API", usd_per_gpu_hour=offers.api_usd_per_gpu_hour))
    tiers.append(Tier(name="unserved", usd_per_gpu_hour=offers.unserved_usd))
    served = merit_order(tiers)
    waits = [price for price in (offers.spot_usd, offers.api_batch_usd_per_gpu_hour) if price is not None]
    return Market(
        gpu=offers.gpu,
        on_demand_usd_per_gpu_hour=offers.on_demand_usd_per_gpu_hour,
        tiers=served,
        batch_usd_per_gpu_hour=min([*waits, served[0].usd_per_gpu_hour]),
        terms=tuple(
            sorted(
                (
                    MarketTerm(
                        name=term.name,
                        days=term.days,
                        usd_per_gpu_hour=offers.term_price(term),
                        unit_gpus=term.unit_gpus,
                        max_gpus=term.max_gpus,
                        upfront_fraction=term.upfront_fraction,
                        source=offers.source,
                        checked=offers.checked,
                    )
                    for term in offers.terms
                ),
                key=lambda term: term.days,
            )
        ),
        held=offers.held,
        batch=offers.batch,
        lead_days=offers.lead_days,
    )


def market_of_prices(
    offers: Mapping[Term, GpuOffer],
    *,
    unit_gpus: int = 1,
    max_gpus: Mapping[Term, int] | None = None,
    held: tuple[HeldOffer, ...] = (),
    lead_days: int = 0,
) -> Market | None:
    """Return the market of a plan's prices, at the middles of their ranges; None without an on-demand price."""
    hourly = offers.get("on-demand")
    if hourly is None:
        return None
    usd, caps = hourly.usd_per_gpu_hour, max_gpus or {}
    tiers = [Tier(name="on demand", usd_per_gpu_hour=usd, max_gpus=caps.get("on-demand"))]
    tiers.append(Tier(name="unserved", usd_per_gpu_hour=UNSERVED_TIMES_ON_DEMAND * usd))
    sold = [term for term in TERM_DAYS if term in offers]
    return Market(
        gpu=hourly.gpu,
        on_demand_usd_per_gpu_hour=usd,
        tiers=merit_order(tiers),
        batch_usd_per_gpu_hour=usd,
        terms=tuple(
            MarketTerm(
                name=TERM_WORDS[term],
                days=TERM_DAYS[term],
                usd_per_gpu_hour=offers[term].usd_per_gpu_hour,
                unit_gpus=unit_gpus,
                max_gpus=caps.get(term),
                option=term,
                source=offers[term].source,
                checked=offers[term].checked,
            )
            for term in sold
        ),
        held=held,
        lead_days=lead_days,
    )


def merit_order(tiers: list[Tier]) -> tuple[Tier, ...]:
    """Return the tiers cheapest first, up to the first that takes any number.

    >>> dear, fair = Tier(name="dear", usd_per_gpu_hour=9), Tier(name="fair", usd_per_gpu_hour=3)
    >>> [tier.name for tier in merit_order([dear, fair])]
    ['fair']
    """
    served: list[Tier] = []
    for tier in sorted(tiers, key=lambda tier: tier.usd_per_gpu_hour):
        served.append(tier)
        if tier.max_gpus is None:
            break
    return tuple(served)
