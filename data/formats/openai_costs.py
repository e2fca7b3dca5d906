"""OpenAI organization costs: what was billed for each day, beside the usage that says how much was asked for.

Pages of `GET /v1/organization/costs`: data[] = daily buckets with results[] {amount {value, currency}, line_item,
project_id}. Kept as costs alone: a line item is no model, so they are not spread over the usage.
Source: https://platform.openai.com/docs/api-reference/usage/costs (checked 2026-11-24).
"""

from collections.abc import Iterator, Mapping, Sequence

import duckdb

from data.formats.contract import AggregateFile, Options, Percentiles, alone, no_options, no_own_label
from data.formats.document import head_paths
from data.formats.openai_usage import page_results
from data.formats.sample import Sample
from data.formats.sums import UsageSelect, load_rows

name = "openai-costs"
description = "OpenAI organization costs by day (JSON pages, an array of them, or one a line); costs alone"
recognised = "`data[]` with `start_time`, `end_time` and `results` with `amount`"
columns: Mapping[str, str] = {
    "start_time": "start of the day, UNIX seconds",
    "end_time": "its end",
    "amount.value, amount.currency": "cost; other currencies than USD are refused",
    "project_id": "team",
}
percentiles: Percentiles = "none"
gathers = False
options_key = no_options
unit = alone
own_label = no_own_label


def sniff(sample: Sample) -> bool:
    """Return whether the pages hold buckets with start_time and amounts."""
    return {"data.start_time", "data.end_time", "data.results.amount"} <= head_paths(sample)


def load(con: duckdb.DuckDBPyConnection, samples: Sequence[Sample], _: Options) -> tuple[AggregateFile, ...]:
    """Return a row of usage_bucket with nothing but its cost for each day and project."""
    select = UsageSelect(
        reads={key: key for key in ("start_time", "end_time", "value", "line_item", "project_id")},
        fields={
            "window_utc": "make_timestamptz(TRY_CAST(start_time AS BIGINT) * 1000000)",
            "window_s": "TRY_CAST(end_time AS BIGINT) - TRY_CAST(start_time AS BIGINT)",
            "team": "project_id",
            "cost_usd": "value",
        },
        identity="json_array(project_id, line_item)",
    )
    return tuple(load_rows(con, sample, _rows(sample), select) for sample in samples)


def _rows(sample: Sample) -> Iterator[tuple[int, str | None, Mapping[str, object]]]:
    for line, wrong, result in page_results(sample, ("start_time", "end_time")):
        amount = result.get("amount")
        found = amount if isinstance(amount, Mapping) else {}
        currency = str(found.get("currency") or "usd").lower()
        foreign = None if currency == "usd" else f"an amount in {currency[:10]}, not in USD"
        yield line, wrong or foreign, {**result, "value": found.get("value")}
