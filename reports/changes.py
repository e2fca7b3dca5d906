"""What could change, in the words and order of the page."""

from collections.abc import Sequence
from functools import partial

from forecasting.spread import Spread
from reports.format import UNKNOWN, count, money, percent, ratio
from reports.values.changes import Change, ChangeHorizon, Changes
from reports.values.money import Currency

KIND_WORDS = {"api": "API models", "gpu": "GPUs"}


def groups(changes: Changes | None) -> list[tuple[str, list[Change]]]:
    """Return the tables of the section, each with its rows, those that change most dollars first."""
    rows = [] if changes is None else changes.changes
    return [
        ("Scenarios of the plan", by_size([c for c in rows if c.kind == "scenario"])),
        ("Stress tests", by_size([c for c in rows if c.kind == "stress"])),
    ]


def by_size(changes: Sequence[Change]) -> list[Change]:
    """Return changes by what they add to or take off the longest horizon's spend, the unknown ones first."""
    return sorted(changes, key=lambda c: -abs(_moved(c)))


def sentence(changes: Changes | None) -> str:
    """Return what weighs most of all, over the longest horizon."""
    rows = [] if changes is None else by_size(changes.changes)
    known = [(c, last, last.difference_usd.mean) for c in rows if (last := _last(c)) and last.difference_usd]
    if not known:
        return "No change of the plan was asked for, or none could be priced."
    most, last, more = known[0]
    share = "" if not last.planned_usd else f", {percent(abs(more) / last.planned_usd)} of the plan's"
    word = "more" if more >= 0 else "less"
    return f"What would change most over {count(last.days)} days: {most.name}, ${abs(more):,.0f} {word}{share}."


def more_money(usd: float | None, currency: Currency) -> str:
    """Return a difference of money with its sign.

    >>> more_money(1234.0, Currency(code="USD", per_usd=1.0, rate_date=None, source=""))
    '+$1,234'
    """
    text = money(usd, currency)
    return f"+{text}" if usd is not None and usd > 0 and text != UNKNOWN else text


def more_span(spread: Spread, currency: Currency) -> str:
    """Return the 80% range of a difference of money."""
    show = partial(more_money, currency=currency)
    return f"{show(spread.p10)} to {show(spread.p90)}"


def factors(each: Sequence[float]) -> str:
    """Return what prices were multiplied by.

    >>> factors([0.2, 0.2, 0.583])
    'x 0.20, 0.20, 0.58'
    """
    return "x " + ", ".join(ratio(f) for f in each)


def horizon(change: Change, days: int) -> ChangeHorizon | None:
    """Return one horizon of a change, None where it has none of that length."""
    return next((each for each in change.horizons if each.days == days), None)


def _last(change: Change) -> ChangeHorizon | None:
    return change.horizons[-1] if change.horizons else None


def _moved(change: Change) -> float:
    last = _last(change)
    return float("inf") if last is None or last.difference_usd is None else last.difference_usd.mean
