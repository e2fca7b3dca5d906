"""Rows of sums, whatever they were read from: typed, judged one by one, and added up by window and key."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from data.buckets import MAX_TOK
from data.errors import UserError
from data.formats.contract import AggregateFile, Rejected, Skipped
from data.formats.reader import Relation, exact_relation, exact_rows, fast_relation
from data.formats.sample import Sample
from data.frames import first_row, frame
from data.warehouse import query

USAGE_FIELDS = (
    "window_utc",
    "window_s",
    "model",
    "region",
    "team",
    "category",
    "requests",
    "throttled_requests",
    "failed_requests",
    "prompt_tok_sum",
    "cached_prompt_tok_sum",
    "output_tok_sum",
    "total_tok_sum",
    "cost_usd",
)
"""What a row of sums may state. `requests` are those that the token sums hold; 429s and errors stand beside."""

_BATCH_ROWS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageSelect:
    """One SELECT from rows of sums to USAGE_FIELDS.

    reads: our name -> the source's column, or a dotted path into JSON. Nothing else of the file is ever read.
    fields: usage field -> SQL expression over our names. A field left out is unknown.
    identity: SQL expression that tells the rows of one window apart: a row that comes again under the same one is
        a duplicate, or a contradiction. None where rows of one window are parts of it.
    skip: SQL expression: why a row is not about requests to a model (a fixed text), NULL where it is.
    """

    reads: Mapping[str, str]
    fields: Mapping[str, str]
    identity: str | None = None
    skip: str = "NULL"
    parameters: Mapping[str, Any] = field(default_factory=dict)


def load_table(con: duckdb.DuckDBPyConnection, sample: Sample, select: UsageSelect) -> AggregateFile:
    """Return what a table (CSV, JSON lines, Parquet) of sums comes to."""
    if sample.kind == "parquet":
        return load_relation(con, sample, fast_relation(sample, select.reads), select)
    con.register("usage_lines", exact_rows(sample))
    try:
        return load_relation(con, sample, exact_relation(sample, select.reads, "usage_lines"), select)
    finally:
        con.unregister("usage_lines")


def load_rows(
    con: duckdb.DuckDBPyConnection,
    sample: Sample,
    rows: Iterable[tuple[int, str | None, Mapping[str, object]]],
    select: UsageSelect,
) -> AggregateFile:
    """Return what rows (line, what is wrong, values by our names) come to; values are taken as text."""
    names = tuple(select.reads)
    schema = pa.schema([("line", pa.int64()), *((name, pa.string()) for name in ("malformed", *names))])
    texts = [(line, wrong, *(_text(values.get(name)) for name in names)) for line, wrong, values in rows]
    columns = list(zip(*texts, strict=True)) if texts else [()] * len(schema)
    table = pa.table([pa.array(c, t) for c, t in zip(columns, schema.types, strict=True)], schema=schema)
    con.register("usage_lines", table)
    try:
        return load_relation(con, sample, Relation(sql="SELECT * FROM usage_lines", parameters={}), select)
    finally:
        con.unregister("usage_lines")


def load_relation(
    con: duckdb.DuckDBPyConnection, sample: Sample, raw: Relation, select: UsageSelect
) -> AggregateFile:
    """Return what the rows of a relation come to; raises UserError where its windows overlap each other."""
    fields = ", ".join(f"{select.fields.get(name, 'NULL')} AS {name}" for name in USAGE_FIELDS)
    row = ", ".join(f"{name} := {name}" for name in select.reads)
    identity = f"CAST(({select.identity}) AS VARCHAR)" if select.identity else "CAST(NULL AS VARCHAR)"
    sql = f"""CREATE OR REPLACE TEMP TABLE usage_row AS WITH raw AS ({raw.sql}),
        stated AS (SELECT line, malformed, struct_pack({row}) AS stated_row, {identity} AS identity,
            ({select.skip}) AS skipped, {fields} FROM raw)
        SELECT * FROM ({query("checked_usage")})"""  # noqa: S608  # values are parameters
    con.execute(sql, {**raw.parameters, **select.parameters, "max_tok": MAX_TOK})
    _refuse_overlapping(con, sample)
    buckets = frame(con, query("usage_sums"))
    first, last = span_of(buckets)
    return AggregateFile(
        sample=sample,
        rows_read=_count(con, "true"),
        rejected=_rejected(con),
        rows_duplicate=_count(con, "reason IS NULL AND is_duplicate"),
        skipped=_skipped(con),
        buckets=buckets,
        first_utc=first,
        last_utc=last,
    )


def span_of(buckets: pd.DataFrame) -> tuple[datetime | None, datetime | None]:
    """Return the start of the first and the end of the last of some rows of usage_bucket."""
    if buckets.empty:
        return None, None
    ends = buckets["bucket_utc"] + pd.to_timedelta(buckets["bucket_s"], unit="s")
    return _utc(buckets["bucket_utc"].min()), _utc(ends.max())


def total_of(first: str, others: Sequence[str]) -> str:
    """Return the SQL of a sum of stated parts: NULL without the first, text where one of them is no number."""
    parts = " + ".join(
        [
            f"TRY_CAST({first} AS DOUBLE)",
            *(f"CASE WHEN {o} IS NULL THEN 0 ELSE TRY_CAST({o} AS DOUBLE) END" for o in others),
        ]
    )
    return f"CASE WHEN {first} IS NOT NULL THEN coalesce(CAST({parts} AS VARCHAR), 'no number') END"


def _utc(moment: pd.Timestamp) -> datetime:
    return moment.to_pydatetime().replace(tzinfo=UTC)


def _text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return (str(value).strip() or None) if isinstance(value, str | int | float) else str(value)


def _count(con: duckdb.DuckDBPyConnection, condition: str) -> int:
    row = first_row(con, f"SELECT count(*) FROM usage_row WHERE {condition}")  # noqa: S608  # our own conditions
    return int(row[0]) if row else 0


def _rejected(con: duckdb.DuckDBPyConnection) -> tuple[Rejected, ...]:
    sql = "SELECT line, reason, excerpt FROM usage_row WHERE reason IS NOT NULL ORDER BY line"
    return tuple(Rejected(line=n, reason=why, excerpt=text) for n, why, text in con.execute(sql).fetchall())


def _skipped(con: duckdb.DuckDBPyConnection) -> tuple[Skipped, ...]:
    sql = """SELECT skipped, count(*) FROM usage_row WHERE skipped IS NOT NULL AND reason IS NULL
        GROUP BY skipped ORDER BY count(*) DESC, skipped"""
    return tuple(Skipped(reason=why, rows=n) for why, n in con.execute(sql).fetchall())


def _refuse_overlapping(con: duckdb.DuckDBPyConnection, sample: Sample) -> None:
    """Windows of one key must be the same or apart: hours beside the day that holds them would count twice."""
    sql = """WITH windows AS (
            SELECT DISTINCT bucket_utc, bucket_s, model, region, team, category FROM usage_row
            WHERE reason IS NULL AND skipped IS NULL
        ), placed AS (
            SELECT bucket_utc, bucket_s, max(bucket_utc + to_seconds(bucket_s)) OVER (
                PARTITION BY model, region, team, category ORDER BY bucket_utc, bucket_s
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS taken_until
            FROM windows
        )
        SELECT bucket_utc, bucket_s FROM placed WHERE bucket_utc < taken_until ORDER BY bucket_utc LIMIT 1"""
    found = first_row(con, sql)
    if found:
        raise UserError(
            f"{sample.path} has windows that overlap: one of {found[1]:,} s from {found[0]:%Y-%m-%d %H:%M} UTC"
            " begins before an earlier one ends; export one length of window, so that nothing counts twice."
        )
