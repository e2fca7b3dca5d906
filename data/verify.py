"""Is the store whole? Everything that data/checks.py lists, read and compared to the last value."""

from collections.abc import Iterator
from pathlib import Path

import duckdb

from data.checks import Finding, forget_command, rebuild_command, slice_findings, table_findings
from data.errors import UserError
from data.files import digest_of
from data.kept import Kept, damaged_copies, fingerprint, kept_path, read_kept
from data.lock import StoreLockedError
from data.rollup import show_slices
from data.tables import ROLLUP_TIMES, kept_tables
from data.text import literal_path
from data.traffic import LONG_PROMPT_TOK
from data.warehouse import MEMORY_LIMIT_GB, Store, check_version, connect, lake_of, missing_store, query


def verify_store(path: Path, *, memory_limit_gb: float = MEMORY_LIMIT_GB) -> tuple[Finding, ...]:
    """Return what is wrong with a store, each with its way out; nothing is changed. Empty: it is whole.

    Raises UserError where there is neither a store nor its lake, or while another process writes.
    """
    lake = lake_of(path)
    if not path.exists():
        if not lake.is_dir():
            raise UserError(missing_store(path))
        return (Finding(what=f"{path} is gone, and its lake {lake} is there", way_out=rebuild_command(path)),)
    try:
        con = connect(path, write=False, memory_limit_gb=memory_limit_gb)
    except StoreLockedError:
        raise
    except UserError:
        return (Finding(what=f"{path} cannot be opened: it is damaged", way_out=rebuild_command(path)),)
    try:
        return tuple(_findings(Store(con=con, path=path, lake=lake)))
    except duckdb.Error as err:
        said = str(err).splitlines()[0]
        return (Finding(what=f"{path} cannot be read ({said})", way_out=rebuild_command(path)),)
    finally:
        con.close()


def _findings(store: Store) -> Iterator[Finding]:
    """Check from the outside in; what rests on a thing that is broken is not asked."""
    check_version(store)
    if unreadable := [*_unreadable(store)]:
        yield from unreadable
        return
    kept = read_kept(store.lake)
    tables = [*table_findings(store.con, store.path, kept)]
    slices = [*slice_findings(store.con, store.path, store.lake)]
    slices += _altered_slices(store, {finding.what.split()[0] for finding in slices})
    yield from tables
    yield from slices
    if not tables:
        yield from _copy_findings(store, kept)
        yield from _row_findings(store)
        if not slices:
            yield from _rollup_findings(store)


def _unreadable(store: Store) -> Iterator[Finding]:
    """Read every value of every table: DuckDB checks its blocks when it reads them."""
    for table in (*ROLLUP_TIMES, *kept_tables(store.con)):
        try:
            fingerprint(store.con, f"SELECT * FROM {table}")  # noqa: S608  # our own names
        except duckdb.Error as err:
            said = str(err).splitlines()[0]
            yield Finding(what=f"table {table} cannot be read ({said})", way_out=rebuild_command(store.path))
            if isinstance(err, duckdb.FatalException):
                return  # nothing more can be asked of this connection


def _altered_slices(store: Store, known: set[str]) -> Iterator[Finding]:
    """Compare the content of each slice with the manifest, those aside that are known to be wrong."""
    sql = """SELECT slice_manifest.path, slice_manifest.sha256, count(*), any_value(file_manifest.path)
        FROM slice_manifest LEFT JOIN file_manifest
            ON slice_manifest.file_id = file_manifest.file_id AND status = 'done'
        GROUP BY ALL ORDER BY 1"""
    for name, sha256, times, log in store.con.execute(sql).fetchall():
        if name in known:
            continue
        if digest_of(store.lake / name) != sha256:
            what = f"{name} in {store.lake} is altered: its content is not what was written"
            yield Finding(what=what, way_out=forget_command(store.path, log or "its log"))
        if times != 1 or log is None:
            what = f"{name} is named {times} times, for {log or 'no file'}"
            yield Finding(what=what, way_out=rebuild_command(store.path))


def _copy_findings(store: Store, kept: Kept | None) -> Iterator[Finding]:
    """Compare the copies with their tables: what a rebuild would bring back must be what is there."""
    way_out = f"write the copies again with: fleetcast store vacuum --store {store.path}"
    if kept is None or kept.copies is None:
        yield Finding(what=f"{kept_path(store.lake)} is missing or names no copies", way_out=way_out)
        return
    damaged = damaged_copies(store.lake, kept)
    for _, what in damaged:
        yield Finding(what=what, way_out=way_out)
    for table in sorted(set(kept_tables(store.con)) - {table for table, _ in damaged}):
        if not _is_copied(store, table, kept):
            yield Finding(what=f"the copy of table {table} has other rows than the table", way_out=way_out)


def _is_copied(store: Store, table: str, kept: Kept) -> bool:
    copy = (kept.copies or {}).get(table)
    if copy is None:
        return fingerprint(store.con, f"SELECT * FROM {table}")[0] == 0  # noqa: S608  # our own names
    sql = "SELECT * FROM read_parquet($path)"
    for one, other in ((sql, f"SELECT * FROM {table}"), (f"SELECT * FROM {table}", sql)):  # noqa: S608
        differing = f"SELECT 1 FROM (({one}) EXCEPT ALL ({other})) LIMIT 1"  # noqa: S608  # our own names
        if store.con.execute(differing, {"path": [literal_path(store.lake / copy.path)]}).fetchall():
            return False
    return True


def _row_findings(store: Store) -> Iterator[Finding]:
    """Compare the counts of each file with its slices and its rejected rows."""
    sql = """SELECT path, rows_new, rows_duplicate, rows_rejected,
            coalesce(slices.rows, rows_new + rows_duplicate), coalesce(slices.duplicates, rows_duplicate),
            coalesce(rejected.rows, 0)
        FROM file_manifest
        LEFT JOIN (SELECT file_id, sum(rows) AS rows, sum(rows_duplicate) AS duplicates
            FROM slice_manifest GROUP BY file_id) AS slices USING (file_id)
        LEFT JOIN (SELECT file_id, count(*) AS rows
            FROM rejected_rows GROUP BY file_id) AS rejected USING (file_id)
        WHERE status = 'done' ORDER BY path"""
    for log, new, duplicate, rejected, rows, duplicates, bad in store.con.execute(sql).fetchall():
        if (new + duplicate, duplicate, rejected) != (rows, duplicates, bad):
            what = (
                f"the manifest counts {new:,} rows, {duplicate:,} duplicates and {rejected:,} rejected of {log},"
                f" and the store has {rows - duplicates:,}, {duplicates:,} and {bad:,}"
            )
            yield Finding(what=what, way_out=forget_command(store.path, log))


def _rollup_findings(store: Store) -> Iterator[Finding]:
    """Add up the slices of every day again and compare."""
    paths = [row[0] for row in store.con.execute("SELECT path FROM slice_manifest ORDER BY path").fetchall()]
    if not paths:
        return
    show_slices(store, paths)
    rows = store.con.execute(query("verify_days"), {"least_threshold": min(LONG_PROMPT_TOK)}).fetchall()
    for rollup, label, day, found, promised in rows:
        what = (
            f"{rollup} of {label!r} on {day} does not add up to its slices"
            f" ({found:,.0f} requests and {promised:,.0f})"
        )
        yield Finding(what=what, way_out=rebuild_command(store.path))
