"""Rollups: the sums and histograms that every later room reads, made anew for the days that changed."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

import duckdb

from data.tables import ROLLUP_TIMES
from data.text import literal_path
from data.traffic import LONG_PROMPT_TOK
from data.warehouse import Store, query

FINE_DAYS = 35
"""Days of each source, counted from its newest, for which the 10-s rows are kept."""

FINE_TABLE = "rollup_10s"
DAILY_TABLES = tuple(table for table in ROLLUP_TIMES if table != FINE_TABLE)

TAKEN = "rollup"
"""What file_manifest calls the format of a rollup made elsewhere (data/rollup_intake.py); it has no slices."""

LabelDay = tuple[str, date]

_KEYS = ("source_label", "model", "region", "team", "category", "status_class")
_ROWS_AT_ONCE = 5_000_000
"""Rows whose days are rolled up together: a bound on memory, unless one day alone has more."""


def roll_up(store: Store, changed: Iterable[LabelDay]) -> None:
    """Make every rollup of these (source label, UTC day) anew from the slices that the manifest names.

    Runs inside the caller's transaction. A day without slices loses its rows. 10-s rows exist for the newest
    FINE_DAYS days of each label, whatever was touched: those of the days that changed or lacked them are made,
    those of older days dropped.
    """
    days = set(changed)
    wanted, present = _newest_days(store), _days_with_fine_rows(store)
    fine = (wanted & (days | (wanted - present))) - rolled_up_days(store)
    for table in DAILY_TABLES:
        forget_days(store, table, days)
    forget_days(store, FINE_TABLE, fine | (present - wanted))
    _roll_up_days(store, days & fine, (*DAILY_TABLES, FINE_TABLE))
    _roll_up_days(store, days - fine, DAILY_TABLES)
    _roll_up_days(store, fine - days, (FINE_TABLE,))


def show_slices(store: Store, paths: Sequence[str]) -> None:
    """Point the view `rollup_requests` at slices, by their paths in the lake."""
    _show_source(store, paths)
    store.con.execute("CREATE OR REPLACE TEMP VIEW rollup_requests AS " + query("rollup_requests"))


def roll_up_requests(con: duckdb.DuckDBPyConnection, tables: Iterable[str], days: str | None = None) -> None:
    """Fill these tables from the requests that the relation `rollup_source` shows, in one scan of them.

    days: name of a table to make of what each day's rollups must add up to (data/sql/rollup_days.sql).

    The scan's result, `rollup_requests`, is a temporary table whose words are numbers (ENUM): every rollup counts
    it several times faster than it reads Parquet.
    """
    _code_requests(con)
    con.execute("CREATE OR REPLACE TEMP TABLE token_bucket AS " + query("token_bucket"))
    con.execute("CREATE OR REPLACE TEMP TABLE long_prompt AS SELECT unnest($lengths) AS threshold_tok", _lengths())
    for table in tables:
        parameters = {"least_threshold": min(LONG_PROMPT_TOK)} if table == "long_requests_daily" else {}
        con.execute(f"INSERT INTO {table} BY NAME {query(table)}", parameters)
    if days:
        con.execute(f"CREATE TABLE {days} AS {_plain_days()}")
    for name in ("token_bucket", "long_prompt", "rollup_requests", "rollup_key"):
        con.execute(f"DROP TABLE {name}")
    for key in _KEYS:
        con.execute(f"DROP TYPE rollup_{key}")


def rolled_up_days(store: Store) -> set[LabelDay]:
    """Return the (source label, UTC day)s that the store knows only as rollups made elsewhere."""
    sql = f"""SELECT DISTINCT source_label, CAST(minute_utc AS DATE) FROM rollup_minute
        WHERE source_label IN (SELECT source_label FROM file_manifest WHERE format = '{TAKEN}' AND status = 'done')
        EXCEPT SELECT source_label, day_utc FROM slice_manifest JOIN file_manifest USING (file_id)
        WHERE status = 'done'"""  # noqa: S608  # our own word
    return set(store.con.execute(sql).fetchall())


def _plain_days() -> str:
    """Return the query of rollup_days with its label as text again."""
    columns = "day_utc, requests, token_requests, cached_known_requests"
    return f"SELECT CAST(source_label AS VARCHAR) AS source_label, {columns} FROM ({query('rollup_days')})"  # noqa: S608


def _lengths() -> dict[str, list[int]]:
    return {"lengths": list(LONG_PROMPT_TOK)}


def _code_requests(con: duckdb.DuckDBPyConnection) -> None:
    """Make the table `rollup_requests`; its keys are found once and joined, which is cheaper than casting rows."""
    requests = query("rollup_requests")
    keys = ", ".join(_KEYS)
    con.execute(f"CREATE OR REPLACE TEMP TABLE rollup_key AS SELECT DISTINCT {keys} FROM ({requests})")  # noqa: S608  # our own names
    for key in _KEYS:
        words = f"SELECT DISTINCT {key} FROM rollup_key WHERE {key} IS NOT NULL"  # noqa: S608
        con.execute(f"CREATE TEMP TYPE rollup_{key} AS ENUM ({words})")
    coded = ", ".join(f"CAST({key} AS rollup_{key}) AS {key}_code" for key in _KEYS)
    same = " AND ".join(f"stated.{key} IS NOT DISTINCT FROM coded.{key}" for key in _KEYS)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE rollup_requests AS
        SELECT {", ".join(f"{key}_code AS {key}" for key in _KEYS)}, arrived_us,
            CAST(prompt_tok AS INTEGER) AS prompt_tok, CAST(cached_prompt_tok AS INTEGER) AS cached_prompt_tok,
            CAST(output_tok AS INTEGER) AS output_tok
        FROM ({requests}) AS stated JOIN (SELECT *, {coded} FROM rollup_key) AS coded ON {same}"""  # noqa: S608
    )


