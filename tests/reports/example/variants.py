"""The example with hostile names, and the one that knows next to nothing."""

from dataclasses import replace

from example.capacity import unfit_row
from example.common import HOSTILE
from example.forecast import unknown_tokens
from example.report import example_report
from reports.budget import (
    Assumption,
    BudgetReport,
    Changes,
    OptionChoice,
)


def hostile_report() -> BudgetReport:
    """Return the example with markup, formulas, bidi overrides and long words in the names that are not ours."""
    report = example_report()
    first = replace(report.workloads[0], name=HOSTILE, model=HOSTILE, api=HOSTILE, notes=[HOSTILE])
    track = report.track
    assert track is not None
    track = replace(
        track,
        sentence=HOSTILE,
        rows=[replace(r, workload=HOSTILE) for r in track.rows],
        by_plan=[replace(s, workload=HOSTILE) for s in track.by_plan],
        last=[replace(s, workload=HOSTILE) for s in track.last],
        notes=[HOSTILE],
    )
    horizon = first.horizons[0]
    named = replace(horizon, costs=[replace(c, workload=HOSTILE, note=HOSTILE) for c in horizon.costs])
    return replace(
        report,
        title=HOSTILE,
        decision=replace(report.decision, headline=HOSTILE, lines=[HOSTILE]),
        commitments=[
            replace(
                c,
                gpu=HOSTILE,
                sentence=HOSTILE,
                best=HOSTILE,
                workloads=[HOSTILE],
                terms=[replace(t, reason=HOSTILE, source=HOSTILE) for t in c.terms],
                shares=[replace(s, workload=HOSTILE) for s in c.shares],
            )
            for c in report.commitments
        ],
        workloads=[replace(first, horizons=[named, *first.horizons[1:]]), *report.workloads[1:]],
        spend=[replace(row, workload=HOSTILE, label=HOSTILE, provider=HOSTILE) for row in report.spend],
        jobs=[replace(report.jobs[0], name=HOSTILE, sentence=HOSTILE)],
        quality=replace(report.quality, rejected_by_reason={HOSTILE: 3}),
        assumptions=[Assumption(name=HOSTILE, value=HOSTILE, source=HOSTILE, sensitivity=HOSTILE)],
        provenance=replace(report.provenance, files=[HOSTILE], calibration=HOSTILE),
        track=track,
        changes=_hostile_changes(report),
    )


def _hostile_changes(report: BudgetReport) -> Changes:
    found = report.changes
    assert found is not None
    prices = replace(found.prices, sentence=HOSTILE, announced=[HOSTILE])
    named = [replace(c, name=HOSTILE, what=HOSTILE, would_do=[HOSTILE], notes=[HOSTILE]) for c in found.changes]
    return replace(found, prices=prices, changes=named)


def sparse_report() -> BudgetReport:
    """Return a report that knows next to nothing: no price, no length, no fleet, no budget, no history."""
    report = example_report(workloads=1)
    only = report.workloads[0]
    horizons = [
        replace(
            h,
            tokens=[unknown_tokens(t) for t in h.tokens],
            fleets=[unfit_row(f) for f in h.fleets],
            chosen_gpu=None,
            costs=[replace(c, usd=None, usd_low=None, usd_high=None, usd_per_mtok=None, note="no price is known")
                   for c in h.costs],
            decision=OptionChoice(action="none", sentence="Nothing can be priced.", option="", gpu=None, gpus=None,
                                  usd=None, saving_usd=None, decide_by=None),
        )
        for h in only.horizons
    ]  # fmt: skip
    traffic = replace(only.traffic, history_days=[], history=[])
    bare = replace(
        only,
        api=None,
        notes=[],
        traffic=traffic,
        method=replace(only.method, basis="no history", loss_vs_naive=None, coverage_80=None, cleaned=[]),
        hour_of_week=[1.0] * 168,
        long_context=[],
        textbook_gpus=None,
        horizons=horizons,
        breakeven=[],
        moved=None,
        second_opinion=None,
        daily_gpus=None,
    )
    nothing = replace(report.decision, decide_by=None, lines=[], usd_30_days=None, usd_90_days=None,
                      usd_365_days=None, committed_share=None)  # fmt: skip
    return replace(
        report,
        decision=nothing,
        months=[],
        spend=[],
        commitments=[],
        workloads=[bare],
        jobs=[],
        assumptions=[],
        track=None,
        changes=None,
    )
