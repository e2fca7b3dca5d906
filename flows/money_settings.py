"""plan.toml, its money: overheads, spot, owned GPUs, provisioned units. docs/plan-toml.md explains every key."""

from datetime import date
from typing import Annotated

from pydantic import Field

from flows.event_settings import Positive, Section
from sizing.extra_costs import SpotTerms
from sizing.loaded import Overheads, OwnedGpu

Extra = Annotated[float, Field(ge=0, le=10)]
Fraction = Annotated[float, Field(ge=0, le=1)]


class ProvisionedSettings(Section):
    """Whose provisioned units could serve the workload, as data/catalog/provisioned.toml names them."""

    provider: str
    model: str
    deployment: str | None = None


class OverheadSettings(Section):
    """What comes on top of a GPU bill, each a share of it; all of them assumptions."""

    spares: Extra = Overheads().spares
    networking: Extra = Overheads().networking
    staff: Extra = Overheads().staff

    def to_overheads(self) -> Overheads:
        """Return the same as the sizing room reads it."""
        return Overheads(**self.model_dump())


class SpotSettings(Section):
    """What interruptions cost; both are assumptions."""

    overhead: Extra = SpotTerms().overhead
    fallback: Fraction = SpotTerms().fallback

    def to_terms(self) -> SpotTerms:
        """Return the same as the sizing room reads it."""
        return SpotTerms(**self.model_dump())


class OwnedSettings(Section):
    """A GPU of one's own: price with its share of the host, years until it is written off, power."""

    gpu: str
    capex_usd: Positive
    life_years: Positive
    kw: Positive
    usd_per_kwh: Positive
    pue: Annotated[float, Field(ge=1, le=10)]
    source: str
    checked: date
    residual: Annotated[float, Field(ge=0, lt=1)] = 0.0
    upkeep_per_year: Fraction = 0.0
    idle_kw: Annotated[float, Field(ge=0)] = 0.0

    def to_owned(self) -> OwnedGpu:
        """Return the same as the sizing room reads it."""
        return OwnedGpu(**{**self.model_dump(), "gpu": self.gpu.strip().lower()})
