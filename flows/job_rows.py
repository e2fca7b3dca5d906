"""Declared jobs: their GPU chosen, placed in idle reserved hours first, priced, and their deadline said."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan

import numpy as np
import numpy.typing as npt

from flows.choice_settings import JobSettings
from flows.settings import LoadedPlan
from flows.walk import Facts, offers_of
from forecasting.demand import Demand
from forecasting.spread import Spread
from reports.values.capacity import Job
from reports.values.choice import JobGpuRow
from sizing.choice.job_gpu import JobOnGpu, chosen_gpu, deadline_sentence, job_on_gpus
from sizing.jobs import Placement, ScheduledJob, job_sentence, job_usd, place_in_idle

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Try:
    """A job on one GPU: where its hours went, what stays idle, and what it costs (S, D); None = no known price."""

    on: JobOnGpu | None
    placement: Placement
    idle: Floats
    usd: Floats | None

    @property
    def mean_usd(self) -> float:
        return float("inf") if self.usd is None else float(self.usd.sum(axis=1).mean())


def job_rows(
    plan: LoadedPlan, facts: Facts, demand: Demand, idle_gpus: Mapping[str, Floats]
) -> tuple[list[Job], Floats]:
    """Place the declared jobs in idle reserved hours, in the order declared, buy the rest on demand.

    Work to be sized is tried on every candidate GPU that keeps its deadline (on all, where none does), each with
    the hours that are idle there, and runs where it costs least. Returns rows for the page, and USD (S, D).
    """
    usd = np.zeros_like(demand.requests)
    idle = dict(idle_gpus)
    rows = []
    for settings in plan.settings.jobs:
        table = _table(plan, facts, settings)
        best = _best(plan, facts, settings, table, demand, idle)
        if best is None:
            rows.append(_unable(settings, table))
            continue
        idle[best.placement.job.gpu] = best.idle
        if best.usd is not None:
            usd += best.usd
        rows.append(_row(settings, best, table))
    return rows, usd


def _table(plan: LoadedPlan, facts: Facts, settings: JobSettings) -> tuple[JobOnGpu, ...]:
    if settings.work is None or settings.model is None:
        return ()
    prices = {
        gpu: spot.usd_per_gpu_hour
        for gpu in settings.candidates
        if (spot := offers_of(facts, gpu, plan.settings.prices.source).get("on-demand")) is not None
    }
    return job_on_gpus(
        facts.models[settings.model],
        [facts.gpus[gpu] for gpu in settings.candidates],
        settings.work,
        usd_per_gpu_hour=prices,
        deadline_h=settings.deadline_hours,
        limits=plan.settings.choice.to_limits(),
        asked_gpus=settings.gpus,
        calibration=facts.calibration,
    )


def _best(
    plan: LoadedPlan,
    facts: Facts,
    settings: JobSettings,
    table: tuple[JobOnGpu, ...],
    demand: Demand,
    idle: Mapping[str, Floats],
) -> _Try | None:
    """Return the job where it costs least, None where no GPU can do it at a known price."""
    if not table:
        return _try(plan, facts, settings.to_job(), None, demand, idle)
    first = chosen_gpu(table)
    if first is None:
        return None
    able = [on for on in table if not on.why_not and on.usd is not None and on.late_hours <= first.late_hours]
    tries = [_try(plan, facts, settings.to_job(on), on, demand, idle) for on in able]
    return min(tries, key=lambda each: each.mean_usd)


def _try(
    plan: LoadedPlan,
    facts: Facts,
    job: ScheduledJob,
    on: JobOnGpu | None,
    demand: Demand,
    idle: Mapping[str, Floats],
) -> _Try:
    free = idle.get(job.gpu, np.zeros((*demand.requests.shape, 24)))
    placement, left = place_in_idle(job, demand.days, free)
    spot = offers_of(facts, job.gpu, plan.settings.prices.source).get("on-demand")
    usd = None
    if spot is not None:
        usd, _ = job_usd(placement, on_demand_usd_per_gpu_hour=spot.usd_per_gpu_hour)
    return _Try(on, placement, left, usd)


def _row(settings: JobSettings, best: _Try, table: tuple[JobOnGpu, ...]) -> Job:
    placement = best.placement
    hours = placement.idle_gpu_hours + placement.on_demand_gpu_hours
    sentence = job_sentence(placement)
    if best.on is not None:
        sentence += f" {deadline_sentence(best.on, settings.deadline_hours)}"
    return Job(
        name=placement.job.name,
        gpu=placement.job.gpu,
        gpus=placement.job.gpus,
        gpu_hours_per_30_days=float(hours[:, :30].sum(axis=1).mean()),
        usd_30_days_on_demand=None if best.usd is None else float(Spread.of(best.usd[:, :30].sum(axis=1)).mean),
        sentence=sentence,
        late_hours=None if best.on is None or settings.deadline_hours is None else best.on.late_hours,
        candidates=[_gpu_row(each, placement.job.gpu) for each in table],
    )


def _unable(settings: JobSettings, table: tuple[JobOnGpu, ...]) -> Job:
    """A job that no GPU can do at a known price: its cost is unknown, not 0."""
    reasons = " ".join(dict.fromkeys(each.why_not or f"No price of {each.gpu} is known." for each in table))
    return Job(
        name=settings.name,
        gpu=", ".join(settings.gpu_names),
        gpus=0,
        gpu_hours_per_30_days=0.0,
        usd_30_days_on_demand=None,
        sentence=f"{settings.name}: no candidate GPU can do it. {reasons}",
        candidates=[_gpu_row(each, "") for each in table],
    )


def _gpu_row(on: JobOnGpu, chosen: str) -> JobGpuRow:
    return JobGpuRow(
        gpu=on.gpu,
        gpus=on.gpus,
        hours=None if isnan(on.hours) else on.hours,
        usd=on.usd,
        late_hours=on.late_hours,
        usd_per_tb_per_s=on.usd_per_tb_per_s,
        usd_per_pflop_per_s=on.usd_per_pflop_per_s,
        chosen=on.gpu == chosen,
        why_not=on.why_not,
    )
