"""What the money modules share: a priced line of the budget."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from forecasting.spread import Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class CostLine:
    """What one workload costs over one horizon by one option.

    usd is None where the option has no known price: unknown is unknown, never 0; `note` then says why.
    """

    workload: str
    horizon_days: int
    option: Literal["api", "api-batch", "on-demand", "reserved-30d", "reserved-1y", "reserved-3y", "committed"]
    """committed: reservations in force, which are paid whatever is chosen; their workload is "(commitments)"."""
    label: str
    usd: Spread | None
    usd_low: float | None
    """Mean at the low end of the source's price range."""
    usd_high: float | None
    usd_per_mtok: float | None
    gpu: str | None
    gpu_hours: float | None
    source: str
    checked: date | None
    note: str = ""
