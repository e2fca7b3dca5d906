"""The prices of plan.toml: which table, whose contracts, and how they may move."""

from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from data.catalog.price_jumps import PriceJumps, PriceKind
from flows.event_settings import Name, Positive, Section
from sizing.scenarios.prices import PriceChange

Rate = Annotated[float, Field(ge=0, le=12, allow_inf_nan=False)]
Cut = Annotated[float, Field(gt=0, lt=1)]
Raise = Annotated[float, Field(gt=1, le=100)]


class PriceChangeSettings(Section):
    """A change that is announced or agreed: from `date` on, the price of `what` is multiplied by `factor`.

    what: `api` or `gpu` for all of a kind, an API model as `provider/model`, or a GPU's catalog name.
    """

    date: date
    what: Name
    factor: Positive

    def to_change(self) -> PriceChange:
        """Return the same as the sizing room reads it."""
        return PriceChange(on=self.date, what=self.what, factor=self.factor)


class JumpSettings(Section):
    """How often a kind of price jumps and how far; what is left out stays the catalog's."""

    cuts_per_year: Rate | None = None
    raises_per_year: Rate | None = None
    cut_factors: Annotated[list[Cut], Field(min_length=1)] | None = None
    raise_factors: Annotated[list[Raise], Field(min_length=1)] | None = None


class JumpsSettings(Section):
    """The jumps of each kind of price."""

    api: JumpSettings = JumpSettings()
    gpu: JumpSettings = JumpSettings()


class PriceScenarioSettings(Section):
    """How prices move in this plan: rare jumps where nothing is said, a smooth fall only where it is asked for."""

    name: Name | None = None
    jumps: bool = True
    yearly_fall: Annotated[float, Field(ge=0, lt=1)] | None = None
    """Share of its price that everything loses in a year, a little each day, in place of jumps."""

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Self:
        if self.yearly_fall is not None and "jumps" in self.model_fields_set and self.jumps:
            raise ValueError("states both jumps and yearly_fall; prices jump or fall smoothly, leave one out")
        return self


class PriceSettings(Section):
    """Which table of GPU prices to plan on, the user's own contracts, which win, and how prices may move."""

    source: Literal["planning-table", "list-prices"] = "planning-table"
    overlays: list[Path] = Field(default_factory=list)
    changes: list[PriceChangeSettings] = Field(default_factory=list)
    scenario: PriceScenarioSettings = PriceScenarioSettings()
    jumps: JumpsSettings = JumpsSettings()

    def jumps_of(self, kind: PriceKind, ours: PriceJumps) -> PriceJumps:
        """Return the jumps of a kind of price: the plan's where it states them, else ours."""
        own = self.jumps.api if kind == "api" else self.jumps.gpu
        if not own.model_fields_set:
            return ours
        return PriceJumps(
            cuts_per_year=ours.cuts_per_year if own.cuts_per_year is None else own.cuts_per_year,
            raises_per_year=ours.raises_per_year if own.raises_per_year is None else own.raises_per_year,
            cut_factors=ours.cut_factors if own.cut_factors is None else tuple(own.cut_factors),
            raise_factors=ours.raise_factors if own.raise_factors is None else tuple(own.raise_factors),
            source="plan.toml, prices.jumps",
            checked=ours.checked,
        )
