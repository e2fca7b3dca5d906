"""Azure Monitor metrics of Azure OpenAI and Foundry resources: a row for each window, metric and deployment.

The table AzureMetrics of Log Analytics, or a metrics export with its dimensions. Each row states one metric, so
rows of one time and deployment are put together. Source:
https://learn.microsoft.com/azure/ai-services/openai/monitor-openai-reference (checked 2026-11-24).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import duckdb

from data.formats.contract import AggregateFile, Options, Percentiles, alone, no_options, no_own_label
from data.formats.reader import exact_relation, exact_rows, fast_relation
from data.formats.sample import Sample
from data.formats.sums import UsageSelect, load_table, span_of
from data.frames import frame
from data.warehouse import query

name = "azure-monitor"
description = (
    "Azure Monitor metrics of Azure OpenAI (CSV, JSON lines or Parquet of AzureMetrics; one row a metric)"
)
recognised = "columns `MetricName`, `Total`, `TimeGrain`, `TimeGenerated`"
columns: Mapping[str, str] = {
    "TimeGenerated": "start of the window (also `TimeGenerated [UTC]`)",
    "TimeGrain": "length of the window: PT1M, PT5M, PT1H, ...",
    "MetricName": "AzureOpenAIRequests, ModelRequests: requests; ProcessedPromptTokens, InputTokens: prompt"
    " tokens; GeneratedTokens, OutputTokens: output tokens; others are passed over",
    "Total": "the sum",
    "StatusCode": "429: throttled; 4xx and 5xx: failed",
    "ModelDeploymentName, ModelName": "model: the first that is there",
    "Region": "region",
}
percentiles: Percentiles = "none"
gathers = True
options_key = no_options
unit = alone
own_label = no_own_label

_TIMES = ("TimeGenerated", "TimeGenerated [UTC]")
_MODELS = ("ModelDeploymentName", "ModelName")
_PAIRS = (
    ("AzureOpenAIRequests", "ModelRequests"),
    ("ProcessedPromptTokens", "InputTokens"),
    ("GeneratedTokens", "OutputTokens"),
)
"""Two names each for the same traffic: the older one counts where a resource reports both."""

_PORTAL = "%m/%d/%Y, %I:%M:%S.%g %p"
"""How the portal's CSV export of a query writes a time."""

_GRAINS = """CASE TimeGrain WHEN 'PT1M' THEN 60 WHEN 'PT5M' THEN 300 WHEN 'PT15M' THEN 900 WHEN 'PT30M' THEN 1800
    WHEN 'PT1H' THEN 3600 WHEN 'PT6H' THEN 21600 WHEN 'PT12H' THEN 43200 WHEN 'P1D' THEN 86400 END"""


def sniff(sample: Sample) -> bool:
    """Return whether the columns of AzureMetrics are there."""
    return sample.has("MetricName", "Total", "TimeGrain") and any(sample.has(time) for time in _TIMES)


def load(con: duckdb.DuckDBPyConnection, samples: Sequence[Sample], _: Options) -> tuple[AggregateFile, ...]:
    """Return a row of usage_bucket for each window and deployment, all files together in the first one's entry."""
    names = {name for sample in samples for name in _metric_names(con, sample)}
    loaded = []
    for n, sample in enumerate(samples):
        loaded.append(load_table(con, sample, _select(sample, names)))
        into = "INSERT INTO metric_row BY NAME" if n else "CREATE OR REPLACE TEMP TABLE metric_row AS"
        con.execute(f"{into} SELECT * FROM usage_row")  # noqa: S608  # our own names
    buckets = frame(con, query("metric_sums"))
    first, last = span_of(buckets)
    return tuple(
        replace(one, buckets=buckets if n == 0 else buckets.iloc[:0], first_utc=first, last_utc=last)
        for n, one in enumerate(loaded)
    )


def _metric_names(con: duckdb.DuckDBPyConnection, sample: Sample) -> set[str]:
    reads = {"metric": "MetricName"}
    if sample.kind == "parquet":
        stated = fast_relation(sample, reads)
    else:
        con.register("metric_lines", exact_rows(sample))
        stated = exact_relation(sample, reads, "metric_lines")
    sql = f"SELECT DISTINCT metric FROM ({stated.sql})"  # noqa: S608  # values are parameters
    return {str(row[0]) for row in con.execute(sql, stated.parameters).fetchall()}


def _select(sample: Sample, names: set[str]) -> UsageSelect:
    time = next(time for time in _TIMES if sample.has(time))
    present = [column for column in (*_MODELS, "Region", "StatusCode") if sample.has(column)]
    models = [f"nullif({column}, 'NULL')" for column in _MODELS if column in present]
    requests, prompt, output = (next((one for one in pair if one in names), pair[0]) for pair in _PAIRS)
    asked, status = f"MetricName = '{requests}'", "StatusCode" if "StatusCode" in present else "'200'"
    return UsageSelect(
        reads={"moment": time, **{column: column for column in ("MetricName", "Total", "TimeGrain", *present)}},
        fields={
            "window_utc": f"""coalesce(TRY_CAST(moment AS TIMESTAMPTZ),
                CAST(TRY_STRPTIME(CAST(moment AS VARCHAR), '{_PORTAL}') AS TIMESTAMPTZ))""",
            "window_s": _GRAINS,
            "model": f"coalesce({', '.join(models)})" if models else "NULL",
            "region": "Region" if "Region" in present else "NULL",
            "requests": f"CASE WHEN {asked} AND NOT coalesce({status}, '') SIMILAR TO '[45]..' THEN Total END",
            "throttled_requests": f"CASE WHEN {asked} AND {status} = '429' THEN Total END",
            "failed_requests": f"""CASE WHEN {asked} AND {status} SIMILAR TO '[45]..' AND {status} <> '429'
                THEN Total END""",
            "prompt_tok_sum": f"CASE WHEN MetricName = '{prompt}' THEN Total END",
            "output_tok_sum": f"CASE WHEN MetricName = '{output}' THEN Total END",
        },
        skip=f"""CASE WHEN MetricName NOT IN ('{requests}', '{prompt}', '{output}')
            THEN 'a metric that counts neither requests nor tokens, or counts them again' END""",
    )
