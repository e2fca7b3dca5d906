"""What each table of the store is: made from the lake, or known nowhere else and so copied beside it."""

from collections.abc import Mapping

import duckdb

ROLLUP_TIMES: Mapping[str, str] = {
    "rollup_10s": "window_utc",
    "rollup_minute": "minute_utc",
    "token_histogram_daily": "day_utc",
    "joint_histogram_daily": "day_utc",
    "long_requests_daily": "day_utc",
}
"""The tables that follow from the slices, with the column whose UTC day says which slices."""

COUNTED_TABLES = (
    "file_manifest",
    "slice_manifest",
    "rejected_rows",
    "rollup_10s",
    "rollup_minute",
    "token_histogram_daily",
    "joint_histogram_daily",
    "long_requests_daily",
    "usage_bucket",
    "usage_percentile",
    "usage_histogram",
)
"""Tables whose row counts must be what the last ingest left; `run` and the `forecast_` ones grow on their own."""

_OF_THE_SCHEMA = frozenset({"store_version", "table_manifest", "bucket_edge"})
"""Tables that a new store is born with."""


def kept_tables(con: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """Return the tables that nothing but themselves can give back: manifests, sums of others, runs and forecasts.

    A table that a later version adds is one of them until ROLLUP_TIMES says that the slices give it.
    """
    sql = "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND NOT temporary"
    names = {row[0] for row in con.execute(sql).fetchall()}
    return tuple(sorted(names - _OF_THE_SCHEMA - set(ROLLUP_TIMES)))


def counts(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Return how many rows each table has that the manifest answers for."""
    parts = [f"SELECT '{name}' AS name, count(*) AS rows FROM {name}" for name in COUNTED_TABLES]  # noqa: S608  # our own names
    return dict(con.execute(" UNION ALL ".join(parts)).fetchall())
