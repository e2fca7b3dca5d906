"""What will be asked, as the page prints it: daily series, percentiles, and why they deserve trust."""

import dataclasses
from dataclasses import dataclass
from datetime import date
from typing import Literal

from data.traffic import Basis, PercentileBasis
from forecasting.spread import Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Daily values: what was seen, and what is forecast with its 80% and 95% interval."""

    history_days: list[date]
    history: list[float | None]
    days: list[date]
    mean: list[float]
    q2_5: list[float]
    q10: list[float]
    q50: list[float]
    q90: list[float]
    q97_5: list[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPercentiles:
    """One length field over one horizon: each percentile's median forecast with its 80% interval, in tokens."""

    field: Literal["prompt", "cached", "output"]
    known: bool
    p50: tuple[float, float, float] | None
    p90: tuple[float, float, float] | None
    p95: tuple[float, float, float] | None
    p99: tuple[float, float, float] | None
    """(q10, q50, q90) of the forecast percentile."""
    mean_tok: float | None
    interval_95: dict[str, tuple[float, float]] = dataclasses.field(default_factory=dict)
    """(q2.5, q97.5) of each known percentile, by its name (p50, p90, p95, p99)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BusiestRow:
    """Requests a second in the busiest window of so many seconds over one horizon."""

    window_s: int
    qps: Spread
    """In the busiest one of the horizon."""
    usual_qps: Spread
    """In the busiest one of its median day."""
    over_mean: float
    """Median over paths and days of the busiest window's rate over its day's mean rate."""
    estimated: bool
    """Never seen: worked out from longer windows and the workload's index of dispersion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """Why the forecast deserves trust, or does not."""

    model: str
    basis: Basis
    history_days: int
    origins: int
    loss_vs_naive: float | None
    """Relative quantile loss of the winner in its own backtest: below 1 is better than the seasonal naive."""
    coverage_80: float | None
    cleaned: list[str]
    sentence: str
    interval_origins: int = 0
    """Past days from which the forecast was made again to learn how wide its interval must be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedPart:
    """One cause of a difference between two plans, in requests and tokens over the window."""

    cause: Literal["calendar", "method", "level", "trend", "growth", "events", "lengths", "length events"]
    requests: float
    tokens: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Why the first `days` of this plan differ from those of the plan before; the parts add up to the difference.

    since: the earlier plan's as_of, None where there is none, and then every figure but `requests_now` is unknown.
    """

    since: date | None
    days: int
    requests_before: float | None
    requests_now: float
    tokens_before: float | None
    tokens_now: float | None
    came_over_forecast: float | None
    """Requests that came since then over what was forecast for those days, outages left out."""
    parts: list[MovedPart]
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpinionRow:
    """Requests over the first `days` as a library expects them, and as our forecast did from the same past."""

    days: int
    requests: float
    """The library's."""
    ours_q10: float
    """Ours, before growth, events and holidays that the plan states; q10 to q90 is the 80% range."""
    ours_q50: float
    ours_q90: float
    ours_over_it: float | None
    """ours_q50 over the library's; None where that is 0."""
    inside_80: bool
    """Whether the library's lies in our 80% range."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondOpinion:
    """What a library's own forecast expects, printed beside ours; it moves no other figure."""

    method: str
    scenarios: bool
    """The plan states growth, events or holidays that move these days: no library knows them."""
    why_not: str
    """Why there is none; empty where there is one."""
    rows: list[OpinionRow]
    """One per horizon; none where there is no opinion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LongShareRow:
    """Share of requests and of GPU work that prompts above a length make up."""

    threshold_tok: int
    requests_share: float
    work_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a workload's source stated over the days that were read, and where its percentiles come from."""

    kind: Literal["requests", "aggregates"]
    requests: float
    """Served and throttled; where the source does not count them, as plan.toml assumes."""
    throttled_requests: float
    """429s among them: demand that was not served."""
    failed_requests: float
    missing_tok_requests: float
    """Those among them whose prompt or output tokens nobody stated."""
    percentiles: PercentileBasis
    sentence: str
