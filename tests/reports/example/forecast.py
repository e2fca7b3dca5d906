"""The example's traffic and its forecast."""

from dataclasses import replace
from datetime import timedelta

import numpy as np

from data.traffic import Basis, Category, PercentileBasis
from example.common import AS_OF, spread
from reports.budget import (
    BusiestRow,
    Method,
    Series,
    Source,
    TokenPercentiles,
)
from reports.sentences import percentile_sentence


def traffic_series(rng: np.random.Generator, level: float, seen: int, growth: float) -> Series:
    past = [AS_OF - timedelta(days=seen - k) for k in range(seen)]
    ahead = [AS_OF + timedelta(days=k) for k in range(365)]
    weekday = np.array([1.08, 1.12, 1.11, 1.07, 1.02, 0.79, 0.81])
    back = np.arange(seen) - seen
    history = (
        level * (1 + growth * 0.8 * back) * weekday[[d.weekday() for d in past]] * rng.lognormal(0, 0.04, seen)
    )
    shown: list[float | None] = [round(float(v)) for v in history]
    if seen > 60:
        shown[seen - 52] = None
    k = np.arange(365)
    middle = level * (1 + growth * 60 * (1 - 0.985**k)) * weekday[[d.weekday() for d in ahead]]
    width = 0.045 + 0.012 * np.sqrt(k)
    normal = {"q2_5": -1.96, "q10": -1.2816, "q50": 0.0, "q90": 1.2816, "q97_5": 1.96}
    quantiles = {q: [round(float(v), 1) for v in middle * np.exp(z * width)] for q, z in normal.items()}
    mean = [round(float(v), 1) for v in middle * np.exp(width**2 / 2)]
    return Series(history_days=past, history=shown, days=ahead, mean=mean, **quantiles)


def busiest_rows(qps: float, days: int, category: Category) -> list[BusiestRow]:
    seen = {3600: 1.7, 60: 2.3, 10: 3.4}
    return [
        BusiestRow(
            window_s=window_s,
            qps=spread(qps * factor * 1.15, 0.06 * (days / 30) ** 0.5),
            usual_qps=spread(qps * factor, 0.04 * (days / 30) ** 0.5),
            over_mean=factor,
            estimated=category == "batch" and window_s < 60,
        )
        for window_s, factor in seen.items()
    ]


def tokens_of(name: str, mean: float, spread: float, days: int) -> TokenPercentiles:
    points = []
    for factor in (0.55, spread, spread * 1.45, spread * 2.9):
        middle, width = mean * factor, 0.02 + 0.004 * (days / 30) ** 0.7
        points.append((round(middle * (1 - width), 1), round(middle, 1), round(middle * (1 + width), 1)))
    p50, p90, p95, p99 = points
    return TokenPercentiles(field=name, known=True, p50=p50, p90=p90, p95=p95, p99=p99, mean_tok=mean)  # type: ignore[arg-type]  # a literal, by the caller


def unknown_tokens(tokens: TokenPercentiles) -> TokenPercentiles:
    return replace(tokens, known=False, p50=None, p90=None, p95=None, p99=None, mean_tok=None)


def method_of(basis: Basis, seen: int) -> Method:
    known = basis != "no history"
    return Method(
        model={"history": "robust level, damped slope", "short history": "28-day median", "no history": "flat"}[
            basis
        ],
        basis=basis,
        history_days=seen,
        origins=8 if basis == "history" else 2 if known else 0,
        loss_vs_naive=0.68 if basis == "history" else 0.91 if known else None,
        coverage_80=0.79 if basis == "history" else None,
        cleaned=["2 Oct 2026: no data, left out", "18 Oct 2026: outlier, taken as 1.1M"]
        if basis == "history"
        else [],
        sentence={
            "history": "In 8 backtests on this workload the model's error was 0.68 of the seasonal naive's,"
            " and its 80% intervals held 79% of the days.",
            "short history": "With 41 days the plan takes the median of the last 28 and the shape of the week.",
            "no history": "Nothing was observed for a full day: demand is flat at the stated rate.",
        }[basis],
    )


def week_profile(category: Category) -> list[float]:
    hours = np.arange(168)
    if category == "batch":
        shape = np.where((hours % 24) < 5, 4.0, 0.25)
    else:
        shape = (1.0 + 0.75 * np.sin((hours % 24 - 8) / 24 * 2 * np.pi)) * np.where(hours >= 120, 0.75, 1.06)
    return [round(float(v), 4) for v in shape / shape.mean()]


def source_of(basis: Basis, requests: float) -> Source:
    kinds: dict[Basis, PercentileBasis] = {
        "history": "requests", "short history": "histogram", "no history": "none",
    }  # fmt: skip
    percentiles = kinds[basis]
    return Source(
        kind="requests" if percentiles == "requests" else "aggregates",
        requests=requests,
        throttled_requests=requests / 400,
        failed_requests=requests / 250,
        missing_tok_requests=requests / 3_000,
        percentiles=percentiles,
        sentence=percentile_sentence(percentiles, 2.5),
    )
