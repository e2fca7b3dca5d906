"""`fleetcast commit`: what to reserve of one kind of GPU, with everything that it rests on."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

import numpy as np

from data.catalog.commit_offers import read_commit_offers
from data.errors import UserError
from data.read_need import NeedFile, read_need
from flows.cli_catalog import print_table
from forecasting.spread import Spread
from sizing.bands import Band
from sizing.commit.decision import CommitDecision, decide_commitments
from sizing.commit.market import market_of
from sizing.commit.optimum import Risk
from sizing.commit.policies import Policy
from sizing.commit.recourse import Case
from sizing.commit.term import TermDecision

_TERM_HEAD = (
    "term", "GPUs", "$/GPU-h", "$/h", "total $", "start", "end", "saves $", "10% to 90%", "needs", "is used",
    "chance of loss", "p95 regret $", "sign by",
)  # fmt: skip


def run_commit(arguments: argparse.Namespace) -> None:
    """Decide and print, as text or as JSON (docs/commit.md)."""
    need = read_need(arguments.need, as_of=arguments.as_of)
    case = _case(arguments, need)
    decision = decide_commitments(
        case,
        risk=_risk(arguments),
        decision_days=arguments.decision_days,
        past=need.past,
        follow=arguments.policy,
        workloads=need.need if len(need.need) > 1 else None,
    )
    if arguments.json:
        print(json.dumps(as_json(decision), indent=1, ensure_ascii=False, default=_plain))
    else:
        _print(decision, case, arguments.bands)


def as_json(decision: CommitDecision) -> dict[str, Any]:
    """Return the decision as the JSON says it: policies by their spreads, everything else as it is."""
    out = asdict(decision)
    out["policies"] = [
        {
            "name": policy.name,
            "sentence": policy.sentence,
            "usd": asdict(Spread.of(policy.usd)),
            "tail_usd": policy.tail_usd(decision.risk.level),
            "saving_usd": float(decision.policies[0].usd.mean() - policy.usd.mean()),
            "sign_gpus": dict(policy.now),
        }
        for policy in decision.policies
    ]
    for rows in ("sign", "terms", "ladder"):
        for row, term in zip(out[rows], getattr(decision, rows), strict=True):
            row["bands"] = [{**asdict(band), "sentence": band.sentence} for band in term.bands]
    return {"schema": 1, **out, "decide_by": decision.decide_by}


def _risk(arguments: argparse.Namespace) -> Risk:
    if arguments.risk_level >= 1:
        raise UserError(f"--risk-level {arguments.risk_level:g} leaves no bill to look at; give less than 1.")
    return Risk(weight=arguments.risk_weight, level=arguments.risk_level)


def _case(arguments: argparse.Namespace, need: NeedFile) -> Case:
    total = need.total
    fall = arguments.yearly_price_fall
    if fall >= 1:
        raise UserError(f"--yearly-price-fall {fall:g} leaves no price; give less than 1.")
    index = None if fall == 0 else (1 - fall) ** (np.arange(total.shape[1]) / 365)
    market = market_of(read_commit_offers(arguments.offers))
    return Case(need=total, start=need.start, market=market, price_index=index)


def _print(decision: CommitDecision, case: Case, bands: int) -> None:
    d, need = decision, decision.need_gpus
    paths = "one path: the need is taken as known, and no risk is seen" if d.one_path else f"{d.paths:,} paths"
    print(d.sentence)
    print(
        f"{d.gpu}: {need.mean:,.1f} GPUs needed in the mean hour ({need.p10:,.0f} to {need.p90:,.0f}),"
        f" {float(case.need.max()):,.0f} at most, over {d.days} days from {d.start}; {paths}."
    )
    _print_terms("Sign:", d.sign)
    _print_terms("Each term on offer, alone:", d.terms)
    _print_terms("The ladder (commit 30, hedge 90, watch 365):", d.ladder)
    shown = d.sign or d.terms
    if shown and bands:
        _print_bands(shown[0], bands)
    print("\nPolicies, decided again at every turn with what is known by then:")
    print_table(
        ("policy", "mean $", "10% to 90%", "worst bills $", "saves $", "signs now", ""),
        [_policy_cells(policy, d) for policy in d.policies],
    )
    print(_best_sentence(d))
    if d.not_weighed:
        print(f"Not weighed: {', '.join(d.not_weighed)}; give a need that covers more of it.")
    if d.held_usd:
        print(f"Commitments in force cost ${d.held_usd:,.0f} on top of every bill above.")
    if d.by_workload_usd:
        print("Of that bill bear: " + ", ".join(f"{n} ${usd:,.2f}" for n, usd in d.by_workload_usd.items()) + ".")


def _print_terms(title: str, terms: Sequence[TermDecision]) -> None:
    if not terms:
        return
    print(f"\n{title}")
    print_table(_TERM_HEAD, [_term_cells(term) for term in terms])
    for term in terms:
        print(f"  {term.reason}")


def _term_cells(term: TermDecision) -> tuple[str, ...]:
    used = "–" if term.expected_utilisation is None else f"{term.expected_utilisation:.0%}"
    saving = term.saving_usd
    return (
        term.name, f"{term.gpus:,}", f"{term.usd_per_gpu_hour:,.2f}", f"{term.usd_per_hour:,.2f}",
        f"{term.usd_total:,.0f}", f"{term.start}", f"{term.end}", f"{saving.p50:,.0f}",
        f"{saving.p10:,.0f} to {saving.p90:,.0f}", f"{term.breakeven_utilisation:.0%}", used,
        f"{term.chance_of_loss:.0%}", f"{term.regret_p95_usd:,.0f}", f"{term.decide_by}",
    )  # fmt: skip


def _print_bands(term: TermDecision, count: int) -> None:
    """Print the bands around the last one that is bought: the others say the same more clearly."""
    last = sum(band.commit for band in term.bands)
    first = max(0, min(last - (count + 1) // 2, len(term.bands) - count))
    rows: tuple[Band, ...] = term.bands[first : first + count]
    print(f"\nBands, {term.name} from {term.start} ({len(rows)} of {len(term.bands)}, around the last that pays):")
    for band in rows:
        print(f"  {band.sentence}")


def _policy_cells(policy: Policy, decision: CommitDecision) -> tuple[str, ...]:
    usd = Spread.of(policy.usd)
    now = ", ".join(f"{gpus} for {name}" for name, gpus in policy.now.items()) or "nothing"
    followed = " <- followed" if policy.name == decision.follows else ""
    return (
        f"{policy.name}{followed}", f"{usd.mean:,.0f}", f"{usd.p10:,.0f} to {usd.p90:,.0f}",
        f"{policy.tail_usd(decision.risk.level):,.0f}",
        f"{float(decision.policies[0].usd.mean()) - usd.mean:,.0f}", now, policy.sentence,
    )  # fmt: skip


def _best_sentence(decision: CommitDecision) -> str:
    """Say what the best plan in one shot costs, and what staying free costs over it."""
    best = decision.best_usd.mean
    lines = ", ".join(f"{row.gpus} for {row.name} from {row.start}" for row in decision.planned[:4])
    more = f" and {len(decision.planned) - 4} more" if len(decision.planned) > 4 else ""
    text = f"The best plan decided all today ({lines or 'nothing reserved'}{more}) costs ${best:,.0f} in the mean."
    price = decision.ladder_price_usd
    if price is None:
        return text
    word = "costs" if price >= 0 else "saves"
    free = f"Staying free on the ladder {word} ${abs(price):,.0f}"
    return f"{text} {free} ({abs(price) / best:.1%}) against it." if best else f"{text} {free} against it."


def _plain(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError(type(value).__name__)
