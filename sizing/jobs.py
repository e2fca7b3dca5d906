"""Declared scheduled jobs: their GPU-hours, placed in idle reserved hours first, the rest on demand."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data.errors import UserError

Floats = npt.NDArray[np.float64]

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY_HOURS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledJob:
    """A job that is declared, not measured: so many GPUs for so many hours on these weekdays.

    window_hours: the time from its start within which a run may be done, in pieces where idle GPUs come and go;
    None = it runs through, `hours` long. least_gpus: fewer at once cannot hold it, so idle GPUs count in multiples
    of it alone (1: in any part).
    """

    name: str
    gpu: str
    gpus: int
    hours: float
    weekdays: tuple[str, ...]
    start_hour_utc: float = 0.0
    window_hours: float | None = None
    least_gpus: int = 1

    def __post_init__(self) -> None:
        """Refuse a job that cannot run as declared."""
        if unknown := [day for day in self.weekdays if day not in WEEKDAYS]:
            raise UserError(f"Job {self.name!r}: weekday {unknown[0]!r} is none of {', '.join(WEEKDAYS)}.")
        if self.gpus <= 0 or self.hours <= 0 or not 0 <= self.start_hour_utc < _DAY_HOURS:
            raise UserError(
                f"Job {self.name!r}: gpus = {self.gpus} and hours = {self.hours} must be above 0,"
                f" start_hour_utc = {self.start_hour_utc} from 0 to below 24."
            )
        if self.window_hours is not None and self.window_hours < self.hours:
            raise UserError(
                f"Job {self.name!r}: window_hours = {self.window_hours} is shorter than its {self.hours} hours."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a job's GPU-hours went, (S, D) by the day each run starts: idle reserved GPUs, or on demand."""

    job: ScheduledJob
    idle_gpu_hours: Floats
    on_demand_gpu_hours: Floats


def job_gpu_hours(job: ScheduledJob, days: npt.NDArray[np.datetime64]) -> Floats:
    """Return (D,): GPU-hours of the runs that start on each day, gpus x hours each, past midnight included."""
    weekday = (days.astype("datetime64[D]").astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday
    runs = np.isin(weekday, [WEEKDAYS.index(day) for day in job.weekdays])
    return np.asarray(runs * (job.gpus * job.hours), dtype=np.float64)


def place_in_idle(
    job: ScheduledJob, days: npt.NDArray[np.datetime64], idle_gpus: Floats
) -> tuple[Placement, Floats]:
    """Place every run of a job in idle reserved GPUs, earliest hour first, and return what stays idle.

    idle_gpus: (S, D, 24) GPUs that are paid and unused (`sizing.gpu_cost.use_held`). A run takes at most its own
    number of GPUs at a time, within its window; what does not fit is bought on demand. Hours after the last day
    count as not idle.
    """
    paths, count = idle_gpus.shape[:2]
    idle = idle_gpus.reshape(paths, -1).copy()
    work = job_gpu_hours(job, days)
    placed = np.zeros((paths, count))
    for day in np.flatnonzero(work):
        first = int(day) * _DAY_HOURS + job.start_hour_utc
        hours, share = _window(first, job.hours if job.window_hours is None else job.window_hours, idle.shape[1])
        room = _usable(np.minimum(idle[:, hours], job.gpus), job.least_gpus) * share
        before = np.cumsum(room, axis=1) - room
        taken = np.clip(work[day] - before, 0.0, room)
        idle[:, hours] -= taken
        placed[:, day] = taken.sum(axis=1)
    placement = Placement(job=job, idle_gpu_hours=placed, on_demand_gpu_hours=work[None] - placed)
    return placement, idle.reshape(idle_gpus.shape)


def place_jobs(
    jobs: Sequence[ScheduledJob], days: npt.NDArray[np.datetime64], idle_gpus: Floats, *, gpu: str
) -> tuple[list[Placement], Floats]:
    """Place the jobs of one GPU one after another, in the order declared, and return what stays idle after all."""
    placements = []
    for job in jobs:
        if job.gpu == gpu:
            placement, idle_gpus = place_in_idle(job, days, idle_gpus)
            placements.append(placement)
    return placements, idle_gpus


def job_usd(
    placement: Placement, *, on_demand_usd_per_gpu_hour: float, idle_usd_per_gpu_hour: float = 0.0
) -> tuple[Floats, Floats]:
    """Return two (S, D): incremental and fully loaded USD by the day of start.

    Incremental: idle reserved hours are paid already and cost idle_usd_per_gpu_hour more (0 for rented GPUs, the
    power for owned ones), the rest the on-demand price. Fully loaded: every hour at the on-demand price.
    """
    bought = placement.on_demand_gpu_hours * on_demand_usd_per_gpu_hour
    incremental = bought + placement.idle_gpu_hours * idle_usd_per_gpu_hour
    return np.asarray(incremental), np.asarray(bought + placement.idle_gpu_hours * on_demand_usd_per_gpu_hour)


def job_sentence(placement: Placement, *, days: int = 30) -> str:
    """Return what the job takes over its first `days` days, and where."""
    job = placement.job
    idle = float(placement.idle_gpu_hours[:, :days].sum(axis=1).mean())
    bought = float(placement.on_demand_gpu_hours[:, :days].sum(axis=1).mean())
    return (
        f"{job.name}: {job.gpus} x {job.gpu} for {job.hours:g} h on {', '.join(job.weekdays)} is"
        f" {idle + bought:,.0f} GPU-hours in {days} days, {idle:,.0f} of them in idle reserved hours."
    )


def _usable(idle_gpus: Floats, least_gpus: int) -> Floats:
    """Return the idle GPUs that a job can run on: whole multiples of the fewest that hold it."""
    return idle_gpus if least_gpus == 1 else np.floor(np.round(idle_gpus / least_gpus, 9)) * least_gpus


def _window(first_hour: float, length_hours: float, total_hours: int) -> tuple[npt.NDArray[np.int64], Floats]:
    """Return the hours that a window touches, within the planned ones, and the share of each that lies inside."""
    last_hour = first_hour + length_hours
    hours = np.arange(int(first_hour), min(int(np.ceil(last_hour)), total_hours), dtype=np.int64)
    share = np.minimum(hours + 1, last_hour) - np.maximum(hours, first_hour)
    return hours, share
