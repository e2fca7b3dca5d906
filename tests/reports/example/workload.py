"""One workload of the example."""

from datetime import timedelta

import numpy as np

from data.traffic import Basis, Category
from example.capacity import fleet_row, unfit_row
from example.changes import daily_gpus_of
from example.choice import ways_of
from example.common import AS_OF, GPUS, HORIZONS, spread
from example.deployment import deployment_of
from example.forecast import busiest_rows, method_of, source_of, tokens_of, traffic_series, week_profile
from example.money import breakeven_of, choice_of, cost_lines
from example.selfhost import self_hosting
from example.slo import slo_check_of
from example.track import moved_since, opinion
from example.windows import windowed_of
from reports.budget import (
    Horizon,
    LongShareRow,
    Workload,
)
from sizing.deployment.energy import PowerRules

_POWER = PowerRules(host_w_per_gpu=300.0, pue=1.3, carbon_g_per_kwh=350.0, source="Our own meters, 2026")
_NOTES = {
    "short history": "41 days were seen: the level and the week are known, the trend is not.",
    "no history": "No full day was logged; the rate is the one that the plan file states.",
}


def workload_of(i: int, history_days: int) -> Workload:
    kinds: list[tuple[str, Category, Basis, float, float, float, str | None]] = [
        ("chat", "online", "history", 1.21e6, 1_450.0, 310.0, "openai/gpt-5-mini"),
        ("code-agents", "online", "short history", 6_400.0, 18_200.0, 640.0, "anthropic/claude-sonnet-5"),
        ("nightly-classification", "batch", "no history", 410_000.0, 900.0, 24.0, None),
    ]
    name, category, basis, level, prompt, output, api = kinds[i % 3]
    name = name if i < 3 else f"{name}-{i}"
    rng = np.random.default_rng(20261123 + i)
    seen = {"history": history_days, "short history": 41, "no history": 0}[basis]
    traffic = traffic_series(rng, level, seen, growth=0.0011 if basis == "history" else 0.0)
    horizons = [_horizon(name, category, d, level, prompt, output, api) for d in HORIZONS]
    return Workload(
        name=name,
        category=category,
        model="llama-3.1-70b",
        precision="fp8",
        api=api,
        notes=[] if basis == "history" else [_NOTES[basis]],
        traffic=traffic,
        source=source_of(basis, level * seen),
        method=method_of(basis, seen),
        hour_of_week=week_profile(category),
        long_context=[
            LongShareRow(threshold_tok=t, requests_share=s, work_share=min(1.0, s * w))
            for t, s, w in (
                (32_000, 0.021 * (i + 1), 9.4),
                (100_000, 0.004 * (i + 1), 31.0),
                (200_000, 0.0006, 61.0),
            )
        ],
        textbook_gpus=7 + 2 * i,
        textbook_sentence="The textbook formula leaves out prefill; at these prompts prefill is most of the work.",
        horizons=horizons,
        breakeven=[] if api is None else [breakeven_of(g, level, prompt + output) for g in ("h100-sxm", "b200")],
        selfhost=None if api is None else self_hosting("h100-sxm", level, level * 30 * (prompt + output) / 1e6),
        daily_gpus=daily_gpus_of("h100-sxm", 4 + 3 * i),
        second_opinion=opinion(basis, seen, level),
        deployment=None
        if basis == "no history"
        else deployment_of(horizons[0].fleets[0], chosen=i % 3 != 1, rules=_POWER if i == 0 else PowerRules()),
        slo_check=slo_check_of(horizons[0].fleets[0], holds=i == 1) if category == "online" and i < 2 else None,
        choice=ways_of(category == "online") if i < 2 else None,
        windowed=None if basis == "no history" else windowed_of(horizons[0].fleets[0]),
        moved=moved_since(
            AS_OF - timedelta(days=30) if basis == "history" else None, level * 30, level * 30 * prompt
        ),
    )


def _horizon(
    name: str, category: Category, days: int, level: float, prompt: float, output: float, api: str | None
) -> Horizon:
    grown = 1 + 0.055 * (days / 30) ** 0.5
    per_day = level * grown
    work = per_day / 86_400 * (prompt * 8.5e-5 + output * 4.1e-4) / 0.7
    fleets = [fleet_row(gpu, work, days, category) for gpu in GPUS] + [
        unfit_row(fleet_row("l40s", work, days, category))
    ]
    costs = cost_lines(name, days, per_day, prompt, output, api, fleets)
    chosen = "h100-sxm"
    return Horizon(
        days=days,
        start=AS_OF,
        end=AS_OF + timedelta(days=days - 1),
        requests=spread(per_day * days, 0.03 * (days / 30) ** 0.5),
        mean_qps=spread(per_day / 86_400, 0.03 * (days / 30) ** 0.5),
        peak_qps=spread(per_day / 86_400 * 3.4, 0.06 * (days / 30) ** 0.5),
        tokens=[tokens_of("prompt", prompt, 2.6, days), tokens_of("cached", prompt * 0.3, 2.9, days),
                tokens_of("output", output, 1.9, days)],
        prompt_tok=spread(per_day * days * prompt, 0.04 * (days / 30) ** 0.5),
        output_tok=spread(per_day * days * output, 0.04 * (days / 30) ** 0.5),
        fleets=fleets,
        chosen_gpu=chosen,
        costs=costs,
        cached_tok=spread(per_day * days * prompt * 0.3, 0.05 * (days / 30) ** 0.5),
        busiest=busiest_rows(per_day / 86_400, days, category),
        decision=choice_of(days, None if name.startswith("code-agents") else chosen, fleets[0], costs),
    )  # fmt: skip
