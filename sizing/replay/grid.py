"""The grid of a replay: one-year discounts x price paths, from OFFERS.toml or by default."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from data.catalog.commit_offers import Offers, read_commit_offers
from data.catalog.prices import Fraction
from data.catalog.rows import checked_row, read_toml
from data.errors import UserError
from sizing.replay.market import DISCOUNTS, PRICE_PATHS, PricePath, ReplayMarket, ReplayTerm, terms_for

TERM_DAYS = {1: (28, 31), 3: (88, 93), 12: (360, 366)}
"""Days of a term that is taken as so many calendar months."""
YEAR = 12

Month = Annotated[int, Field(ge=1, le=1_200)]
Multiplier = Annotated[float, Field(gt=0, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True, kw_only=True)
class GridRow:
    """[replay] of OFFERS.toml."""

    one_year_discounts: tuple[Fraction, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PathRow:
    """One [[price_path]] of OFFERS.toml."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    change_per_year: Annotated[float, Field(gt=-1, le=10, allow_inf_nan=False)] = 0.0
    jump_month: Month | None = None
    jump_to: Multiplier = 1.0
    multipliers: tuple[Multiplier, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a path that is described twice or by half."""
        moves = self.change_per_year != 0 or self.jump_month is not None or self.jump_to != 1
        if self.multipliers and moves:
            raise UserError("states `multipliers` beside a change or a jump; state one of the two.")
        if (self.jump_month is None) != (self.jump_to == 1.0):
            raise UserError("needs `jump_month` and `jump_to` together; 0.5 is half the price.")

    def to_path(self) -> PricePath:
        """Return the path."""
        return PricePath(
            name=self.name, change_per_year=self.change_per_year, jump_month=self.jump_month, jump_to=self.jump_to,
            multipliers=self.multipliers,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Every market that is replayed, and sentences on what the file says that a replay does not use."""

    markets: tuple[ReplayMarket, ...]
    notes: tuple[str, ...]


def read_grid(path: Path) -> Grid:
    """Return the grid of OFFERS.toml (docs/replay.md); raises UserError naming file, table, key and value."""
    offers = read_commit_offers(path)
    content = read_toml(path)
    table = content.get("replay", {})
    if not isinstance(table, dict):
        raise UserError(f"{path}: `replay` is no table; write [replay] above its keys.")
    row = checked_row(GridRow, table, str(path), "replay")
    rows = content.get("price_path", [])
    if not isinstance(rows, list) or not all(isinstance(each, dict) for each in rows):
        raise UserError(
            f"{path}: `price_path` is not a list of tables; write [[price_path]] above each of its rows."
        )
    paths = tuple(_path(each, path, n) for n, each in enumerate(rows, start=1))
    names = [each.name for each in paths]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UserError(f"{path}: two price paths are called {twice[0]!r}; their names must differ.")
    return grid_of(offers, discounts=row.one_year_discounts, paths=paths)


def grid_of(offers: Offers, *, discounts: Sequence[float] = (), paths: Sequence[PricePath] = ()) -> Grid:
    """Return the grid of offers: discounts and paths as given, else the defaults and the file's own one-year term.

    Terms of other lengths than 30 days, 90 days and a year are left out, and so is all that a replay does not buy.
    """
    hourly = offers.on_demand_usd_per_gpu_hour
    stated, other = [], []
    for term in offers.terms:
        months = next((m for m, (least, most) in TERM_DAYS.items() if least <= term.days <= most), None)
        discount = 1 - offers.term_price(term) / hourly
        if months is None:
            other.append(f"{term.name} ({term.days} days)")
        else:
            stated.append(ReplayTerm(months=months, discount=round(max(discount, 0.0), 9)))
    own = [term.discount for term in stated if term.months == YEAR]
    every = sorted(set(discounts or (*DISCOUNTS, *own)))
    markets = tuple(
        ReplayMarket(
            on_demand_usd_per_gpu_hour=hourly,
            terms=terms_for(discount, stated),
            path=path,
            on_demand_max_gpus=offers.on_demand_max_gpus,
        )
        for discount in every
        for path in (paths or PRICE_PATHS)
    )
    return Grid(markets=markets, notes=tuple(_unused(offers, other)))


def _path(row: dict[str, Any], file: Path, n: int) -> PricePath:
    return checked_row(PathRow, row, str(file), f"price_path {n}").to_path()


def _unused(offers: Offers, other: list[str]) -> list[str]:
    said = []
    if other:
        said.append(f"terms other than of 30, 90 and 365 days: {', '.join(other)}")
    if offers.spot_usd_per_gpu_hour is not None or offers.api_usd_per_gpu_hour is not None:
        said.append("spot and API, because overflow is on demand for every policy")
    if offers.held or offers.batch:
        said.append("[[held]] and [[batch]]")
    if offers.lead_days:
        said.append("lead_days: a term starts on the day that it is signed")
    if any(term.unit_gpus > 1 or term.max_gpus is not None for term in offers.terms):
        said.append("unit_gpus and max_gpus of terms")
    return [f"Not used by a replay: {each}." for each in said]
