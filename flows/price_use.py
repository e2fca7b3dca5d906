"""The prices that a plan uses: each GPU's offer by term, and each API's rates at the plan's day."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time

from data.errors import UserError
from data.finops.prices_used import PriceUsed
from flows.settings import LoadedPlan, WorkloadSettings
from flows.walk import SizedGpu
from sizing.price_list import ApiPrice, ApiTier, api_price


def prices_used(plan: LoadedPlan, sized: Sequence[Sequence[SizedGpu]], as_of: date) -> list[PriceUsed]:
    """Return every price that the plan rests on, once."""
    found = dict.fromkeys(price for candidates in sized for each in candidates for price in _gpu(each))
    for workload in plan.settings.workloads:
        found.update(dict.fromkeys(_api(workload, as_of)))
    return list(found)


def _gpu(each: SizedGpu) -> Iterator[PriceUsed]:
    for term, offer in each.offers.items():
        yield PriceUsed(
            kind="gpu",
            name=offer.gpu,
            provider=offer.provider,
            item=term,
            unit="usd_per_gpu_hour",
            usd_low=offer.usd_per_gpu_hour_low,
            usd_high=offer.usd_per_gpu_hour_high,
            source=offer.source,
            checked=offer.checked,
        )


def _api(workload: WorkloadSettings, as_of: date) -> Iterator[PriceUsed]:
    if workload.api is None:
        return
    noon = datetime.combine(as_of, time(12), tzinfo=UTC)
    try:
        price = api_price(workload.api.provider, workload.api.model, at=noon)
    except UserError:
        return  # the cost line says that the list does not have it
    yield from _rates(price, price, "")
    for tier in price.tiers:
        yield from _rates(price, tier, f" above {tier.threshold_tok:,} tokens")


def _rates(price: ApiPrice, rates: ApiPrice | ApiTier, where: str) -> Iterator[PriceUsed]:
    for item in ("input", "cached", "output"):
        usd = getattr(rates, f"{item}_usd_per_mtok")
        yield PriceUsed(
            kind="api",
            name=f"{price.provider}/{price.model}",
            provider=price.provider,
            item=item + where,
            unit="usd_per_mtok",
            usd_low=usd,
            usd_high=usd,
            source=price.source,
            checked=price.checked,
        )
