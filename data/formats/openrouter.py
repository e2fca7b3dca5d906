"""OpenRouter's generations, one JSON record a line, as `GET /generation` answers them (inside `data` or bare).

Only the native counts are read: tokens_prompt and tokens_completion are of another tokenizer. They include
cached and reasoning tokens. `latency` and `generation_time` contradict each other between OpenRouter's reference
("total") and its own figures: durations stay unknown.
Source: https://openrouter.ai/docs/client-sdks/python/components/generationresponsedata (checked 2026-11-24).
"""

from data.formats.contract import Options, RequestSelect, no_label, no_options
from data.formats.pieces import columns_of, counted, moment
from data.formats.sample import Sample

name = "openrouter"
description = "OpenRouter generations (JSON lines: id, created_at, native_tokens_prompt, native_tokens_completion)"
recognised = "native_tokens_prompt and native_tokens_completion, bare or inside data"
options_key = no_options
own_label = no_label

_READS = {
    "request_id": "id",
    "created": "created_at",
    "model": "model",
    "region": "data_region",
    "provider": "provider_name",
    "app": "app_id",
    "external_user": "external_user",
    "prompt": "native_tokens_prompt",
    "cached": "native_tokens_cached",
    "output": "native_tokens_completion",
    "reasoning": "native_tokens_reasoning",
    "cancelled": "cancelled",
    "cost": "total_cost",
}
columns = columns_of(_READS)


def sniff(sample: Sample) -> bool:
    """Return whether the native counts are there."""
    return _inside(sample, "native_tokens_prompt") and _inside(sample, "native_tokens_completion")


def select(sample: Sample, _: Options) -> RequestSelect:
    """Return a row for each generation; the team is the app, else the user that the caller named."""
    wrapped = sample.reaches("data.native_tokens_prompt")
    return RequestSelect(
        reads={ours: f"data.{theirs}" if wrapped else theirs for ours, theirs in _READS.items()},
        optional=frozenset(_READS) - {"created", "prompt", "output"},
        fields={
            "request_id": "request_id",
            "arrived_utc": moment("created"),
            "model": "model",
            "region": "region",
            "team": "coalesce(CAST(app AS VARCHAR), external_user)",
            "tags": "CASE WHEN provider IS NOT NULL THEN CAST(json_object('provider', provider) AS VARCHAR) END",
            "prompt_tok": counted("prompt", "prompt", "output"),
            "cached_prompt_tok": "cached",
            "output_tok": counted("output", "prompt", "output"),
            "reasoning_tok": "reasoning",
            "status": "CASE WHEN lower(CAST(cancelled AS VARCHAR)) = 'true' THEN 'cancelled' ELSE 'ok' END",
            "cost_usd": "cost",
        },
    )


def _inside(sample: Sample, key: str) -> bool:
    return sample.reaches(key) or sample.reaches(f"data.{key}")
