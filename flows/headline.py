"""The sentence on top of the page, made from the choices: what to sign, for how much, and until when."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date

from flows.pool import Pool
from flows.pricing import Priced
from flows.settings import WorkloadSettings
from forecasting.spread import Spread
from reports.budget import Currency, Decision
from reports.format import day, money
from sizing.commit.term import TermDecision

TERM_WORDS = {"reserved-30d": "30 days", "reserved-1y": "one year", "reserved-3y": "three years"}


def decide_plan(
    workloads: Sequence[WorkloadSettings],
    priced: Sequence[Priced],
    horizons_days: Sequence[int],
    currency: Currency,
    *,
    spend: Mapping[int, Spread | None],
    committed_share: float | None,
    pools: Sequence[Pool] = (),
) -> Decision:
    """Return the decision: one headline over all workloads, and a line for each workload and horizon.

    pools: what is signed for all workloads on one kind of GPU; it stands in the place of what each would sign.
    """
    first = horizons_days[0]
    signed = _signed(priced, first, pools)
    decide_by = min((term.decide_by for term in signed), default=None)
    parts = [
        _commit_part(signed, currency),
        *_other_parts(workloads, priced, first),
        _year_part(priced, horizons_days[-1]),
        f"decide by {day(decide_by)}" if decide_by else "",
    ]
    text = "; ".join(part for part in parts if part)
    return Decision(
        headline=f"{text[0].upper()}{text[1:]}.",
        decide_by=decide_by,
        lines=[
            f"{workload.name}, {days} days: {each.choices[days].sentence}"
            for workload, each in zip(workloads, priced, strict=True)
            for days in horizons_days
        ],
        usd_30_days=spend.get(30),
        usd_90_days=spend.get(90),
        usd_365_days=spend.get(365),
        committed_share=committed_share,
    )


def _signed(priced: Sequence[Priced], days: int, pools: Sequence[Pool]) -> list[TermDecision]:
    """Return the terms that the choices of the first horizon ask to sign now."""
    found = [t for pool in pools for t in pool.decision.ladder if t.action == "commit" and t.gpus > 0]
    pooled = {pool.gpu for pool in pools}
    for each in priced:
        choice = each.choices[days]
        if choice.action == "commit" and choice.gpu is not None and choice.gpu not in pooled:
            terms = each.ladder.get(choice.gpu, ())
            found += [t for t in terms if t.term == choice.option and t.action == "commit" and t.gpus > 0]
    return found


def _commit_part(signed: Sequence[TermDecision], currency: Currency) -> str:
    if not signed:
        return "commit nothing new"
    gpus: dict[tuple[str, str], int] = defaultdict(int)
    for term in signed:
        gpus[term.gpu, term.term] += term.gpus
    units = " and ".join(f"{n} {gpu} for {TERM_WORDS[term]}" for (gpu, term), n in gpus.items())
    return f"commit {units}, {money(sum(term.usd_total for term in signed), currency)}"


def _other_parts(workloads: Sequence[WorkloadSettings], priced: Sequence[Priced], days: int) -> list[str]:
    """Name the workloads that are served by the API or on demand, and those that nothing can be said of."""
    by_action: dict[str, list[str]] = defaultdict(list)
    for workload, each in zip(workloads, priced, strict=True):
        by_action[each.choices[days].action].append(workload.name)
    words = {"api": "keep {} on the API", "on-demand": "rent for {} on demand", "none": "price {} before deciding"}
    return [text.format(" and ".join(by_action[action])) for action, text in words.items() if by_action[action]]


def _year_part(priced: Sequence[Priced], days: int) -> str:
    """Say whether the one-year offer is the better buy on today's forecast: it is watched, not signed."""
    worth = [each for each in priced if each.choices[days].option == "reserved-1y"]
    if days < 180:
        return ""
    return "watch the one-year offer, which pays on today's forecast" if worth else "hold the one-year offer"


def as_currency(code: str, per_usd: float | None, rate_date: date | None, source: str | None) -> Currency:
    """Return how the page shows money; dollars need no rate."""
    return Currency(
        code=code, per_usd=per_usd or 1.0, rate_date=rate_date, source=source or "prices are quoted in USD"
    )
