"""What the plan's choices cost by calendar month: the line that finance holds against the budget."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flows.pricing import Priced, chosen_cost
from flows.settings import PlanSettings
from forecasting.spread import Spread
from reports.budget import BudgetMonth
from reports.values.spend import SpendKind
from sizing.compare import DailyCost
from sizing.decide import Choice

Floats = npt.NDArray[np.float64]
DAY_HOURS = 24

HELD, JOBS = "(commitments)", "(jobs)"
"""The workloads that reservations in force and scheduled jobs stand under: they are no one workload's."""

Shared = Mapping[tuple[str, str], DailyCost]
"""By workload and GPU."""

_KINDS: dict[str, SpendKind] = {
    "api": "api",
    "api-batch": "api-batch",
    "api-flex": "api",
    "on-demand": "on-demand",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendPart:
    """One bill within the spend: who pays whom for what. usd: (S, D); gpu_hours: (D,) means over the paths.

    gpu_hours is None where no GPU is rented; option is that of the cost line that it is a part of, so an
    on-demand part of a reserved line is its overflow.
    """

    workload: str
    option: str
    kind: SpendKind
    provider: str
    label: str
    gpu: str | None
    usd: Floats
    gpu_hours: Floats | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """USD a day over the plan, (S, D), the part of it that is under a term, and its bills.

    The parts add up to usd.
    unpriced: choices without a known price. Where there are any the sums are too low, so nothing is made of them:
    unknown is unknown, never less.
    """

    usd: Floats
    committed_usd: Floats
    unpriced: tuple[str, ...]
    parts: tuple[SpendPart, ...] = ()


def plan_spend(
    settings: PlanSettings,
    priced: Sequence[Priced],
    held_usd: Floats,
    job_usd: Floats,
    *,
    unpriced: Sequence[str] = (),
    shared: Shared | None = None,
) -> Spend:
    """Add up what each workload's choices cost day by day, reservations in force, and declared jobs.

    Each horizon's choice pays for the days that the shorter one does not reach: days 0-29 under the 30-day choice,
    30-89 under the 90-day choice, and the same on from there, for the year is only watched. held_usd: (D,);
    job_usd: (S, D). shared: what a workload bears of the GPUs that are reserved for all on them, which stands in
    the place of what reserving for itself would cost.
    """
    usd = job_usd + held_usd[None, :]
    committed = np.array(np.broadcast_to(held_usd[None, :], usd.shape))
    missing = list(unpriced)
    parts = [*_held_parts(np.broadcast_to(held_usd, usd.shape)), *_job_parts(job_usd)]
    for workload in priced:
        for first, last, choice in stretches(settings.horizons_days, workload.choices):
            cost = _borne(workload, choice, shared)
            if cost is None or cost.usd is None:
                missing.append(f"{workload.costs[0].workload} over {last} days")
                continue
            usd[:, first:last] += cost.usd[:, first:last]
            reserved_usd = _reserved_usd(cost)
            committed[:, first:last] += reserved_usd[first:last]
            parts += _parts_of(cost, cost.usd, reserved_usd, first, last)
    return Spend(usd=usd, committed_usd=committed, unpriced=tuple(missing), parts=tuple(parts))


def _borne(priced: Priced, choice: Choice, shared: Shared | None) -> DailyCost | None:
    """Return a choice's cost, or what the workload bears of its pool."""
    own = chosen_cost(priced.costs, choice)
    if own is None or not shared or choice.gpu is None or choice.option not in ("on-demand", "reserved-30d"):
        return own
    return shared.get((own.workload, choice.gpu), own)


def _parts_of(
    cost: DailyCost, all_usd: Floats, reserved_usd: Floats, first: int, last: int
) -> Iterator[SpendPart]:
    """Yield a choice's bills for its days: the term and the overflow above it apart."""
    all_hours = None if cost.paid_gpu_hours is None else cost.paid_gpu_hours.mean(axis=0)
    if cost.held_gpus is None:
        yield _part(cost, _KINDS[cost.option], all_usd, all_hours, first, last)
        return
    held_hours = cost.held_gpus * DAY_HOURS
    over_hours = None if all_hours is None else all_hours - held_hours
    yield _part(cost, "reserved", np.broadcast_to(reserved_usd, all_usd.shape), held_hours, first, last)
    yield _part(cost, "on-demand", all_usd - reserved_usd, over_hours, first, last)


def _part(
    cost: DailyCost, kind: SpendKind, usd: Floats, gpu_hours: Floats | None, first: int, last: int
) -> SpendPart:
    inside = np.zeros(usd.shape[1])
    inside[first:last] = 1.0
    overflow = kind == "on-demand" and cost.option != "on-demand"
    return SpendPart(
        workload=cost.workload,
        option=cost.option,
        kind=kind,
        provider=cost.provider,
        label=f"{cost.gpu} on demand" if overflow else cost.label,
        gpu=cost.gpu,
        usd=usd * inside,
        gpu_hours=None if gpu_hours is None else gpu_hours * inside,
    )


def _held_parts(held_usd: Floats) -> Iterator[SpendPart]:
    if held_usd.any():
        yield SpendPart(
            workload=HELD, option="committed", kind="committed", provider="", label="reservations in force",
            gpu=None, usd=held_usd, gpu_hours=None,
        )  # fmt: skip


def _job_parts(job_usd: Floats) -> Iterator[SpendPart]:
    if job_usd.any():
        yield SpendPart(
            workload=JOBS, option="on-demand", kind="job", provider="", label="jobs that no idle hour takes",
            gpu=None, usd=job_usd, gpu_hours=None,
        )  # fmt: skip


def _reserved_usd(cost: DailyCost) -> Floats:
    """Return (D,) USD a day of the GPUs that a choice reserves, without what it buys on demand above them."""
    days = 0 if cost.usd is None else cost.usd.shape[1]
    return np.zeros(days) if cost.reserved_usd is None else cost.reserved_usd


def by_month(spend: Spend, days: npt.NDArray[np.datetime64], budget_usd: Mapping[str, float]) -> list[BudgetMonth]:
    """Return one row for each calendar month (of UTC days) that the plan touches, cut ones with their days.

    None at all where a choice has no known price.
    """
    if spend.unpriced:
        return []
    months = days.astype("datetime64[M]")
    rows = []
    for month in np.unique(months):
        inside = months == month
        rows.append(
            BudgetMonth(
                month=str(month),
                days=int(inside.sum()),
                usd=Spread.of(spend.usd[:, inside].sum(axis=1)),
                budget_usd=budget_usd.get(str(month)),
            )
        )
    return rows


def over_days(spend: Spend, days: int) -> Spread | None:
    """Return the spread of the sum over the first days; None where the plan is shorter or a price is unknown."""
    if spend.unpriced or spend.usd.shape[1] < days:
        return None
    return Spread.of(spend.usd[:, :days].sum(axis=1))


def committed_share(spend: Spend, days: int) -> float | None:
    """Return the share of the first days' spend that is under a term; None where a price is unknown."""
    total = float(spend.usd[:, :days].sum())
    return None if spend.unpriced or total <= 0 else float(spend.committed_usd[:, :days].sum()) / total


def stretches(horizons: Sequence[int], choices: Mapping[int, Choice]) -> list[tuple[int, int, Choice]]:
    """Return (first day, past the last, choice): each horizon's choice for the days that it adds.

    A long term that is only watched is not signed, so until it is, the shorter horizon's choice goes on.
    """
    found: list[tuple[int, int, Choice]] = []
    for first, last in zip([0, *horizons[:-1]], horizons, strict=True):
        choice = choices[last]
        if found and choice.action == "watch":
            choice = found[-1][2]
        found.append((first, last, choice))
    return found
