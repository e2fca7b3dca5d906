"""plan.toml: what the user wants planned, checked before anything is read or written.

docs/plan-toml.md explains every key. Unknown keys are refused, so that a typing mistake never becomes a default.
"""

import hashlib
import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from data.catalog.models import Precision
from data.errors import UserError
from data.traffic import Assumed, Category, Match
from flows.choice_settings import ChoiceSettings, JobSettings
from flows.commit_settings import CommitSettings
from flows.event_settings import EventSettings, HolidaySettings, Name, Positive, Section
from flows.money_settings import Fraction, OverheadSettings, OwnedSettings, ProvisionedSettings, SpotSettings
from flows.price_settings import PriceSettings
from flows.scenario_settings import ScenarioSettings, StressSettings, check_scenarios
from forecasting.holiday import HolidayCalendar
from forecasting.scenarios import Growth
from sizing.api_cost import ApiPlan
from sizing.availability import N_PLUS_1, Availability
from sizing.calibration import DEFAULT_ENGINE
from sizing.deployment.energy import ACTIVE_SHARE, IDLE_SHARE, PowerRules
from sizing.gpu_cost import Commitment
from sizing.profile import Slo
from sizing.speculation import Speculation

Share = Annotated[float, Field(gt=0, le=1)]
Degree = Annotated[int, Field(ge=1, le=512)]
CatalogName = Annotated[str, AfterValidator(lambda name: name.strip().lower())]
PERCENTILE_KEY = re.compile(r"(?P<what>ttft|tpot)_p(?P<percent>[0-9]{2}(\.[0-9]+)?)_ms")
"""`ttft_p99_ms`, `tpot_p99.9_ms`: a bound in milliseconds at a percentile."""


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("use an IANA name such as UTC or Europe/Berlin")
    return name


class MatchSettings(Section):
    """Which stored requests belong to the workload; at least one key, so that nothing is taken by accident."""

    label: str | None = None
    model: str | None = None
    region: str | None = None
    team: str | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("needs at least one of label, model, region, team")
        return self

    def to_match(self) -> Match:
        """Return the same as the data room reads it."""
        return Match(label=self.label, model=self.model, region=self.region, team=self.team)


