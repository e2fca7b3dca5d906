"""What own GPUs cost in full, what moves their breakeven, and what provisioned units are needed, as printed."""

from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedRow:
    """One GPU bill over one horizon taken apart, USD in whole cents: the parts add up to total_usd exactly."""

    label: str
    horizon_days: int
    work_usd: float
    """The hours that serve requests: what the traffic costs incrementally."""
    idle_usd: float
    """The paid hours that do not: headroom, peaks, the spare replica, unused terms."""
    spares_usd: float
    networking_usd: float
    staff_usd: float
    total_usd: float
    work_usd_per_mtok: float | None
    total_usd_per_mtok: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TornadoRow:
    """One input at its low and its high end: the utilisation at which self-hosting costs what the API does."""

    factor: str
    low_text: str
    high_text: str
    base: float
    low: float
    high: float
    low_qps: float | None
    high_qps: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LaterRow:
    """The breakeven under one price scenario, 10th percentile, median and 90th over its paths."""

    when: str
    scenario: str
    utilisation: tuple[float, float, float]
    qps: tuple[float | None, float | None, float | None]
    mtok_per_month: tuple[float | None, float | None, float | None]
    chance: float
    """Share of paths on which the fleet, used as planned, can break even at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitBandRow:
    """One step of provisioned units: how often it is busy, and the share of hours from which it pays."""

    units: str
    busy_share: float
    needed_share: float
    holds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfHosting:
    """What stands behind one workload's cost lines. gpu: whose breakeven; reached: its utilisation."""

    gpu: str | None
    reached: float | None
    loaded: list[LoadedRow] = field(default_factory=list)
    tornado: list[TornadoRow] = field(default_factory=list)
    later: list[LaterRow] = field(default_factory=list)
    units: str = ""
    """The model and term that unit_bands are about."""
    unit_bands: list[UnitBandRow] = field(default_factory=list)
    sentence: str = ""
    """Whether an option that is shown only would cost less than what was chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRow:
    """One provider's prices of one GPU, USD per GPU-hour by term as (low, high); a missing term has no price."""

    gpu: str
    provider: str
    region: str
    price_source: str
    contract: bool
    checked: date
    usd_per_gpu_hour: dict[str, tuple[float, float]]
