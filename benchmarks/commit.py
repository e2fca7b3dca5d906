"""How long a commitment decision takes: 200 paths x 8,760 hours x 40 bands, without and with risk and batch work.

    python -m benchmarks.commit

The need is made up: levels drift apart, hours breathe with the day, capped at 40 GPUs. Three terms on offer; on
demand is limited, an API takes the overflow, spot the work that can wait. `optimum` is the reduction to periods
and the mixed-integer program; `decision` is that, every policy played on every path, and the terms' rows.
"""

import time
from datetime import date

import numpy as np

from data.catalog.commit_offers import BatchOffer, Offers, TermOffer
from sizing.commit.decision import decide_commitments
from sizing.commit.grid import bounds_of, starts_of
from sizing.commit.market import market_of
from sizing.commit.optimum import Risk, solve
from sizing.commit.recourse import Case, recourse

PATHS, DAYS, BANDS = 200, 365, 40
BUDGET_S = 5.0
TERMS = (
    TermOffer(name="30 days", days=30, discount=0.10),
    TermOffer(name="90 days", days=90, discount=0.20),
    TermOffer(name="1 year", days=365, discount=0.40, max_gpus=30),
)
NIGHT = BatchOffer(name="night", gpu_hours=40, start_hour_utc=20, deadline_h=12, max_gpus=8)


def main() -> None:
    """Print seconds for each combination, the least of three runs."""
    print(f"{PATHS} paths x {DAYS * 24:,} hours x {BANDS} bands, three terms")
    print("batch  risk weight  optimum s  decision s  mean $     signs now")
    for batch in ((), (NIGHT,)):
        case = made_up(batch)
        for weight in (0.0, 0.3, 1.0):
            risk = Risk(weight=weight)
            optimum_s = min(_seconds(lambda risk=risk, case=case: _optimum(case, risk)) for _ in range(3))
            began = time.perf_counter()
            decision = decide_commitments(case, risk=risk)
            decision_s = time.perf_counter() - began
            signs = ", ".join(f"{row.gpus} for {row.name}" for row in decision.sign) or "nothing"
            usd = decision.best_usd.mean
            late = "" if optimum_s <= BUDGET_S else f"  over {BUDGET_S:g} s"
            print(f"{len(batch):5}  {weight:11}  {optimum_s:9.2f}  {decision_s:10.2f}  {usd:9,.0f}  {signs}{late}")


def made_up(batch: tuple[BatchOffer, ...] = ()) -> Case:
    """Return the case: a need of 40 GPUs at most, and what it can be bought for."""
    rng = np.random.default_rng(20261124)
    drift = np.cumsum(rng.normal(0.0005, 0.02, (PATHS, DAYS)), axis=1) + rng.normal(0, 0.1, (PATHS, 1))
    wave = 14 + 8 * np.sin(np.arange(24) / 24 * 2 * np.pi)
    need = np.ceil(np.clip(np.exp(drift)[:, :, None] * wave, 0, BANDS))
    offers = Offers(
        gpu="h100",
        on_demand_usd_per_gpu_hour=3.0,
        on_demand_max_gpus=16,
        spot_usd_per_gpu_hour=1.2,
        api_usd_per_gpu_hour=4.2,
        lead_days=7,
        terms=TERMS,
        batch=batch,
    )
    return Case(need=need, start=date(2026, 11, 24), market=market_of(offers))


def _optimum(case: Case, risk: Risk) -> None:
    starts = starts_of(case, 12)
    solve(case, starts, recourse(case, bounds_of(case, starts)), risk)


def _seconds(run) -> float:  # type: ignore[no-untyped-def]  # a closure
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
