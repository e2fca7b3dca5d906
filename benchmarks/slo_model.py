"""The queueing model's TTFT and TPOT p99 against the simulator's: `python -m benchmarks.slo model`."""

import time

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.catalog.gpus import load_gpus
from data.catalog.models import load_models
from forecasting.demand import Moments
from forecasting.dispersion import Dispersion
from sizing.profile import Slo, replica_profile
from sizing.queueing.lengths import Lengths
from sizing.queueing.percentiles import Queue
from sizing.queueing.simulated import simulate_fleets
from sizing.simulate.arrivals import renewal

Floats = npt.NDArray[np.float64]

CASES: tuple[tuple[str, float, float, int, float], ...] = (
    ("short chat, 1 replica", 600, 200, 1, 1.0),
    ("short chat, 2", 600, 200, 2, 1.0),
    ("chat, 1", 1_200, 210, 1, 1.0),
    ("chat, 4", 1_200, 210, 4, 1.0),
    ("chat, 12", 1_200, 210, 12, 1.0),
    ("chat, 24", 1_200, 210, 24, 1.0),
    ("chat bursty CV 2, 4", 1_200, 210, 4, 2.0),
    ("chat bursty CV 2, 12", 1_200, 210, 12, 2.0),
    ("chat bursty CV 4, 12", 1_200, 210, 12, 4.0),
    ("documents, 2", 6_000, 100, 2, 1.0),
    ("documents, 8", 6_000, 100, 8, 1.0),
    ("agents, 4", 12_000, 400, 4, 1.0),
    ("agents bursty CV 3, 4", 12_000, 400, 4, 3.0),
)
"""Name, mean prompt and answer (both exponential, prompts gamma of shape 1.5), replicas, CV of the gaps."""

LOADS = (0.15, 0.6)
"""Shares of what the fleet finishes at its largest batch: a few requests a second, and a busy fleet."""


def print_model() -> None:
    """Print both answers for fleets of Llama-3.1-70B on 2 H100s each, and how long each took."""
    print(
        f"{'fleet':24s} {'load':>5s} {'QPS':>6s} {'TTFT p99: model':>16s} {'simulated':>9s} {'ratio':>6s}"
        f" {'TPOT p99: model':>16s} {'simulated':>9s} {'ratio':>6s} {'model ms':>9s} {'simulated s':>11s}"
    )
    ratios = [_model_row(*case, load) for case in CASES for load in LOADS]
    for share, name in ((2.0, "all fleets"), (SERVED_TPOT_S, "fleets that serve, TPOT p99 within 60 ms")):
        some = [(ttft, tpot) for ttft, tpot, simulated_s in ratios if simulated_s <= share]
        for which, values in zip(("TTFT", "TPOT"), np.array(some).T, strict=True):
            error = np.abs(values - 1)
            print(
                f"{which} p99, {len(some)} {name}: median error {np.median(error):.0%},"
                f" worst {error.max():.0%}, within 10% {(error <= 0.1).mean():.0%}"
            )


SERVED_TPOT_S = 0.06


def _model_row(
    name: str, prompt: float, output: float, replicas: int, cv: float, load: float
) -> tuple[float, float, float]:
    rng = np.random.default_rng(1)
    drawn = pd.DataFrame(
        {
            "prompt_tok": np.maximum(rng.gamma(1.5, prompt / 1.5, 400), 8).round(),
            "output_tok": np.maximum(rng.exponential(output, 400), 2).round(),
            "cached_share": 0.0,
            "weight": 1.0,
        }
    )
    p, o = drawn["prompt_tok"].to_numpy(), drawn["output_tok"].to_numpy()
    profile = replica_profile(
        load_models()["llama-3.1-70b"],
        load_gpus()["h100"],
        tp=2,
        precision="fp8",
        kv_precision="fp8",
        slo=Slo(tpot_s=0.04),
        prompt_tok=float(p.mean()),
        cached_prompt_tok=0.0,
        output_tok=float(o.mean()),
        moments=moments_of(p, o),
    )
    scatter = Dispersion(window_s=10, index=cv**2, floor=cv**2, slope=1.0) if cv > 1 else None
    began = time.perf_counter()
    queue = Queue.of(profile, Lengths.of_joint(drawn, profile), Slo(ttft_s=5.0, tpot_s=0.2), scatter)
    qps = load * replicas * queue.server.most_per_s
    model = queue.latency(qps, replicas)
    took_ms = (time.perf_counter() - began) * 1e3
    requests = renewal(qps, 30_000 / qps, drawn, seed=2, cv=cv)
    began = time.perf_counter()
    found = simulate_fleets(requests, profile, Slo(ttft_s=5.0, tpot_s=0.2))(replicas)
    took_s = time.perf_counter() - began
    ratio = model.ttft_s / found.ttft_s, model.tpot_s / found.tpot_s
    print(
        f"{name:24s} {load:5.0%} {qps:6.1f} {shown(model.ttft_s):>16s} {shown(found.ttft_s):>9s} {ratio[0]:6.2f}"
        f" {shown(model.tpot_s):>16s} {shown(found.tpot_s):>9s} {ratio[1]:6.2f} {took_ms:9.1f} {took_s:11.2f}",
        flush=True,
    )
    return *ratio, found.tpot_s


def moments_of(prompt: Floats, output: Floats) -> Moments:
    """Return the second moments of these lengths."""
    p, o = prompt.mean(), output.mean()
    return Moments(
        prompt_sq=float((prompt**2).mean() / p**2),
        cached_sq=1.0,
        prompt_cached=1.0,
        prompt_output=float((prompt * output).mean() / (p * o)),
        output_sq=float((output**2).mean() / o**2),
    )


def shown(seconds: float) -> str:
    """Return seconds in words."""
    if not np.isfinite(seconds):
        return "never"
    return f"{seconds * 1e3:,.0f} ms" if seconds < 1 else f"{seconds:,.2f} s"
