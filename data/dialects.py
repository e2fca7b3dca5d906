"""The rollups' SQL in the words of other engines: one source (data/sql), written again by SQLGlot."""

from collections.abc import Mapping

import sqlglot
from sqlglot import exp

from data.buckets import MAX_TOK, edge_rows
from data.errors import UserError
from data.traffic import LONG_PROMPT_TOK
from data.warehouse import query

DIALECTS = ("spark", "clickhouse", "trino", "bigquery", "snowflake", "duckdb")

ROLLUP_TABLES = (
    "rollup_minute",
    "rollup_10s",
    "token_histogram_daily",
    "joint_histogram_daily",
    "long_requests_daily",
    "rollup_days",
)
"""What a rollup made elsewhere consists of."""

CANONICAL_TYPES: Mapping[str, str] = {
    "source_label": "VARCHAR",
    "file_order": "VARCHAR",
    "request_id": "VARCHAR",
    "arrived_utc": "TIMESTAMPTZ",
    "model": "VARCHAR",
    "region": "VARCHAR",
    "team": "VARCHAR",
    "category": "VARCHAR",
    "status": "VARCHAR",
    "prompt_tok": "BIGINT",
    "cached_prompt_tok": "BIGINT",
    "output_tok": "BIGINT",
    "reasoning_tok": "BIGINT",
}
"""The columns of `canonical_requests`, which the SQL reads; all but the label and the arrival may be NULL."""

PARAMETERS: Mapping[str, int] = {"max_tok": MAX_TOK, "least_threshold": min(LONG_PROMPT_TOK)}

_SOURCES = {"rollup_source": "first_requests"}
"""Relations whose query has another name."""

_NEEDS = {
    "usable_requests": (),
    "rollup_source": ("usable_requests",),
    "rollup_requests": ("rollup_source",),
    "token_bucket": ("rollup_requests", "bucket_edge"),
    "rollup_minute": ("rollup_requests",),
    "rollup_10s": ("rollup_requests",),
    "token_histogram_daily": ("rollup_requests", "token_bucket"),
    "joint_histogram_daily": ("rollup_requests", "token_bucket"),
    "long_requests_daily": ("rollup_requests", "long_prompt"),
    "rollup_days": ("rollup_requests",),
}

_MICROSECONDS = {
    "spark": "unix_micros({0})",
    "clickhouse": "toUnixTimestamp64Micro(toDateTime64({0}, 6, 'UTC'))",
    "trino": "CAST(round(to_unixtime({0}) * 1000000) AS BIGINT)",
    "bigquery": "UNIX_MICROS({0})",
    "snowflake": "DATE_PART(epoch_microsecond, {0})",
}
_TIME = {
    "spark": "timestamp_micros({0})",
    "clickhouse": "fromUnixTimestamp64Micro({0}, 'UTC')",
    "trino": "from_unixtime({0} / 1000000, 'UTC')",
    "bigquery": "TIMESTAMP_MICROS({0})",
    "snowflake": "TO_TIMESTAMP_NTZ({0}, 6)",
}
_DAY = {
    "spark": "date_from_unix_date(CAST({0} DIV 86400000000 AS INT))",
    "clickhouse": "toDate(intDiv({0}, 86400000000))",
    "trino": "date_add('day', {0} / 86400000000, DATE '1970-01-01')",
    "bigquery": "DATE_FROM_UNIX_DATE(DIV({0}, 86400000000))",
    "snowflake": "TO_DATE(TO_TIMESTAMP_NTZ({0}, 6))",
}
_CLOSING = {
    # Without these ClickHouse takes an alias for a column of the same name, and joins fill what is missing with 0.
    "clickhouse": "\nSETTINGS prefer_column_name_to_alias = 1, join_use_nulls = 1",
}


def relation_sql(name: str, dialect: str) -> str:
    """Return the query of one relation of the rollup in a dialect; it reads the relations that it needs by name.

    >>> " ".join(relation_sql("long_prompt", "spark").split())[:39]
    'SELECT 32000 AS threshold_tok UNION ALL'
    """
    if name == "bucket_edge":
        return _in_dialect(_edges(), dialect)
    if name == "long_prompt":
        rows = " UNION ALL ".join(f"SELECT {tok} AS threshold_tok" for tok in LONG_PROMPT_TOK)
        return _in_dialect(rows, dialect)
    return _in_dialect(query(_SOURCES.get(name, name)), dialect)


def table_sql(table: str, dialect: str) -> str:
    """Return one statement that makes a table of the rollup from `canonical_requests` alone, comments first.

    Raises UserError where there is no such dialect or table.
    """
    _require("dialect", dialect, DIALECTS)
    _require("table", table, ROLLUP_TABLES)
    needed = [f"{name} AS (\n{relation_sql(name, dialect)}\n)" for name in relations_of(table)]
    comments = "\n".join(
        f"-- {line}"
        for line in (
            f"{table} of fleetcast's rollup, for {dialect}; write the result as Parquet into DIR/{table}/.",
            f"It reads canonical_requests: a table or view with the columns {', '.join(CANONICAL_TYPES)}.",
            "arrived_utc is a moment in UTC; file_order says which of two files came first ('' without files).",
            "What is not known is NULL. Add a WHERE on arrived_utc (whole UTC days) there to roll up some days.",
            "Bucket edges and lengths are literals: no engine's logarithm decides.",
        )
    )
    closing = _CLOSING.get(dialect, "")
    return f"{comments}\nWITH {', '.join(needed)}\n{relation_sql(table, dialect)}{closing};\n"  # our own


def relations_of(table: str) -> list[str]:
    """Return the relations that a table needs, each after those that it needs itself.

    >>> relations_of("rollup_minute")
    ['usable_requests', 'rollup_source', 'rollup_requests']
    """
    found: list[str] = []
    for name in _NEEDS.get(table, ()):
        found += [one for one in (*relations_of(name), name) if one not in found]
    return found


def _edges() -> str:
    rows = ", ".join(f"('{grid}', {bucket}, {above}, {upto})" for grid, bucket, above, upto in edge_rows())
    return f"SELECT * FROM (VALUES {rows}) AS edges(grid, bucket, above_tok, upto_tok)"  # noqa: S608  # our own


def _require(what: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise UserError(f"There is no {what} {value!r} to export SQL for; known are {', '.join(known)}.")


def _in_dialect(sql: str, dialect: str) -> str:
    tree = sqlglot.parse_one(sql, dialect="duckdb")
    for node in tree.walk():
        node.comments = None
    return tree.transform(_translated, dialect).sql(dialect=dialect, pretty=len(sql) < 10_000)


def _translated(node: exp.Expr, dialect: str) -> exp.Expr:
    """Put literals for parameters, and the engine's words for what leads from times to microseconds and back."""
    if isinstance(node, exp.Placeholder):
        return exp.Literal.number(PARAMETERS[node.name])
    if dialect == "duckdb":
        return node
    if isinstance(node, exp.Cast) and _is_call(node.this, "make_timestamptz"):
        return _worded(_DAY, node.this, dialect)
    if _is_call(node, "epoch_us"):
        return _worded(_MICROSECONDS, node, dialect)
    return _worded(_TIME, node, dialect) if _is_call(node, "make_timestamptz") else node


def _is_call(node: object, name: str) -> bool:
    return isinstance(node, exp.Anonymous) and str(node.this).lower() == name


def _worded(words: Mapping[str, str], call: exp.Expr, dialect: str) -> exp.Expr:
    argument = call.expressions[0].sql(dialect=dialect)
    return sqlglot.parse_one(words[dialect].format(argument), dialect=dialect)
