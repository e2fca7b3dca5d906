"""Mooncake traces: milliseconds since an unknown start, input and output length, prefix blocks of 512 tokens.

The blocks (`hash_ids`) say which prefixes repeat, not what a cache held: cached tokens stay unknown.
Source: https://github.com/kvcache-ai/Mooncake (checked 2026-11-23).
"""

from data.formats.contract import Options, RequestSelect, no_label, start_key
from data.formats.pieces import columns_of
from data.formats.sample import Sample

name = "mooncake"
description = "Mooncake trace (JSONL: timestamp in ms, input_length, output_length, hash_ids); needs --start"
recognised = "JSON lines with timestamp, input_length, output_length and hash_ids"
options_key = start_key
own_label = no_label

_READS = {"elapsed_ms": "timestamp", "input_length": "input_length", "output_length": "output_length"}
columns = columns_of(_READS)


def sniff(sample: Sample) -> bool:
    """Return whether the first object has the trace's keys."""
    return sample.has("timestamp", "input_length", "output_length", "hash_ids")


def select(sample: Sample, options: Options) -> RequestSelect:
    """Return times counted from `options.start`; raises UserError where it is missing."""
    return RequestSelect(
        reads=_READS,
        fields={
            "arrived_utc": "$start_utc + to_milliseconds(TRY_CAST(elapsed_ms AS BIGINT))",
            "prompt_tok": "input_length",
            "output_tok": "output_length",
        },
        required=frozenset({"prompt_tok", "output_tok"}),
        parameters={"start_utc": options.start_utc(sample)},
    )
