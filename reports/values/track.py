"""How earlier plans did, as the page prints it."""

from dataclasses import dataclass
from datetime import date
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRow:
    """How earlier plans did on one quantity of one workload, so many days ahead, over all their scored days."""

    workload: str
    quantity: str
    """requests, prompt_tok, cached_prompt_tok, output_tok, or peak_10s_qps (by the window's length)."""
    from_day: int
    to_day: int
    plans: int
    days: int
    event_days: int
    outage_days: int
    error: float | None
    bias: float | None
    coverage_80: float
    loss_vs_naive: float | None
    grade: Literal["good", "fair", "poor", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanScore:
    """How one earlier plan did on one workload's requests, so many days ahead."""

    as_of: date
    workload: str
    from_day: int
    to_day: int
    days: int
    error: float | None
    bias: float | None
    coverage_80: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """What the plan before forecast for one workload's requests, day by day, and what came (None = not scored)."""

    workload: str
    as_of: date
    days: list[date]
    actual: list[float | None]
    mean: list[float]
    q10: list[float]
    q50: list[float]
    q90: list[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRecord:
    """How earlier plans of this store did on the days that have come since."""

    since: date | None
    """as_of of the oldest plan that is scored; None: no earlier plan could be."""
    plans: int
    sentence: str
    rows: list[TrackRow]
    by_plan: list[PlanScore]
    last: list[Scored]
    notes: list[str]
