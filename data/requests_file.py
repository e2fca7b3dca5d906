"""One log of requests: read, judged row by row, and laid down in the lake; nothing here changes a table."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from data.buckets import MAX_TOK
from data.formats.contract import CANONICAL_FIELDS, Rejected, RequestSelect, Skipped
from data.formats.reader import Relation, exact_relation, exact_rows, fast_relation
from data.formats.sample import Sample
from data.formats.typed import typed_relation
from data.frames import first_row
from data.lake import Slice, span_of, write_slices
from data.text import literal_path
from data.warehouse import Store, query

EXAMPLES = 5
"""Rejected rows that a result shows; the table rejected_rows has all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestsRead:
    """What one log came to. slices: empty where the file was refused."""

    rows_read: int
    rows_rejected: int
    rows_skipped: int
    first_utc: datetime | None
    last_utc: datetime | None
    rejected: tuple[Rejected, ...]
    skipped: tuple[Skipped, ...]
    slices: tuple[Slice, ...]
    refused: bool


def too_many(bad: int, read: int, max_share: float) -> bool:
    """Return whether so many bad rows refuse the whole file: over the share, and more than one; or all of them."""
    allowed = max(1.0, max_share * read) if max_share > 0 else 0.0
    return bad > allowed or (bad > 0 and bad == read)


def read_requests(
    store: Store,
    folder: Path,
    file_id: str,
    sample: Sample,
    select: RequestSelect,
    *,
    label: str,
    max_rejected_share: float,
    latest_utc: datetime,
    whole: bool = True,
) -> RequestsRead:
    """Read a log into slices and its bad rows into the temporary table `pending_rejected`.

    A file with more than `max_rejected_share` of bad rows is refused: no slices, no bad rows kept. One bad row,
    such as a last line that is still being written, is let pass in a short file that has good ones, unless the
    share is 0. folder: for half-written files. latest_utc: a later arrival is a mistake. whole: False for a packed
    file that is cut off, which is read line by line up to there.
    """
    select = replace(select, parameters={**select.parameters, "latest_utc": latest_utc})
    if whole and (clean := _read_clean(store, folder, file_id, sample, select, label)) is not None:
        return clean
    judge = _judge if whole else _judge_exactly
    judged = judge(store.con, folder, sample, select, label)
    read, bad, skipped, first, last = _count(store.con, judged)
    if sample.kind != "parquet" and bad:
        judged = _judge_exactly(store.con, folder, sample, select, label)
        read, bad, skipped, first, last = _count(store.con, judged)
    examples = _examples(store.con, judged) if bad else ()
    refused = too_many(bad, read - skipped, max_rejected_share)
    slices: tuple[Slice, ...] = ()
    if not refused:
        if bad:
            _keep_rejected(store.con, judged, file_id)
        good = read - bad - skipped
        slices = write_slices(store, folder, file_id, judged.sql, judged.parameters) if good else ()
    return RequestsRead(
        rows_read=read,
        rows_rejected=bad,
        rows_skipped=skipped,
        first_utc=first,
        last_utc=last,
        rejected=examples,
        skipped=_reasons_to_skip(store.con, judged) if skipped else (),
        slices=slices,
        refused=refused,
    )


def _read_clean(
    store: Store, folder: Path, file_id: str, sample: Sample, select: RequestSelect, label: str
) -> RequestsRead | None:
    """Read a log without a single bad row in one pass, or return None: most are, and each pass costs."""
    judged = _judged(typed_relation(sample, select), select, label)
    try:
        day = _only_day(store.con, judged) if sample.kind == "parquet" else None
        slices = write_slices(store, folder, file_id, judged.sql, judged.parameters, only_clean=True, only_day=day)
    except duckdb.Error:  # a fault of the machine comes again when the patient way begins
        return None
    first, last = span_of(store, slices)
    return RequestsRead(
        rows_read=sum(part.rows for part in slices),
        rows_rejected=0,
        rows_skipped=0,
        first_utc=first,
        last_utc=last,
        rejected=(),
        skipped=(),
        slices=slices,
        refused=False,
    )


def _only_day(con: duckdb.DuckDBPyConnection, judged: Relation) -> date | None:
    """Return the UTC day of all rows, None where they have several: one column of Parquet is read quickly."""
    sql = f"SELECT min(arrived_utc), max(arrived_utc), count(*) - count(arrived_utc) FROM ({judged.sql})"  # noqa: S608
    first, last, untimed = first_row(con, sql, judged.parameters) or (None, None, 0)
    one_day = first is not None and not untimed and first.date() == last.date()
    return first.date() if one_day else None


def _judge(
    con: duckdb.DuckDBPyConnection, folder: Path, sample: Sample, select: RequestSelect, label: str
) -> Relation:
    """Return the judged rows: straight from Parquet, and from text through one staged file, parsed once."""
    raw = fast_relation(sample, select.reads, optional=select.optional, pattern=select.pattern)
    judged = _judged(raw, select, label)
    if sample.kind == "parquet":
        return judged
    try:
        return _staged(con, folder, judged)
    except duckdb.Error:
        return _judge_exactly(con, folder, sample, select, label)


