"""The decision on one kind of GPU: what to sign today, what each term would do, what every policy would cost."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt

from data.errors import UserError
from forecasting.spread import Spread
from sizing.cents import split_to_cents
from sizing.commit.book import Field
from sizing.commit.grid import Start, bounds_of, expiries, first_start, starts_of
from sizing.commit.market import MarketTerm
from sizing.commit.optimum import Optimum, Risk
from sizing.commit.policies import COMMIT_DAYS, HEDGE_DAYS, Policy, field_of, policies, single_shot
from sizing.commit.recourse import Case, Recourse, recourse
from sizing.commit.term import Action, TermDecision, decide_term

Floats = npt.NDArray[np.float64]
Follow = Literal["least", "ladder"]

REACH = 1.25
"""A term longer than this many times the days known is not weighed: most of what it costs would not be seen."""

DECISION_DAYS = 5
"""Days that a decision is given between the plan and the signature, where nobody says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTerm:
    """One line of the single-shot plan: so many GPUs of a term from a day on."""

    name: str
    start: date
    end: date
    gpus: int
    usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitDecision:
    """What to do about one kind of GPU, over the days that the paths cover.

    sign: what the followed policy signs today, longest term first. terms: each term on offer, alone, from the
    first day that it is wanted. ladder: commit 30, hedge 90, watch 365. best_usd: the single-shot plan of all
    terms and starts, which costs least if all of it is decided today; planned: its lines. ladder_price_usd: what
    staying free costs more than that, in the mean. held_usd: commitments in force, paid on top whatever is
    decided. by_workload_usd: what each bears of the followed policy's mean bill. not_weighed: terms that outlast
    the need by too much for policies and the best plan to buy them; their rows say what the known days would do.
    """

    gpu: str
    start: date
    days: int
    paths: int
    need_gpus: Spread
    follows: str
    sentence: str
    sign: tuple[TermDecision, ...]
    terms: tuple[TermDecision, ...]
    ladder: tuple[TermDecision, ...]
    policies: tuple[Policy, ...]
    best_usd: Spread
    planned: tuple[PlannedTerm, ...]
    ladder_price_usd: float | None
    held_usd: float
    risk: Risk
    by_workload_usd: Mapping[str, float]
    not_weighed: tuple[str, ...] = ()

    @property
    def one_path(self) -> bool:
        """Whether there is one path only."""
        return self.paths == 1

    @property
    def decide_by(self) -> date | None:
        """The first day on which something must have been signed, None where nothing is."""
        return min((term.decide_by for term in self.sign), default=None)

    def policy(self, name: str) -> Policy | None:
        """Return a policy by its name."""
        return next((policy for policy in self.policies if policy.name == name), None)


def decide_commitments(
    case: Case,
    *,
    risk: Risk | None = None,
    decision_days: int = DECISION_DAYS,
    past: Floats | None = None,
    follow: Follow = "least",
    workloads: Mapping[str, Floats] | None = None,
) -> CommitDecision:
    """Return the decision. past: (H, 24) need of the days before. workloads: the needs that the case's adds up.

    follow: `least` takes the policy that costs least as the risk counts (the look-back recommender is a yardstick
    and never followed), `ladder` the ladder. The first term begins on `wanted_start`.
    """
    counts = risk or Risk()
    first = wanted_start(case, decision_days)
    if first >= case.days:
        raise UserError(
            f"A reservation begins {first} days in, and the need covers {case.days} days; give a longer need."
        )
    weighed = within_reach(case)
    field = field_of(weighed, first, past)
    worth = recourse(case, bounds_of(case, starts_of(case, first))) if weighed is not case else field.worth
    best = single_shot(field, counts)
    played = policies(field, best, counts)
    chosen = _followed(played, follow, counts)
    ladder = next((policy for policy in played if policy.name == "ladder"), None)
    sign = _signed(field, chosen)
    return CommitDecision(
        gpu=case.market.gpu,
        start=case.start,
        days=case.days,
        paths=len(case.need),
        need_gpus=Spread.of(case.need.ravel()),
        follows=chosen.name,
        sentence=_sentence(case, chosen, sign, played[0]),
        sign=sign,
        terms=tuple(decide_term(case, worth, term, first) for term in case.market.terms),
        ladder=ladder_of(case, worth, first),
        policies=tuple(played),
        best_usd=Spread.of(best.usd),
        planned=tuple(_planned(case, field.starts, best)),
        ladder_price_usd=None if ladder is None else float(ladder.usd.mean() - best.usd.mean()),
        held_usd=case.held_usd(),
        risk=counts,
        by_workload_usd=shared_usd(chosen.usd, workloads or {}),
        not_weighed=tuple(term.name for term in case.market.terms if term not in weighed.market.terms),
    )


def within_reach(case: Case) -> Case:
    """Return the case without the terms that outlast its days by more than a quarter."""
    terms = tuple(term for term in case.market.terms if term.days <= REACH * case.days)
    return case if terms == case.market.terms else replace(case, market=replace(case.market, terms=terms))


