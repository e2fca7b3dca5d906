"""Words and order for the section of windowed work."""

from collections.abc import Sequence

from reports.values.windows import WindowedWork
from sizing.windowed.logics import PlanLogic


def by_logic(rows: Sequence[PlanLogic]) -> list[list[PlanLogic]]:
    """Return the rows of each way of planning together, horizons in order."""
    return [[row for row in rows if row.logic == logic] for logic in dict.fromkeys(row.logic for row in rows)]


def logic_name(row: PlanLogic, windowed: WindowedWork) -> str:
    """Return what a way of planning plans on, in words."""
    if row.logic == "windowed":
        return f"work in windows, p{budget_share(100 * windowed.percentile)} of {windowed.window_s} s"
    return {"mean": "mean work", "p95 lengths": "p95 prompt times p95 output"}[row.logic]


def budget_share(percent: float) -> str:
    """Return a percentile without trailing zeros.

    >>> budget_share(99.0), budget_share(99.5)
    ('99', '99.5')
    """
    return f"{percent:.4g}"
