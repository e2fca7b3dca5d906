"""Amazon Bedrock's model invocation logs, as delivered to S3: one JSON record a line, packed with gzip.

inputTokenCount counts neither what was read from the prompt cache nor what was written to it: the prompt is the
sum of the three. Of the bodies only the latency that Converse reports is read. `timestamp` is taken as the
arrival; it is written to the second.
Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html; the cache counters
and that they are disjoint as https://github.com/aws-samples uses them to price these logs (checked 2026-11-24).
"""

from data.formats.contract import Options, RequestSelect, no_label, no_options
from data.formats.pieces import columns_of, counted, divided, moment, total
from data.formats.sample import Sample

name = "bedrock"
description = (
    "Amazon Bedrock model invocation log (JSON lines: schemaType, requestId, modelId, input.inputTokenCount)"
)
recognised = "JSON lines with schemaType, requestId, modelId and operation"
options_key = no_options
own_label = no_label

_READS = {
    "request_id": "requestId",
    "stamp": "timestamp",
    "model_id": "modelId",
    "home_region": "region",
    "used_region": "inferenceRegion",
    "caller_team": "requestMetadata.team",
    "caller": "identity.arn",
    "fresh": "input.inputTokenCount",
    "cached": "input.cacheReadInputTokenCount",
    "cache_written": "input.cacheWriteInputTokenCount",
    "output": "output.outputTokenCount",
    "latency_ms": "output.outputBodyJson.metrics.latencyMs",
    "error": "errorCode",
}
columns = columns_of(_READS)


def sniff(sample: Sample) -> bool:
    """Return whether the records are invocation logs."""
    return sample.has("schemaType", "requestId", "modelId", "operation")


def select(_: Sample, __: Options) -> RequestSelect:
    """Return a row for each call; the team is the caller's tag, else the role or user of its identity."""
    return RequestSelect(
        reads=_READS,
        fields={
            "request_id": "request_id",
            "arrived_utc": moment("stamp"),
            "model": "regexp_extract(model_id, '[^/]*$')",
            "region": "coalesce(used_region, home_region)",
            "team": "coalesce(caller_team, nullif(regexp_extract(caller, '(?:role|user)/([^/]+)', 1), ''))",
            "category": "'online'",
            "prompt_tok": counted(
                total("fresh", "cached", "cache_written"), "fresh", "cached", "cache_written", "output"
            ),
            "cached_prompt_tok": "cached",
            "output_tok": counted("output", "fresh", "cached", "cache_written", "output"),
            "duration_s": divided("latency_ms", 1e3),
            "status": """CASE WHEN error IS NULL THEN 'ok'
                WHEN regexp_matches(error, '(?i)throttl|quota|too.?many') THEN 'rate_limited'
                WHEN regexp_matches(error, '(?i)validation|denied|notfound|not.?authorized') THEN 'client_error'
                ELSE 'server_error' END""",
        },
    )