def _roll_up_days(store: Store, days: Iterable[LabelDay], tables: Iterable[str]) -> None:
    """Fill these tables with the rows of these days, a bounded number of requests at once."""
    for paths in _batches(store, sorted(days)):
        _show_source(store, paths)
        roll_up_requests(store.con, tables)


def _show_source(store: Store, paths: Sequence[str]) -> None:
    files = [literal_path(store.lake / path) for path in paths]
    store.con.execute("SET VARIABLE rollup_files = $files", {"files": files})
    store.con.execute(query("rollup_source"))


def _batches(store: Store, days: list[LabelDay]) -> Iterator[list[str]]:
    """Return the slices of these days, by groups of whole days."""
    sql = """SELECT list(slice_manifest.path ORDER BY slice_manifest.path), sum(rows)
        FROM slice_manifest JOIN file_manifest USING (file_id)
        JOIN (SELECT unnest($labels) AS label, unnest($days) AS day) AS wanted
            ON source_label = wanted.label AND day_utc = wanted.day
        WHERE status = 'done' GROUP BY source_label, day_utc ORDER BY day_utc, source_label"""
    batch: list[str] = []
    rows = 0
    for paths, count in store.con.execute(sql, _unzipped(days)).fetchall() if days else []:
        if batch and rows + count > _ROWS_AT_ONCE:
            yield batch
            batch, rows = [], 0
        batch, rows = [*batch, *paths], rows + count
    if batch:
        yield batch


def _newest_days(store: Store) -> set[LabelDay]:
    """Return the newest FINE_DAYS days of each label, of those that it has."""
    sql = """SELECT DISTINCT source_label, day_utc FROM slice_manifest JOIN file_manifest USING (file_id)
        WHERE status = 'done'"""
    days = set(store.con.execute(sql).fetchall()) | rolled_up_days(store)
    newest: dict[str, date] = {}
    for label, day in days:
        newest[label] = max(day, newest.get(label, day))
    return {(label, day) for label, day in days if (newest[label] - day).days < FINE_DAYS}


def _days_with_fine_rows(store: Store) -> set[LabelDay]:
    sql = "SELECT DISTINCT source_label, CAST(window_utc AS DATE) FROM rollup_10s"
    return set(store.con.execute(sql).fetchall())


def forget_days(store: Store, table: str, days: Iterable[LabelDay]) -> None:
    """Delete a rollup's rows of these days."""
    sql = f"""DELETE FROM {table} USING (SELECT unnest($labels) AS label, unnest($days) AS day) AS gone
        WHERE source_label = gone.label AND CAST({ROLLUP_TIMES[table]} AS DATE) = gone.day"""  # noqa: S608  # our own names
    if days := sorted(days):
        store.con.execute(sql, _unzipped(days))


def _unzipped(days: list[LabelDay]) -> dict[str, list[str] | list[date]]:
    return {"labels": [label for label, _ in days], "days": [day for _, day in days]}
