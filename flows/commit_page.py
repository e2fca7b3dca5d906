"""What the page says of commitments: every figure is picked from the decision, none is worked out here."""

from dataclasses import fields

from flows.pool import Pool
from forecasting.spread import Spread
from reports.values.commit import BandRow, Commitments, PolicyRow, SharedCost, TermRow
from sizing.bands import Band
from sizing.cents import split_to_cents
from sizing.commit.decision import CommitDecision
from sizing.commit.policies import Policy
from sizing.commit.term import TermDecision

PLANNED_SHOWN = 4


def commitment_page(pool: Pool) -> Commitments:
    """Return what the page says of one kind of GPU."""
    decision = pool.decision
    first = next(iter(decision.ladder), None)
    shares = shared_costs(pool)
    return Commitments(
        gpu=pool.gpu,
        workloads=list(decision.by_workload_usd),
        days=decision.days,
        sentence=decision_sentence(decision) + later_prices(decision),
        terms=[term_row(term) for term in decision.ladder],
        bands=[] if first is None else [_band(band) for band in first.bands],
        policies=[_policy(policy, decision) for policy in decision.policies],
        best_usd=decision.best_usd,
        best=best_plan(decision),
        ladder_price_usd=decision.ladder_price_usd,
        held_usd=decision.held_usd,
        risk_weight=decision.risk.weight,
        risk_level=decision.risk.level,
        usd=_sum(shares),
        apart_usd=pool.apart_usd,
        shares=shares,
    )


def decision_sentence(decision: CommitDecision) -> str:
    """Return what to sign today of the ladder, and what it saves over its term."""
    signed = [term for term in decision.ladder if term.action == "commit" and term.gpus]
    if not signed:
        return f"Sign nothing for {decision.gpu} now: no 30-day term that starts next would pay."
    parts = " and ".join(f"{t.gpus} x {decision.gpu} for {t.name} from {t.start}" for t in signed)
    saved = sum(term.saving_usd.mean for term in signed)
    usd = sum(term.usd_total for term in signed)
    return (
        f"Sign {parts}, by {min(t.decide_by for t in signed)}: ${usd:,.0f} for the term,"
        f" ${saved:,.0f} less in the mean than the same hours on demand."
    )


def later_prices(decision: CommitDecision) -> str:
    """Return a sentence where prices were taken after the day that is planned for: nobody knew them then."""
    later = [t.checked for t in decision.ladder if t.checked is not None and t.checked > decision.start]
    if not later:
        return ""
    return (
        f" Prices are those of {max(later)}, which were not known on {decision.start}: give your own of that day."
    )


def best_plan(decision: CommitDecision) -> str:
    """Return the terms of the plan that costs least if all of it is decided today."""
    lines = [f"{row.gpus} for {row.name} from {row.start}" for row in decision.planned[:PLANNED_SHOWN]]
    more = len(decision.planned) - len(lines)
    return (", ".join(lines) or "nothing reserved") + (f" and {more} more" if more else "")


def term_row(term: TermDecision) -> TermRow:
    """Return a term as the page says it."""
    return TermRow(**{each.name: getattr(term, each.name) for each in fields(TermRow)})


def shared_costs(pool: Pool) -> list[SharedCost]:
    """Return what each workload bears over the plan, in cents that add up to the whole rounded once."""
    priced = {name: cost for name, cost in pool.costs.items() if cost.usd is not None}
    means = [float(cost.usd.sum(axis=1).mean()) for cost in priced.values() if cost.usd is not None]
    hours = [
        0.0 if cost.paid_gpu_hours is None else float(cost.paid_gpu_hours.sum(axis=1).mean())
        for cost in priced.values()
    ]
    return [
        SharedCost(workload=name, usd=float(usd), gpu_hours=used)
        for name, usd, used in zip(priced, split_to_cents(means), hours, strict=True)
    ]


def _sum(shares: list[SharedCost]) -> float | None:
    return round(sum(share.usd for share in shares), 2) if shares else None


def _band(band: Band) -> BandRow:
    same = {each.name: getattr(band, each.name) for each in fields(BandRow) if each.name != "sentence"}
    return BandRow(**same, sentence=band.sentence)


def _policy(policy: Policy, decision: CommitDecision) -> PolicyRow:
    usd = Spread.of(policy.usd)
    return PolicyRow(
        name=policy.name,
        sentence=policy.sentence,
        usd=usd,
        tail_usd=policy.tail_usd(decision.risk.level),
        saving_usd=float(decision.policies[0].usd.mean()) - usd.mean,
        sign_gpus=sum(policy.now.values()),
        followed=policy.name == decision.follows,
    )