def wanted_start(case: Case, decision_days: int) -> int:
    """Return the day on which the first term is wanted: as soon as a decision within decision_days can give it.

    Where a commitment in force ends before that, but not before one signed today can begin, the day after it.
    """
    soonest, latest = case.market.lead_days, case.market.lead_days + decision_days
    ends = [day for day in expiries(case) if soonest <= day < latest]
    return first_start(case.market, ends[0] if ends else latest, case.days)


def ladder_of(case: Case, worth: Recourse, first: int) -> tuple[TermDecision, ...]:
    """Return the ladder's rows: commit on the short term, hedge on the two after it, watch the longer ones.

    The short term is also committed to where a commitment in force ends within its first turn: its renewal. A
    quarter's term, where one is sold, is a hedge of its own. Rows that would begin past the plan are left out.
    """
    rows = [
        decide_term(case, worth, term, day, action=action)
        for term, day, action in _steps(case, first)
        if day < case.days
    ]
    if not rows or rows[0].action != "commit":
        return tuple(rows)
    short, held = case.market.terms[0], rows[0].gpus // worth.unit_gpus
    renewals = [day for day in expiries(case) if first < day < first + short.days]
    renewed = [decide_term(case, worth, short, day, action="commit", below=held) for day in renewals]
    return (rows[0], *[row for row in renewed if row.gpus], *rows[1:])


def _steps(case: Case, first: int) -> list[tuple[MarketTerm, int, Action]]:
    """Return the ladder's terms with the days on which they begin and what they are for."""
    steps: list[tuple[MarketTerm, int, Action]] = []
    for term in case.market.terms:
        if term == case.market.terms[0] and term.days <= COMMIT_DAYS:
            steps.append((term, first, "commit"))
            steps += [(term, first + n * term.days, "hedge") for n in (1, 2)]
        else:
            steps.append((term, first, "hedge" if term.days <= HEDGE_DAYS else "watch"))
    return steps


def shared_usd(usd: Floats, workloads: Mapping[str, Floats]) -> dict[str, float]:
    """Return what each workload bears of a bill, by its share of the GPU-hours, in cents that add up to the bill.

    usd: (S,). workloads: (S, D, 24) each. A path on which nobody needs anything is shared equally.
    """
    if not workloads:
        return {}
    hours = np.stack([need.sum(axis=(1, 2)) for need in workloads.values()])
    total = hours.sum(axis=0)
    share = np.where(total > 0, hours / np.where(total > 0, total, 1.0), 1.0 / len(hours))
    parts = split_to_cents([float(part) for part in (share * usd).mean(axis=1)])
    return {name: float(part) for name, part in zip(workloads, parts, strict=True)}


def _followed(played: list[Policy], follow: Follow, risk: Risk) -> Policy:
    """The least bill, as the risk counts; of equal ones the freest."""
    if follow == "ladder":
        return next((policy for policy in played if policy.name == "ladder"), played[0])
    open_to_us = [policy for policy in played if policy.name != "look-back"]
    least = min(risk.of(policy.usd) for policy in open_to_us)
    return next(policy for policy in open_to_us if risk.of(policy.usd) <= least * (1 + 1e-9))


def _signed(field: Field, policy: Policy) -> tuple[TermDecision, ...]:
    """Return what a policy signs today, the longest term on the bands that are busiest."""
    rows, below = [], 0
    for term in reversed(field.case.market.terms):
        gpus = policy.now.get(term.name, 0)
        if gpus:
            units = gpus // term.unit_gpus
            rows.append(
                decide_term(field.case, field.worth, term, field.first, action="commit", below=below, units=units)
            )
            below += gpus // field.worth.unit_gpus
    return tuple(rows)


def _planned(case: Case, starts: tuple[Start, ...], best: Optimum) -> list[PlannedTerm]:
    rows = []
    for start, units in zip(starts, best.units, strict=True):
        if units:
            gpus = round(units) * start.term.unit_gpus
            hours = 24 * (min(start.end, case.days) - start.first)
            price = start.term.usd_per_gpu_hour * float(case.index[:, start.first].mean())
            begins = case.start + timedelta(days=start.first)
            last = begins + timedelta(days=start.term.days - 1)
            rows.append(
                PlannedTerm(name=start.term.name, start=begins, end=last, gpus=gpus, usd=gpus * hours * price)
            )
    return rows


def _sentence(case: Case, policy: Policy, sign: tuple[TermDecision, ...], on_demand: Policy) -> str:
    """Return what to do, until when, and what it saves, in one sentence."""
    gpu, usd, free = case.market.gpu, float(policy.usd.mean()), float(on_demand.usd.mean())
    over = f"over {case.days} days the need costs ${usd:,.0f} in the mean"
    if not sign:
        return f"Sign nothing for {gpu} now: {over}, and no term that starts now would make it less."
    units = " and ".join(f"{row.gpus} x {gpu} for {row.name}" for row in sign)
    saved = f"${free - usd:,.0f} ({(free - usd) / free:.0%}) less than without commitments" if free else ""
    by = min(row.decide_by for row in sign)
    return f"Sign {units} by {by}, from {sign[0].start}: {over}, {saved}."
