"""Sample paths of prices: they stand, and now and then they jump.

    price_paths(items, days, *, paths, seed, jumps=load_jumps(), changes=(), yearly_fall=None)
        -> {item: (S, D) multipliers of today's price}

An item is one price: `PriceItem("api", "anthropic/claude-sonnet-4-5")`, `PriceItem("gpu", "h100")`. Each has a
random stream of its own, from the seed and its name, so that asking for one more changes no other. The first day
is known (multiplier 1, but for changes announced for it or before it). A price that is under contract does not
move: do not ask for it. A reserved term keeps the price of the day it was signed: `at_signing`.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from data.catalog.price_jumps import PriceJumps, PriceKind, load_jumps
from data.errors import UserError
from forecasting.scenarios import YEAR_DAYS

Floats = npt.NDArray[np.float64]
Days = npt.NDArray[np.datetime64]


@dataclass(frozen=True, slots=True)
class PriceItem:
    """One price that moves on its own: a kind, and the name of the API model or GPU."""

    kind: PriceKind
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceChange:
    """A change that is announced: from `on` on, the price is multiplied by `factor`.

    what: "api" or "gpu" for all of a kind, or the name of an item. Raises UserError unless factor is above 0.
    """

    on: date
    what: str
    factor: float

    def __post_init__(self) -> None:
        """Refuse a price that would be free or less."""
        if not 0 < self.factor < float("inf"):
            raise UserError(
                f"The price change of {self.what} on {self.on} has factor {self.factor}; give one above 0."
            )

    def concerns(self, item: PriceItem) -> bool:
        """Return whether the change is one of this item's."""
        return self.what in (item.kind, item.name)


def price_paths(
    items: Sequence[PriceItem],
    days: Days,
    *,
    paths: int,
    seed: int,
    jumps: Mapping[PriceKind, PriceJumps] | None = None,
    changes: Sequence[PriceChange] = (),
    yearly_fall: float | None = None,
) -> dict[PriceItem, Floats]:
    """Return for each item the multipliers of today's price, (S, D), on every path and day.

    days: (D,) consecutive days, the first one known. jumps: how often and how far each kind jumps, None = the
    catalog's; an empty mapping, or a kind that is missing, never jumps. changes: announced ones, certain on every
    path. yearly_fall: a smooth fall in place of the jumps (0.5 = half the price 365 days on), never the default.
    """
    known = load_jumps() if jumps is None else jumps
    found = {}
    for item in items:
        if yearly_fall is not None:
            level = np.broadcast_to(smooth_fall(yearly_fall, len(days)), (paths, len(days)))
        elif item.kind in known:
            rng = np.random.default_rng([seed, zlib.crc32(f"price of {item.kind} {item.name}".encode())])
            level = jump_paths(known[item.kind], len(days), paths, rng)
        else:
            level = np.ones((paths, len(days)))
        found[item] = np.asarray(level * announced(item, days, changes)[None, :])
    return found


def jump_paths(jumps: PriceJumps, days: int, paths: int, rng: np.random.Generator) -> Floats:
    """Return (S, D) multipliers of a price that jumps at random days after the first.

    Cuts and raises come as independent Poisson streams, their daily number drawn, each jump's factor drawn from
    those that were seen, so that a price stands over a year with probability exp(-(cuts + raises per year)).
    """
    log_level = np.zeros((paths, days))
    for per_year, factors in (
        (jumps.cuts_per_year, jumps.cut_factors),
        (jumps.raises_per_year, jumps.raise_factors),
    ):
        total = (
            rng.poisson(per_year * (days - 1) / YEAR_DAYS, paths)
            if per_year and days > 1
            else np.zeros(paths, int)
        )
        path = np.repeat(np.arange(paths), total)
        day = rng.integers(1, max(days, 2), len(path))
        step = rng.choice(np.log(factors), len(path)) if len(path) else np.zeros(0)
        np.add.at(log_level, (path, day), step)
    return np.asarray(np.exp(np.cumsum(log_level, axis=1)))


def smooth_fall(yearly_fall: float, days: int) -> Floats:
    """Return (D,) multipliers of a price that loses this share in a year, a little each day.

    >>> smooth_fall(0.5, 366)[[0, 365]].tolist()
    [1.0, 0.5]
    """
    if not 0 <= yearly_fall < 1:
        raise UserError(
            f"yearly_fall = {yearly_fall} must be at least 0 and below 1; 0.5 is half the price a year on."
        )
    return np.asarray((1 - yearly_fall) ** (np.arange(days) / YEAR_DAYS))


def announced(item: PriceItem, days: Days, changes: Sequence[PriceChange]) -> Floats:
    """Return (D,) what announced changes multiply the item's price by on each day."""
    factor = np.ones(len(days))
    for change in changes:
        if change.concerns(item):
            factor[days >= np.datetime64(change.on)] *= change.factor
    return factor


def at_signing(multipliers: Floats, first_day: int, term_days: int) -> Floats:
    """Return (S, D) the multipliers that terms pay which roll from first_day on: those of their first day.

    A term keeps the price it was signed at; days before the first term pay the day's own.
    """
    days = np.arange(multipliers.shape[1])
    start = np.where(days < first_day, days, first_day + (days - first_day) // term_days * term_days)
    return np.asarray(multipliers[:, start])
