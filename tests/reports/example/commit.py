"""The example's commitments: one kind of GPU, two workloads, four terms, four bands, three policies."""

from datetime import date, timedelta

from example.common import spread
from reports.budget import BandRow, Commitments, PolicyRow, SharedCost, TermRow

_FIRST = date(2026, 12, 5)
_LIST = 3.0


def commitments_of(names: list[str]) -> list[Commitments]:
    return [
        Commitments(
            gpu="h100-sxm",
            workloads=names,
            days=365,
            sentence="Sign 12 x h100-sxm for 30 days from 2026-12-05, by 2026-11-28: $20,995 for the term, $4,620"
            " less in the mean than the same hours on demand.",
            terms=[
                _term("reserved-30d", "30 days", "commit", 30, 0, 2.43, 12),
                _term("reserved-30d", "30 days", "hedge", 30, 30, 2.43, 11),
                _term("reserved-30d", "30 days", "hedge", 30, 60, 2.43, 10),
                _term("reserved-1y", "1 year", "watch", 365, 0, 1.95, 13),
            ],
            bands=[_band(10, 0.97), _band(11, 0.91), _band(12, 0.84), _band(13, 0.63)],
            policies=[
                _policy("on demand", "Sign nothing.", 400_000.0, 0),
                _policy("ladder", "Commit 30 days at a time; watch the longer terms.", 341_000.0, 12, True),
                _policy("mix", "Sign today what the optimum asks.", 322_000.0, 13),
            ],
            best_usd=spread(322_600.0, 0.08),
            best="13 for 1 year from 2026-12-05",
            ladder_price_usd=18_400.0,
            held_usd=0.0,
            risk_weight=0.0,
            risk_level=0.95,
            usd=341_000.0,
            apart_usd=349_250.5,
            shares=[
                SharedCost(workload=name, usd=341_000.0 / len(names), gpu_hours=130_000.0 / len(names))
                for name in names
            ],
        )
    ]


def _term(term: str, name: str, action: str, days: int, after: int, price: float, gpus: int) -> TermRow:
    start = _FIRST + timedelta(days=after)
    total = gpus * price * days * 24
    return TermRow(
        term=term,
        name=name,
        action=action,  # type: ignore[arg-type]  # one of the three, by the caller
        gpus=gpus,
        firm_gpus=gpus - 2,
        usd_per_gpu_hour=price,
        on_demand_usd_per_gpu_hour=_LIST,
        usd_per_hour=gpus * price,
        usd_total=total,
        upfront_usd=0.0,
        start=start,
        end=start + timedelta(days=days - 1),
        known_days=min(days, 353),
        saving_usd=spread(total * 0.2, 0.1),
        breakeven_utilisation=price / _LIST,
        expected_utilisation=0.95,
        chance_of_loss=0.02,
        regret_p95_usd=total * 0.03,
        decide_by=start - timedelta(days=7),
        reason=f"{action.capitalize()} {gpus} x h100-sxm for {days} days at ${price:,.2f} an hour against $3.00 on"
        f" demand: #{gpus} is busy 84% of hours and needs {price / _LIST:.0%}.",
        source="planning table, https://example.org/gpu-prices",
        checked=date(2026, 11, 20),
    )


def _band(gpu: int, busy: float) -> BandRow:
    verdict = "commit" if busy >= 0.81 else "leave on demand"
    return BandRow(
        first_gpu=gpu,
        last_gpu=gpu,
        busy_share=busy,
        busy_share_p10=busy - 0.1,
        busy_share_p90=min(busy + 0.05, 1.0),
        needed_share=0.81,
        commit=busy >= 0.81,
        sentence=f"h100-sxm #{gpu} is busy {busy:.0%} of hours, needs 81%: {verdict}.",
    )


def _policy(name: str, sentence: str, usd: float, gpus: int, followed: bool = False) -> PolicyRow:
    return PolicyRow(
        name=name,
        sentence=sentence,
        usd=spread(usd, 0.08),
        tail_usd=usd * 1.2,
        saving_usd=400_000.0 - usd,
        sign_gpus=gpus,
        followed=followed,
    )
