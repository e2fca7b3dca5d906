"""What must be true of a store whenever nobody writes to it, each with its way out when it is not.

1. Every table that the manifest answers for has the rows that the last commit counted.
2. The DuckDB file is at least as new as `generation.json`, which is renamed right after each commit: a lost or cut
   .wal file, which DuckDB drops without a word, leaves it older.
3. Every slice that the manifest names is in the lake, with its size and content; no slice is named twice.
4. The copies of what the lake cannot give back have the rows of their tables.
5. A file's rows are those of its slices; its rejected rows are those that its row in the manifest counts.
6. Rollups add up to their slices, day by day.

The first two, and the sizes of the slices, are checked on every opening; `verify` checks all.
"""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from data.frames import first_row
from data.kept import Kept
from data.tables import counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong with a store, and what mends it."""

    what: str
    way_out: str

    @property
    def line(self) -> str:
        """Return both in one line."""
        return f"{self.what}; {self.way_out}"


def rebuild_command(path: Path) -> str:
    """Return the way out where the DuckDB file is at fault."""
    return f"make it anew from the lake with: fleetcast store rebuild --store {shlex.quote(str(path))}"


def forget_command(path: Path, log: str) -> str:
    """Return the way out where a slice is at fault: forget its file, and read the log again."""
    where = shlex.quote(str(path))
    return f"run: fleetcast store rebuild --forget-damaged --store {where}, and then ingest {log} again"


def generation_of(con: duckdb.DuckDBPyConnection) -> int:
    """Return the number of changes committed."""
    row = first_row(con, "SELECT coalesce(max(generation), 0) FROM table_manifest")
    return int(row[0]) if row else 0


def table_findings(con: duckdb.DuckDBPyConnection, path: Path, kept: Kept | None) -> Iterator[Finding]:
    """Compare the tables and the generation with what the last commit promised."""
    promised = dict(con.execute("SELECT table_name, rows FROM table_manifest").fetchall())
    for table, rows in counts(con).items():
        if promised.get(table) != rows:
            yield Finding(
                what=f"table {table} has {rows:,} rows instead of {promised.get(table, 0):,}",
                way_out=rebuild_command(path),
            )
    if kept is not None and kept.generation > generation_of(con):
        yield Finding(
            what="its newest changes are gone, as when its .wal file was lost, cut off or altered",
            way_out=rebuild_command(path),
        )


def slice_findings(con: duckdb.DuckDBPyConnection, path: Path, lake: Path) -> Iterator[Finding]:
    """Compare the slices that are there, and their sizes, with the manifest."""
    sql = """SELECT slice_manifest.path, slice_manifest.size_bytes, any_value(file_manifest.path)
        FROM slice_manifest LEFT JOIN file_manifest
            ON slice_manifest.file_id = file_manifest.file_id AND status = 'done'
        GROUP BY ALL ORDER BY 1"""
    for name, size_bytes, log in con.execute(sql).fetchall():
        way_out = forget_command(path, log or "its log")
        try:
            found_bytes = (lake / name).stat().st_size
        except OSError:
            yield Finding(what=f"{name} is missing in {lake}", way_out=way_out)
            continue
        if found_bytes != size_bytes:
            what = f"{name} in {lake} has {found_bytes:,} bytes instead of {size_bytes:,}"
            yield Finding(what=what, way_out=way_out)
