"""Provisioned API throughput: what a unit carries of which model, and what it costs for which term."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from data.catalog.rows import Row, catalog_bytes, checked_row, nearest, read_toml
from data.errors import UserError
from data.units import DAYS_PER_MONTH

ProvisionedTerm = Literal["hourly", "weekly", "monthly", "quarterly", "half-yearly", "yearly"]

PROVISIONED_DAYS: dict[ProvisionedTerm, int] = {
    "hourly": 0,
    "weekly": 7,
    "monthly": 30,
    "quarterly": 91,
    "half-yearly": 182,
    "yearly": 365,
}
"""Days for which a unit is bound; hourly ones are paid while they are held."""

_TERM_HOURS: dict[ProvisionedTerm, float] = {
    "hourly": 1.0,
    "weekly": 7 * 24.0,
    "monthly": DAYS_PER_MONTH * 24,
    "quarterly": 3 * DAYS_PER_MONTH * 24,
    "half-yearly": 6 * DAYS_PER_MONTH * 24,
    "yearly": 365 * 24.0,
}

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitCapacity:
    """What one unit carries of one model, in input-equivalent tokens a minute.

    A cached token counts as cached_weight input tokens, an output token as output_weight; requests whose prompt is
    longer than long_threshold_tok by the long_ weights. tok_per_minute_per_unit None = nobody publishes it.
    """

    provider: str
    model: str
    unit: str
    deployment: str
    price_group: str
    tok_per_minute_per_unit: Positive | None = None
    cached_weight: Weight = 1.0
    output_weight: Weight
    minimum_units: Count = 1
    increment_units: Count = 1
    long_threshold_tok: Count | None = None
    long_input_weight: Weight = 1.0
    long_cached_weight: Weight = 1.0
    long_output_weight: Weight = 1.0
    source: str
    checked: date
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPrice:
    """What a unit of a price group costs: by the hour, or for a whole term."""

    price_group: str
    term: ProvisionedTerm
    usd_per_unit_hour: Positive | None = None
    usd_per_unit_term: Positive | None = None
    provider: str
    source: str
    checked: date
    as_of: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse a price that is stated twice or not at all."""
        if (self.usd_per_unit_hour is None) == (self.usd_per_unit_term is None):
            raise UserError("`usd_per_unit_hour` or `usd_per_unit_term` must be stated, and only one of them.")

    @property
    def hourly_usd(self) -> float:
        """USD of one unit for one hour: a week has 168, a month 730.5, a year 8,760."""
        if self.usd_per_unit_hour is not None:
            return self.usd_per_unit_hour
        return (self.usd_per_unit_term or 0.0) / _TERM_HOURS[self.term]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provisioned:
    """All rows, those of the user's files first."""

    capacities: tuple[UnitCapacity, ...]
    prices: tuple[UnitPrice, ...]

    def capacity(self, provider: str, model: str, deployment: str | None = None) -> UnitCapacity | None:
        """Return what is known of a model, None where it is not sold so. The first row wins."""
        found = (
            c
            for c in self.capacities
            if (c.provider, c.model) == (provider.lower(), model.lower()) and deployment in (None, c.deployment)
        )
        return next(found, None)

    def find(self, provider: str, model: str, deployment: str | None = None) -> UnitCapacity:
        """Return what is known of a model; raises UserError with near names."""
        found = self.capacity(provider, model, deployment)
        if found is not None:
            return found
        known = [f"{c.provider}/{c.model}" for c in self.capacities]
        raise UserError(
            f"No provisioned capacity of {provider}/{model}{f' ({deployment})' if deployment else ''} is known;"
            f" {nearest(f'{provider}/{model}', dict.fromkeys(known))}"
        )

    def prices_of(self, capacity: UnitCapacity) -> tuple[UnitPrice, ...]:
        """Return one price a term, shortest first; a user's wins. Empty: nobody publishes one."""
        by_term: dict[ProvisionedTerm, UnitPrice] = {}
        for price in self.prices:
            if price.price_group == capacity.price_group:
                by_term.setdefault(price.term, price)
        return tuple(by_term[term] for term in PROVISIONED_DAYS if term in by_term)


def load_provisioned(overlays: Sequence[Path] = ()) -> Provisioned:
    """Return every row, a later file of the user's before an earlier one and all of them before ours."""
    contents: list[tuple[str, Row]] = [(str(p), read_toml(p)) for p in reversed(overlays)]
    contents.append(("provisioned.toml", tomllib.loads(catalog_bytes("provisioned.toml").decode())))
    for file, content in contents:
        if unknown := sorted(set(content) - {"capacity", "price"}):
            raise UserError(
                f"{file}: `{unknown[0]}` is not a table of provisioned throughput; allowed are [[capacity]] and"
                " [[price]]."
            )
    return Provisioned(
        capacities=tuple(
            checked_row(UnitCapacity, row, file, f"capacity {n}")
            for file, content in contents
            for n, row in _numbered(content, "capacity", file)
        ),
        prices=tuple(
            checked_row(UnitPrice, row, file, f"price {n}")
            for file, content in contents
            for n, row in _numbered(content, "price", file)
        ),
    )


def _numbered(content: Row, table: str, file: str) -> list[tuple[int, Row]]:
    rows = content.get(table, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UserError(f"{file}: `{table}` is not a list of tables; write [[{table}]] above each of its rows.")
    return list(enumerate(rows, start=1))
