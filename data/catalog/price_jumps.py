"""How often list prices are cut or raised, and by how much: the default of every price scenario."""

import tomllib
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from data.catalog.rows import catalog_bytes, checked_row
from data.errors import UserError

PriceKind = Literal["api", "gpu"]
PRICE_KINDS: tuple[PriceKind, ...] = ("api", "gpu")

Rate = Annotated[float, Field(ge=0, le=12)]
Factors = tuple[Annotated[float, Field(gt=0, allow_inf_nan=False)], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceJumps:
    """Jumps of one price: how many cuts and raises a year are expected, and the sizes that were seen.

    cut_factors lie below 1, raise_factors above; a path draws one of them for each jump, each as likely.
    price_years, cuts, raises: what stands behind the rates, None where somebody stated them.
    """

    cuts_per_year: Rate
    raises_per_year: Rate
    cut_factors: Factors
    raise_factors: Factors
    price_years: float | None = None
    cuts: int | None = None
    raises: int | None = None
    source: str
    checked: date
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse cuts that raise, raises that cut, and jumps without a size."""
        if any(f >= 1 for f in self.cut_factors) or any(f <= 1 for f in self.raise_factors):
            raise UserError(
                f"`cut_factors` {self.cut_factors} must lie below 1 and `raise_factors` {self.raise_factors}"
                " above; 0.5 is half the price."
            )
        for rate, factors in ((self.cuts_per_year, "cut_factors"), (self.raises_per_year, "raise_factors")):
            if rate > 0 and not getattr(self, factors):
                raise UserError(f"`{factors}` is empty though {rate:g} a year are expected; state what they did.")


def load_jumps() -> dict[PriceKind, PriceJumps]:
    """Return our own jumps of each kind of price, with source and date."""
    content = tomllib.loads(catalog_bytes("price_jumps.toml").decode())
    return {kind: checked_row(PriceJumps, content[kind], "price_jumps.toml", kind) for kind in PRICE_KINDS}
