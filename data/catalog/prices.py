"""Prices of GPUs by the hour: what our own dated table says, and what the user's contracts say instead."""

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from pydantic import Field

from data.catalog.gpus import load_gpus
from data.catalog.rows import Row, catalog_bytes, checked_row, nearest, read_toml
from data.errors import UserError

Term = Literal["on-demand", "spot", "reserved-30d", "reserved-1y", "reserved-3y"]

TERM_DAYS: dict[Term, int] = {"reserved-30d": 30, "reserved-1y": 365, "reserved-3y": 1_095}

Usd = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, lt=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuOffer:
    """One price of one GPU for one term. low and high are the range the source prints; equal for a quote.

    Plans use the middle of the range and print both ends.
    """

    gpu: str
    term: Term
    usd_per_gpu_hour_low: Usd
    usd_per_gpu_hour_high: Usd
    provider: str
    source: str
    checked: date
    price_source: str
    """Name of the table it stands in (`planning-table`, `list-prices`), or of the user's contract file."""
    instance: str = ""
    region: str = ""
    as_of: str = ""
    """When the source itself says the price held: a year or a month as it prints it, empty where it does not."""
    note: str = ""
    superseded: bool = False
    """True for an older price of the same thing, kept to show how it moved; never offered to a plan."""
    derived: bool = False
    """True where nobody quotes this price and it was worked out from on-demand and a discount."""
    contract: bool = False
    """True where it comes from a file of the user's, which wins over our own tables."""

    def __post_init__(self) -> None:
        """Refuse a range that runs backwards."""
        if self.usd_per_gpu_hour_low > self.usd_per_gpu_hour_high:
            raise UserError(
                f"`usd_per_gpu_hour_low` is {self.usd_per_gpu_hour_low}, above usd_per_gpu_hour_high,"
                f" {self.usd_per_gpu_hour_high}; exchange them."
            )

    @property
    def usd_per_gpu_hour(self) -> float:
        """The middle of the range."""
        return (self.usd_per_gpu_hour_low + self.usd_per_gpu_hour_high) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Discount:
    """What a commitment takes off the on-demand price, as a fraction of it. gpus empty = said of any GPU."""

    terms: tuple[Term, ...]
    gpus: tuple[str, ...] = ()
    fraction_low: Fraction
    fraction_high: Fraction
    provider: str
    source: str
    checked: date
    as_of: str = ""
    note: str = ""
    contract: bool = False

    @property
    def fraction(self) -> float:
        """The middle of the range."""
        return (self.fraction_low + self.fraction_high) / 2


def load_offers(overlays: Sequence[Path] = (), gpus: Iterable[str] | None = None) -> tuple[GpuOffer, ...]:
    """Return every price, those of the user's files first (a later file before an earlier one).

    gpus: names that a price may be of; None = those of our own catalog. Raises UserError naming file, row, key,
    value and what is allowed.
    """
    known = sorted(load_gpus() if gpus is None else gpus)
    offers: list[GpuOffer] = []
    for file, rows, path in _files(overlays, "offer"):
        defaults = {"price_source": path.stem, "contract": True} if path else {}
        for n, row in rows:
            offers.append(checked_row(GpuOffer, {**defaults, **row}, file, f"offer {n}"))
            if offers[-1].gpu not in known:
                value = f"`gpu` is {offers[-1].gpu!r}, which the GPU catalog lacks"
                raise UserError(f"{file}, row [offer {n}]: {value}; {nearest(offers[-1].gpu, known)}")
    return tuple(offers)


def load_discounts(overlays: Sequence[Path] = ()) -> tuple[Discount, ...]:
    """Return what commitments take off, those of the user's files first."""
    discounts: list[Discount] = []
    for file, rows, path in _files(overlays, "discount"):
        contract = {"contract": path is not None}
        discounts += [checked_row(Discount, {**row, **contract}, file, f"discount {n}") for n, row in rows]
    return tuple(discounts)


def offers_for(
    offers: Iterable[GpuOffer], gpu: str, term: Term, price_source: str | None = None
) -> tuple[GpuOffer, ...]:
    """Return the current prices of a GPU for a term, cheapest middle first; empty = nobody's price is known.

    The user's contract prices win: where there are any, they are all that is returned. `price_source` picks one
    of our own tables; None takes them all.
    """
    found = [o for o in offers if o.gpu == gpu and o.term == term and not o.superseded]
    contract = [o for o in found if o.contract]
    ours = [o for o in found if price_source in (None, o.price_source)]
    return tuple(sorted(contract or ours, key=lambda o: (o.usd_per_gpu_hour, o.provider, o.region, o.instance)))


