"""What the money modules share: a priced line of the budget."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from data.catalog.provisioned import ProvisionedTerm
from forecasting.spread import Spread

Option = Literal[
    "api",
    "api-batch",
    "api-flex",
    "api-priority",
    "on-demand",
    "spot",
    "reserved-30d",
    "reserved-1y",
    "reserved-3y",
    "owned",
    "committed",
    "provisioned-hourly",
    "provisioned-weekly",
    "provisioned-monthly",
    "provisioned-quarterly",
    "provisioned-half-yearly",
    "provisioned-yearly",
]
PROVISIONED_OPTIONS: dict[ProvisionedTerm, Option] = {
    "hourly": "provisioned-hourly",
    "weekly": "provisioned-weekly",
    "monthly": "provisioned-monthly",
    "quarterly": "provisioned-quarterly",
    "half-yearly": "provisioned-half-yearly",
    "yearly": "provisioned-yearly",
}
SHOWN_ONLY: frozenset[str] = frozenset(
    {"api-priority", "spot", "reserved-3y", "owned", *PROVISIONED_OPTIONS.values()}
)
"""Options that stand beside the others and that no plan takes by itself (docs/money.md says why)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostLine:
    """What one workload costs over one horizon by one option.

    usd is None where the option has no known price: unknown is unknown, never 0; `note` then says why.
    """

    workload: str
    horizon_days: int
    option: Option
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
    usd_loaded: float | None = None
    """Fully loaded: with spares, networking and staff on top, as assumed; the API's own bill for the API."""
    unpriced_mtok: float = 0.0
    """Tokens of the horizon, in millions, that this option has no known price for."""
