"""Prices of GPUs by the hour: what our own dated table says, and what the user's contracts say instead."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

Term = Literal["on-demand", "spot", "reserved-30d", "reserved-1y", "reserved-3y"]

TERM_DAYS: dict[Term, int] = {"reserved-30d": 30, "reserved-1y": 365, "reserved-3y": 1_095}


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuOffer:
    """One price of one GPU for one term. low and high are the range the source prints; equal for a quote.

    Plans use the middle of the range and print both ends.
    """

    gpu: str
    term: Term
    usd_per_gpu_hour_low: float
    usd_per_gpu_hour_high: float
    provider: str
    source: str
    checked: date
    price_source: str
    """Name of the table it stands in (`planning-table`, `list-prices`), or of the user's contract file."""

    @property
    def usd_per_gpu_hour(self) -> float:
        """The middle of the range."""
        return (self.usd_per_gpu_hour_low + self.usd_per_gpu_hour_high) / 2
