"""The store: one DuckDB file of rollups and results, and beside it the lake of Parquet it can be rebuilt from."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from itertools import chain
from pathlib import Path

import duckdb

from data.buckets import edge_rows
from data.checks import generation_of, rebuild_command, slice_findings, table_findings
from data.errors import UserError
from data.faults import fault_sentence, is_full, machine_faults, require_room
from data.frames import first_row
from data.kept import drop_unnamed_copies, prepare_copies, publish_copies, read_kept
from data.lock import AT_ONCE, Patience, StoreLockedError, hold_lock, read_holder
from data.tables import counts
from data.text import literal_path

STORE_VERSION = 2

_OF_A_LAKE = (("requests", "*/*.parquet"), ("kept", "*.parquet"))

MEMORY_LIMIT_GB = 3.0
"""What DuckDB may use before it spills to disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """An open store. lake: the folder `<stem>.lake` beside the DuckDB file."""

    con: duckdb.DuckDBPyConnection
    path: Path
    lake: Path


def open_store(
    path: Path,
    *,
    write: bool = False,
    now: datetime | None = None,
    memory_limit_gb: float = MEMORY_LIMIT_GB,
    patience: Patience = AT_ONCE,
) -> AbstractContextManager[Store]:
    """Open the store for reading, or as its one writer, and close it settled (checkpointed) at the end.

    A store that does not exist is made when `write` is given. `now` goes into the lock file, so that who waits
    learns for how long; `patience` says how long to wait for another process. Within the block, the view
    `requests` holds every stored request.

    Raises UserError in one sentence: store missing, locked, not a store, of another version, damaged (its tables
    or Parquet files are not those that its manifest promises), or on a disk that is full or cannot be written.
    """
    return _open(path, write=write, now=now, memory_limit_gb=memory_limit_gb, patience=patience)


DUCKDB_MARK = b"DUCK"
"""What a DuckDB file has at its ninth byte."""
DUCKDB_HEADERS_BYTES = 3 * 4_096
"""A DuckDB file starts with a main header and two database headers of 4 KB each (duckdb.org, storage)."""


@contextmanager
def transaction(store: Store) -> Iterator[None]:
    """Commit what the block changes as a whole, with its row counts and copies; else leave all as it was.

    The copies beside the lake are on disk before the commit and named right after it, so that a disk that is full
    refuses the change before it is made.
    """
    store.con.execute("BEGIN")
    try:
        yield
        record_counts(store.con, generation_of(store.con) + 1)
        prepared = prepare_copies(store.con, store.lake, generation_of(store.con))
        require_room(store.path)
        store.con.execute("COMMIT")
    except BaseException:
        with suppress(duckdb.Error):
            store.con.execute("ROLLBACK")
        with suppress(OSError):
            drop_unnamed_copies(store.lake)
        raise
    publish_copies(store.lake, prepared)
    _checkpoint(store.con)


def settle(store: Store) -> None:
    """Write the log into the DuckDB file, and copy beside the lake what changed outside a transaction."""
    _checkpoint(store.con)
    publish_copies(store.lake, prepare_copies(store.con, store.lake, generation_of(store.con)))


def query(name: str) -> str:
    """Return the text of data/sql/<name>.sql."""
    return files("data.sql").joinpath(f"{name}.sql").read_text("utf-8")


def show_requests(store: Store) -> None:
    """Point the view `requests` at the slices that the manifest now names."""
    rows = store.con.execute("SELECT path FROM slice_manifest ORDER BY path").fetchall()
    store.con.execute(
        "SET VARIABLE lake_files = $files", {"files": [literal_path(store.lake / row[0]) for row in rows]}
    )
    store.con.execute(query("requests") if rows else query("requests_none"))


@contextmanager
def _open(
    path: Path, *, write: bool, now: datetime | None, memory_limit_gb: float, patience: Patience
) -> Iterator[Store]:
    if not write:
        with opened(path, write=False, now=now, memory_limit_gb=memory_limit_gb, patience=patience) as store:
            yield store
        return
    with machine_faults(path):
        _refuse_other_files(path)
        _make_folder(lake_of(path))
        with (
            hold_lock(path, now, patience),
            opened(path, write=True, now=now, memory_limit_gb=memory_limit_gb, patience=patience) as store,
        ):
            yield store


