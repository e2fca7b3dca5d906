"""The same steps under Prefect: flows with parameters, tasks with retries and timeouts, artifacts for people.

Importing this module imports Prefect (2.5 s) and puts its settings in place first; only commands that track a run
import it. The state of truth stays the store's run table.
"""

from collections.abc import Callable
from dataclasses import fields
from datetime import date, datetime
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

from flows.prefect_env import prepare_prefect

prepare_prefect()

from prefect import flow, task  # noqa: E402 - its settings must be in place before it is imported
from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact  # noqa: E402
from prefect.cache_policies import NO_CACHE  # noqa: E402

from data.errors import UserError  # noqa: E402
from data.ingest import IngestSummary  # noqa: E402
from flows.ingest import IngestRequest  # noqa: E402
from flows.ingest import ingest as ingest_logs  # noqa: E402
from flows.plan import PlanOutcome, PlanRequest, plan_month  # noqa: E402
from reports.budget import BudgetReport  # noqa: E402
from reports.format import in_currency, money  # noqa: E402

P = ParamSpec("P")
T = TypeVar("T")

RETRIES = 2
RETRY_DELAYS_S = [2.0, 10.0]
STEP_TIMEOUT_S = 1_800
INGEST_TIMEOUT_S = 6 * 3_600


def plan_tracked(request: PlanRequest) -> PlanOutcome:
    """Plan one month as a Prefect flow run."""
    return cast(PlanOutcome, monthly_plan(**_parameters(request)))


def ingest_tracked(request: IngestRequest) -> IngestSummary:
    """Ingest as a Prefect flow run."""
    return cast(IngestSummary, ingest(**_parameters(request)))


@flow(name="monthly_plan", flow_run_name="plan-{as_of}", validate_parameters=False, persist_result=False)
def monthly_plan(
    config: Path,
    out: Path,
    as_of: date | None = None,
    now: datetime | None = None,
    force: bool = False,
) -> PlanOutcome:
    """Plan one month: read, forecast, size, price, decide, publish; each step a task."""
    request = PlanRequest(config=Path(config), out=Path(out), as_of=as_of, now=now, force=force)
    outcome = plan_month(request, step=_as_task)
    create_link_artifact(
        key="budget-page",
        link=outcome.page.resolve().as_uri(),
        link_text="Budget page",
        description="The published page.",
    )
    if outcome.report is not None:
        create_markdown_artifact(key="decision", markdown=_decision_markdown(outcome.report))
        create_table_artifact(
            key="decisions", table=_decision_rows(outcome.report), description="By workload and horizon."
        )
    return outcome


@flow(name="ingest", validate_parameters=False, persist_result=False)
def ingest(
    logs: tuple[Path, ...],
    store: Path,
    format: str | None = None,  # noqa: A002 - the command's own option
    mapping: Path | None = None,
    label: str | None = None,
    start: datetime | None = None,
    max_rejected_share: float = 0.05,
    max_unpack_ratio: float = 200.0,
    wait_s: float = 0.0,
) -> IngestSummary:
    """Read logs into the store; one task for the batch of files."""
    request = IngestRequest(
        logs=tuple(Path(path) for path in logs),
        store=Path(store),
        format=format,
        mapping=mapping,
        label=label,
        start=start,
        max_rejected_share=max_rejected_share,
        max_unpack_ratio=max_unpack_ratio,
        wait_s=wait_s,
    )
    summary = _as_task("ingest files", ingest_logs, request)
    create_table_artifact(key="ingested-files", table=_file_rows(summary), description="What came of every file.")
    return summary


def _as_task(name: str, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Carry out a step as a task: retried when the machine is at fault, never when the user's input is."""
    tracked = task(
        name=name,
        retries=RETRIES,
        retry_delay_seconds=RETRY_DELAYS_S,
        retry_condition_fn=_is_not_the_users,
        timeout_seconds=INGEST_TIMEOUT_S if name == "ingest files" else STEP_TIMEOUT_S,
        cache_policy=NO_CACHE,
        persist_result=False,
    )(function)
    return tracked(*args, **kwargs)


def _is_not_the_users(_task: Any, _run: Any, state: Any) -> bool:
    try:
        state.result()
    except UserError:
        return False
    except Exception:  # whatever else went wrong is worth another try
        return True
    return False


def _parameters(request: PlanRequest | IngestRequest) -> dict[str, Any]:
    return {field.name: getattr(request, field.name) for field in fields(request)}


def _decision_markdown(report: BudgetReport) -> str:
    lines = [f"## {report.title}, {report.as_of}", "", report.decision.headline, ""]
    return "\n".join([*lines, *(f"- {in_currency(line, report.currency)}" for line in report.decision.lines)])


def _decision_rows(report: BudgetReport) -> list[dict[str, Any]]:
    return [
        {
            "workload": workload.name,
            "days": horizon.days,
            "action": horizon.decision.action,
            "GPU": horizon.decision.gpu or "",
            "GPUs": horizon.decision.gpus if horizon.decision.gpus is not None else "",
            "cost": money(horizon.decision.usd, report.currency),
        }
        for workload in report.workloads
        for horizon in workload.horizons
    ]


def _file_rows(summary: IngestSummary) -> list[dict[str, Any]]:
    return [
        {"file": file.path.name, "status": file.status, "rows": file.rows_read, "rejected": file.rows_rejected}
        for file in summary.files
    ]
