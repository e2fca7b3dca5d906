"""What could change, as the page prints it: prices, scenarios, stress tests, and GPUs day by day."""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from forecasting.spread import Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceEffect:
    """Spend over one horizon at today's prices, and at prices that move: what each adds to the range.

    demand_only: over the demand's paths, prices standing. prices_only: over the prices' paths at each day's mean
    demand cost. both: as planned. Each of the same choices.
    """

    days: int
    demand_only: Spread
    prices_only: Spread
    both: Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceJump:
    """How one kind of price jumps in this plan."""

    kind: Literal["api", "gpu"]
    cuts_per_year: float
    raises_per_year: float
    cut_factors: list[float]
    raise_factors: list[float]
    source: str
    checked: date


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceOutlook:
    """How prices move in this plan. jumps is empty where they stand or fall smoothly."""

    sentence: str
    jumps: list[PriceJump]
    effects: list[PriceEffect]
    announced: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeHorizon:
    """One horizon of a change: GPUs of the whole plan (hosting fleets, spares included), and its spend.

    Each figure is the plan's own plus the difference that the change makes on the sample paths it was worked out
    on. None = unknown: a workload fits none of its GPUs, or an option has no price.
    """

    days: int
    planned_gpus_p50: int
    planned_gpus_p80: int
    planned_gpus_p95: int
    gpus_p50: int | None
    gpus_p80: int | None
    gpus_p95: int | None
    planned_usd: float | None
    usd: float | None
    difference_usd: Spread | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One scenario or stress test: what is changed, what it does, and what the plan would do then."""

    name: str
    kind: Literal["scenario", "stress"]
    start: date
    what: str
    cost_usd: float
    horizons: list[ChangeHorizon]
    would_do: list[str]
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Everything under "What could change". paths: of the plan's sample paths, those behind the differences."""

    prices: PriceOutlook
    changes: list[Change]
    paths: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyGpus:
    """GPUs of one workload's hosting fleet day by day: quantiles over the paths, spares included."""

    gpu: str
    days: list[date]
    p50: list[int]
    p80: list[int]
    p95: list[int]