class SloSettings(Section):
    """What users must see; leave out what is not promised. `ttft_p99_ms = 800` says a bound and its percentile."""

    ttft_s: Positive | None = None
    tpot_s: Positive | None = None
    percentile: Annotated[float, Field(ge=0.5, lt=1)] = 0.99

    @model_validator(mode="before")
    @classmethod
    def _bounds_that_name_their_percentile(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        plain, percentile = dict(given), given.get("percentile")
        for key in given:
            if (named := PERCENTILE_KEY.fullmatch(str(key))) is None:
                continue
            field, share, value = f"{named['what']}_s", float(named["percent"]) / 100, plain.pop(key)
            if field in plain:
                raise ValueError(f"{key} and {field} say the same bound; give one")
            if percentile is not None and percentile != share:
                raise ValueError(
                    f"{key} stands beside percentile {percentile}; one percentile holds for both bounds"
                )
            percentile = plain["percentile"] = share
            plain[field] = value / 1_000 if isinstance(value, int | float) else value
        return plain

    def to_slo(self) -> Slo:
        """Return the same as the sizing room reads it."""
        return Slo(ttft_s=self.ttft_s, tpot_s=self.tpot_s, percentile=self.percentile)


class SpeculationSettings(Section):
    """Speculative decoding: draft tokens of a step, the share of them accepted, a draft token's cost in steps."""

    tokens: Annotated[int, Field(ge=1, le=64)]
    acceptance: Annotated[float, Field(ge=0, le=1)]
    draft_cost: Annotated[float, Field(ge=0, lt=1)] = 0.05

    def to_speculation(self) -> Speculation:
        """Return the same as the sizing room reads it."""
        return Speculation(**self.model_dump())


class AvailabilitySettings(Section):
    """What may be out while the fleet still holds its SLO, and how late another replica comes."""

    spare_replicas: Annotated[int, Field(ge=0, le=1_000)] = N_PLUS_1.spare_replicas
    node_failures: Annotated[int, Field(ge=0, le=100)] = 0
    maintenance_nodes: Annotated[int, Field(ge=0, le=100)] = 0
    node_mtbf_h: Positive | None = None
    node_repair_h: Positive | None = None
    available_share: Annotated[float, Field(gt=0, lt=1)] = N_PLUS_1.available_share
    scaling_lag_s: Annotated[float, Field(ge=0, le=86_400)] = N_PLUS_1.scaling_lag_s
    cold_start_s: Annotated[float, Field(ge=0, le=86_400)] = N_PLUS_1.cold_start_s

    @model_validator(mode="after")
    def _failures_have_an_end(self) -> Self:
        if (self.node_mtbf_h is None) != (self.node_repair_h is None):
            raise ValueError("node_mtbf_h and node_repair_h say something together only; give both or none")
        return self

    def to_availability(self) -> Availability:
        """Return the same as the sizing room reads it."""
        return Availability(**self.model_dump())


class ApiSettings(Section):
    """The API that could serve the workload instead, as genai-prices names it."""

    provider: str
    model: str
    batch_fraction: Share | None = None
    """Price of a batch request over a normal one, where the provider's list does not say (0.5 = half price)."""
    token_ratio: Positive = 1.0
    """API tokens for each logged token, where another tokenizer logged them; 1.0 is an assumption."""
    wait_share: Fraction = 0.0
    """Share of the requests that can wait for batch or flex prices; of category batch all can."""
    cache_write_share: Fraction | None = None
    """Share of the uncached prompt that is written to the cache, where writes have a price of their own."""
    reasoning_share: Fraction | None = None
    """Share of the output that is reasoning, where that has a price of its own."""
    provisioned: ProvisionedSettings | None = None
    """Whose provisioned units to price; left out: those of provider and model, where they are sold."""

    def to_plan(self) -> ApiPlan:
        """Return the same as the sizing room reads it."""
        return ApiPlan(
            provider=self.provider,
            model=self.model,
            cache_write_share=self.cache_write_share,
            reasoning_share=self.reasoning_share,
            wait_share=self.wait_share,
        )


class GrowthSettings(Section):
    """Yearly growth that the user expects, as multipliers; replaces growth read from the data."""

    low: Positive
    likely: Positive
    high: Positive
    saturation: Annotated[float, Field(gt=1, allow_inf_nan=False)] | None = None
    """Multiple of today's level that growth levels off at."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low <= self.likely <= self.high:
            raise ValueError(f"needs low <= likely <= high, not {self.low}, {self.likely}, {self.high}")
        return self

    def to_growth(self) -> Growth:
        """Return the same as the forecasting room reads it."""
        return Growth(self.low, self.likely, self.high, self.saturation)


class AssumeSettings(Section):
    """What stands in where a source of sums does not state it (docs/plan-toml.md); what is used is on the page."""

    prompt_tok: Positive | None = None
    output_tok: Positive | None = None
    prompt_cv: Annotated[float, Field(ge=0, le=10)] = Assumed().prompt_cv
    output_cv: Annotated[float, Field(ge=0, le=10)] = Assumed().output_cv

    def to_assumed(self) -> Assumed:
        """Return the same as the data room reads it."""
        return Assumed(**self.model_dump())


class WorkloadSettings(Section):
    """One workload: whose requests, on which model, under which promise, with which alternatives."""

    name: Name
    category: Category
    match: MatchSettings
    model: CatalogName
    precision: Precision
    precisions: list[Precision] = Field(default_factory=list)
    """Other precisions that quality allows; each GPU takes the one of the fewest GPUs."""
    kv_precision: Literal["bf16", "fp8", "int8"] = "bf16"
    gpus: Annotated[list[CatalogName], Field(min_length=1)]
    engine: CatalogName = DEFAULT_ENGINE
    """Serving engine, as the calibration names it."""
    pp: Degree = 1
    ep: Degree = 1
    dp_attention: bool = False
    speculation: SpeculationSettings | None = None
    slo: SloSettings = SloSettings()
    long_slo: SloSettings | None = None
    """What requests in a pool of their own must see, where long ones are promised less; None = slo."""
    sized_by: Literal["percentile", "utilisation"] = "utilisation"
    """What sizes an online fleet with an SLO: its percentile, or busy windows at a utilisation (as without)."""
    availability: AvailabilitySettings = AvailabilitySettings()
    api: ApiSettings | None = None
    deadline_h: Positive | None = None
    token_ratio: Positive = 1.0
    """Tokens of the planned model for each logged token."""
    growth: GrowthSettings | None = None
    time_zone: Annotated[str, AfterValidator(_known_zone)] | None = None
    """Whose clocks its hours follow; None = the plan's."""
    assume: AssumeSettings = AssumeSettings()
    holidays: HolidaySettings | None = None
    """Whose public holidays count; None = the plan's."""

    @model_validator(mode="after")
    def _deadline_is_for_batch(self) -> Self:
        if len(set(self.gpus)) < len(self.gpus):
            raise ValueError(f"{self.name}: gpus names one twice: {', '.join(self.gpus)}")
        if self.category == "scheduled":
            raise ValueError(f"{self.name}: scheduled work is declared under [[jobs]], not measured from logs")
        if self.deadline_h is not None and self.category != "batch":
            raise ValueError(f"deadline_h is for category batch; {self.name} is {self.category}")
        if self.category == "batch" and (self.slo.ttft_s or self.slo.tpot_s):
            raise ValueError(f"{self.name}: batch work has deadline_h instead of slo.ttft_s and slo.tpot_s")
        if self.category == "batch" and self.availability != AvailabilitySettings():
            raise ValueError(f"{self.name}: batch work waits out what fails; availability is for category online")
        return self


class CommitmentSettings(Section):
    """A reservation that is already in force. `end` is its last day."""

    gpu: CatalogName
    units: Annotated[int, Field(gt=0)]
    usd_per_gpu_hour: Positive
    start: date
    end: date
    provider: str

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.end < self.start:
            raise ValueError(f"ends {self.end}, before it starts {self.start}")
        return self

    def to_commitment(self) -> Commitment:
        """Return the same as the sizing room reads it."""
        return Commitment(**self.model_dump())


class FxSettings(Section):
    """Exchange rate: units of the plan's currency for one US dollar, on a date, from a source."""

    per_usd: Positive
    date: date
    source: str


class StoreSettings(Section):
    """Where the logs were ingested to, relative to plan.toml."""

    path: Path


class CatalogSettings(Section):
    """The user's own models and GPUs, in the catalog's format; they win."""

    models: list[Path] = Field(default_factory=list)
    gpus: list[Path] = Field(default_factory=list)
    provisioned: list[Path] = Field(default_factory=list)


class CalibrationSettings(Section):
    """The user's own measurements, as `fleetcast calibrate` wrote them; they go on top of the shipped factors."""

    file: Path | None = None


class UtilisationSettings(Section):
    """Headroom: the share of its capacity that a fleet may use."""

    mean: Share = 0.7
    window: Share = 0.85
    """In the 10-second window that the fleet is sized for."""


class PowerSettings(Section):
    """What stands around the GPUs; energy and carbon that rest on what is left out stay unknown."""

    idle_share: Share = IDLE_SHARE
    active_share: Share = ACTIVE_SHARE
    host_w_per_gpu: Annotated[float, Field(ge=0, le=10_000)] | None = None
    pue: Annotated[float, Field(ge=1, le=5)] | None = None
    carbon_g_per_kwh: Annotated[float, Field(ge=0, le=3_000)] | None = None
    source: str = ""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.active_share < self.idle_share:
            raise ValueError(f"active_share {self.active_share:g} is below idle_share {self.idle_share:g}")
        return self

    def to_rules(self) -> PowerRules:
        """Return the same as the sizing room reads it."""
        return PowerRules(**self.model_dump())


class SloCheckSettings(Section):
    """Whether planned fleets are held against the simulator."""

    check: bool = False
    """Replay each online workload's chosen fleet in its busy hour; seconds a workload, more the first time."""


class WindowSettings(Section):
    """Which busy windows an online fleet covers."""

    percentile: Annotated[float, Field(ge=0.5, lt=1)] = 0.99
    window_s: Literal[1, 10, 60] = 10
    """Length of a window; 1 s is read from the stored requests, 60 s adds up windows of 10 s."""


class PlanSettings(Section):
    """The whole plan.toml."""

    schema_version: Literal[1] = Field(alias="schema")
    title: Name
    seed: Annotated[int, Field(ge=0, lt=2**63)]
    time_zone: Annotated[str, AfterValidator(_known_zone)] = "UTC"
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    fx: FxSettings | None = None
    horizons_days: Annotated[list[Annotated[int, Field(ge=1, le=365)]], Field(min_length=1)] = Field(
        default=[30, 90, 365]
    )
    paths: Annotated[int, Field(ge=50, le=2_000)] = 200
    history_days: Annotated[int, Field(ge=1, le=36_500)] = 1_096
    store: StoreSettings
    prices: PriceSettings = PriceSettings()
    catalog: CatalogSettings = CatalogSettings()
    calibration: CalibrationSettings = CalibrationSettings()
    utilisation: UtilisationSettings = UtilisationSettings()
    windows: WindowSettings = WindowSettings()
    slo: SloCheckSettings = SloCheckSettings()
    power: PowerSettings = PowerSettings()
    choice: ChoiceSettings = ChoiceSettings()
    budget_usd: dict[Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")], Positive] = Field(
        default_factory=dict
    )
    lead_time_days: Annotated[int, Field(ge=0, le=365)] = 7
    """Days between signing a reservation and its first hour."""
    workloads: Annotated[list[WorkloadSettings], Field(min_length=1)]
    events: list[EventSettings] = Field(default_factory=list)
    holidays: HolidaySettings | None = None
    jobs: list[JobSettings] = Field(default_factory=list)
    commitments: list[CommitmentSettings] = Field(default_factory=list)
    commit: CommitSettings = CommitSettings()
    overheads: OverheadSettings = OverheadSettings()
    spot: SpotSettings = SpotSettings()
    owned: list[OwnedSettings] = Field(default_factory=list)
    scenarios: list[ScenarioSettings] = Field(default_factory=list)
    stress: StressSettings = StressSettings()

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        names = [w.name for w in self.workloads]
        if twice := sorted({n for n in names if names.count(n) > 1}):
            raise ValueError(f"workload {twice[0]!r} stands twice; names must differ")
        for event in self.events:
            if event.workload is not None and event.workload not in names:
                raise ValueError(
                    f"event {event.name!r} names workload {event.workload!r}; known: {', '.join(names)}"
                )
        check_scenarios(self.scenarios, self.stress, names)
        if self.horizons_days != sorted(set(self.horizons_days)):
            raise ValueError(f"horizons_days must rise, not {self.horizons_days}")
        if self.currency != "USD" and self.fx is None:
            raise ValueError(f"currency {self.currency} needs an [fx] table with per_usd, date and source")
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The time zone that calendar months of the budget are read in."""
        return ZoneInfo(self.time_zone)

    def zone_of(self, workload: WorkloadSettings) -> ZoneInfo:
        """The clocks that a workload's hours and holidays follow."""
        return ZoneInfo(workload.time_zone or self.time_zone)

    def holidays_of(self, workload: WorkloadSettings) -> HolidayCalendar | None:
        """The public holidays that move a workload, None where no country is stated."""
        stated = workload.holidays or self.holidays
        return None if stated is None else stated.to_calendar(self.zone_of(workload))


class LoadedPlan(BaseModel):
    """A checked plan.toml with the folder that its paths are relative to."""

    model_config = ConfigDict(frozen=True)

    settings: PlanSettings
    path: Path
    sha256: str

    def resolve(self, path: Path) -> Path:
        """Return a path of plan.toml, relative to the folder it stands in."""
        return path if path.is_absolute() else self.path.parent / path

    @property
    def store_path(self) -> Path:
        """The store's DuckDB file."""
        return self.resolve(self.settings.store.path)


def load_plan(path: Path) -> LoadedPlan:
    """Read and check plan.toml; raises UserError naming the key, the value and what is allowed."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"Cannot read the plan {path}: {error.strerror}; start from examples/plan.toml."
        ) from error
    try:
        content = tomllib.loads(raw.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not valid TOML: {error}.") from error
    try:
        settings = PlanSettings.model_validate(content)
    except ValidationError as error:
        raise UserError(_one_sentence(path, error, content)) from error
    return LoadedPlan(settings=settings, path=path.resolve(), sha256=hashlib.sha256(raw).hexdigest())


def _one_sentence(path: Path, error: ValidationError, content: Any) -> str:
    first, *others = error.errors(include_url=False)
    key = _key(first["loc"], content) or "the plan"
    message = str(first["msg"]).removeprefix("Value error, ")
    given = "" if first["type"] in {"missing", "value_error"} else f" (given: {_short(first['input'])})"
    if first["type"] == "missing":
        message = "is required and missing"
    elif first["type"] == "extra_forbidden":
        message = "is not a key that fleetcast knows; docs/plan-toml.md lists them"
    more = f" {len(others)} more problem{'s' * (len(others) > 1)} after this one." if others else ""
    return f"{path}: {key}: {message[0].lower() + message[1:]}{given}.{more}"


def _key(loc: tuple[int | str, ...], content: Any) -> str:
    """Spell a key as the file does, and a list's entry by its name: `workloads["chat"].slo.ttft_s`."""
    text = ""
    for part in loc:
        try:
            content = content[part]
        except (KeyError, IndexError, TypeError):
            content = None
        if isinstance(part, int):
            name = content.get("name") if isinstance(content, dict) else None
            text += f"[{name!r}]" if isinstance(name, str) else f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