@contextmanager
def opened(
    path: Path,
    *,
    write: bool,
    now: datetime | None = None,
    memory_limit_gb: float = MEMORY_LIMIT_GB,
    patience: Patience = AT_ONCE,
) -> Iterator[Store]:
    """Do what open_store does, for a caller who holds the lock (or reads)."""
    lake = lake_of(path)
    if not path.exists() and (not write or holds_something(lake)):
        raise UserError(missing_store(path))
    if write and not holds_something(lake):
        _drop_half_made(path)
    con = patience.try_until(lambda: connect(path, write=write, now=now, memory_limit_gb=memory_limit_gb))
    try:
        store = Store(con=con, path=path, lake=lake)
        if write and not _has_tables(con):
            if holds_something(lake):
                raise UserError(f"{path} is empty, but its lake is there; {rebuild_command(path)}")
            with transaction(store):
                create_tables(con)
        _check(store)
        if write:  # tables of results that a later release added; those the lake gives are counted above
            con.execute(query("schema"))
        show_requests(store)
        try:
            yield store
        except BaseException:
            with suppress(duckdb.Error, OSError):
                _leave(store, write=write)
            raise
        _leave(store, write=write)
    finally:
        con.close()


def _drop_half_made(path: Path) -> None:
    """Remove a DuckDB file whose headers a killed process never finished: nothing can ever have been in it.

    Only what DuckDB itself leaves at that moment goes: no byte, zeros, or the first of its headers.
    """
    if not path.is_file() or path.stat().st_size >= DUCKDB_HEADERS_BYTES:
        return
    content = path.read_bytes()
    if not content.strip(b"\0") or content[8:12] == DUCKDB_MARK:
        path.unlink()


def lake_of(path: Path) -> Path:
    """Return the folder beside a store's DuckDB file that holds its Parquet."""
    return path.with_name(path.stem + ".lake")


def _refuse_other_files(path: Path) -> None:
    """Refuse what is no database before anything is made beside it: DuckDB would take a CSV for a table."""
    if path.is_dir():
        raise UserError(f"The store {path} is a folder; name a file, such as {path / 'fleetcast.duckdb'}.")
    if holds_something(lake_of(path)) or not path.is_file():
        return
    with path.open("rb") as file:
        start = file.read(DUCKDB_HEADERS_BYTES)
    if start.strip(b"\0") and start[8:12] != DUCKDB_MARK:
        raise UserError(f"{path} is a file of something else, not a store; name another --store.")


def _make_folder(lake: Path) -> None:
    try:
        lake.mkdir(parents=True, exist_ok=True)
    except OSError as err:
        raise UserError(f"Cannot make the store's folder {lake}: {err.strerror}; name another --store.") from err


