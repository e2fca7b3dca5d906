"""When terms may begin, and the periods between such days."""

from collections.abc import Sequence
from dataclasses import dataclass

from sizing.commit.market import Market, MarketTerm
from sizing.commit.recourse import Case


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """One term that may be bought, from day `first` until before day `end`, which may lie beyond the plan."""

    term: MarketTerm
    first: int

    @property
    def end(self) -> int:
        """The first day after the term."""
        return self.first + self.term.days


def first_start(market: Market, wait_days: int, days: int) -> int:
    """Return the first day on which a reservation can begin, within the plan's days."""
    return min(max(wait_days, market.lead_days), days)


def starts_of(case: Case, first: int, *, terms: Sequence[MarketTerm] | None = None) -> list[Start]:
    """Return the terms that may be bought: from `first` back to back, at each turn of the shortest term, and where
    one in force ends.

    A term that outlasts the plan is paid for the planned days: what comes after is taken to pay as its end does.
    """
    sold = case.market.terms if terms is None else terms
    found: list[Start] = []
    for term in sold:
        turns = set(range(first, case.days, term.days)) | set(range(first, case.days, sold[0].days))
        turns |= {day for day in expiries(case) if day > first}
        found += [Start(term=term, first=day) for day in sorted(turns)]
    return found


def expiries(case: Case) -> list[int]:
    """Return the days after the last days of commitments in force, within the plan."""
    ends = {(held.end - case.start).days + 1 for held in case.market.held}
    return sorted(day for day in ends if 0 < day < case.days)


def bounds_of(case: Case, starts: Sequence[Start]) -> tuple[int, ...]:
    """Return the days on which what is held may change, from 0 to the plan's end."""
    begins = {(held.start - case.start).days for held in case.market.held}
    days = {day for start in starts for day in (start.first, start.end)} | begins | set(expiries(case))
    return tuple(sorted({0, case.days} | {day for day in days if 0 < day < case.days}))
