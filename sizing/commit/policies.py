"""Policies on the sample paths: what each would cost, deciding again at every turn with what is known by then.

At a turn, a policy knows what its path has done so far and reads what comes next off the paths that have gone
alike (`sizing.commit.book`): no path is asked about its own future.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sizing.commit.book import Book, Field, Foresight
from sizing.commit.grid import bounds_of, starts_of
from sizing.commit.market import MarketTerm
from sizing.commit.optimum import Optimum, Risk, cvar, solve
from sizing.commit.recourse import Case, recourse

Floats = npt.NDArray[np.float64]

MIX_PARTS = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
COMMIT_DAYS, HEDGE_DAYS, YEAR_DAYS = 45, 180, 366


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One way to go on, and its bill. usd: (S,) everything over the plan's days, commitments in force left out.

    now: GPUs that it signs today, by term. sentence: what it does.
    """

    name: str
    sentence: str
    usd: Floats
    now: dict[str, int]

    def tail_usd(self, level: float) -> float:
        """Return the mean of the worst bills (CVaR)."""
        return cvar(self.usd, level)


def field_of(case: Case, first: int, past: Floats | None = None) -> Field:
    """Return the field of a case whose first reservation begins on day `first`."""
    starts = starts_of(case, first)
    return Field(
        case=case, worth=recourse(case, bounds_of(case, starts)), starts=tuple(starts), first=first, past=past
    )


def single_shot(field: Field, risk: Risk) -> Optimum:
    """Return the plan over all terms and starts that costs least if all of it is decided today."""
    return solve(field.case, field.starts, field.worth, risk)


def policies(field: Field, best: Optimum, risk: Risk) -> list[Policy]:
    """Return every policy and its bill, the freest first. best: the single-shot plan, part of the mix."""
    terms = field.case.market.terms
    found = [_on_demand(field)]
    if not terms or field.first >= field.case.days:
        return found
    seen = Foresight(field)
    found += [_rolling(field, seen, term) for term in terms]
    return [*found, _ladder(field, seen), _mix(field, seen, best, risk), _look_back(field, seen)]


def price_of_ladder_usd(ladder: Policy, best: Optimum) -> float:
    """Return what it costs, in the mean, to stay free: the ladder's bill over that of the best single-shot plan.

    Negative where deciding again is worth more than the discounts that it passes up.
    """
    return float(ladder.usd.mean() - best.usd.mean())


def _on_demand(field: Field) -> Policy:
    return Policy(name="on demand", sentence="Sign nothing.", usd=field.worth.base_usd.sum(axis=1), now={})


def _rolling(field: Field, seen: Foresight, term: MarketTerm) -> Policy:
    book = Book(field, seen)
    for day in _turns(field, term):
        book.top_up(term, day)
    return _played(book, f"rolling {term.name}", f"Reserve what pays for {term.name}, and again when it ends.")


def _mix(field: Field, seen: Foresight, best: Optimum, risk: Risk) -> Policy:
    """Sign the single-shot plan's terms of today, or less of them where waiting is worth more; then turn by turn.

    The optimum does not know that more can be signed later, so smaller parts of what it signs today are tried too.
    """
    played = [_mixed(field, seen, best, part) for part in MIX_PARTS]
    return min(played, key=lambda policy: risk.of(policy.usd))


def _mixed(field: Field, seen: Foresight, best: Optimum, part: float) -> Policy:
    terms, book = field.case.market.terms, Book(field, seen)
    for start, units in sorted(zip(field.starts, best.units, strict=True), key=lambda each: -each[0].term.days):
        if start.first == field.first and units:
            share = units if start.term == terms[0] else round(units * part)
            book.buy(start.term, start.first, np.full(len(field.case.need), int(share)))
    for day in _turns(field, terms[0]):
        if day > field.first:
            for n in range(len(terms) - 1, 0, -1):
                book.top_up(terms[n], day, unless=terms[:n])
        book.top_up(terms[0], day)
    return _played(
        book, "mix", "Sign today what the optimum asks; at each turn, each unit on the term best for it."
    )


def _ladder(field: Field, seen: Foresight) -> Policy:
    """Commit on the short term; hold the firm part for a quarter where one is sold; never sign the year."""
    terms = field.case.market.terms
    book, short = Book(field, seen), terms[0]
    if short.days > HEDGE_DAYS:
        return _played(book, "ladder", "Watch the long terms and sign none: no shorter one is on offer.")
    hedges = [term for term in terms[1:] if COMMIT_DAYS < term.days <= HEDGE_DAYS]
    hedge = hedges[0] if hedges and short.days <= COMMIT_DAYS else None
    ends = field.first
    for day in _turns(field, short):
        if hedge is not None and day >= ends and day + hedge.days <= field.case.days:
            book.top_up(hedge, day, firm=True)
            ends = day + hedge.days
        book.top_up(short, day)
    held = f", the part that pays on nine paths in ten for {hedge.name}" if hedge else ""
    return _played(book, "ladder", f"Commit {short.name} at a time{held}; watch the longer terms and sign none.")


def _look_back(field: Field, seen: Foresight) -> Policy:
    """Buy, month by month, what the last 30 days would have justified: the longest term up to a year."""
    terms = field.case.market.terms
    book = Book(field, seen)
    term = [t for t in terms if t.days <= YEAR_DAYS][-1] if terms[0].days <= YEAR_DAYS else terms[0]
    for day in _turns(field, terms[0]):
        book.look_back(term, day)
    return _played(
        book,
        "look-back",
        f"Do as cloud consoles do: reserve for {term.name} what the last 30 days would have filled.",
    )


def _played(book: Book, name: str, sentence: str) -> Policy:
    return Policy(name=name, sentence=sentence, usd=book.usd(), now={k: v for k, v in book.now.items() if v})


def _turns(field: Field, term: MarketTerm) -> list[int]:
    """Return the days on which a term is bought again and again."""
    return list(range(field.first, field.case.days, term.days))
