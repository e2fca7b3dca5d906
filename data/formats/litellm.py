"""LiteLLM's spend logs: a dump of the table LiteLLM_SpendLogs as CSV, JSON lines or Parquet.

prompt_tokens include cached ones and completion_tokens include reasoning, for every provider. Times are UTC, with
no zone said. What a failed call did not count is written as 0: unknown. Rows that LiteLLM answered from its own
cache (`cache_hit`) and calls that are no text generation reached no language model: they are skipped.
Source: schema of https://github.com/BerriAI/litellm, `metadata.usage_object` as its spend tests write it
(checked 2026-11-24).
"""

from data.formats.contract import Options, RequestSelect, no_label, no_options
from data.formats.pieces import columns_of, counted, moment, span_s
from data.formats.sample import Sample

name = "litellm"
description = "LiteLLM spend logs (dump of LiteLLM_SpendLogs: request_id, startTime, prompt_tokens, spend, ...)"
recognised = "columns request_id, startTime, prompt_tokens, completion_tokens, model and spend"
options_key = no_options
own_label = no_label

_USAGE = "metadata.usage_object"
_READS = {
    "request_id": "request_id",
    "started": "startTime",
    "ended": "endTime",
    "first_token": "completionStartTime",
    "call_type": "call_type",
    "deployed_model": "model",
    "public_model": "model_group",
    "provider": "custom_llm_provider",
    "team_id": "team_id",
    "tag": "request_tags.0",
    "end_user": "end_user",
    "key_hash": "api_key",
    "prompt": "prompt_tokens",
    "output": "completion_tokens",
    "cached": f"{_USAGE}.prompt_tokens_details.cached_tokens",
    "cached_anthropic": f"{_USAGE}.cache_read_input_tokens",
    "reasoning": f"{_USAGE}.completion_tokens_details.reasoning_tokens",
    "cost": "spend",
    "status": "status",
    "error_code": "metadata.error_information.error_code",
    "cache_hit": "cache_hit",
}
columns = columns_of(_READS)

_NEEDED = {"request_id", "started", "prompt", "output", "deployed_model"}
_NO_TEXT = "image|speech|transcription|rerank|moderation|mcp|ocr|video|vector_store|(^a?search$)|file"


def sniff(sample: Sample) -> bool:
    """Return whether the table's own mixture of camelCase and snake_case columns is there."""
    return sample.has("request_id", "startTime", "prompt_tokens", "completion_tokens", "model", "spend")


def select(_: Sample, __: Options) -> RequestSelect:
    """Return the row of the table; the team is the first known of team, tag, end user and hash of the key."""
    arrived, ended, first = moment("started"), moment("ended"), moment("first_token")
    return RequestSelect(
        reads=_READS,
        optional=frozenset(_READS) - _NEEDED,
        fields={
            "request_id": "request_id",
            "arrived_utc": arrived,
            "model": "coalesce(public_model, deployed_model)",
            "team": "coalesce(team_id, tag, end_user, key_hash)",
            "tags": "CASE WHEN provider IS NOT NULL THEN CAST(json_object('provider', provider) AS VARCHAR) END",
            "category": "CASE WHEN call_type LIKE '%batch%' THEN 'batch' WHEN call_type <> '' THEN 'online' END",
            "prompt_tok": counted("prompt", "prompt", "output"),
            "cached_prompt_tok": "coalesce(cached, cached_anthropic)",
            "output_tok": counted("output", "prompt", "output"),
            "reasoning_tok": "reasoning",
            # Calls that do not stream have their end written as the first token.
            "first_token_s": f"CASE WHEN {first} < {ended} THEN {span_s(arrived, first)} END",
            "duration_s": span_s(arrived, ended),
            "status": """CASE WHEN status <> 'failure' OR status IS NULL THEN status
                WHEN regexp_full_match(error_code, '[45][0-9][0-9]') THEN error_code ELSE 'server_error' END""",
            "cost_usd": "cost",
        },
        parameters={"no_text": _NO_TEXT},
        skip="""CASE WHEN lower(CAST(cache_hit AS VARCHAR)) = 'true' THEN 'answered from the gateway''s own cache'
            WHEN regexp_matches(call_type, $no_text) THEN 'no call of a language model' END""",
    )
