"""BurstGPT traces: seconds since midnight of an unknown first day, tokens of each call to ChatGPT or GPT-4.

A call with 0 response tokens failed. Newer files add `Session ID` and `Elapsed time` (seconds, whole response).
Times are local to the campus where they were taken: say so with the offset of --start.
Source: https://github.com/HPMLL/BurstGPT, release v2.0 (checked 2026-11-24).
"""

from data.formats.contract import Options, RequestSelect, no_label, start_key
from data.formats.pieces import before, columns_of
from data.formats.sample import Sample

name = "burstgpt"
description = (
    "BurstGPT trace (CSV: Timestamp in s, Model, Request tokens, Response tokens, Log Type); needs --start"
)
recognised = "columns Timestamp, Model, Request tokens, Response tokens and Log Type"
options_key = start_key
own_label = no_label

_READS = {
    "elapsed_s": "Timestamp",
    "model": "Model",
    "prompt": "Request tokens",
    "output": "Response tokens",
    "kind": "Log Type",
    "duration_s": "Elapsed time",
}
columns = columns_of(_READS)


def sniff(sample: Sample) -> bool:
    """Return whether the file has the trace's columns."""
    return sample.has("Timestamp", "Model", "Request tokens", "Response tokens", "Log Type")


def select(sample: Sample, options: Options) -> RequestSelect:
    """Return times counted from `options.start`; raises UserError where it is missing."""
    return RequestSelect(
        reads=_READS,
        optional=frozenset({"duration_s"}),
        fields={
            "arrived_utc": before("$start_utc", "-TRY_CAST(elapsed_s AS DOUBLE)"),
            "model": "model",
            "tags": "CASE WHEN kind IS NOT NULL THEN CAST(json_object('log_type', kind) AS VARCHAR) END",
            "prompt_tok": "prompt",
            "output_tok": "output",
            "duration_s": "duration_s",
            "status": "CASE WHEN TRY_CAST(output AS BIGINT) = 0 THEN 'server_error' ELSE 'ok' END",
        },
        required=frozenset({"prompt_tok", "output_tok"}),
        parameters={"start_utc": options.start_utc(sample)},
    )
