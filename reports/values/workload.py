"""One workload: everything that the page says about it."""

from dataclasses import dataclass, field
from datetime import date

from data.traffic import Category
from forecasting.spread import Spread
from reports.values.capacity import FleetRow
from reports.values.changes import DailyGpus
from reports.values.choice import FleetWays
from reports.values.deployment import Deployment
from reports.values.forecast import (
    BusiestRow,
    LongShareRow,
    Method,
    Moved,
    SecondOpinion,
    Series,
    Source,
    TokenPercentiles,
)
from reports.values.money import Breakeven, OptionChoice
from reports.values.selfhost import SelfHosting
from reports.values.slo import SloCheck
from reports.values.windows import WindowedWork
from sizing.money import CostLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon:
    """One workload over the first 30, 90 or 365 days of the paths."""

    days: int
    start: date
    end: date
    requests: Spread
    mean_qps: Spread
    peak_qps: Spread
    tokens: list[TokenPercentiles]
    prompt_tok: Spread
    output_tok: Spread
    fleets: list[FleetRow]
    chosen_gpu: str | None
    costs: list[CostLine]
    decision: OptionChoice
    cached_tok: Spread | None = None
    busiest: list[BusiestRow] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Everything the page says about one workload."""

    name: str
    category: Category
    model: str
    precision: str
    api: str | None
    notes: list[str]
    traffic: Series
    method: Method
    hour_of_week: list[float]
    long_context: list[LongShareRow]
    textbook_gpus: int | None
    textbook_sentence: str
    horizons: list[Horizon]
    breakeven: list[Breakeven]
    peak_qps: Series | None = None
    """Requests a second in each day's busiest window, forecast directly."""
    source: Source | None = None
    moved: Moved | None = None
    """Why its number moved since the plan before; None in files of before the track record."""
    daily_gpus: DailyGpus | None = None
    """GPUs of the hosting fleet day by day; None in files of before."""
    second_opinion: SecondOpinion | None = None
    """None in files of before it was asked."""
    windowed: WindowedWork | None = None
    """None in files of before it, and where no fleet is planned."""
    deployment: Deployment | None = None
    """The same."""
    selfhost: SelfHosting | None = None
    """What stands behind its cost lines; None where no GPU can serve it, and in older files."""
    slo_check: SloCheck | None = None
    """Its planned fleet in the simulator; None where that was not asked, without an SLO, and in older files."""
    choice: FleetWays | None = None
    """What other fleets would cost; None where no candidate GPU has a price, and in files of before."""
