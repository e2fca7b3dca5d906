"""The rows of changes.csv, price_effects.csv and daily_gpus.csv."""

from collections.abc import Iterator
from datetime import date

from forecasting.spread import Spread
from reports.budget import BudgetReport
from reports.values.changes import ChangeHorizon

Cell = str | float | int | bool | date | None

CHANGES = (
    "kind", "name", "what", "start", "cost_usd", "horizon_days",
    "planned_gpus_p50", "planned_gpus_p80", "planned_gpus_p95", "gpus_p50", "gpus_p80", "gpus_p95",
    "more_gpus_p50", "more_gpus_p80", "more_gpus_p95",
    "planned_usd", "usd", "difference_usd_mean", "difference_usd_p10", "difference_usd_p50", "difference_usd_p80",
    "difference_usd_p90", "difference_usd_p95", "would_do", "notes",
)  # fmt: skip
PRICE_EFFECTS = (
    "horizon_days", "of", "usd_mean", "usd_p10", "usd_p50", "usd_p80", "usd_p90", "usd_p95",
)  # fmt: skip
DAILY_GPUS = ("workload", "gpu", "day_utc", "gpus_p50", "gpus_p80", "gpus_p95")


def change_rows(report: BudgetReport) -> Iterator[list[Cell]]:
    """Yield one row for each change and horizon."""
    for change in report.changes.changes if report.changes else []:
        for each in change.horizons:
            yield [
                change.kind,
                change.name,
                change.what,
                change.start,
                change.cost_usd,
                each.days,
                each.planned_gpus_p50,
                each.planned_gpus_p80,
                each.planned_gpus_p95,
                each.gpus_p50,
                each.gpus_p80,
                each.gpus_p95,
                *_more_gpus(each),
                each.planned_usd,
                each.usd,
                *_spread(each.difference_usd),
                " ".join(change.would_do),
                " ".join(change.notes),
            ]


def price_effect_rows(report: BudgetReport) -> Iterator[list[Cell]]:
    """Yield three rows for each horizon: demand alone, prices alone, both."""
    for each in report.changes.prices.effects if report.changes else []:
        yield [each.days, "demand", *_spread(each.demand_only)]
        yield [each.days, "prices", *_spread(each.prices_only)]
        yield [each.days, "demand and prices", *_spread(each.both)]


def daily_gpu_rows(report: BudgetReport) -> Iterator[list[Cell]]:
    """Yield one row for each workload and day."""
    for workload in report.workloads:
        found = workload.daily_gpus
        if found is None:
            continue
        for day, p50, p80, p95 in zip(found.days, found.p50, found.p80, found.p95, strict=True):
            yield [workload.name, found.gpu, day, p50, p80, p95]


def _more_gpus(each: ChangeHorizon) -> list[Cell]:
    pairs = (
        (each.gpus_p50, each.planned_gpus_p50),
        (each.gpus_p80, each.planned_gpus_p80),
        (each.gpus_p95, each.planned_gpus_p95),
    )
    return [None if after is None else after - before for after, before in pairs]


def _spread(usd: Spread | None) -> list[Cell]:
    return [None] * 6 if usd is None else [usd.mean, usd.p10, usd.p50, usd.p80, usd.p90, usd.p95]
