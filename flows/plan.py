"""The monthly run: the walk in order, recorded in the run table, published whole or not at all."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import ParamSpec, Protocol, TypeVar

from data.errors import UserError
from data.finops.decisions import read_decisions
from data.finops.prices_used import PriceUsed, keep_prices
from data.lock import Patience
from data.read_traffic import store_digest
from data.warehouse import open_store, transaction
from flows.choosing import choose_all
from flows.fleet_ways import fleet_ways
from flows.in_force import with_decisions
from flows.pool import pool_commitments
from flows.price_moves import plan_moves
from flows.price_use import prices_used
from flows.pricing import idle_gpus, price, share_held
from flows.progress import Report, no_progress
from flows.publish import Published, is_whole, publish
from flows.record import Record, keep_record, keep_scores, read_record, record_digest
from flows.replay import replay_known
from flows.report import budget_report
from flows.runs import Run, begin_run, code_digest, end_run, finished_run, input_digest
from flows.settings import LoadedPlan, load_plan
from flows.sides import weigh
from flows.walk import Facts, foresee, read_facts, read_past, size
from flows.whatif import WhatIf
from flows.windowed import planning_traffic, read_requests
from forecasting.outlook import Outlook
from reports.budget import BudgetReport
from reports.files import page_files

P = ParamSpec("P")
T = TypeVar("T")

_PATIENCE = Patience(wait_s=60.0)
"""What has been planned for minutes is not thrown away because an ingest holds the store for a moment."""


class Step(Protocol):
    """How a step is carried out: called straight away, or as a Prefect task."""

    def __call__(self, name: str, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Carry out one step and return what it returns."""
        ...