def price_sources(offers: Iterable[GpuOffer]) -> tuple[str, ...]:
    """Return the names of the tables that the offers stand in, in their order."""
    return tuple(dict.fromkeys(o.price_source for o in offers))


def reserved_offer(
    on_demand: GpuOffer, term: Term, offers: Iterable[GpuOffer], discounts: Iterable[Discount]
) -> GpuOffer | None:
    """Return what reserving the same GPU would cost: a quote where there is one, else on-demand less a discount.

        price = on-demand x (1 - discount), discount = middle of the range that its source prints

    A contract for the term comes first, then a quote of the same provider in the same table, then the discount
    said of this GPU, then of any GPU, then of other GPUs; the offer is labelled as derived and its note says from
    what. None = no discount of that term is known.

    >>> offer = load_offers()[0]
    >>> offer.gpu, offer.usd_per_gpu_hour_low, offer.usd_per_gpu_hour_high
    ('b200', 5.0, 8.0)
    >>> year = reserved_offer(offer, "reserved-1y", load_offers(), load_discounts())
    >>> round(year.usd_per_gpu_hour, 3), year.derived  # 6.5 x (1 - 0.425)
    (3.737, True)
    """
    quoted = [o for o in offers_for(offers, on_demand.gpu, term) if o.contract or _same_seller(o, on_demand)]
    if quoted:
        return quoted[0]
    known = [d for d in discounts if term in d.terms]
    if not known:
        return None
    discount = min(known, key=lambda d: _distance(d, on_demand.gpu))
    return _discounted(on_demand, term, discount)


def _same_seller(offer: GpuOffer, other: GpuOffer) -> bool:
    return (offer.provider, offer.price_source) == (other.provider, other.price_source)


def _distance(discount: Discount, gpu: str) -> tuple[bool, int]:
    return not discount.contract, 0 if gpu in discount.gpus else 1 if not discount.gpus else 2


def _discounted(on_demand: GpuOffer, term: Term, discount: Discount) -> GpuOffer:
    said_of = ", ".join(discount.gpus) or "any GPU"
    assumed = f", assumed to hold for {on_demand.gpu}" if _distance(discount, on_demand.gpu)[1] == 2 else ""
    return replace(
        on_demand,
        term=term,
        usd_per_gpu_hour_low=on_demand.usd_per_gpu_hour_low * (1 - discount.fraction),
        usd_per_gpu_hour_high=on_demand.usd_per_gpu_hour_high * (1 - discount.fraction),
        source=f"{on_demand.source}; {discount.source}",
        checked=min(on_demand.checked, discount.checked),
        derived=True,
        note=(
            f"Derived, not quoted: on-demand less {100 * discount.fraction:g}%, the middle of"
            f" {100 * discount.fraction_low:g}-{100 * discount.fraction_high:g}% off {said_of} at"
            f" {discount.provider}{assumed}."
        ),
    )


def _files(overlays: Sequence[Path], table: str) -> list[tuple[str, list[tuple[int, Row]], Path | None]]:
    """Return (file, numbered rows, path) of the table in each file, the last overlay first and ours last."""
    ours = tomllib.loads(catalog_bytes("prices.toml").decode())
    contents: list[tuple[str, dict[str, Any], Path | None]] = [
        (str(p), read_toml(p), p) for p in reversed(overlays)
    ]
    return [
        (file, _rows(content, table, file), path)
        for file, content, path in [*contents, ("prices.toml", ours, None)]
    ]


def _rows(content: Row, table: str, file: str) -> list[tuple[int, Row]]:
    if unknown := sorted(set(content) - {"offer", "discount"}):
        raise UserError(
            f"{file}: `{unknown[0]}` is not a table of prices; allowed are [[offer]] and [[discount]]."
        )
    rows = content.get(table, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UserError(f"{file}: `{table}` is not a list of tables; write [[{table}]] above each of its rows.")
    return list(enumerate(cast(list[Row], rows), start=1))
