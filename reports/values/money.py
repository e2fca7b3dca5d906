"""What it costs and what to do, as the page prints it."""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from forecasting.spread import Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionChoice:
    """What to do for one workload over one horizon."""

    action: Literal["commit", "hedge", "watch", "api", "on-demand", "none"]
    sentence: str
    option: str
    gpu: str | None
    gpus: int | None
    usd: float | None
    saving_usd: float | None
    """Against the dearest sensible alternative that the sentence names."""
    decide_by: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakeven:
    """Where one own fleet and the API cost the same."""

    gpu: str
    usd_per_gpu_hour: float
    api_usd_per_mtok: float
    qps: float | None
    utilisation: float | None
    mtok_per_month: float | None
    qps_low: float | None
    qps_high: float | None
    now_qps: float
    sentence: str
    curve_qps: list[float] = field(default_factory=list)
    curve_api_usd_per_month: list[float] = field(default_factory=list)
    curve_gpu_usd_per_month: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetMonth:
    """One calendar month of spend at the plan's decision. A month that the horizon cuts says so in `days`."""

    month: str
    days: int
    usd: Spread
    budget_usd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The sentence on top, and one line per workload and horizon under it."""

    headline: str
    decide_by: date | None
    lines: list[str]
    usd_30_days: Spread | None
    usd_90_days: Spread | None
    usd_365_days: Spread | None
    committed_share: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Currency:
    """How the page shows money: USD times `per_usd`."""

    code: str
    per_usd: float
    rate_date: date | None
    source: str
