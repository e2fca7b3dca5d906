"""AIPerf's records of single requests, `profile_export.jsonl`: moments in nanoseconds, lengths and latencies.

Lengths are AIPerf's own counts (output_sequence_length includes reasoning). Warm-up requests are skipped. A
benchmark's traffic is no demand: give it a label of its own.
Source: https://github.com/ai-dynamo/aiperf docs, "Understanding the raw data: profile_export.jsonl" (checked
2026-11-24).
"""

from data.formats.contract import Options, RequestSelect, no_label, no_options
from data.formats.pieces import columns_of, moment_ns, span_s
from data.formats.sample import Sample

name = "aiperf"
description = (
    "AIPerf records (profile_export.jsonl: metadata.request_start_ns, metrics.input_sequence_length, ...)"
)
recognised = "JSON lines with metadata.request_start_ns, metadata.request_end_ns and metrics"
options_key = no_options
own_label = no_label

_READS = {
    "request_id": "metadata.x_request_id",
    "started": "metadata.request_start_ns",
    "ended": "metadata.request_end_ns",
    "phase": "metadata.benchmark_phase",
    "was_cancelled": "metadata.was_cancelled",
    "prompt": "metrics.input_sequence_length.value",
    "output": "metrics.output_sequence_length.value",
    "reasoning": "metrics.reasoning_token_count.value",
    "first_token": "metrics.time_to_first_token.value",
    "first_token_unit": "metrics.time_to_first_token.unit",
    "error_code": "error.code",
    "error_type": "error.type",
}
columns = columns_of(_READS)


def sniff(sample: Sample) -> bool:
    """Return whether the records carry AIPerf's moments."""
    return sample.reaches("metadata.request_start_ns", "metadata.request_end_ns") and sample.has("metrics")


def select(_: Sample, __: Options) -> RequestSelect:
    """Return a row for each request of the measured phase."""
    arrived = moment_ns("started")
    return RequestSelect(
        reads=_READS,
        fields={
            "request_id": "request_id",
            "arrived_utc": arrived,
            "prompt_tok": "prompt",
            "output_tok": "output",
            "reasoning_tok": "reasoning",
            "first_token_s": """TRY_CAST(first_token AS DOUBLE) * CASE first_token_unit
                WHEN 's' THEN 1 WHEN 'ms' THEN 1e-3 WHEN 'us' THEN 1e-6 WHEN 'ns' THEN 1e-9 END""",
            "duration_s": span_s(arrived, moment_ns("ended")),
            "status": """CASE WHEN lower(was_cancelled) = 'true' THEN 'cancelled'
                WHEN regexp_full_match(error_code, '[45][0-9][0-9]') THEN error_code
                WHEN coalesce(error_code, error_type) IS NOT NULL THEN 'server_error' ELSE 'ok' END""",
        },
        skip="CASE WHEN phase <> 'profiling' THEN 'warm-up of a benchmark' END",
    )
