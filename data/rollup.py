"""Rollups: the sums and histograms that every later room reads, made anew for the days that changed."""

from collections.abc import Iterable, Sequence
from datetime import date

from data.tables import ROLLUP_TIMES
from data.text import literal_path
from data.traffic import LONG_PROMPT_TOK
from data.warehouse import Store, query

FINE_DAYS = 35
"""Days of each source, counted from its newest, for which the 10-s rows are kept."""

DAILY_TABLES = tuple(table for table in ROLLUP_TIMES if table != "rollup_10s")

LabelDay = tuple[str, date]


def roll_up(store: Store, changed: Iterable[LabelDay]) -> None:
    """Make every rollup of these (source label, UTC day) anew from the slices that the manifest names.

    Runs inside the caller's transaction. A day without slices loses its rows. 10-s rows exist for the newest
    FINE_DAYS days of each label, whatever was touched.
    """
    days = sorted(set(changed))
    for table in DAILY_TABLES:
        _forget(store, table, days)
    if _show_slices(store, days):
        store.con.execute("CREATE OR REPLACE TEMP TABLE token_bucket AS " + query("token_bucket"))
        for table in DAILY_TABLES:
            parameters = {"thresholds": list(LONG_PROMPT_TOK), "least_threshold": min(LONG_PROMPT_TOK)}
            _fill(store, table, parameters if table == "long_requests_daily" else {})
        store.con.execute("DROP TABLE token_bucket")
    _roll_up_fine(store, days)


def show_slices(store: Store, paths: Sequence[str]) -> None:
    """Point the view `rollup_requests` at slices, by their paths in the lake."""
    store.con.execute(
        "SET VARIABLE rollup_files = $files", {"files": [literal_path(store.lake / path) for path in paths]}
    )
    store.con.execute(query("rollup_requests"))


def _roll_up_fine(store: Store, changed: list[LabelDay]) -> None:
    """Make the 10-s rows of the newest days: those that changed, and those that lacked them; drop the older."""
    wanted = _newest_days(store)
    sql = "SELECT DISTINCT source_label, CAST(window_utc AS DATE) FROM rollup_10s"
    present = set(store.con.execute(sql).fetchall())
    fresh = sorted(wanted & (set(changed) | (wanted - present)))
    _forget(store, "rollup_10s", [*fresh, *sorted(present - wanted)])
    if _show_slices(store, fresh):
        _fill(store, "rollup_10s", {})


def _newest_days(store: Store) -> set[LabelDay]:
    sql = """SELECT DISTINCT source_label, day_utc FROM (
        SELECT source_label, day_utc, max(day_utc) OVER (PARTITION BY source_label) AS newest
        FROM slice_manifest JOIN file_manifest USING (file_id) WHERE status = 'done')
        WHERE day_utc > newest - CAST($days AS INTEGER)"""
    return set(store.con.execute(sql, {"days": FINE_DAYS}).fetchall())


def _forget(store: Store, table: str, days: list[LabelDay]) -> None:
    """Delete a table's rows of these days; table and column names are ours."""
    sql = f"""DELETE FROM {table} USING (SELECT unnest($labels) AS label, unnest($days) AS day) AS gone
        WHERE source_label = gone.label AND CAST({ROLLUP_TIMES[table]} AS DATE) = gone.day"""  # noqa: S608  # our own names
    labels, dates = [label for label, _ in days], [day for _, day in days]
    if days:
        store.con.execute(sql, {"labels": labels, "days": dates})


def _fill(store: Store, table: str, parameters: dict[str, object]) -> None:
    store.con.execute(f"INSERT INTO {table} BY NAME {query(table)}", parameters)


def _show_slices(store: Store, days: list[LabelDay]) -> bool:
    """Point the view `rollup_requests` at the slices of these days; False where there are none."""
    if not days:
        return False
    sql = """SELECT slice_manifest.path FROM slice_manifest JOIN file_manifest USING (file_id)
        JOIN (SELECT unnest($labels) AS label, unnest($days) AS day) AS wanted
            ON source_label = wanted.label AND day_utc = wanted.day
        WHERE status = 'done' ORDER BY slice_manifest.path"""
    labels, dates = [label for label, _ in days], [day for _, day in days]
    paths = [row[0] for row in store.con.execute(sql, {"labels": labels, "days": dates}).fetchall()]
    if paths:
        show_slices(store, paths)
    return bool(paths)
