"""OpenTelemetry spans of model calls: OTLP as JSON, one export a line, as the collector's file exporter writes it.

Reads the names of the GenAI conventions, new and old, of OpenInference (`llm.*`), OpenLLMetry (`llm.usage.*`) and
vLLM's tracing (`gen_ai.latency.*`, a span without an operation). input_tokens include cached and cache-written
ones, output_tokens include reasoning, as the conventions ask; a span that states more cached than input tokens is
rejected. Spans of agents, tools, chains and retrieval would count their model calls twice: they are skipped. Text
of prompts in attributes and events is never taken out of a span.
Source: docs/registry/attributes/gen-ai.md of https://github.com/open-telemetry/semantic-conventions-genai;
spec/semantic_conventions.md of https://github.com/Arize-ai/openinference; vllm/tracing.py of
https://github.com/vllm-project/vllm (checked 2026-11-24).
"""

from collections.abc import Mapping

from data.formats.contract import Options, RequestSelect, no_label, no_options
from data.formats.pieces import counted, moment_ns, span_s
from data.formats.reader import WHOLE_DOCUMENT
from data.formats.sample import Sample

name = "otel"
description = (
    "OpenTelemetry GenAI spans (OTLP/JSON, one export a line: resourceSpans; also OpenInference, OpenLLMetry)"
)
recognised = "JSON lines with resourceSpans"
options_key = no_options
own_label = no_label

_ATTRIBUTES = {
    "operation": (
        "gen_ai.operation.name",
        "openinference.span.kind",
        "traceloop.span.kind",
        "llm.request.type",
    ),
    "model": ("gen_ai.response.model", "gen_ai.request.model", "llm.model_name"),
    "provider": ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system"),
    "prompt": (
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.prompt_tokens",
        "llm.usage.prompt_tokens",
        "llm.token_count.prompt",
    ),
    "output": (
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.completion_tokens",
        "llm.usage.completion_tokens",
        "llm.token_count.completion",
    ),
    "cached": (
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "gen_ai.usage.input_tokens.cached",
        "llm.token_count.prompt_details.cache_read",
    ),
    "reasoning": (
        "gen_ai.usage.reasoning.output_tokens",
        "gen_ai.usage.reasoning_tokens",
        "llm.token_count.completion_details.reasoning",
    ),
    "first_token": (
        "gen_ai.response.time_to_first_chunk",
        "gen_ai.server.time_to_first_token",
        "gen_ai.latency.time_to_first_token",
    ),
    "cost": ("gen_ai.usage.cost", "llm.cost.total"),
    "error_type": ("error.type",),
    "http_status": ("http.response.status_code", "http.status_code"),
}
_RESOURCE = {
    "service": ("service.name",),
    "environment": ("deployment.environment.name", "deployment.environment"),
    "region": ("cloud.region",),
}
columns: Mapping[str, str] = {
    "resourceSpans[].resource.attributes": "team (service.name), region (cloud.region), tags (environment)",
    "resourceSpans[].scopeSpans[].spans[]": "request_id (traceId-spanId), arrival, duration, status",
    **{key: name for name, keys in _ATTRIBUTES.items() for key in keys},
}

_VALUE = '{"stringValue": "VARCHAR", "intValue": "VARCHAR", "doubleValue": "VARCHAR", "boolValue": "VARCHAR"}'
_PAIRS = f'[{{"key": "VARCHAR", "value": {_VALUE}}}]'
_SPANS = f"""[{{"spans": [{{"traceId": "VARCHAR", "spanId": "VARCHAR", "name": "VARCHAR",
    "startTimeUnixNano": "VARCHAR", "endTimeUnixNano": "VARCHAR",
    "status": {{"code": "VARCHAR"}}, "attributes": {_PAIRS}}}]}}]"""
_EXPORT = f"""{{"resourceSpans": [{{"resource": {{"attributes": {_PAIRS}}},
    "scopeSpans": {_SPANS}, "instrumentationLibrarySpans": {_SPANS}}}]}}"""
"""The part of an export that is parsed, all as text; what is not named here never leaves the line."""

