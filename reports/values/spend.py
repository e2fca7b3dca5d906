"""The spend by bill and month, as finance books it: lines that add up to their month to the cent."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

SpendKind = Literal["api", "api-batch", "on-demand", "reserved", "committed", "job"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendRow:
    """What one workload is expected to pay for one thing in one calendar month, or the part of it that is planned.

    kind: reserved is a term that this plan proposes, committed one that is in force; the overflow above a term is
    on-demand. usd: the mean over the paths, in whole cents; the rows of a month add up to the month's mean rounded
    once. usd_p10, usd_p90: the bill's own 80% range; ranges do not add up. gpu_hours: None where no GPU is rented,
    or nobody counts them.
    """

    month: str
    start: date
    end: date
    """The last planned day of the month."""
    workload: str
    kind: SpendKind
    provider: str
    """Empty where unknown."""
    label: str
    gpu: str | None
    usd: float
    usd_p10: float
    usd_p90: float
    gpu_hours: float | None
