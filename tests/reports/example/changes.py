"""What could change in the example: prices that jump, two scenarios, three stress tests, GPUs by day."""

from datetime import date, timedelta

from example.common import AS_OF, HORIZONS, spread
from reports.budget import Change, ChangeHorizon, Changes, DailyGpus, PriceEffect, PriceJump, PriceOutlook

_CASES = (
    ("scenario", "Move chat to B200", "chat: on b200, from 2027-01-15", 20_000.0, -0.12, -9),
    ("scenario", "Twice the traffic on a model that does not fit", "requests x 2, model glm-5", 0.0, None, None),
    ("stress", "Long-context share x 2", "share of prompts above 32,000 tokens x 2", 0.0, 0.21, 4),
    ("stress", "Agent loops: answers x 3", "output tokens x 3", 0.0, 0.34, 16),
    ("stress", "Traffic x 0.5", "requests x 0.5", 0.0, -0.38, -7),
)


def changes_of(year_usd: float) -> Changes:
    """Return the section of a plan that costs so much over a year."""
    jump = PriceJump(kind="api", cuts_per_year=0.09, raises_per_year=0.045, cut_factors=[0.2, 0.583, 0.8],
                     raise_factors=[2.0, 3.77], source="list prices of API models on nine dates",
                     checked=date(2026, 11, 24))  # fmt: skip
    effects = [
        PriceEffect(
            days=d,
            demand_only=spread(year_usd * d / 365, 0.1),
            prices_only=spread(year_usd * d / 365, 0.04),
            both=spread(year_usd * d / 365, 0.11),
        )
        for d in HORIZONS
    ]
    return Changes(
        prices=PriceOutlook(
            sentence="prices stand, and on random days are cut or raised; announced changes count from their day.",
            jumps=[jump],
            effects=effects,
            announced=["api x 2 from 2027-01-01"],
        ),
        changes=[_change(*case, year_usd) for case in _CASES],
        paths=50,
    )


def daily_gpus_of(gpu: str, level: int) -> DailyGpus:
    """Return a fleet that grows a little over a year, with a wider band ahead."""
    grown = [level + day // 60 for day in range(365)]
    return DailyGpus(
        gpu=gpu,
        days=[AS_OF + timedelta(days=day) for day in range(365)],
        p50=[max(0, n - 1 - day // 120) for day, n in enumerate(grown)],
        p80=grown,
        p95=[n + 1 + day // 90 for day, n in enumerate(grown)],
    )


def _change(
    kind: str, name: str, what: str, cost: float, share: float | None, gpus: int | None, year_usd: float
) -> Change:
    rows = []
    for d in HORIZONS:
        planned, base = year_usd * d / 365, 16 + d // 60
        more = None if share is None else planned * share
        found = [None if gpus is None else base + k + gpus for k in (-2, 0, 5)]
        rows.append(
            ChangeHorizon(
                days=d,
                planned_gpus_p50=base - 2,
                planned_gpus_p80=base,
                planned_gpus_p95=base + 5,
                gpus_p50=found[0],
                gpus_p80=found[1],
                gpus_p95=found[2],
                planned_usd=planned,
                usd=None if more is None else planned + more,
                difference_usd=None if more is None else spread(more, 0.2),
            )
        )
    fits = share is not None
    return Change(
        kind=kind,  # type: ignore[arg-type]  # one of the two, by the table above
        name=name,
        start=date(2027, 1, 15) if cost else AS_OF,
        what=what,
        cost_usd=cost,
        horizons=rows,
        would_do=["chat stays on h100-sxm reserved 30d. Commit to 3 x h100-sxm for 30 days: $4,808 over 30 days."]
        if fits
        else ["Not possible as stated. glm-5 needs 744.0 GB of weights; 4 x b200 offers 640.0 GB."],
        notes=["nightly-classification: no prompt is longer than 32,000 tokens."] if "Long" in name else [],
    )
