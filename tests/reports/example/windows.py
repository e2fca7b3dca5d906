"""The example's windowed work."""

from example.common import HORIZONS
from reports.values.capacity import FleetRow
from reports.values.windows import WindowedWork
from sizing.windowed.logics import Logic, PlanLogic
from sizing.windowed.pools import LongRequests, PoolFleet, pool_sentence
from sizing.windowed.spread import WindowSpread

USD = 2.5


def windowed_of(fleet: FleetRow) -> WindowedWork:
    """Return three ways of planning on one fleet, two budgets, and two lengths of window."""
    asked: dict[Logic, int | None] = {
        "mean": fleet.mean_plan_gpus,
        "p95 lengths": fleet.p95_lengths_gpus,
        "windowed": fleet.windowed_p99_gpus,
    }
    long = [row for days in HORIZONS for row in _long(fleet, days)]
    return WindowedWork(
        gpu=fleet.gpu,
        layout=f"TP {fleet.tp}",
        window_s=10,
        percentile=0.99,
        usd_per_gpu_hour=USD,
        logics=[
            PlanLogic(
                logic=logic,
                days=days,
                gpus=gpus,
                usd=None if gpus is None else gpus * days * 24 * USD,
                over_mean=gpus / fleet.mean_plan_gpus if gpus and fleet.mean_plan_gpus else None,
            )
            for days in HORIZONS
            for logic, gpus in asked.items()
        ],
        spreads=[_spread(s, days) for s in (1, 10, 60) for days in (None, *HORIZONS)],
        long=long,
        long_sentence=pool_sentence([row for row in long if row.days == HORIZONS[0]]),
    )


def _spread(window_s: int, days: int | None) -> WindowSpread:
    return WindowSpread(
        window_s=window_s,
        days=days,
        windows=302_400,
        percentile=0.99,
        mean_gpu_s=3.1 * window_s,
        p50_gpu_s=2.9 * window_s,
        p95_gpu_s=5.2 * window_s,
        p99_gpu_s=7.4 * window_s,
        p99_9_gpu_s=11.0 * window_s,
        planned_gpu_s=7.4 * window_s,
        planned_low=None if days is None else 6.1 * window_s,
        planned_high=None if days is None else 9.0 * window_s,
    )


def _long(fleet: FleetRow, days: int) -> list[LongRequests]:
    gpus = fleet.gpus_p80 or 0

    def pool(n: int) -> PoolFleet:
        return PoolFleet(gpu=fleet.gpu, layout=f"TP {fleet.tp}", batch=9, gpus=n, usd=n * days * 24 * USD)

    whole, within, beyond = pool(gpus), pool(gpus - fleet.tp), pool(2 * fleet.tp)
    rows = ((8_192, 0.99, 0.01, 0.21, beyond), (19_031, 0.999, 0.001, 0.04, None))
    return [
        LongRequests.of(
            days=days,
            budget_tok=tok,
            share=share,
            requests_share=requests,
            work_share=work,
            whole=whole,
            within=within,
            beyond=apart,
            why_not="" if apart else f"No candidate serves those above {tok:,} tokens alone.",
        )
        for tok, share, requests, work, apart in rows
    ]
