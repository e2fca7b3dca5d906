"""OpenAI organization usage: what the completions endpoint reports for each bucket, and the costs beside it.

Pages of `GET /v1/organization/usage/completions`: data[] = buckets {start_time, end_time in UNIX seconds} with
results[]. input_tokens includes the cached ones; a key that was not asked for in group_by is null.
Source: https://platform.openai.com/docs/api-reference/usage (checked 2026-11-24).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import duckdb

from data.formats.contract import AggregateFile, Options, Percentiles, alone, no_options, no_own_label
from data.formats.document import documents, head_paths
from data.formats.sample import Sample
from data.formats.sums import UsageSelect, load_rows

name = "openai-usage"
description = "OpenAI organization usage, completions (JSON pages, an array of them, or one a line)"
recognised = "`data[]` with `start_time`, `end_time` and `results` that are no amounts"
columns: Mapping[str, str] = {
    "start_time": "start of the window, UNIX seconds",
    "end_time": "its end",
    "num_model_requests": "requests",
    "input_tokens": "prompt tokens, cached ones included",
    "input_cached_tokens": "cached prompt tokens",
    "output_tokens": "output tokens",
    "model": "model",
    "project_id, api_key_id, user_id": "team: the first that was asked for in group_by",
    "batch, service_tier": "category: batch, else online; unknown where neither was asked for",
}
percentiles: Percentiles = "none"
gathers = False
options_key = no_options
unit = alone
own_label = no_own_label

_KEYS = ("project_id", "user_id", "api_key_id", "model", "batch", "service_tier")
_SUMS = ("num_model_requests", "input_tokens", "input_cached_tokens", "output_tokens")
_COMPLETIONS = "organization.usage.completions.result"


def sniff(sample: Sample) -> bool:
    """Return whether the pages hold buckets with start_time and results that are no costs."""
    paths = head_paths(sample)
    return {"data.start_time", "data.end_time", "data.results"} <= paths and "data.results.amount" not in paths


def load(con: duckdb.DuckDBPyConnection, samples: Sequence[Sample], _: Options) -> tuple[AggregateFile, ...]:
    """Return a row of usage_bucket for each bucket, model, team and category."""
    select = UsageSelect(
        reads={key: key for key in ("start_time", "end_time", "object", *_KEYS, *_SUMS)},
        fields={
            "window_utc": "make_timestamptz(TRY_CAST(start_time AS BIGINT) * 1000000)",
            "window_s": "TRY_CAST(end_time AS BIGINT) - TRY_CAST(start_time AS BIGINT)",
            "model": "model",
            "team": "coalesce(project_id, api_key_id, user_id)",
            "category": """CASE WHEN batch = 'true' OR service_tier = 'batch' THEN 'batch'
                WHEN batch = 'false' OR service_tier IS NOT NULL THEN 'online' END""",
            "requests": "num_model_requests",
            "prompt_tok_sum": "input_tokens",
            "cached_prompt_tok_sum": "input_cached_tokens",
            "output_tok_sum": "output_tokens",
        },
        identity=f"json_array({', '.join(_KEYS)})",
    )
    return tuple(load_rows(con, sample, _rows(sample), select) for sample in samples)


def page_results(sample: Sample, times: Sequence[str]) -> Iterator[tuple[int, str | None, dict[str, Any]]]:
    """Yield each result of each bucket of each page, with the bucket's times."""
    for line, wrong, page in documents(sample):
        buckets = page.get("data") if isinstance(page, Mapping) else None
        if wrong is not None or not isinstance(buckets, list):
            yield line, wrong or "not a page of buckets (`data` is missing)", {}
            continue
        for bucket in buckets:
            results = bucket.get("results") if isinstance(bucket, Mapping) else None
            if not isinstance(results, list):
                yield line, "a bucket without results", {}
                continue
            when = {key: bucket.get(key) for key in times}
            for result in results:
                ok = isinstance(result, Mapping)
                yield line, None if ok else "a result that is no object", {**(result if ok else {}), **when}


def _rows(sample: Sample) -> Iterator[tuple[int, str | None, Mapping[str, object]]]:
    for line, wrong, result in page_results(sample, ("start_time", "end_time")):
        kind = result.get("object") or _COMPLETIONS
        yield line, wrong or (None if kind == _COMPLETIONS else f"{kind} is not about completions"), result
