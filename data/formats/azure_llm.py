"""Azure LLM inference traces of 2023 and 2024: time, context tokens, generated tokens.

Times of 2023 are naive with seven fractional digits, those of 2024 carry an offset, some without a fraction.
Source: https://github.com/Azure/AzurePublicDataset (checked 2026-11-23).
"""

from data.formats.contract import Options, RequestSelect, no_label, no_options
from data.formats.pieces import columns_of
from data.formats.sample import Sample

name = "azure-llm"
description = "Azure LLM inference trace (CSV: TIMESTAMP, ContextTokens, GeneratedTokens)"
recognised = "columns TIMESTAMP, ContextTokens and GeneratedTokens"
options_key = no_options
own_label = no_label

_READS = {"arrived": "TIMESTAMP", "context": "ContextTokens", "generated": "GeneratedTokens"}
columns = columns_of(_READS)


def sniff(sample: Sample) -> bool:
    """Return whether the file has the trace's three columns."""
    return sample.has("TIMESTAMP", "ContextTokens", "GeneratedTokens")


def select(_: Sample, __: Options) -> RequestSelect:
    """Return the three columns as they are; cached tokens, model and status are not stated."""
    return RequestSelect(
        reads=_READS,
        fields={"arrived_utc": "arrived", "prompt_tok": "context", "output_tok": "generated"},
        required=frozenset({"prompt_tok", "output_tok"}),
    )
