"""The whole page as a value, from what the walk found."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

import numpy as np
import numpy.typing as npt

from flows.assemble import workload_page
from flows.changes import what_could_change
from flows.choosing import Sharing, shared_row
from flows.commit_page import commitment_page
from flows.headline import as_currency, decide_plan
from flows.history import moved_since, track_record
from flows.job_rows import job_rows
from flows.pool import Pool, borne
from flows.pricing import Priced, hosting_gpu
from flows.provenance import assumptions, provenance
from flows.record import Record
from flows.replay import PlanReplay, past_decisions
from flows.runs import Run
from flows.selfhost_rows import provider_rows
from flows.settings import LoadedPlan, WorkloadSettings
from flows.sides import NO_SIDES, Sides
from flows.spend import by_month, committed_share, over_days, plan_spend
from flows.spend_rows import spend_rows
from flows.walk import Facts, Past, SizedGpu, textbook_for
from flows.whatif import WhatIf
from forecasting.outlook import Outlook
from reports.budget import SCHEMA_VERSION, BudgetReport, Currency
from sizing.gpu_cost import committed_usd
from sizing.textbook import Textbook

Floats = npt.NDArray[np.float64]


def budget_report(
    plan: LoadedPlan,
    facts: Facts,
    past: Past,
    outlooks: Sequence[Outlook],
    sized: Sequence[Sequence[SizedGpu]],
    priced: Sequence[Priced],
    idle_gpus: Mapping[str, Floats],
    record: Record,
    *,
    run: Run,
    now: datetime,
    sides: Sequence[Sides] = (),
    pools: Sequence[Pool] = (),
    sharing: Sequence[Sharing] = (),
    replays: Sequence[PlanReplay] = (),
    whatif: WhatIf | None = None,
) -> BudgetReport:
    """Return the report. idle_gpus: GPUs held and unused, by kind, (S, D, 24), for the scheduled jobs.

    record: what earlier plans left behind. sides: of each workload, what stands beside its plan. pools: what is
    committed to, by kind of GPU. sharing: workloads that were asked to share a fleet.
    replays: each workload's past decided again. whatif: the plan ready to be changed; None = nothing is asked that
    could change.
    """
    settings = plan.settings
    days = outlooks[0].demand.days
    held_usd = committed_usd([c.to_commitment() for c in settings.commitments], days)
    jobs, job_usd_paths = job_rows(plan, facts, outlooks[0].demand, idle_gpus)
    add_up = partial(
        plan_spend,
        settings,
        held_usd=held_usd,
        job_usd=job_usd_paths,
        unpriced=[j.name for j in jobs if j.usd_30_days_on_demand is None],
    )
    spend = add_up(priced, shared=borne(pools))
    changes = None
    if whatif is not None:
        standing = [replace(each, costs=each.still_costs) for each in priced]
        changes = what_could_change(
            whatif, sized, priced, spend, add_up(standing, shared=borne(pools, still=True))
        )
    first = settings.horizons_days[0]
    currency = _currency(plan)
    events = [event.to_event() for event in settings.events]
    return BudgetReport(
        schema_version=SCHEMA_VERSION,
        title=settings.title,
        as_of=run.as_of,
        currency=currency,
        decision=decide_plan(
            settings.workloads,
            priced,
            settings.horizons_days,
            currency,
            spend={n: over_days(spend, n) for n in (30, 90, 365)},
            committed_share=committed_share(spend, first),
            pools=pools,
        ),
        months=by_month(spend, days, settings.budget_usd),
        spend=spend_rows(spend, days),
        workloads=[
            workload_page(
                workload,
                past.traffic[n],
                outlooks[n],
                sized[n],
                priced[n],
                _textbook(facts, workload, outlooks[n], priced[n], first),
                settings.horizons_days,
                moved_since(record, outlooks[n], events),
                sides[n] if sides else NO_SIDES,
            )
            for n, workload in enumerate(settings.workloads)
        ],
        shared=[shared_row(settings, each) for each in sharing],
        jobs=jobs,
        quality=past.quality,
        assumptions=assumptions(plan, past.traffic),
        provenance=provenance(plan, facts, past, sized, run=run, now=now),
        track=track_record(record),
        replays=[past_decisions(each) for each in replays],
        providers=provider_rows(facts, settings),
        commitments=[commitment_page(pool) for pool in pools],
        changes=changes,
    )


def _textbook(
    facts: Facts, workload: WorkloadSettings, outlook: Outlook, priced: Priced, days: int
) -> Textbook | None:
    gpu = hosting_gpu(priced, days)
    return None if gpu is None else textbook_for(facts, workload, outlook.demand, gpu)


def _currency(plan: LoadedPlan) -> Currency:
    fx = plan.settings.fx
    return as_currency(
        plan.settings.currency,
        fx.per_usd if fx else None,
        fx.date if fx else None,
        fx.source if fx else None,
    )
