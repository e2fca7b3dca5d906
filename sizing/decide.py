"""What to do for one workload over one horizon: commit on 30 days, hedge on 90, watch on 365."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np

from sizing.commit.term import Action, TermDecision, action_for
from sizing.compare import PricedLine
from sizing.money import CostLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What to do, in one sentence with its numbers.

    gpus: GPUs to reserve, or for on demand those that the 80th percentile of the need asks; None for the API.
    usd: mean over the horizon. saving_usd: against the dearest of the other kinds' best lines, which the sentence
    names. flips: another line is cheaper on more than one path in ten, or at the other end of the price ranges.
    """

    action: Literal["commit", "hedge", "watch", "api", "on-demand", "none"]
    sentence: str
    option: str
    gpu: str | None
    gpus: int | None
    usd: float | None
    saving_usd: float | None
    decide_by: date | None
    flips: bool


def decide(costs: Sequence[PricedLine], *, terms: Sequence[TermDecision] = ()) -> Choice:
    """Return the choice over the horizon that the lines stand for: the least mean cost among what may be bought.

    costs: one workload and horizon, as `sizing.compare.price_lines` gives them. terms: the ladder of the GPUs
    among them (`sizing.commitments.ladder`), which gives units and dates. A term longer than the horizon is not
    bought for it: the one-year term is weighed over the year only. Lines without a price are left out and named.
    """
    if not costs:
        return _nothing("No option was priced.")
    days = costs[0].line.horizon_days
    action = action_for(days)
    sold = [c for c in costs if c.usd_paths is not None and _may_buy(c.line, action)]
    if not sold:
        return _nothing(f"Over {days} days no option has a known price: " + "; ".join(c.line.note for c in costs))
    best = min(sold, key=_mean)
    term = _term_of(best, terms, action)
    dearest = max(_best_of_other_kinds(best, sold), key=_mean, default=None)
    doubt = _doubt(best, [c for c in sold if c is not best])
    return Choice(
        action=_action_word(best.line, action),
        sentence=" ".join(s for s in (_lead(best, dearest, term, action), doubt, _unpriced(costs)) if s),
        option=best.line.option,
        gpu=best.line.gpu,
        gpus=best.gpus if term is None else term.gpus,
        usd=_mean(best),
        saving_usd=None if dearest is None else _mean(dearest) - _mean(best),
        decide_by=term.decide_by if term is not None and action != "watch" else None,
        flips=bool(doubt),
    )


def chance_cheaper(other: PricedLine, line: PricedLine) -> float:
    """Return the share of paths on which `other` costs less than `line`; both need samples on the same paths."""
    if other.usd_paths is None or line.usd_paths is None:
        return float("nan")
    return float(np.mean(other.usd_paths < line.usd_paths))


def _may_buy(line: CostLine, action: Action) -> bool:
    return line.option != "committed" and (action == "watch" or line.option not in ("reserved-1y", "reserved-3y"))


def _mean(priced: PricedLine) -> float:
    return float("nan") if priced.line.usd is None else priced.line.usd.mean


def _kind(line: CostLine) -> str:
    return "reserved" if line.option.startswith("reserved") else line.option


def _best_of_other_kinds(best: PricedLine, sold: Sequence[PricedLine]) -> list[PricedLine]:
    """Return the cheapest line of each kind but the chosen one: nobody would buy a kind on its dearest GPU."""
    kinds = dict.fromkeys(_kind(c.line) for c in sold if _kind(c.line) != _kind(best.line))
    return [min((c for c in sold if _kind(c.line) == kind), key=_mean) for kind in kinds]


def _term_of(best: PricedLine, terms: Sequence[TermDecision], action: Action) -> TermDecision | None:
    """Return the step of the ladder that the chosen line belongs to: its first term of this action."""
    own = [t for t in terms if t.gpu == best.line.gpu and t.term == best.line.option]
    return next((t for t in own if t.action == action), own[0] if own else None)


def _action_word(line: CostLine, action: Action) -> Literal["commit", "hedge", "watch", "api", "on-demand"]:
    if action != "commit":
        return action
    return "commit" if _kind(line) == "reserved" else "on-demand" if line.option == "on-demand" else "api"


def _lead(best: PricedLine, dearest: PricedLine | None, term: TermDecision | None, action: Action) -> str:
    line = best.line
    against = ""
    if dearest is not None:
        against = f", {_usd(_mean(dearest) - _mean(best))} less than {dearest.line.label} ({_usd(_mean(dearest))})"
    cost = f"{_range(best)} over {line.horizon_days} days{against}"
    if action == "watch":
        return f"Watch: {line.label} would cost least, {cost}; sign nothing for the year today."
    if _kind(line) == "reserved":
        count = best.gpus if term is None else term.gpus
        until = "" if term is None else f" from {term.start}, decided by {term.decide_by}"
        if action == "commit":
            return f"Commit to {count} x {line.gpu} for 30 days{until}: {cost}."
        firm = "" if term is None else f", {term.firm_gpus} of them firm"
        return f"Hedge: hold open {count} x {line.gpu}{firm}, in 30-day terms{until}: {cost}."
    verb = "Hedge: stay free on" if action == "hedge" else "Stay on" if line.gpu is None else "Rent"
    return f"{verb} {line.label}: {cost}."


def _doubt(best: PricedLine, others: Sequence[PricedLine]) -> str:
    """Return the sentence that says how the choice could turn; empty where it stands on nine paths in ten."""
    nearest = max(others, key=lambda c: (chance_cheaper(c, best), -_mean(c)), default=None)
    if nearest is None:
        return ""
    chance = chance_cheaper(nearest, best)
    if chance > 0.1:
        return f"The choice is not firm: on {chance:.0%} of paths {nearest.line.label} is cheaper."
    rivals = [c for c in others if c.line.gpu != best.line.gpu and _turns_on_price(best.line, c.line)]
    if not rivals:
        return ""
    rival = min(rivals, key=_mean)
    return (
        f"The choice turns within the price ranges: {best.line.label} costs up to {_usd(best.line.usd_high)},"
        f" {rival.line.label} as little as {_usd(rival.line.usd_low)}."
    )


def _turns_on_price(best: CostLine, rival: CostLine) -> bool:
    return best.usd_high is not None and rival.usd_low is not None and rival.usd_low < best.usd_high


def _unpriced(costs: Sequence[PricedLine]) -> str:
    names = dict.fromkeys(c.line.label for c in costs if c.usd_paths is None)
    return f"Not weighed, for want of a price: {', '.join(names)}." if names else ""


def _range(priced: PricedLine) -> str:
    usd = priced.line.usd
    return "unknown" if usd is None else f"{_usd(usd.mean)} ({_usd(usd.p10)} to {_usd(usd.p90)})"


def _usd(value: float | None) -> str:
    return "unknown" if value is None else f"${value:,.0f}" if abs(value) >= 100 else f"${value:,.2f}"


def _nothing(sentence: str) -> Choice:
    return Choice(
        action="none",
        sentence=sentence,
        option="none",
        gpu=None,
        gpus=None,
        usd=None,
        saving_usd=None,
        decide_by=None,
        flips=False,
    )
