"""`fleetcast plan`, `demo` and `report`: from the store to the page."""

import argparse
from pathlib import Path

from data.errors import UserError
from flows.plan import PlanOutcome, PlanRequest, plan_month
from flows.prefect_env import end_quietly, server_is_configured
from flows.progress import progress_bar
from reports.budget import BudgetReport
from reports.format import day, in_currency, money


def run_plan(arguments: argparse.Namespace) -> None:
    """Plan, in this process or tracked by Prefect, and print the decision and the page's path."""
    request = PlanRequest(config=arguments.config, out=arguments.out, as_of=arguments.as_of, force=arguments.force)
    if arguments.prefect or server_is_configured():
        end_quietly()
        from flows.tracked import plan_tracked

        _say(plan_tracked(request))
        return
    with progress_bar("plan") as report:
        outcome = plan_month(request, progress=report)
    _say(outcome)


def run_demo(arguments: argparse.Namespace) -> None:
    """Make logs up, ingest them, plan, and print the page's path."""
    from flows.demo import run

    with progress_bar("demo") as report:
        outcome = run(arguments.out, days=arguments.days, seed=arguments.seed, progress=report)
    _say(outcome)


def run_report(arguments: argparse.Namespace) -> None:
    """Render the page of a plan.json again, identical to the one that was published beside it."""
    from reports.budget import from_json
    from reports.files import PAGE, page_files

    source: Path = arguments.plan_json
    try:
        report = from_json(source.read_bytes())
    except OSError as error:
        raise UserError(f"Cannot read {source}: {error.strerror}; give the plan.json of a plan.") from error
    except UserError as error:
        raise UserError(f"{source}: {error}") from error
    try:
        arguments.out.write_bytes(page_files(report)[PAGE])
    except OSError as error:
        raise UserError(f"Cannot write {arguments.out}: {error.strerror}; choose another --out.") from error
    print(arguments.out)


def _say(outcome: PlanOutcome) -> None:
    """Print the decision, what each workload is to do first, and the page's path on the last line."""
    if outcome.report is None:
        print("Nothing has changed since this plan was made; --force plans again.")
    else:
        print("\n".join(_decision_lines(outcome.report)))
    print(outcome.page)


def _decision_lines(report: BudgetReport) -> list[str]:
    quality = report.quality
    spend = report.decision.usd_30_days
    lines = [
        f"{quality.requests:,.0f} requests from {quality.files} log file{'s' * (quality.files != 1)}",
        *(
            f"  {workload.name}: {in_currency(workload.horizons[0].decision.sentence, report.currency)}"
            for workload in report.workloads
            if workload.horizons
        ),
    ]
    if spend is not None:
        low, mean, high = (money(usd, report.currency) for usd in (spend.p10, spend.mean, spend.p90))
        lines.append(f"Next 30 days: {mean} ({low} to {high} on 80% of the paths){_of_it(report)}")
    return [*lines, report.decision.headline]


def _of_it(report: BudgetReport) -> str:
    """Say how the month's bill and what is committed to go together: they are not the same sum."""
    spend, share = report.decision.usd_30_days, report.decision.committed_share
    if spend is None or share is None:
        return ""
    under = money(share * spend.mean, report.currency)
    starts = sorted(t.start for c in report.commitments for t in c.terms if t.action == "commit" and t.gpus)
    begins = f"; what is signed now begins on {day(starts[0])} and is paid from then" if starts else ""
    return f" in all, {under} of it under terms{begins}"
