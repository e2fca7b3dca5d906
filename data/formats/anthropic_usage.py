"""Anthropic usage report: what the Admin API reports for each bucket. It does not count requests.

Pages of `GET /v1/organizations/usage_report/messages`: data[] {starting_at, ending_at} with results[]. The parts
of the prompt are disjoint: uncached + read from the cache + written to it. Source:
https://docs.anthropic.com/en/api/admin-api/usage-cost/get-messages-usage-report (checked 2026-11-24).
"""

from collections.abc import Iterator, Mapping, Sequence

import duckdb

from data.formats.contract import AggregateFile, Options, Percentiles, alone, no_options, no_own_label
from data.formats.document import head_paths
from data.formats.openai_usage import page_results
from data.formats.sample import Sample
from data.formats.sums import UsageSelect, load_rows, total_of

name = "anthropic-usage"
description = "Anthropic usage report, messages (JSON pages, an array of them, or one a line); no request counts"
recognised = "`data[]` with `starting_at`, `ending_at` and `results` that are no amounts"
columns: Mapping[str, str] = {
    "starting_at": "start of the window",
    "ending_at": "its end",
    "uncached_input_tokens": "prompt tokens: the sum of this,",
    "cache_creation.*": "these, written to the cache,",
    "cache_read_input_tokens": "and this, which are the cached prompt tokens",
    "output_tokens": "output tokens",
    "model": "model",
    "workspace_id, api_key_id": "team: the first that was asked for in group_by",
    "service_tier": "category: batch, else online; unknown where it was not asked for",
    "inference_geo": "region",
}
percentiles: Percentiles = "none"
gathers = False
options_key = no_options
unit = alone
own_label = no_own_label

_KEYS = ("model", "workspace_id", "api_key_id", "service_tier", "context_window", "inference_geo", "speed")
_WRITTEN = ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")


def sniff(sample: Sample) -> bool:
    """Return whether the pages hold buckets with starting_at and results that are no costs."""
    paths = head_paths(sample)
    return {"data.starting_at", "data.ending_at", "data.results"} <= paths and "data.results.amount" not in paths


def load(con: duckdb.DuckDBPyConnection, samples: Sequence[Sample], _: Options) -> tuple[AggregateFile, ...]:
    """Return a row of usage_bucket for each bucket, model, team and category; requests stay unknown."""
    parts = ("uncached_input_tokens", "cache_read_input_tokens", *_WRITTEN)
    select = UsageSelect(
        reads={key: key for key in ("starting_at", "ending_at", *_KEYS, *parts, "output_tokens")},
        fields={
            "window_utc": "TRY_CAST(starting_at AS TIMESTAMPTZ)",
            "window_s": "epoch(TRY_CAST(ending_at AS TIMESTAMPTZ)) - epoch(TRY_CAST(starting_at AS TIMESTAMPTZ))",
            "model": "model",
            "region": "inference_geo",
            "team": "coalesce(workspace_id, api_key_id)",
            "category": """CASE WHEN service_tier = 'batch' THEN 'batch'
                WHEN service_tier IS NOT NULL THEN 'online' END""",
            "prompt_tok_sum": total_of(parts[0], parts[1:]),
            "cached_prompt_tok_sum": "cache_read_input_tokens",
            "output_tok_sum": "output_tokens",
        },
        identity=f"json_array({', '.join(_KEYS)})",
    )
    return tuple(load_rows(con, sample, _rows(sample), select) for sample in samples)


def _rows(sample: Sample) -> Iterator[tuple[int, str | None, Mapping[str, object]]]:
    for line, wrong, result in page_results(sample, ("starting_at", "ending_at")):
        written = result.get("cache_creation")
        yield line, wrong, {**result, **(written if isinstance(written, Mapping) else {})}