def straight(_name: str, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Carry a step out in this process, now."""
    return function(*args, **kwargs)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """What to plan and where to; only values, so that a Prefect flow can take it. now: of the run stamp."""

    config: Path
    out: Path
    as_of: date | None = None
    now: datetime | None = None
    force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOutcome:
    """What came of it. report is None where nothing had changed since an earlier run, whose page stands."""

    page: Path
    report: BudgetReport | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """What the walk found: the page's value, and what the store keeps of it."""

    report: BudgetReport
    outlooks: list[Outlook]
    record: Record
    prices: list[PriceUsed]


def plan_month(request: PlanRequest, *, step: Step = straight, progress: Report = no_progress) -> PlanOutcome:
    """Plan one month: read, forecast, size, price, decide, publish.

    Raises UserError where the user can mend it; the run table then says how far it came, and nothing is published.
    """
    now = request.now or datetime.now(UTC)
    plan = load_plan(request.config)
    as_of = request.as_of or now.astimezone(plan.settings.zone).date()
    plan = _with_decisions(plan, as_of)
    facts = read_facts(plan)
    started = step("begin", _begin, plan, facts, as_of, now, None if request.force else request.out)
    if isinstance(started, Path):
        return PlanOutcome(page=started / "budget.html", report=None)
    try:
        walked = _walk(plan, facts, started, now, step, progress)
        published = step("publish", _publish, walked.report, request.out)
    except BaseException as error:
        _end(plan, started, now=datetime.now(UTC), error=f"{type(error).__name__}: {error}")
        raise
    step("record", _record, plan, started, published, walked)
    progress("done", 1.0)
    return PlanOutcome(page=published.page, report=walked.report)


def _walk(plan: LoadedPlan, facts: Facts, run: Run, now: datetime, step: Step, progress: Report) -> Walked:
    """Walk from the store to the page's value, one coarse step after another."""
    workloads = plan.settings.workloads
    progress("reading the store", 0.05)
    past = step("read traffic", read_past, plan, run.as_of)
    requests = step("read requests", read_requests, plan, run.as_of)
    record = step("score earlier plans", read_record, plan, past, run.as_of)
    outlooks, seen, sized = [], [], []
    for n, (workload, traffic) in enumerate(zip(workloads, past.traffic, strict=True)):
        progress(f"forecasting {workload.name}", 0.1 + 0.4 * n / len(workloads))
        outlooks.append(step(f"forecast {workload.name}", foresee, plan, traffic, run.as_of))
    for n, (workload, traffic, outlook) in enumerate(zip(workloads, past.traffic, outlooks, strict=True)):
        progress(f"sizing {workload.name}", 0.5 + 0.2 * n / len(workloads))
        seen.append(planning_traffic(traffic, requests[n], plan.settings.windows.window_s))
        sized.append(step(f"size {workload.name}", size, plan, facts, workload, seen[n], outlook.demand))
    needs = share_held(plan, [outlook.demand for outlook in outlooks], sized)
    moves = plan_moves(plan, outlooks[0].demand)
    priced = []
    for n, (workload, outlook) in enumerate(zip(workloads, outlooks, strict=True)):
        progress(f"pricing {workload.name}", 0.7 + 0.2 * n / len(workloads))
        priced.append(
            step(f"price {workload.name}", price, plan, workload, outlook.demand, sized[n], needs[n], moves)
        )
    beside = [
        step(
            f"weigh {workload.name}",
            weigh,
            plan,
            facts,
            workload,
            past.traffic[n],
            requests[n],
            outlooks[n].demand,
            sized[n],
            priced[n],
        )
        for n, workload in enumerate(workloads)
    ]
    progress("choosing fleets", 0.88)
    demands = [outlook.demand for outlook in outlooks]
    ways = [
        step(f"compare fleets of {w.name}", fleet_ways, plan, facts, w, t, d, s, n, p)
        for w, t, d, s, n, p in zip(workloads, past.traffic, demands, sized, needs, priced, strict=True)
    ]
    sides = [replace(side, choice=way) for side, way in zip(beside, ways, strict=True)]
    chosen = step("choose fleets", choose_all, plan, facts, past.traffic, demands, sized, needs, priced, moves)
    pools = step("pool commitments", pool_commitments, plan, demands, sized, chosen.needs, chosen.priced, moves)
    held = idle_gpus(plan, chosen.priced, chosen.needs, demands[0])
    idle = {**held, **{pool.gpu: pool.idle_gpus for pool in pools}}
    replays = [
        step(f"replay {w.name}", replay_known, plan, w, past.traffic[n], demands[n], sized[n], run.as_of)
        for n, w in enumerate(workloads)
    ]
    progress("asking what could change, and writing the page", 0.92)
    report = budget_report(
        plan,
        facts,
        past,
        outlooks,
        sized,
        chosen.priced,
        idle,
        record,
        run=run,
        now=now,
        sides=sides,
        pools=pools,
        sharing=chosen.sharing,
        replays=replays,
        whatif=WhatIf(plan, facts, seen, demands, sized, chosen.priced, moves),
    )
    return Walked(report=report, outlooks=outlooks, record=record, prices=prices_used(plan, sized, run.as_of))


def _with_decisions(plan: LoadedPlan, as_of: date) -> LoadedPlan:
    """Return the plan with what was accepted up to its day in force; a store that is missing is refused later."""
    if not plan.store_path.exists():
        return plan
    with open_store(plan.store_path) as store:
        decisions = read_decisions(store.con)
    return with_decisions(plan, [each for each in decisions if each.decided_utc.date() <= as_of])


def _begin(plan: LoadedPlan, facts: Facts, as_of: date, now: datetime, unless_in: Path | None) -> Run | Path:
    """Open a run, or return the folder in `unless_in` where one with the very same inputs is still published."""
    if not plan.store_path.exists():  # who plans opens it as a writer, which would make an empty one
        raise UserError(
            f"There is no store at {plan.store_path}, which store.path in {plan.path} names;"
            f" make it with: fleetcast ingest LOG... --store {plan.store_path}"
        )
    with open_store(plan.store_path, write=True, now=now) as store:
        digest = input_digest(
            {
                "as_of": as_of.isoformat(),
                "config": plan.sha256,
                "commitments": repr(plan.settings.commitments),
                "code": code_digest(),
                "facts": facts.sha256,
                "genai-prices": version("genai-prices"),
                "store": store_digest(store),
                "record": record_digest(store.con, as_of),
            }
        )
        done = finished_run(store.con, kind="plan", digest=digest)
        if done is not None and unless_in is not None and _is_published(done, unless_in, digest):
            return done
        return begin_run(store.con, kind="plan", as_of=as_of, digest=digest, now=now)


def _is_published(folder: Path, out: Path, digest: str) -> bool:
    """Return whether a folder holds the plan with these inputs: a later one of the day takes its place."""
    if folder.parent != out.resolve() or not is_whole(folder, ("budget.html", "plan.json")):
        return False
    return f'"{digest}"' in (folder / "plan.json").read_text()


def _publish(report: BudgetReport, out: Path) -> Published:
    return publish(page_files(report), out=out, as_of=report.as_of)


def _record(plan: LoadedPlan, run: Run, published: Published, walked: Walked) -> None:
    """Close the run as done, and keep its forecasts, its prices and the scores of earlier ones."""
    now = datetime.now(UTC)
    ratios = {workload.name: workload.token_ratio for workload in plan.settings.workloads}
    with open_store(plan.store_path, write=True, now=now, patience=_PATIENCE) as store, transaction(store):
        keep_record(store.con, run, walked.outlooks, ratios)
        keep_scores(store.con, walked.record.scores)
        keep_prices(store.con, run.run_id, run.as_of, walked.prices)
        end_run(store.con, run, now=now, out_dir=published.folder.resolve())


def _end(plan: LoadedPlan, run: Run, *, now: datetime, error: str) -> None:
    with open_store(plan.store_path, write=True, now=now, patience=_PATIENCE) as store:
        end_run(store.con, run, now=now, out_dir=None, error=error)
