"""Rollups of Parquet requests without a store, by DuckDB: what a warehouse would do, on one machine."""

from collections.abc import Sequence
from glob import has_magic
from pathlib import Path

import duckdb

from data.dialects import CANONICAL_TYPES, PARAMETERS, ROLLUP_TABLES, relation_sql
from data.errors import UserError
from data.frames import first_row
from data.rolled_up import MAX_REJECTED_SHARE, RollupManifest, canonical_columns, new_rollup, write_manifest
from data.rollup import DAILY_TABLES, FINE_TABLE, roll_up_requests
from data.warehouse import MEMORY_LIMIT_GB, query

_KINDS = {"VARCHAR": "text", "FLOAT": "float", "DOUBLE": "float", "DATE": "time"}


def roll_up_parquet(
    source: str, out: Path, *, label: str | None = None, max_rejected_share: float = MAX_REJECTED_SHARE
) -> RollupManifest:
    """Write the rollups of Parquet requests (a file, folder or glob) to the new folder `out`.

    label: source label of all rows; None takes the column source_label. Rows that the store would reject are left
    out and counted. Raises UserError.
    """
    files = parquet_files(source)
    with new_rollup(out) as part, duckdb.connect(str(part / "work.duckdb"), config=_config(part)) as con:
        con.execute("SET TimeZone = 'UTC'")
        read, usable, kept = _roll_up(con, files, source, label)
        for table in ROLLUP_TABLES:
            target = str(part / f"{table}.parquet")
            # In this order the keys of neighbours agree: the file is half as large.
            con.execute(
                f"COPY (FROM {table} ORDER BY ALL) TO $target (FORMAT parquet, COMPRESSION zstd)",
                {"target": target},
            )
        con.close()
        (part / "work.duckdb").unlink()
        return write_manifest(
            part,
            engine=f"duckdb {duckdb.__version__}",
            source=source,
            read=read,
            usable=usable,
            kept=kept,
            max_rejected_share=max_rejected_share,
        )


def parquet_files(source: str) -> list[str]:
    """Return the Parquet files that a path, folder or glob names, sorted; raises UserError where there is none."""
    path = Path(source)
    if path.is_dir():
        found = [file for file in path.rglob("*.parquet") if not file.name.startswith((".", "_"))]
    elif has_magic(source):
        root = Path(path.anchor or ".")
        found = list(root.glob(str(path.relative_to(path.anchor)) if path.anchor else source))
    else:
        found = [path] if path.is_file() else []
    if not found:
        raise UserError(f"There is no Parquet file in {source}; --input takes a file, a folder or a glob.")
    return sorted(str(file) for file in found)


def _roll_up(
    con: duckdb.DuckDBPyConnection, files: Sequence[str], source: str, label: str | None
) -> tuple[int, int, int]:
    """Fill the tables of the rollup; return rows read, usable, and kept."""
    _show_canonical(con, files, source, label)
    con.execute(query("schema"))
    con.execute(f"INSERT INTO bucket_edge {relation_sql('bucket_edge', 'duckdb')}")  # our own literals
    usable_sql = query("usable_requests")
    con.execute("CREATE TABLE usable_requests AS " + usable_sql, {"max_tok": PARAMETERS["max_tok"]})
    con.execute("CREATE VIEW rollup_source AS " + query("first_requests"))
    roll_up_requests(con, (*DAILY_TABLES, FINE_TABLE), days="rollup_days")
    sql = """SELECT (SELECT count(*) FROM canonical_requests), (SELECT count(*) FROM usable_requests),
        (SELECT coalesce(sum(requests), 0) FROM rollup_days)"""
    row = first_row(con, sql)
    con.execute("DROP VIEW rollup_source; DROP TABLE usable_requests")
    return (int(row[0]), int(row[1]), int(row[2])) if row else (0, 0, 0)


def _show_canonical(con: duckdb.DuckDBPyConnection, files: Sequence[str], source: str, label: str | None) -> None:
    """Make the view `canonical_requests` over the files; duplicates that a lake has marked are left out."""
    con.execute("SET VARIABLE input_files = $files", {"files": list(files)})
    con.execute("SET VARIABLE input_label = $label", {"label": label})
    table = """read_parquet(getvariable('input_files'), union_by_name = true, filename = 'file_order',
        hive_partitioning = false)"""
    try:
        described = con.execute(f"DESCRIBE FROM {table}").fetchall()  # our own words
    except duckdb.Error as err:
        raise UserError(f"{source} cannot be read as Parquet: {str(err).splitlines()[0]}") from err
    kinds = {row[0]: _kind(row[1]) for row in described}
    if label is not None:
        kinds["source_label"] = "text"
    columns = dict(canonical_columns(kinds, source, truncate="trunc"))
    if label is not None:
        columns["source_label"] = "getvariable('input_label')"
    elif columns["source_label"] == "NULL":
        raise UserError(f"{source} has no column 'source_label'; say whose requests these are with --label.")
    selected = ", ".join(f"CAST({sql} AS {CANONICAL_TYPES[name]}) AS {name}" for name, sql in columns.items())
    only = "WHERE NOT is_duplicate" if kinds.get("is_duplicate") == "other" else ""
    con.execute(f"CREATE TEMP VIEW canonical_requests AS SELECT {selected} FROM {table} {only}")  # noqa: S608


def _kind(name: str) -> str:
    if name.startswith("TIMESTAMP"):
        return "time"
    if name.endswith(("INT", "INTEGER")):
        return "whole"
    return _KINDS.get(name, "other")


def _config(part: Path) -> dict[str, str | bool | int | float | list[str]]:
    return {
        "memory_limit": f"{MEMORY_LIMIT_GB}GB",
        "temp_directory": str(part / ".tmp"),
        "preserve_insertion_order": False,
        "autoinstall_known_extensions": False,
    }
