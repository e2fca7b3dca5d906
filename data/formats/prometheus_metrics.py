"""Which metric of which inference server says what, and what of its labels matters.

Sources: https://docs.vllm.ai/en/latest/usage/metrics, https://docs.sglang.ai/references/production_metrics.html,
https://huggingface.co/docs/text-generation-inference/reference/metrics (checked 2026-11-24).
"""

from collections.abc import Mapping
from dataclasses import dataclass

ROLES = ("requests", "failed", "prompt", "cached", "output")
"""What counters count. Tokens are counted when they are computed, requests when they end."""

COUNTERS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "vllm": {
        "requests": ("request_success_total", "e2e_request_latency_seconds_count", "request_prompt_tokens_count"),
        "prompt": ("prompt_tokens_total", "request_prompt_tokens_sum"),
        "cached": ("prompt_tokens_cached_total", "prefix_cache_hits_total"),
        "output": ("generation_tokens_total", "request_generation_tokens_sum"),
    },
    "sglang": {
        "requests": ("num_requests_total", "e2e_request_latency_seconds_count"),
        "prompt": ("prompt_tokens_total",),
        "cached": ("cached_tokens_total",),
        "output": ("generation_tokens_total",),
    },
    "tgi": {
        "requests": ("request_success", "request_success_total", "request_count", "request_count_total"),
        "failed": ("request_failure", "request_failure_total"),
        "prompt": ("request_input_length_sum",),
        "output": ("request_generated_tokens_sum",),
    },
}
"""Engine -> role -> its metrics without the engine's prefix; the first one that is there counts."""

HISTOGRAMS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "vllm": {
        "prompt": ("request_prompt_tokens_bucket",),
        "output": ("request_generation_tokens_bucket",),
        "first_token": ("time_to_first_token_seconds_bucket",),
        "duration": ("e2e_request_latency_seconds_bucket",),
    },
    "sglang": {
        "prompt": ("prompt_tokens_histogram_bucket",),
        "output": ("generation_tokens_histogram_bucket",),
        "first_token": ("time_to_first_token_seconds_bucket",),
        "duration": ("e2e_request_latency_seconds_bucket",),
    },
    "tgi": {
        "prompt": ("request_input_length_bucket",),
        "output": ("request_generated_tokens_bucket",),
        "duration": ("request_duration_bucket",),
    },
}
"""Engine -> field of usage_histogram -> its histogram; lengths in tokens, spans in seconds."""

COPIES = frozenset({"tp_rank", "pp_rank", "prometheus_replica", "__replica__"})
"""Labels whose values repeat the same traffic: ranks of one replica, Prometheus servers that watch the same."""

MODELS = ("model_name", "model_id", "model", "served_model_name")
"""Labels that name the model, the first one that is there."""

TEAM = "namespace"
"""The label that becomes the team: the Kubernetes namespace of the server."""


@dataclass(frozen=True, slots=True)
class Metric:
    """What one metric name stands for. rank: the lower one counts where several say the same."""

    role: str
    rank: int
    is_histogram: bool


def find_metric(name: str, labels: Mapping[str, str]) -> Metric | None:
    """Return what a series counts, or None where it is not about traffic.

    Names may have been rewritten: `vllm:x`, `vllm_x`, and `ray_vllm_x` are one.
    """
    engine, metric = _split(name)
    for roles, is_histogram in ((COUNTERS, False), (HISTOGRAMS, True)):
        for role, names in roles.get(engine, {}).items():
            if metric in names:
                if role == "requests" and labels.get("finished_reason") == "error":
                    role = "failed"
                return Metric(role, names.index(metric), is_histogram)
    return None


def _split(name: str) -> tuple[str, str]:
    bare = name.removeprefix("ray_")
    for engine in COUNTERS:
        for mark in (":", "_"):
            if bare.startswith(engine + mark):
                return engine, bare.removeprefix(engine + mark)
    return "", bare
