"""What could change, as plan.toml states it: [[scenarios]] of the user's own, and the [stress] of every plan."""

from datetime import date
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from data.catalog.models import Precision
from flows.event_settings import Name, Section
from forecasting.transform import LONG_ABOVE_TOK

CatalogName = Annotated[str, AfterValidator(lambda name: name.strip().lower())]
Share = Annotated[float, Field(gt=0, le=1)]
Multiplier = Annotated[float, Field(gt=0, le=1_000, allow_inf_nan=False)]

LEVERS = (
    "gpu", "model", "precision", "api", "requests", "prompt_tok", "cached_prompt_tok", "output_tok", "long_share",
    "prices", "yearly_fall", "region_lost",
)  # fmt: skip
"""The keys that change something."""


class OtherApi(Section):
    """Another API model, as genai-prices names it."""

    provider: str
    model: str


class PriceFactor(Section):
    """What a price is multiplied by. what: `api`, `gpu`, an API model as provider/model, or a GPU's name."""

    what: Name
    factor: Multiplier


class LeverSettings(Section):
    """What changes, from `start` on; what is left out stays as planned."""

    start: date | None = None
    """First day of the change; left out: the first planned day."""
    workloads: Annotated[list[str], Field(min_length=1)] | None = None
    """Left out: all."""
    gpu: CatalogName | None = None
    model: CatalogName | None = None
    precision: Precision | None = None
    api: OtherApi | None = None
    requests: Multiplier = 1.0
    prompt_tok: Multiplier = 1.0
    cached_prompt_tok: Multiplier | None = None
    """Left out, cached tokens follow the prompt's."""
    output_tok: Multiplier = 1.0
    long_share: Multiplier = 1.0
    """Multiplier of the share of requests whose prompt is longer than `long_above_tok`; requests stay."""
    long_above_tok: Annotated[int, Field(gt=0)] = LONG_ABOVE_TOK
    prices: list[PriceFactor] = Field(default_factory=list)
    yearly_fall: Annotated[float, Field(ge=0, lt=1)] | None = None
    """Share of its price that everything loses in a year, a little each day, in place of jumps."""
    region_lost: Share | None = None
    """Share of the GPUs that are gone for lost_days; they are paid on and bought anew elsewhere, on demand."""
    lost_days: Annotated[int, Field(ge=1, le=365)] = 30
    cost_usd: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    """What the change itself costs, once, on its first day."""

    @property
    def changes_something(self) -> bool:
        """Whether any lever is pulled."""
        return any(getattr(self, name) not in (None, 1.0, []) for name in LEVERS)


class ScenarioSettings(LeverSettings):
    """A named change, or several others at once (`combines`), each from its own start."""

    name: Name
    combines: list[Name] = Field(default_factory=list)

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if not self.changes_something and not self.combines:
            raise ValueError(f"{self.name}: changes nothing; give at least one of {', '.join(LEVERS)} or combines")
        if self.precision is not None and self.model is None:
            raise ValueError(f"{self.name}: precision belongs to a model; name the model too")
        return self


class UpgradeSettings(Section):
    """The model that one workload would be upgraded to in the stress test."""

    workload: str
    model: CatalogName | None = None
    precision: Precision | None = None
    api: OtherApi | None = None
    prompt_tok: Multiplier = 1.0
    output_tok: Multiplier = 1.0

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if self.model is None and self.api is None:
            raise ValueError(f"the upgrade of {self.workload} names neither model nor api")
        return self


class StressSettings(Section):
    """How hard the stress tests pull; each test is left out where its key is 1 (region_lost: 0)."""

    run: bool = True
    long_share: Multiplier = 2.0
    agent_output: Multiplier = 3.0
    api_price: Multiplier = 2.0
    gpu_price: Multiplier = 1.33
    traffic: Multiplier = 0.5
    region_lost: Annotated[float, Field(ge=0, le=1)] = 0.5
    lost_days: Annotated[int, Field(ge=1, le=365)] = 30
    upgrades: list[UpgradeSettings] = Field(default_factory=list)
    paths: Annotated[int, Field(ge=10, le=2_000)] = 25
    """Sample paths that scenarios and stress tests are worked out on, spread evenly over the plan's."""


def check_scenarios(scenarios: list[ScenarioSettings], stress: StressSettings, workloads: list[str]) -> None:
    """Raise ValueError where a scenario names something that the plan does not have."""
    names = [s.name for s in scenarios]
    if twice := sorted({n for n in names if names.count(n) > 1}):
        raise ValueError(f"scenario {twice[0]!r} stands twice; names must differ")
    plain = [s.name for s in scenarios if not s.combines]
    for scenario in scenarios:
        for asked in scenario.workloads or []:
            if asked not in workloads:
                known = ", ".join(workloads)
                raise ValueError(f"scenario {scenario.name!r} names workload {asked!r}; known: {known}")
        for other in scenario.combines:
            if other not in plain:
                known = ", ".join(plain) or "none"
                raise ValueError(
                    f"scenario {scenario.name!r} combines {other!r}, which is no plain scenario; known: {known}"
                )
    for upgrade in stress.upgrades:
        if upgrade.workload not in workloads:
            raise ValueError(f"stress.upgrades names workload {upgrade.workload!r}; known: {', '.join(workloads)}")
