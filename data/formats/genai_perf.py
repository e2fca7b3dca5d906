"""genai-perf's `profile_export.json`: experiments of requests with the moments of each response, in nanoseconds.

It holds the texts and not the counts of their tokens: lengths stay unknown, the texts are never taken out.
Source: the profile export of https://github.com/triton-inference-server/perf_analyzer, genai-perf/tests
(checked 2026-11-24).
"""

from collections.abc import Mapping

from data.formats.contract import Options, RequestSelect, no_label, no_options
from data.formats.pieces import moment_ns, span_s
from data.formats.sample import Sample

name = "genai-perf"
description = (
    "genai-perf records (profile_export.json: experiments[].requests[] with their moments; no token counts)"
)
recognised = "a JSON document with experiments and service_kind or endpoint"
options_key = no_options
own_label = no_label
columns: Mapping[str, str] = {
    "experiments[].requests[].timestamp": "arrival",
    "experiments[].requests[].response_timestamps": "first token, duration, status",
}

_PART = '[{"requests": [{"timestamp": "VARCHAR", "response_timestamps": ["VARCHAR"]}]}]'


def sniff(sample: Sample) -> bool:
    """Return whether the document holds experiments of a profile."""
    return sample.has("experiments") and (sample.has("service_kind") or sample.has("endpoint"))


def select(_: Sample, __: Options) -> RequestSelect:
    """Return a row for each request of every experiment."""
    arrived = moment_ns("started")
    return RequestSelect(
        reads={"experiments": "experiments"},
        items="flatten(list_transform(from_json(experiments, $genai_perf_part), lambda e: e.requests))",
        cells={
            "started": 'item."timestamp"',
            "first_response": "item.response_timestamps[1]",
            "last_response": "item.response_timestamps[-1]",
        },
        fields={
            "arrived_utc": arrived,
            "first_token_s": span_s(arrived, moment_ns("first_response")),
            "duration_s": span_s(arrived, moment_ns("last_response")),
            "status": "CASE WHEN last_response IS NULL THEN 'server_error' ELSE 'ok' END",
        },
        parameters={"genai_perf_part": _PART},
    )