def _judge_exactly(
    con: duckdb.DuckDBPyConnection, folder: Path, sample: Sample, select: RequestSelect, label: str
) -> Relation:
    """Return the judged rows of a text file with their lines; also reads what DuckDB's readers give up on."""
    con.register("exact_lines", exact_rows(sample))
    raw = exact_relation(sample, select.reads, "exact_lines", optional=select.optional, pattern=select.pattern)
    try:
        return _staged(con, folder, _judged(raw, select, label))
    finally:
        con.unregister("exact_lines")


def _judged(raw: Relation, select: RequestSelect, label: str) -> Relation:
    """Return the query that types the canonical fields of raw rows and says what is wrong with them."""
    fields = ", ".join(f"{select.fields.get(field, 'NULL')} AS {field}" for field in CANONICAL_FIELDS)
    row = ", ".join(f"{name} := {name}" for name in select.names)
    sql = f"""WITH raw AS ({raw.sql}), cells AS ({_cells(select)}),
        stated AS (
            SELECT line, malformed, {_skip(select)} AS skipped, struct_pack({row}) AS stated_row, {fields}
            FROM cells)
        SELECT * FROM ({query("checked_requests")})"""  # noqa: S608  # values are parameters
    parameters: dict[str, Any] = {
        **raw.parameters,
        **select.parameters,
        "source_label": label,
        "max_tok": MAX_TOK,
        "needs_prompt": "prompt_tok" in select.required,
        "needs_output": "output_tok" in select.required,
    }
    return Relation(sql=sql, parameters=parameters)


def _cells(select: RequestSelect) -> str:
    """Return the SQL of the rows that a format's expressions are over: those of the file, or items inside them.

    A row without items stays, with NULL in all its cells, so that it is counted.
    """
    if select.items is None:
        return "SELECT * FROM raw"
    cells = ", ".join(f"{expression} AS {name}" for name, expression in select.cells.items())
    return f"""SELECT line, malformed, item IS NULL AS is_empty, {cells} FROM (
        SELECT line, malformed, unnest(CASE WHEN len(items) > 0 THEN items ELSE [NULL] END) AS item
        FROM (SELECT line, malformed, {select.items} AS items FROM raw))"""  # noqa: S608  # our own names


def _skip(select: RequestSelect) -> str:
    """Return the SQL of why a row is no request."""
    skip = select.skip or "NULL"
    return skip if select.items is None else f"CASE WHEN is_empty THEN 'no request inside' ELSE {skip} END"


def _staged(con: duckdb.DuckDBPyConnection, folder: Path, judged: Relation) -> Relation:
    path = folder / "judged.parquet"
    con.execute(f"COPY ({judged.sql}) TO $staged (FORMAT parquet)", {**judged.parameters, "staged": str(path)})
    return Relation(sql="SELECT * FROM read_parquet($staged)", parameters={"staged": [literal_path(path)]})


def _count(
    con: duckdb.DuckDBPyConnection, judged: Relation
) -> tuple[int, int, int, datetime | None, datetime | None]:
    """Return how many rows there are, how many bad and skipped, and when the first and last good ones arrived."""
    sql = f"""SELECT count(*), count(reason), count(skipped),
        min(arrived_utc) FILTER (reason IS NULL AND skipped IS NULL),
        max(arrived_utc) FILTER (reason IS NULL AND skipped IS NULL) FROM ({judged.sql})"""  # noqa: S608  # values are parameters
    row = first_row(con, sql, judged.parameters)
    return (row[0], row[1], row[2], row[3], row[4]) if row else (0, 0, 0, None, None)


def _reasons_to_skip(con: duckdb.DuckDBPyConnection, judged: Relation) -> tuple[Skipped, ...]:
    sql = f"""SELECT skipped, count(*) FROM ({judged.sql}) WHERE skipped IS NOT NULL
        GROUP BY skipped ORDER BY count(*) DESC, skipped"""  # noqa: S608  # values are parameters
    return tuple(Skipped(reason=why, rows=n) for why, n in con.execute(sql, judged.parameters).fetchall())


def _examples(con: duckdb.DuckDBPyConnection, judged: Relation) -> tuple[Rejected, ...]:
    sql = f"""SELECT line, reason, coalesce(excerpt, '') FROM ({judged.sql}) WHERE reason IS NOT NULL
        ORDER BY line LIMIT {EXAMPLES}"""  # noqa: S608  # values are parameters
    rows = con.execute(sql, judged.parameters).fetchall()
    return tuple(Rejected(line=line, reason=reason, excerpt=excerpt) for line, reason, excerpt in rows)


def _keep_rejected(con: duckdb.DuckDBPyConnection, judged: Relation, file_id: str) -> None:
    sql = f"""INSERT INTO pending_rejected SELECT $file_id, line, reason, excerpt
        FROM ({judged.sql}) WHERE reason IS NOT NULL"""  # noqa: S608  # values are parameters
    parameters: Mapping[str, Any] = {**judged.parameters, "file_id": file_id}
    con.execute(sql, parameters)
