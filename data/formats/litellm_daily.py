"""LiteLLM's daily spend tables (LiteLLM_DailyUserSpend, ...TeamSpend and their like), exported as they are.

A row is a UTC day, key, model and provider. prompt_tokens includes cached ones; api_requests = successful +
failed. Rows of tool calls (mcp_namespaced_tool_name) are no requests to a model. The tag table counts a request
once for each of its tags, so it is refused. Source: https://github.com/BerriAI/litellm, schema.prisma
(2026-11-24).
"""

from collections.abc import Mapping, Sequence

import duckdb

from data.errors import UserError
from data.formats.contract import AggregateFile, Options, Percentiles, alone, no_options, no_own_label
from data.formats.sample import Sample
from data.formats.sums import UsageSelect, load_table

name = "litellm-daily"
description = "LiteLLM daily spend tables (LiteLLM_DailyUserSpend, ...DailyTeamSpend: CSV, JSON lines, Parquet)"
recognised = "columns `date`, `prompt_tokens`, `api_requests`, `successful_requests`, `failed_requests`, ..."
columns: Mapping[str, str] = {
    "date": "the UTC day",
    "successful_requests": "requests",
    "failed_requests": "failed requests",
    "prompt_tokens": "prompt tokens, cached ones included",
    "cache_read_input_tokens": "cached prompt tokens",
    "completion_tokens": "output tokens",
    "spend": "cost, USD",
    "model_group, model": "model: the public name, else the deployed one",
    "team_id, organization_id, end_user_id, agent_id, user_id, api_key": "team: the first that is there",
}
percentiles: Percentiles = "none"
gathers = False
options_key = no_options
unit = alone
own_label = no_own_label

_NEEDED = ("date", "prompt_tokens", "completion_tokens", "api_requests", "successful_requests", "failed_requests")
_TEAMS = ("team_id", "organization_id", "end_user_id", "agent_id", "user_id", "api_key")
_KEYS = (
    "model_group",
    "model",
    "custom_llm_provider",
    "mcp_namespaced_tool_name",
    "endpoint",
    "cache_read_input_tokens",
    "spend",
)


def sniff(sample: Sample) -> bool:
    """Return whether the table counts requests by day as LiteLLM does."""
    return sample.has(*_NEEDED)


def load(con: duckdb.DuckDBPyConnection, samples: Sequence[Sample], _: Options) -> tuple[AggregateFile, ...]:
    """Return a row of usage_bucket for each day, model and team; raises UserError for the table of tags."""
    return tuple(_load(con, sample) for sample in samples)


def _load(con: duckdb.DuckDBPyConnection, sample: Sample) -> AggregateFile:
    if sample.has("tag"):
        raise UserError(
            f"{sample.path} is the table of tags, which counts a request once for each of its tags; export"
            " LiteLLM_DailyUserSpend or LiteLLM_DailyTeamSpend."
        )
    present = [name for name in (*_TEAMS, *_KEYS) if sample.has(name)]
    teams = [name for name in _TEAMS if name in present]
    models = [name for name in ("model_group", "model") if name in present]
    keys = [name for name in present if name not in {"cache_read_input_tokens", "spend"}]
    select = UsageSelect(
        reads={column: column for column in (*_NEEDED, *present)},
        fields={
            "window_utc": "date_trunc('day', TRY_CAST(date AS TIMESTAMPTZ))",
            "window_s": "86400",
            "model": f"coalesce({', '.join(models)})" if models else "NULL",
            "team": f"coalesce({', '.join(teams)})" if teams else "NULL",
            "requests": "successful_requests",
            "failed_requests": "failed_requests",
            "prompt_tok_sum": "prompt_tokens",
            "cached_prompt_tok_sum": "cache_read_input_tokens" if "cache_read_input_tokens" in present else "NULL",
            "output_tok_sum": "completion_tokens",
            "cost_usd": "spend" if "spend" in present else "NULL",
        },
        identity=f"json_array({', '.join(keys)})" if keys else None,
        skip="CASE WHEN mcp_namespaced_tool_name IS NOT NULL THEN 'a call of a tool, not of a model' END"
        if "mcp_namespaced_tool_name" in present
        else "NULL",
    )
    return load_table(con, sample, select)