def connect(
    path: Path,
    *,
    write: bool,
    now: datetime | None = None,
    memory_limit_gb: float = MEMORY_LIMIT_GB,
    lake: Path | None = None,
) -> duckdb.DuckDBPyConnection:
    """Connect to a store's DuckDB file as it is; raises UserError where it is locked or no database."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{memory_limit_gb}GB",
        "threads": os.cpu_count() or 1,
        "preserve_insertion_order": False,
        "autoinstall_known_extensions": False,
        # Otherwise slices are closed and opened again while a file of many days is split.
        "partitioned_write_max_open_files": 800,
    }
    if write:
        config["temp_directory"] = str((lake or lake_of(path)) / ".tmp")
    try:
        _require_mark(path)
        con = duckdb.connect(str(path), read_only=not write, config=config)
        con.execute("SET TimeZone = 'UTC'")
    except (duckdb.IOException, duckdb.ConnectionException) as err:
        raise _refused(path, err, now) from err
    except duckdb.Error as err:
        raise UserError(f"{path} cannot be opened as a store; ingest the logs into a new --store.") from err
    return con


def _require_mark(path: Path) -> None:
    """Raise duckdb.IOException on a file that is no database, which DuckDB might read as a table instead."""
    if not path.is_file():
        return
    with path.open("rb") as file:
        start = file.read(12)
    if start and start[8:12] != DUCKDB_MARK:
        raise duckdb.IOException(f"{path} is not a DuckDB file")


def _refused(path: Path, err: duckdb.Error, now: datetime | None) -> UserError:
    if isinstance(err, duckdb.ConnectionException) or "lock" in str(err):
        holder = read_holder(path)
        if holder is not None:
            return StoreLockedError(holder.sentence(path, now))
        return StoreLockedError(f"The store {path} is in use by another process; wait until it ends.")
    if (fault := fault_sentence(path, err)) is not None:
        return UserError(fault)
    kept = read_kept(lake_of(path))
    way_out = rebuild_command(path) if kept and kept.copies else "ingest the logs into a new --store"
    return UserError(f"{path} is not a store of fleetcast, or is damaged; {way_out}.")


def missing_store(path: Path) -> str:
    """Return what to say where there is no store: its lake may still have everything."""
    if holds_something(lake_of(path)):
        return f"There is no store at {path}, but its lake is there; {rebuild_command(path)}"
    return f"There is no store at {path}; make it with: fleetcast ingest LOG... --store {path}"


def holds_something(lake: Path) -> bool:
    """Return whether a lake has requests or copies: a new, empty store would take it for rubbish and sweep it."""
    return any(next((lake / folder).glob(names), None) for folder, names in _OF_A_LAKE)


def _has_tables(con: duckdb.DuckDBPyConnection) -> bool:
    return first_row(con, "SELECT 1 FROM duckdb_tables() LIMIT 1") is not None


def create_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Make the tables of an empty database, within the caller's transaction."""
    con.execute(query("schema"))
    con.execute("INSERT INTO store_version VALUES ($version)", {"version": STORE_VERSION})
    grids, buckets, above, upto = (list(column) for column in zip(*edge_rows(), strict=True))
    con.execute(
        "INSERT INTO bucket_edge SELECT unnest($grids), unnest($buckets), unnest($above), unnest($upto)",
        {"grids": grids, "buckets": buckets, "above": above, "upto": upto},
    )


def check_version(store: Store) -> None:
    """Refuse what is no store of ours, or one of another version."""
    try:
        row = first_row(store.con, "SELECT version FROM store_version")
    except duckdb.CatalogException as err:
        raise UserError(
            f"{store.path} is a DuckDB file but not a store of fleetcast; name another --store."
        ) from err
    if row is None or row[0] != STORE_VERSION:
        raise UserError(
            f"The store {store.path} has version {row[0] if row else 'unknown'} and this fleetcast reads version"
            f" {STORE_VERSION}; ingest the logs into a new --store."
        )


def _check(store: Store) -> None:
    """Refuse a store of another version, or one that is not what its last commit promised (data/checks.py)."""
    check_version(store)
    kept = read_kept(store.lake)
    found = chain(table_findings(store.con, store.path, kept), slice_findings(store.con, store.path, store.lake))
    for finding in found:
        raise UserError(f"The store {store.path} is damaged: {finding.line}.")


def record_counts(con: duckdb.DuckDBPyConnection, generation: int) -> None:
    """Promise the rows that the tables have now; they are checked on every opening."""
    con.execute("DELETE FROM table_manifest")
    rows = counts(con)
    con.execute(
        "INSERT INTO table_manifest SELECT $generation, unnest($tables), unnest($rows)",
        {"generation": generation, "tables": list(rows), "rows": list(rows.values())},
    )


def _checkpoint(con: duckdb.DuckDBPyConnection) -> None:
    """Write the log into the file; where the disk has no room for that, the log keeps what was committed."""
    try:
        con.execute("CHECKPOINT")
    except duckdb.Error as err:
        if not is_full(err):
            raise


def _leave(store: Store, *, write: bool) -> None:
    if not write:
        return
    with suppress(duckdb.Error):
        store.con.execute("ROLLBACK")
    settle(store)
