"""OpenRouter's activity export: a row for each UTC day, model and endpoint.

reasoning_tokens are part of completion_tokens; cached tokens are not stated. Source:
https://openrouter.ai/docs/api-reference/analytics/get-activity (checked 2026-11-24).
"""

from collections.abc import Iterator, Mapping, Sequence

import duckdb

from data.formats.contract import AggregateFile, Options, Percentiles, alone, no_options, no_own_label
from data.formats.document import documents, head_paths
from data.formats.sample import Sample
from data.formats.sums import UsageSelect, load_rows, load_table

name = "openrouter-activity"
description = "OpenRouter activity by day, model and endpoint (CSV, JSON lines, or the API's JSON)"
recognised = "`date`, `model`, `requests`, `prompt_tokens`, `completion_tokens`, `reasoning_tokens`, `usage`"
columns: Mapping[str, str] = {
    "date": "the UTC day",
    "requests": "requests",
    "prompt_tokens": "prompt tokens",
    "completion_tokens": "output tokens, reasoning included",
    "model": "model",
    "usage": "cost, USD",
}
percentiles: Percentiles = "none"
gathers = False
options_key = no_options
unit = alone
own_label = no_own_label

_NEEDED = ("date", "model", "requests", "prompt_tokens", "completion_tokens", "reasoning_tokens", "usage")
_SELECT = UsageSelect(
    reads={column: column for column in _NEEDED},
    fields={
        "window_utc": "date_trunc('day', TRY_CAST(date AS TIMESTAMPTZ))",
        "window_s": "86400",
        "model": "model",
        "requests": "requests",
        "prompt_tok_sum": "prompt_tokens",
        "output_tok_sum": "completion_tokens",
        "cost_usd": "usage",
    },
)


def sniff(sample: Sample) -> bool:
    """Return whether the rows, or the API's `data`, have the columns of the export."""
    return sample.has(*_NEEDED) or _of_api(sample)


def load(con: duckdb.DuckDBPyConnection, samples: Sequence[Sample], _: Options) -> tuple[AggregateFile, ...]:
    """Return a row of usage_bucket for each day and model."""
    return tuple(
        load_rows(con, sample, _rows(sample), _SELECT) if _of_api(sample) else load_table(con, sample, _SELECT)
        for sample in samples
    )


def _of_api(sample: Sample) -> bool:
    paths = head_paths(sample)
    bare = sample.kind == "json" and set(_NEEDED) <= paths  # an array of the rows alone
    return bare or {f"data.{column}" for column in _NEEDED} <= paths


def _rows(sample: Sample) -> Iterator[tuple[int, str | None, Mapping[str, object]]]:
    for line, wrong, page in documents(sample):
        rows = page.get("data", [page]) if isinstance(page, Mapping) else None
        if wrong is not None or not isinstance(rows, list):
            yield line, wrong or "not a row of activity", {}
            continue
        for row in rows:
            yield (
                line,
                None if isinstance(row, Mapping) else "not a row of activity",
                row if isinstance(row, Mapping) else {},
            )
