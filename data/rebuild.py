"""The DuckDB file made anew: manifests and runs from the copies in the lake, rollups from the slices.

It is made beside the old one and renamed onto it when it is whole; until then the old one stands.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from data.checks import generation_of, table_findings
from data.errors import UserError
from data.faults import machine_faults
from data.files import digest_of, sync_file, sync_folder
from data.frames import first_row
from data.kept import Kept, damaged_copies, load_copies, read_kept
from data.lake import staging, sweep
from data.lock import AT_ONCE, Patience, hold_lock
from data.manifest import Lost, forget_slices
from data.rollup import LabelDay, roll_up
from data.warehouse import (
    STORE_VERSION,
    Store,
    check_version,
    connect,
    create_tables,
    lake_of,
    missing_store,
    opened,
    record_counts,
    settle,
)

Progress = Callable[[str, float], None]

_ROWS_AT_ONCE = 20_000_000
"""Requests that are rolled up in one go, so that a store of any size fits the memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What a rebuild made. lost: logs of which slices were damaged and left out, to be ingested again."""

    files: int
    slices: int
    rows: int
    lost: tuple[str, ...]


def rebuild_store(
    path: Path,
    *,
    now: datetime,
    forget_damaged: bool = False,
    patience: Patience = AT_ONCE,
    progress: Progress = lambda _what, _share: None,
) -> Rebuilt:
    """Make the store's DuckDB file anew from its lake, and put it in the place of the old one when it is whole.

    Tables that the slices cannot give come from the copies in the lake; from the old file where that is newer or
    the copies are damaged. forget_damaged: leave slices out that are missing or altered. Raises UserError where
    there are such slices without it, or where neither copies nor old file can be read.
    """
    lake = lake_of(path)
    if not lake.is_dir():
        raise UserError(missing_store(path))
    fresh = path.with_name(path.name + ".fresh")
    with machine_faults(path), hold_lock(path, now, patience):
        try:
            kept = _whole_copies(path, lake)
            rebuilt = _build(path, fresh, lake, kept, forget_damaged=forget_damaged, progress=progress)
            put_in_place(fresh, path)
        finally:
            drop_database(fresh)
        with opened(path, write=True, now=now) as store:
            sweep(store)
    progress("done", 1.0)
    return rebuilt


def put_in_place(fresh: Path, path: Path) -> None:
    """Rename a whole database onto the old one; a log of the old one must not outlive it."""
    sync_file(fresh)
    path.with_name(path.name + ".wal").unlink(missing_ok=True)
    fresh.replace(path)
    sync_folder(path.parent)


def drop_database(fresh: Path) -> None:
    """Remove a database that was not put in place, with its log."""
    for path in (fresh, fresh.with_name(fresh.name + ".wal")):
        path.unlink(missing_ok=True)


def _whole_copies(path: Path, lake: Path) -> Kept:
    """Return the copies to start from; where the old file is sound and ahead of them, they are made anew first."""
    kept = read_kept(lake)
    whole = kept is not None and kept.copies is not None and not damaged_copies(lake, kept)
    ahead = _refresh_copies(path, lake, kept if whole else None)
    if ahead is not None:
        return ahead
    if kept is None or not whole:
        raise UserError(
            f"Neither {path} nor the copies of its manifest in {lake} can be read;"
            " ingest the logs into a new --store."
        )
    if kept.version != STORE_VERSION:
        raise UserError(
            f"The copies in {lake} are of version {kept.version} and this fleetcast makes version {STORE_VERSION};"
            " ingest the logs into a new --store."
        )
    return kept


def _refresh_copies(path: Path, lake: Path, kept: Kept | None) -> Kept | None:
    """Return fresh copies of the old file's tables where it is sound and ahead of `kept`; else None."""
    if not path.exists():
        return None
    try:
        con = connect(path, write=True)
    except UserError:
        return None
    try:
        store = Store(con=con, path=path, lake=lake)
        check_version(store)
        sound = not list(table_findings(con, path, kept))
        if not sound or (kept is not None and generation_of(con) <= kept.generation):
            return None
        settle(store)
        return read_kept(lake)
    except (duckdb.Error, UserError):
        return None
    finally:
        con.close()


def _build(
    path: Path, fresh: Path, lake: Path, kept: Kept, *, forget_damaged: bool, progress: Progress
) -> Rebuilt:
    """Fill a new database; nothing in the lake changes but slices that are written for it."""
    drop_database(fresh)
    con = connect(fresh, write=True, lake=lake)
    try:
        store = Store(con=con, path=fresh, lake=lake)
        con.execute("BEGIN")
        create_tables(con)
        load_copies(con, lake, kept)
        lost = _damaged_slices(store)
        if lost and not forget_damaged:
            raise UserError(_refusal(path, lost))
        with staging(store) as folder:
            forget_slices(store, folder, lost)
        con.execute("COMMIT")
        batches = list(_batches(store))
        for n, batch in enumerate(batches):
            progress("rolling up", n / len(batches))
            con.execute("BEGIN")
            roll_up(store, batch)
            con.execute("COMMIT")
        record_counts(con, kept.generation + 1)
        con.execute("CHECKPOINT")
        counted = first_row(con, "SELECT count(DISTINCT file_id), count(*), sum(rows)::BIGINT FROM slice_manifest")
        files, slices, rows = counted or (0, 0, 0)
        return Rebuilt(files=files, slices=slices, rows=rows or 0, lost=tuple(sorted({one.log for one in lost})))
    finally:
        con.close()


def _damaged_slices(store: Store) -> list[Lost]:
    sql = """SELECT slice_manifest.file_id, slice_manifest.path, slice_manifest.sha256, file_manifest.path
        FROM slice_manifest JOIN file_manifest
            ON slice_manifest.file_id = file_manifest.file_id AND status = 'done' ORDER BY ALL"""
    found = []
    for file_id, name, sha256, log in store.con.execute(sql).fetchall():
        path = store.lake / name
        if not path.is_file() or digest_of(path) != sha256:
            found.append(Lost(file_id=file_id, path=name, log=log))
    return found


def _refusal(path: Path, lost: list[Lost]) -> str:
    logs = sorted({one.log for one in lost})
    more = f" and {len(logs) - 1} more" if len(logs) > 1 else ""
    return (
        f"{len(lost)} of the Parquet files of {path} are missing or altered, first {lost[0].path} of {logs[0]}"
        f"{more}; rebuild with --forget-damaged to leave them out, and then ingest those logs again."
    )


def _batches(store: Store) -> Iterator[list[LabelDay]]:
    """Return the days of all sources in groups of a bounded number of requests, oldest first."""
    sql = """SELECT source_label, day_utc, sum(slice_manifest.rows)::BIGINT FROM slice_manifest
        JOIN file_manifest ON slice_manifest.file_id = file_manifest.file_id AND status = 'done'
        GROUP BY source_label, day_utc ORDER BY day_utc, source_label"""
    batch: list[LabelDay] = []
    weight = 0
    for label, day, rows in store.con.execute(sql).fetchall():
        if batch and weight + rows > _ROWS_AT_ONCE:
            yield batch
            batch, weight = [], 0
        batch.append((label, day))
        weight += rows
    if batch:
        yield batch
