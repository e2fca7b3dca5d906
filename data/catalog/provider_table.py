"""Who offers which GPU at what: one row a provider and region, one column a term, the user's contracts first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from data.catalog.prices import GpuOffer, Term

TERMS: tuple[Term, ...] = ("on-demand", "spot", "reserved-30d", "reserved-1y", "reserved-3y")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderPrices:
    """One provider's prices of a GPU in a region. usd_per_gpu_hour: (low, high) by term, a missing one unknown.

    checked: the oldest day on which one of them was checked.
    """

    gpu: str
    provider: str
    region: str
    price_source: str
    contract: bool
    checked: date
    usd_per_gpu_hour: dict[str, tuple[float, float]]


def provider_table(offers: Iterable[GpuOffer], gpus: Sequence[str] | None = None) -> tuple[ProviderPrices, ...]:
    """Return a row for each (GPU, provider, region, table) that quotes a current price.

    GPUs in the order given (all, by name, for None); within one the contracts, then the cheapest on demand first,
    then those that quote none. Several instances of a provider in a region make one range.
    """
    rows: dict[tuple[str, str, str, str, bool], list[GpuOffer]] = {}
    for o in offers:
        if not o.superseded and not o.derived and (gpus is None or o.gpu in gpus):
            rows.setdefault((o.gpu, o.provider, o.region, o.price_source, o.contract), []).append(o)
    found = [_row(key, quoted) for key, quoted in rows.items()]
    order = sorted({row.gpu for row in found}) if gpus is None else list(gpus)
    return tuple(
        sorted(found, key=lambda row: (order.index(row.gpu), not row.contract, *_rank(row), row.provider))
    )


def _row(key: tuple[str, str, str, str, bool], quoted: Sequence[GpuOffer]) -> ProviderPrices:
    gpu, provider, region, price_source, contract = key
    ranges = {}
    for term in TERMS:
        here = [o for o in quoted if o.term == term]
        if here:
            ranges[str(term)] = (
                min(o.usd_per_gpu_hour_low for o in here),
                max(o.usd_per_gpu_hour_high for o in here),
            )
    return ProviderPrices(
        gpu=gpu,
        provider=provider,
        region=region,
        price_source=price_source,
        contract=contract,
        checked=min(o.checked for o in quoted),
        usd_per_gpu_hour=ranges,
    )


def _rank(row: ProviderPrices) -> tuple[bool, float]:
    low, high = row.usd_per_gpu_hour.get("on-demand", (float("inf"), float("inf")))
    return low == float("inf"), low + high
