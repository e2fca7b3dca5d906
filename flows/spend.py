"""What the plan's choices cost by calendar month: the line that finance holds against the budget."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flows.pricing import Priced, chosen_cost
from flows.settings import PlanSettings
from forecasting.spread import Spread
from reports.budget import BudgetMonth
from sizing.compare import DailyCost
from sizing.decide import Choice

Floats = npt.NDArray[np.float64]
DAY_HOURS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """USD a day over the plan, (S, D), and the part of it that is under a term.

    unpriced: choices without a known price. Where there are any the sums are too low, so nothing is made of them:
    unknown is unknown, never less.
    """

    usd: Floats
    committed_usd: Floats
    unpriced: tuple[str, ...]


def plan_spend(
    settings: PlanSettings,
    priced: Sequence[Priced],
    held_usd: Floats,
    job_usd: Floats,
    *,
    unpriced: Sequence[str] = (),
) -> Spend:
    """Add up what each workload's choices cost day by day, reservations in force, and declared jobs.

    Each horizon's choice pays for the days that the shorter one does not reach: days 0-29 under the 30-day choice,
    30-89 under the 90-day choice, and the same on from there, for the year is only watched. held_usd: (D,);
    job_usd: (S, D).
    """
    usd = job_usd + held_usd[None, :]
    committed = np.array(np.broadcast_to(held_usd[None, :], usd.shape))
    missing = list(unpriced)
    for workload in priced:
        for first, last, choice in _stretches(settings.horizons_days, workload.choices):
            cost = chosen_cost(workload.costs, choice)
            if cost is None or cost.usd is None:
                missing.append(f"{workload.costs[0].workload} over {last} days")
                continue
            usd[:, first:last] += cost.usd[:, first:last]
            committed[:, first:last] += _reserved_usd(workload, choice, cost)[first:last]
    return Spend(usd=usd, committed_usd=committed, unpriced=tuple(missing))


def _reserved_usd(priced: Priced, choice: Choice, cost: DailyCost) -> Floats:
    """Return (D,) USD a day of the GPUs that a choice reserves, without what it buys on demand above them."""
    terms = priced.ladder.get(choice.gpu or "", ())
    rate = next((term.usd_per_gpu_hour for term in terms if term.term == choice.option), None)
    if cost.held_gpus is None or rate is None:
        return np.zeros(0 if cost.usd is None else cost.usd.shape[1])
    return np.asarray(cost.held_gpus * rate * DAY_HOURS)


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


def _stretches(horizons: Sequence[int], choices: Mapping[int, Choice]) -> list[tuple[int, int, Choice]]:
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
