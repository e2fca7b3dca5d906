"""OFFERS.toml: everything that one kind of GPU can be bought for, as `fleetcast commit` and `replay` read it.

docs/commit.md has the schema with an example. The names are the user's own: nothing is looked up in a catalog.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from data.catalog.prices import Fraction, Usd
from data.catalog.rows import Row, checked_row, read_toml
from data.errors import UserError

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)

Count = Annotated[int, Field(ge=1, le=1_000_000)]
Share = Annotated[float, Field(ge=0, le=1)]
Hours = Annotated[float, Field(gt=0, le=100_000, allow_inf_nan=False)]

UNSERVED_TIMES_ON_DEMAND = 3.0
"""What an hour that nobody serves costs, over an hour on demand, where the file does not say."""

TABLES = ("term", "held", "batch")
REPLAY_TABLES = ("replay", "price_path")
"""Tables that only `fleetcast replay` reads; a file may hold them beside ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TermOffer:
    """One term that the GPU is sold for: a discount on on-demand, or a price of its own.

    days: length. unit_gpus: GPUs sold together. max_gpus: how many are to be had at once, None = any number.
    upfront_fraction: the part of the term's price that is due at its start; the price itself does not change.
    """

    name: Annotated[str, Field(min_length=1, max_length=80)]
    days: Annotated[int, Field(ge=1, le=1_830)]
    discount: Fraction | None = None
    usd_per_gpu_hour: Usd | None = None
    unit_gpus: Count = 1
    max_gpus: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    upfront_fraction: Share = 0.0

    def __post_init__(self) -> None:
        """Refuse a term with two prices or none."""
        if (self.discount is None) == (self.usd_per_gpu_hour is None):
            said = "both" if self.discount is not None else "neither"
            raise UserError(f"states {said} of `discount` and `usd_per_gpu_hour`; state one.")

    def price(self, on_demand_usd_per_gpu_hour: float) -> float:
        """Return USD per GPU-hour beside this on-demand price.

        >>> TermOffer(name="month", days=30, discount=0.1).price(3.0)
        2.7
        """
        if self.usd_per_gpu_hour is not None:
            return self.usd_per_gpu_hour
        return on_demand_usd_per_gpu_hour * (1 - (self.discount or 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOffer:
    """A commitment in force: so many GPUs, paid in every hour until `end`, its last day."""

    gpus: Count
    usd_per_gpu_hour: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    start: date
    end: date

    def __post_init__(self) -> None:
        """Refuse one that ends before it starts."""
        if self.end < self.start:
            raise UserError(f"`end` is {self.end}, before `start`, {self.start}; exchange them.")


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOffer:
    """Work that can wait: GPU-hours a run, from a UTC hour of these weekdays, due `deadline_h` later.

    max_gpus: how many GPUs a run can use at once, None = any number.
    """

    name: Annotated[str, Field(min_length=1, max_length=80)]
    gpu_hours: Hours
    weekdays: tuple[Weekday, ...] = WEEKDAYS
    start_hour_utc: Annotated[int, Field(ge=0, lt=24)] = 0
    deadline_h: Annotated[int, Field(ge=1, le=8_784)] = 24
    max_gpus: Count | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers:
    """What one kind of GPU can be bought for.

    spot_max_gpus: GPUs of the need that may run on spot at once; work that can wait always may.
    spot_overhead_fraction: work that interruptions make spot do again, over the work itself.
    api_usd_per_gpu_hour, api_batch_usd_per_gpu_hour: what an API charges for the work of one GPU-hour.
    lead_days: days between signing and the first hour.
    """

    gpu: Annotated[str, Field(min_length=1, max_length=80)]
    on_demand_usd_per_gpu_hour: Usd
    on_demand_max_gpus: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    spot_usd_per_gpu_hour: Usd | None = None
    spot_overhead_fraction: Annotated[float, Field(ge=0, le=10)] = 0.0
    spot_max_gpus: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    api_usd_per_gpu_hour: Usd | None = None
    api_batch_usd_per_gpu_hour: Usd | None = None
    unserved_usd_per_gpu_hour: Usd | None = None
    lead_days: Annotated[int, Field(ge=0, le=365)] = 0
    provider: str = ""
    source: str = ""
    checked: date | None = None
    terms: tuple[TermOffer, ...] = ()
    held: tuple[HeldOffer, ...] = ()
    batch: tuple[BatchOffer, ...] = ()

    @property
    def unserved_usd(self) -> float:
        """USD of a GPU-hour that nobody serves."""
        if self.unserved_usd_per_gpu_hour is not None:
            return self.unserved_usd_per_gpu_hour
        return UNSERVED_TIMES_ON_DEMAND * self.on_demand_usd_per_gpu_hour

    @property
    def spot_usd(self) -> float | None:
        """USD of a useful GPU-hour on spot: interruptions make some of it done again."""
        if self.spot_usd_per_gpu_hour is None:
            return None
        return self.spot_usd_per_gpu_hour * (1 + self.spot_overhead_fraction)

    def term_price(self, term: TermOffer) -> float:
        """Return USD per GPU-hour of a term."""
        return term.price(self.on_demand_usd_per_gpu_hour)


def read_commit_offers(path: Path, *, others: Sequence[str] = REPLAY_TABLES) -> Offers:
    """Read and check OFFERS.toml; raises UserError naming file, table, key, value and what is allowed.

    others: tables that another command reads from the same file; they are left to it.
    """
    content = read_toml(path)
    rows = {table: _tables(content, table, path) for table in TABLES}
    top = {key: value for key, value in content.items() if key not in (*TABLES, *others)}
    if named := sorted(set(top) & {"terms"}):
        raise UserError(f"{path}: `{named[0]}` is no key; write [[term]] above each term.")
    offers = checked_row(
        Offers,
        {
            **top,
            "terms": tuple(checked_row(TermOffer, r, str(path), f"term {n}") for n, r in rows["term"]),
            "held": tuple(checked_row(HeldOffer, r, str(path), f"held {n}") for n, r in rows["held"]),
            "batch": tuple(checked_row(BatchOffer, r, str(path), f"batch {n}") for n, r in rows["batch"]),
        },
        str(path),
        "the GPU",
    )
    names = [term.name for term in offers.terms]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UserError(f"{path}: two terms are called {twice[0]!r}; their names must differ.")
    return offers


def _tables(content: Row, table: str, path: Path) -> list[tuple[int, dict[str, Any]]]:
    rows = content.get(table, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UserError(f"{path}: `{table}` is not a list of tables; write [[{table}]] above each of its rows.")
    return list(enumerate(rows, start=1))
