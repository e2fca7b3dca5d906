"""What it takes, as the page prints it: fleets and scheduled jobs."""

from dataclasses import dataclass, field

from reports.values.choice import JobGpuRow


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
class Job:
    """One declared scheduled job over the year."""

    name: str
    gpu: str
    gpus: int
    gpu_hours_per_30_days: float
    usd_30_days_on_demand: float | None
    sentence: str
    late_hours: float | None = None
    """By which a run misses its deadline, 0 = it is kept; None where none is stated."""
    candidates: list[JobGpuRow] = field(default_factory=list)
    """The GPUs that it could run on; none where its GPUs and hours are stated."""
