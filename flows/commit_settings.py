"""The `[commit]` table of plan.toml: how commitments are decided, and how many GPUs are to be had."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from data.catalog.prices import Term
from flows.event_settings import Section
from sizing.commit.optimum import Risk

CatalogName = Annotated[str, AfterValidator(lambda name: name.strip().lower())]
Option = Literal["on-demand", "reserved-30d", "reserved-1y", "reserved-3y"]


class AvailabilitySettings(Section):
    """No more GPUs of a kind than these are to be had on a term, or on demand, at once."""

    gpu: CatalogName
    option: Option
    max_gpus: Annotated[int, Field(ge=0, le=1_000_000)]


class CommitSettings(Section):
    """How commitments are decided."""

    decision_days: Annotated[int, Field(ge=0, le=90)] = 5
    """Days from the plan to the signature; with lead_time_days they give a term's first day."""
    risk_weight: Annotated[float, Field(ge=0, le=1)] = 0.0
    """How much the worst bills count against the mean in the optimum that policies are compared with."""
    risk_level: Annotated[float, Field(gt=0, lt=1)] = 0.95
    availability: list[AvailabilitySettings] = Field(default_factory=list)

    @model_validator(mode="after")
    def _said_once(self) -> Self:
        pairs = [(each.gpu, each.option) for each in self.availability]
        if twice := sorted({pair for pair in pairs if pairs.count(pair) > 1}):
            raise ValueError(f"availability of {twice[0][0]} {twice[0][1]} stands twice; keep one")
        return self

    @property
    def risk(self) -> Risk:
        """The same as the sizing room reads it."""
        return Risk(weight=self.risk_weight, level=self.risk_level)

    def max_gpus(self, gpu: str) -> dict[Term, int]:
        """Return how many GPUs of a kind are to be had, by term, where that is limited."""
        return {each.option: each.max_gpus for each in self.availability if each.gpu == gpu}
