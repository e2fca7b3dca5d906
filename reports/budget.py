"""The page as a value. `plan.json` is this value; reading it back renders the identical page.

Every type here is a frozen dataclass of JSON types, so that pydantic writes it, reads it, and states its schema
(docs/plan-json.md). Arrays are plain lists; money is USD (`currency` says how the page shows it).
"""

import dataclasses
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from data.catalog.prices import GpuOffer
from data.errors import UserError
from data.traffic import Basis, Category, DataQuality, PercentileBasis
from forecasting.spread import Spread
from sizing.money import CostLine

SCHEMA_VERSION = 1


class PlanFileError(UserError):
    """A plan.json that is not one, or not of this version."""


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
class FleetRow:
    """What one candidate (GPU, TP) asks over one horizon. GPUs are whole replicas times TP, spares included."""

    gpu: str
    tp: int
    precision: str
    feasible: bool
    why_not: str
    gpus_p50: int | None
    gpus_p80: int | None
    gpus_p95: int | None
    mean_plan_gpus: int | None
    p95_lengths_gpus: int | None
    windowed_p95_gpus: int | None
    windowed_p99_gpus: int | None
    spare_gpus: int | None
    nodes: int | None
    batch: int | None
    memory_batch: int | None
    binds: str
    utilisation: float | None
    ttft_s: float | None
    tpot_s: float | None
    gpus_low: int | None
    """GPUs at p80 if throughput is at the high end of its measured 80% band; gpus_high at the low end."""
    gpus_high: int | None
    measured_points: int
    power_kw: float | None


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
    second_opinion: SecondOpinion | None = None
    """None in files of before it was asked."""


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
class Assumption:
    """What is assumed rather than known, and what it does to the answer."""

    name: str
    value: str
    source: str
    sensitivity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One declared scheduled job over the year."""

    name: str
    gpu: str
    gpus: int
    gpu_hours_per_30_days: float
    usd_30_days_on_demand: float | None
    sentence: str


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What this page was made from; `generated_utc` and `run_id` are the run stamp, the rest repeats."""

    run_id: str
    generated_utc: datetime
    version: str
    input_digest: str
    config_sha256: str
    store_sha256: str
    catalog_sha256: str
    calibration: str
    seed: int
    paths: int
    libraries: dict[str, str]
    prices: list[GpuOffer]
    files: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Currency:
    """How the page shows money: USD times `per_usd`."""

    code: str
    per_usd: float
    rate_date: date | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetReport:
    """The whole page."""

    schema_version: int
    title: str
    as_of: date
    currency: Currency
    decision: Decision
    months: list[BudgetMonth]
    workloads: list[Workload]
    jobs: list[Job]
    quality: DataQuality
    assumptions: list[Assumption]
    provenance: Provenance
    track: TrackRecord | None = None
    """None in files of before the track record."""


_ADAPTER: TypeAdapter[BudgetReport] = TypeAdapter(BudgetReport)


def to_json(report: BudgetReport) -> str:
    """Return the report as indented JSON with a final newline; same report, same bytes.

    NaN and infinity are not JSON: they become null where the contract allows unknown. Where it does not, the text
    could not be read back, so this raises pydantic.ValidationError, which names the field.
    """
    text = _ADAPTER.dump_json(report, indent=1).decode() + "\n"
    _ADAPTER.validate_json(text)
    return text


def from_json(text: str | bytes) -> BudgetReport:
    """Return the report that `to_json` wrote; raises PlanFileError on anything else.

    Keys that this version does not know are passed over: a newer fleetcast may add some under the same number.
    """
    try:
        report = _ADAPTER.validate_json(text)
    except ValidationError as error:
        raise PlanFileError(_sentence(error)) from None
    if report.schema_version != SCHEMA_VERSION:
        raise PlanFileError(
            f"plan.json has schema version {report.schema_version}; this fleetcast reads version {SCHEMA_VERSION}."
            " Render it with the fleetcast that wrote it (`provenance.version`), or plan again."
        )
    return report


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of plan.json."""
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {**dialect, **_ADAPTER.json_schema(mode="serialization")}


def _sentence(error: ValidationError) -> str:
    """Say in one sentence what is wrong with a plan.json, by the first place that is."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or "the whole file"
    return f"plan.json cannot be read: {first['msg'].rstrip('.')} at {place}; use the file as fleetcast wrote it."
