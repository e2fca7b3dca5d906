"""The dated part of plan.toml: events and public holidays, checked like the rest of it (flows/settings.py)."""

from datetime import date
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from data.errors import UserError
from forecasting.holiday import HolidayCalendar, check_calendar
from forecasting.scenarios import Event, Factor

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f/\\]+$")]


class Section(BaseModel):
    """One table of plan.toml: unknown keys are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FactorSettings(Section):
    """Multiplier with its uncertainty: low and high are read as the 10% and 90% points."""

    low: Positive
    likely: Positive
    high: Positive

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low <= self.likely <= self.high:
            raise ValueError(f"needs low <= likely <= high, not {self.low}, {self.likely}, {self.high}")
        return self


class EventSettings(Section):
    """Something that changes traffic: a campaign, a launch, a model upgrade. `end` is the last day.

    Without any multiplier it is learned from earlier ones of its kind, or else of its name.
    """

    name: Name
    kind: Name | None = None
    workload: str | None = None
    start: date
    end: date | None = None
    requests: FactorSettings | None = None
    prompt_tok: FactorSettings | None = None
    cached_prompt_tok: FactorSettings | None = None
    """Of the mean cached tokens of a request; left out, they follow the prompt's."""
    output_tok: FactorSettings | None = None

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if self.end is not None and self.end < self.start:
            raise ValueError(f"ends {self.end}, before it starts {self.start}")
        stated = (self.requests, self.prompt_tok, self.cached_prompt_tok, self.output_tok)
        if self.end is None and all(factor is None for factor in stated):
            raise ValueError(
                "needs at least one of requests, prompt_tok, cached_prompt_tok, output_tok, or an `end`: only an"
                " event that ends can be learned from earlier ones of its kind"
            )
        return self

    def to_event(self) -> Event:
        """Return the same as the forecasting room reads it."""
        return Event(
            name=self.name,
            kind=self.kind,
            workload=self.workload,
            start=self.start,
            end=self.end,
            requests=_factor(self.requests),
            prompt_tok=_factor(self.prompt_tok),
            cached_prompt_tok=_factor(self.cached_prompt_tok),
            output_tok=_factor(self.output_tok),
        )


class HolidaySettings(Section):
    """Whose public holidays count, as the `holidays` package names them; learned from the past and applied."""

    country: Annotated[str, AfterValidator(lambda code: code.strip().upper())]
    subdivision: str | None = None

    @model_validator(mode="after")
    def _is_known(self) -> Self:
        try:
            check_calendar(self.country, self.subdivision)
        except UserError as error:
            raise ValueError(str(error)) from error
        return self

    def to_calendar(self, zone: ZoneInfo) -> HolidayCalendar:
        """Return the same as the forecasting room reads it, by the clocks of `zone`."""
        return HolidayCalendar(country=self.country, subdivision=self.subdivision, zone=zone)


def _factor(stated: FactorSettings | None) -> Factor | None:
    return None if stated is None else Factor(stated.low, stated.likely, stated.high)
