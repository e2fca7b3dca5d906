"""Langfuse observations: the API's camelCase or the ClickHouse table's snake_case, as CSV, JSON lines or Parquet.

Only generations and embeddings are model calls; spans, events, agents and tools are skipped. Usage is a map of
disjoint parts: the prompt is the sum of the keys that start with `input` (and of Anthropic's own `cache_*`
keys), the output that of those that start with `output`. ClickHouse keeps every version of a row: the newest one
counts, and nothing where that one is deleted.
Source: https://github.com/langfuse/langfuse packages/shared/clickhouse/migrations/unclustered/
0002_observations.up.sql; usage keys as https://langfuse.com/docs/observability/features/token-and-cost-tracking
maps OpenAI's and Anthropic's (checked 2026-11-24).
"""

from collections.abc import Mapping

from data.formats.contract import Options, RequestSelect, no_label, no_options
from data.formats.pieces import columns_of, counted, moment, older_version, span_s
from data.formats.sample import Sample

name = "langfuse"
description = "Langfuse observations (API or ClickHouse export: type, startTime or start_time, usageDetails, ...)"
recognised = (
    "columns id and type with startTime and usageDetails (or promptTokens), or with start_time and usage_details"
)
options_key = no_options
own_label = no_label

_CAMEL = {
    "row_id": "id",
    "kind": "type",
    "started": "startTime",
    "ended": "endTime",
    "first_token": "completionStartTime",
    "model": "model",
    "project": "projectId",
    "environment": "environment",
    "usage": "usageDetails",
    "old_prompt": "promptTokens",
    "old_output": "completionTokens",
    "cost": "costDetails.total",
    "other_cost": "calculatedTotalCost",
    "level": "level",
    "version": "updatedAt",
    "deleted": "isDeleted",
}
_SNAKE = {
    "row_id": "id",
    "kind": "type",
    "started": "start_time",
    "ended": "end_time",
    "first_token": "completion_start_time",
    "model": "provided_model_name",
    "project": "project_id",
    "environment": "environment",
    "usage": "usage_details",
    "old_prompt": "prompt_tokens",
    "old_output": "completion_tokens",
    "cost": "total_cost",
    "other_cost": "cost_details.total",
    "level": "level",
    "version": "event_ts",
    "deleted": "is_deleted",
}
columns: Mapping[str, str] = {**columns_of(_CAMEL), **columns_of(_SNAKE)}

_NEEDED = {"row_id", "kind", "started"}


def sniff(sample: Sample) -> bool:
    """Return whether an observation's columns are there, in one spelling or the other."""
    return sample.has("id", "type") and (_is_camel(sample) or sample.has("start_time", "usage_details"))


def select(sample: Sample, _: Options) -> RequestSelect:
    """Return a row for each observation; the project is the team."""
    reads = _CAMEL if _is_camel(sample) else _SNAKE
    usage = _usage(sample, reads["usage"])
    prompt = _sum(usage, "starts_with(e.key, 'input') OR starts_with(e.key, 'cache_')", "old_prompt")
    output = _sum(usage, "starts_with(e.key, 'output')", "old_output")
    arrived, ended, first = moment("started"), moment("ended"), moment("first_token")
    newer = older_version("row_id", moment("version"))
    return RequestSelect(
        reads=reads,
        optional=frozenset(reads) - _NEEDED,
        fields={
            "request_id": "row_id",
            "arrived_utc": arrived,
            "model": "model",
            "team": "project",
            "tags": """CASE WHEN environment IS NOT NULL
                THEN CAST(json_object('environment', environment) AS VARCHAR) END""",
            "prompt_tok": counted(prompt, prompt, output),
            "cached_prompt_tok": _sum(
                usage, "regexp_matches(e.key, '^input.*cache(d|_read)') OR e.key = 'cache_read_input_tokens'"
            ),
            "output_tok": counted(output, prompt, output),
            "reasoning_tok": _sum(usage, "starts_with(e.key, 'output') AND contains(e.key, 'reasoning')"),
            "first_token_s": f"CASE WHEN {first} < {ended} THEN {span_s(arrived, first)} END",
            "duration_s": span_s(arrived, ended),
            "status": "CASE WHEN level = 'ERROR' THEN 'server_error' ELSE 'ok' END",
            "cost_usd": "coalesce(cost, other_cost)",
        },
        skip=f"""CASE WHEN kind NOT IN ('GENERATION', 'EMBEDDING') THEN 'no generation and no embedding'
            WHEN {newer} THEN 'older version of another row'
            WHEN lower(CAST(deleted AS VARCHAR)) IN ('1', 'true') THEN 'deleted' END""",
    )


def _is_camel(sample: Sample) -> bool:
    return sample.has("startTime") and (sample.has("usageDetails") or sample.has("promptTokens"))


def _usage(sample: Sample, column: str) -> str:
    """Return the SQL of the usage as a map. ClickHouse writes maps into CSV with single quotes."""
    text = "CAST(to_json(usage) AS VARCHAR)" if column in sample.types else "replace(usage, '''', '\"')"
    return f"TRY_CAST(CASE WHEN json_valid({text}) THEN CAST({text} AS JSON) END AS MAP(VARCHAR, BIGINT))"


def _sum(usage: str, condition: str, otherwise: str = "NULL") -> str:
    """Return the SQL of the sum of those parts of the usage, unknown where there are none."""
    parts = f"list_transform(list_filter(map_entries({usage}), lambda e: {condition}), lambda e: e.value)"
    return f"coalesce(CAST(list_sum({parts}) AS BIGINT), TRY_CAST({otherwise} AS BIGINT))"
