"""Which fleet was chosen and what other ways of serving would cost, as the page prints it."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetWay:
    """One way of serving a workload over the first horizon, and what it costs."""

    way: Literal["single", "second", "mixed", "disaggregated"]
    """single: the cheapest fleet of one kind; second: the next kind of GPU; mixed: several kinds, by length;
    disaggregated: prefill and decode in pools of their own."""
    fleet: str
    """Pools in words, GPUs at 80% of the paths, spares included; empty where there is none."""
    usd: float | None
    saves_usd: float | None
    """Against the cheapest fleet of one kind; negative where it costs more, None of that fleet itself."""
    power_kw: float | None
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetWays:
    """What was chosen for one workload over its first `days` days, and the other ways."""

    days: int
    sentence: str
    ways: list[FleetWay]


@dataclass(frozen=True, slots=True, kw_only=True)
class SharePart:
    """What one workload pays for a shared fleet over the first horizon, and would pay on its own."""

    workload: str
    usd: float
    """To the cent; the parts add up to the whole."""
    apart_usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedFleetRow:
    """Workloads of one model that could share a fleet. GPUs at 80% of the paths, spares included."""

    model: str
    gpu: str
    layout: str
    days: int
    gpus: int
    apart_gpus: int
    usd: float
    apart_usd: float
    adopted: bool
    sentence: str
    parts: list[SharePart] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobGpuRow:
    """One GPU that a job could run on. hours: of a run; usd: of a run on demand; why_not: why it cannot."""

    gpu: str
    gpus: int
    hours: float | None
    usd: float | None
    late_hours: float
    usd_per_tb_per_s: float | None
    """Dollars an hour for a TB/s of bandwidth: what decoding goes by."""
    usd_per_pflop_per_s: float | None
    """Dollars an hour for a PFLOP/s: what prefill and training go by."""
    chosen: bool
    why_not: str
