"""Helicone's requests: a dump of ClickHouse's request_response_rmt, or the records of its request API.

request_created_at is the arrival; response_created_at would be the end. Status is the HTTP code; below 0 it is
Helicone's own (-3 is a call that the client gave up). Answers out of Helicone's cache reached no model and are
skipped. Whether prompt_tokens count cached ones depends on provider and version: cached tokens stay unknown. The
table keeps every version of a row: the newest one counts. Its cost is in billionths of a dollar, the API's in
dollars.
Source: https://github.com/Helicone/helicone clickhouse/migrations (0041 and schema_43, 47, 52) and their use in
its pricing queries (checked 2026-11-24).
"""

from collections.abc import Mapping

from data.formats.contract import Options, RequestSelect, no_label, no_options
from data.formats.pieces import columns_of, counted, divided, moment, older_version
from data.formats.sample import Sample

name = "helicone"
description = "Helicone requests (table request_response_rmt or request API: request_id, request_created_at, ...)"
recognised = (
    "columns request_id, request_created_at, prompt_tokens, completion_tokens and status or response_status"
)
options_key = no_options
own_label = no_label

_BOTH = {
    "request_id": "request_id",
    "arrived": "request_created_at",
    "first_token_ms": "time_to_first_token",
    "prompt": "prompt_tokens",
    "output": "completion_tokens",
    "provider": "provider",
    "cache_source": "cache_reference_id",
    "version": "updated_at",
}
_TABLE = {
    "latency_ms": "latency",
    "status": "status",
    "model": "model",
    "asked_model": "model_override",
    "app": "properties.App",
    "user_id": "user_id",
    "cost": "cost",
}
_API = {
    "latency_ms": "delay_ms",
    "status": "response_status",
    "model": "response_model",
    "asked_model": "request_model",
    "app": "request_properties.App",
    "user_id": "request_user_id",
    "cost": "costUSD",
}
columns: Mapping[str, str] = {**columns_of(_BOTH), **columns_of(_TABLE), **columns_of(_API)}

_NEEDED = {"request_id", "arrived", "prompt", "output", "status"}
_NOBODY = "00000000-0000-0000-0000-000000000000"


def sniff(sample: Sample) -> bool:
    """Return whether a request's columns are there."""
    counts = sample.has("request_id", "request_created_at", "prompt_tokens", "completion_tokens")
    return counts and (sample.has("status") or sample.has("response_status"))


def select(sample: Sample, _: Options) -> RequestSelect:
    """Return a row for each request; the team is the property App, else the user."""
    table = sample.has("status")
    reads = {**_BOTH, **(_TABLE if table else _API)}
    return RequestSelect(
        reads=reads,
        optional=frozenset(reads) - _NEEDED,
        fields={
            "request_id": "CAST(request_id AS VARCHAR)",
            "arrived_utc": moment("arrived"),
            "model": "coalesce(model, asked_model)",
            "team": "coalesce(app, user_id)",
            "tags": "CASE WHEN provider IS NOT NULL THEN CAST(json_object('provider', provider) AS VARCHAR) END",
            "prompt_tok": counted("prompt", "prompt", "output"),
            "output_tok": counted("output", "prompt", "output"),
            "first_token_s": divided("first_token_ms", 1e3),
            "duration_s": divided("latency_ms", 1e3),
            "status": """CASE WHEN TRY_CAST(status AS BIGINT) = -3 THEN 'cancelled'
                WHEN TRY_CAST(status AS BIGINT) < 100 THEN 'unknown' ELSE CAST(status AS VARCHAR) END""",
            "cost_usd": divided("cost", 1e9 if table else 1.0),
        },
        parameters={"nobody": _NOBODY},
        skip=f"""CASE WHEN {older_version("request_id", moment("version"))} THEN 'older version of another row'
            WHEN CAST(cache_source AS VARCHAR) <> $nobody THEN 'answered from the gateway''s own cache' END""",
    )