_KNOWN = "list_filter({}, lambda a: list_contains($otel_names, a.key))"
_ITEMS = f"""flatten(list_transform(from_json(export, $otel_export).resourceSpans, lambda r: flatten(
    list_transform(coalesce(r.scopeSpans, r.instrumentationLibrarySpans), lambda s: list_transform(
        s.spans, lambda p: struct_pack(
            resource := {_KNOWN.format("r.resource.attributes")},
            attributes := {_KNOWN.format("p.attributes")},
            span_name := CASE WHEN p.name = 'llm_request' THEN p.name END,
            ids := lower(p.traceId || '-' || p.spanId),
            status_code := p.status.code,
            started := p.startTimeUnixNano,
            ended := p.endTimeUnixNano))))))"""

_CALLS = ("chat", "text_completion", "generate_content", "embeddings", "completion", "llm", "embedding")


def sniff(sample: Sample) -> bool:
    """Return whether the lines are exports of spans."""
    return sample.has("resourceSpans")


def select(_: Sample, __: Options) -> RequestSelect:
    """Return one row for each span; the service is the team."""
    arrived, ended = moment_ns("started"), moment_ns("ended")
    return RequestSelect(
        reads={"export": WHOLE_DOCUMENT},
        items=_ITEMS,
        cells={
            "request_id": "item.ids",
            "span_name": "item.span_name",
            "started": "item.started",
            "ended": "item.ended",
            "status_code": "item.status_code",
            **{name: _first("item.attributes", keys) for name, keys in _ATTRIBUTES.items()},
            **{name: _first("item.resource", keys) for name, keys in _RESOURCE.items()},
        },
        fields={
            "request_id": "request_id",
            "arrived_utc": arrived,
            "model": "model",
            "region": "region",
            "team": "service",
            "tags": """CASE WHEN coalesce(environment, provider) IS NOT NULL THEN
                CAST(json_object('environment', environment, 'provider', provider) AS VARCHAR) END""",
            "prompt_tok": counted("prompt", "prompt", "output"),
            "cached_prompt_tok": "cached",
            "output_tok": counted("output", "prompt", "output"),
            "reasoning_tok": "reasoning",
            "first_token_s": "first_token",
            "duration_s": span_s(arrived, ended),
            "status": _STATUS,
            "cost_usd": "cost",
        },
        parameters={
            "otel_export": _EXPORT,
            "otel_names": [key for keys in (*_ATTRIBUTES.values(), *_RESOURCE.values()) for key in keys],
            "calls": list(_CALLS),
        },
        skip="""CASE WHEN operation IS NOT NULL AND NOT list_contains($calls, lower(operation))
                THEN 'span of an agent, a tool or a chain, not of a model call'
            WHEN operation IS NULL AND span_name IS NULL AND coalesce(prompt, output) IS NULL
                THEN 'span that says nothing of a model call' END""",
    )


def _first(attributes: str, keys: tuple[str, ...]) -> str:
    """Return the SQL of the first known value among attributes of these names (our own)."""
    places = (f"list_position(list_transform({attributes}, lambda a: a.key), '{key}')" for key in keys)
    values = [f"{attributes}[{place}].value" for place in places]
    texts = (f"coalesce({v}.stringValue, {v}.intValue, {v}.doubleValue, {v}.boolValue)" for v in values)
    return f"nullif(trim(coalesce({', '.join(texts)}, '')), '')"


_STATUS = """CASE
    WHEN regexp_full_match(http_status, '[45][0-9][0-9]') THEN http_status
    WHEN error_type IS NULL AND coalesce(status_code, '0') NOT IN ('2', 'STATUS_CODE_ERROR') THEN 'ok'
    WHEN regexp_full_match(error_type, '[45][0-9][0-9]') THEN error_type
    WHEN regexp_matches(error_type, '(?i)rate.?limit|throttl|too.?many|quota') THEN 'rate_limited'
    WHEN regexp_matches(error_type, '(?i)cancel') THEN 'cancelled'
    WHEN regexp_matches(error_type, '(?i)invalid|bad.?request|auth|permission|not.?found|content.?filter')
        THEN 'client_error'
    ELSE 'server_error' END"""
