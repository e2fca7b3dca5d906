"""The long-context warning in numbers: one horizon planned three ways, in GPUs and in dollars."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sizing.fleet import FleetHorizon
from sizing.gpu_cost import held_usd

Logic = Literal["mean", "p95 lengths", "windowed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLogic:
    """What one way of planning asks over one horizon, without spares.

    gpus: at the 80% path, None where it is not possible. usd: these GPUs on demand in every hour of the horizon,
    None without a price. over_mean: GPUs over those of the mean plan.
    """

    logic: Logic
    days: int
    gpus: int | None
    usd: float | None
    over_mean: float | None


def plan_logics(horizon: FleetHorizon, *, usd_per_gpu_hour: float | None) -> tuple[PlanLogic, ...]:
    """Return the mean plan, the plan of the product of 95% lengths, and the windowed plan.

    The last one covers the windows and the percentile that the fleet was planned on; it is unknown for work that
    waits and for sources of longer windows.
    """
    asked: Mapping[Logic, int | None] = {
        "mean": horizon.mean_plan_gpus,
        "p95 lengths": horizon.p95_lengths_gpus,
        "windowed": None if horizon.windowed_p99_gpus is None else horizon.gpus_p80 - horizon.spare_gpus,
    }
    mean = horizon.mean_plan_gpus
    return tuple(
        PlanLogic(
            logic=logic,
            days=horizon.days,
            gpus=gpus,
            usd=held_usd(gpus, days=horizon.days, usd_per_gpu_hour=usd_per_gpu_hour),
            over_mean=gpus / mean if gpus is not None and mean else None,
        )
        for logic, gpus in asked.items()
    )
