"""A report as the planner makes one: three workloads, one of each basis, with fixed stamps and seeded noise.

The figures are plausible rather than planned (no planner runs here); what matters is that every field of the
contract is filled the way the rooms below fill it, and that nothing in it depends on the day or the machine.
"""

from datetime import date

from example.changes import changes_of
from example.choice import job_gpus, shared_rows
from example.commit import commitments_of
from example.common import AS_OF, spread
from example.money import budget_months, spend_rows
from example.replay import past_decisions
from example.selfhost import provider_rows
from example.sides import assumption_rows, data_quality, provenance_of
from example.track import track_record
from example.workload import workload_of
from reports.budget import (
    BudgetReport,
    Currency,
    Decision,
    Job,
)


def example_report(*, history_days: int = 180, workloads: int = 3) -> BudgetReport:
    """Return the example; `history_days` and `workloads` make it larger for the tests of size."""
    every = [workload_of(i, history_days) for i in range(workloads)]
    signed = [w.horizons[0].decision for w in every if w.horizons[0].decision.action == "commit"]
    year = spread(sum(w.horizons[-1].decision.usd or 0.0 for w in every), 0.13)
    return BudgetReport(
        schema_version=1,
        title="Compute budget",
        as_of=AS_OF,
        currency=Currency(code="USD", per_usd=1.0, rate_date=None, source="prices are quoted in USD"),
        decision=Decision(
            headline=f"Commit {sum(c.gpus or 0 for c in signed)} h100-sxm for 30 days"
            f" (${sum(c.usd or 0.0 for c in signed):,.0f}), keep code-agents on the API, hold the one-year offer;"
            " decide by 30 Nov 2026.",
            decide_by=date(2026, 11, 30),
            lines=[f"{w.name}, {h.days} days: {h.decision.sentence}" for w in every for h in w.horizons],
            usd_30_days=spread(year.mean / 14.2, 0.05),
            usd_90_days=spread(year.mean / 4.5, 0.08),
            usd_365_days=year,
            committed_share=0.46,
        ),
        months=(months := budget_months(year.mean)),
        providers=provider_rows(),
        replays=past_decisions(),
        spend=spend_rows(months, [w.name for w in every]),
        commitments=commitments_of([w.name for w in every][:2]),
        workloads=every,
        jobs=[
            Job(
                name="weekly-evals",
                gpu="h100-sxm",
                gpus=8,
                gpu_hours_per_30_days=137.1,
                usd_30_days_on_demand=411.4,
                sentence="Fits the idle hours of the reserved fleet on 30 of 30 days.",
            ),
            Job(
                name="fine-tune",
                gpu="b200",
                gpus=8,
                gpu_hours_per_30_days=1_162.3,
                usd_30_days_on_demand=7_555.0,
                sentence="8 x b200 for 33.9 h on sunday. The deadline of 48 h is kept: 8 x b200 take 33.9 h.",
                late_hours=0.0,
                candidates=job_gpus(),
            ),
        ],
        shared=shared_rows(),
        quality=data_quality(),
        assumptions=assumption_rows(),
        provenance=provenance_of(),
        track=track_record(every),
        changes=changes_of(year.mean),
    )
