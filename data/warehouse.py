"""The store: one DuckDB file of rollups and results, and beside it the lake of Parquet it can be rebuilt from."""

import json
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path

import duckdb

from data.buckets import edge_rows
from data.errors import UserError
from data.frames import first_row
from data.lock import StoreLockedError, hold_lock, read_holder

STORE_VERSION = 2

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
)
"""Tables whose row counts must be what the last ingest left; `run` and the `forecast_` ones grow on their own."""

MEMORY_LIMIT_GB = 3.0
"""What DuckDB may use before it spills to disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """An open store. lake: the folder `<stem>.lake` beside the DuckDB file."""

    con: duckdb.DuckDBPyConnection
    path: Path
    lake: Path


def open_store(
    path: Path, *, write: bool = False, now: datetime | None = None, memory_limit_gb: float = MEMORY_LIMIT_GB
) -> AbstractContextManager[Store]:
    """Open the store for reading, or as its one writer, and close it settled (checkpointed) at the end.

    A store that does not exist is made when `write` is given. `now` goes into the lock file, so that who waits
    learns for how long. Within the block, the view `requests` holds every stored request.

    Raises UserError in one sentence: store missing, locked, not a store, of another version, or damaged (its
    tables or Parquet files are not those that its manifest promises).
    """
    return _open(path, write=write, now=now, memory_limit_gb=memory_limit_gb)


@contextmanager
def transaction(store: Store) -> Iterator[None]:
    """Commit what the block changes as a whole, with its row counts, then settle it on disk; else roll back."""
    store.con.execute("BEGIN")
    try:
        yield
        _record_counts(store.con)
        store.con.execute("COMMIT")
    except BaseException:
        with suppress(duckdb.Error):
            store.con.execute("ROLLBACK")
        raise
    settle(store)


def settle(store: Store) -> None:
    """Write the log into the DuckDB file, and then the generation beside it: a lost log is seen on opening."""
    store.con.execute("CHECKPOINT")
    write_durably(_generation_path(store.lake), json.dumps({"generation": _generation(store.con)}) + "\n")


def write_durably(path: Path, text: str) -> None:
    """Write a small file under a temporary name, sync it, rename it, and sync its folder."""
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def query(name: str) -> str:
    """Return the text of data/sql/<name>.sql."""
    return files("data.sql").joinpath(f"{name}.sql").read_text("utf-8")


def show_requests(store: Store) -> None:
    """Point the view `requests` at the slices that the manifest now names."""
    rows = store.con.execute("SELECT path FROM slice_manifest ORDER BY path").fetchall()
    store.con.execute("SET VARIABLE lake_files = $files", {"files": [str(store.lake / row[0]) for row in rows]})
    store.con.execute(query("requests") if rows else query("requests_none"))


@contextmanager
def _open(path: Path, *, write: bool, now: datetime | None, memory_limit_gb: float) -> Iterator[Store]:
    if not write and not path.exists():
        raise UserError(f"There is no store at {path}; make it with: fleetcast ingest LOG... --store {path}")
    lake = path.with_name(path.stem + ".lake")
    if write:
        _make_folders(path, lake)
    with hold_lock(path, now) if write else nullcontext():
        con = _connect(path, lake, write=write, now=now, memory_limit_gb=memory_limit_gb)
        try:
            store = Store(con=con, path=path, lake=lake)
            if write and not _has_tables(con):
                _create(store)
            _check_version(store)
            _check_counts(store)
            if write:  # tables of results that a later release added; those the lake gives are counted above
                con.execute(query("schema"))
            show_requests(store)
            try:
                yield store
            finally:
                if write:
                    _leave(store)
        finally:
            con.close()


def _make_folders(path: Path, lake: Path) -> None:
    try:
        lake.mkdir(parents=True, exist_ok=True)
    except OSError as err:
        raise UserError(f"Cannot make the store's folder {lake}: {err.strerror}; name another --store.") from err
    if path.is_dir():
        raise UserError(f"The store {path} is a folder; name a file, such as {path / 'fleetcast.duckdb'}.")


def _connect(
    path: Path, lake: Path, *, write: bool, now: datetime | None, memory_limit_gb: float
) -> duckdb.DuckDBPyConnection:
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{memory_limit_gb}GB",
        "threads": os.cpu_count() or 1,
        "preserve_insertion_order": False,
        "autoinstall_known_extensions": False,
        # Otherwise slices are closed and opened again while a file of many days is split.
        "partitioned_write_max_open_files": 800,
    }
    if write:
        config["temp_directory"] = str(lake / ".tmp")
    try:
        con = duckdb.connect(str(path), read_only=not write, config=config)
        con.execute("SET TimeZone = 'UTC'")
    except (duckdb.IOException, duckdb.ConnectionException) as err:
        raise _refused(path, err, now) from err
    except duckdb.Error as err:
        raise UserError(f"{path} cannot be opened as a store: {str(err).splitlines()[0]}") from err
    return con


def _refused(path: Path, err: duckdb.Error, now: datetime | None) -> UserError:
    if isinstance(err, duckdb.ConnectionException) or "lock" in str(err):
        holder = read_holder(path)
        if holder is not None:
            return StoreLockedError(holder.sentence(path, now))
        return StoreLockedError(f"The store {path} is in use by another process; wait until it ends.")
    return UserError(f"{path} is not a store of fleetcast, or is damaged; ingest the logs into a new --store.")


def _has_tables(con: duckdb.DuckDBPyConnection) -> bool:
    return first_row(con, "SELECT 1 FROM duckdb_tables() LIMIT 1") is not None


def _create(store: Store) -> None:
    with transaction(store):
        store.con.execute(query("schema"))
        store.con.execute("INSERT INTO store_version VALUES ($version)", {"version": STORE_VERSION})
        grids, buckets, above, upto = (list(column) for column in zip(*edge_rows(), strict=True))
        store.con.execute(
            "INSERT INTO bucket_edge SELECT unnest($grids), unnest($buckets), unnest($above), unnest($upto)",
            {"grids": grids, "buckets": buckets, "above": above, "upto": upto},
        )


def _check_version(store: Store) -> None:
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


def _check_counts(store: Store) -> None:
    """Compare tables, Parquet files and generation with what the last commit promised."""
    promised = dict(store.con.execute("SELECT table_name, rows FROM table_manifest").fetchall())
    for table, rows in _counts(store.con).items():
        if promised.get(table) != rows:
            raise _damaged(store, f"table {table} has {rows:,} rows instead of {promised.get(table, 0):,}")
    with suppress(FileNotFoundError):
        beside = json.loads(_generation_path(store.lake).read_text("utf-8"))["generation"]
        if beside > _generation(store.con):
            raise _damaged(store, "its newest changes are gone, as when its .wal file was lost")
    for name, size_bytes in store.con.execute("SELECT path, size_bytes FROM slice_manifest").fetchall():
        slice_path = store.lake / name
        if not slice_path.is_file():
            raise _damaged(store, f"{name} is missing in {store.lake}")
        if slice_path.stat().st_size != size_bytes:
            raise _damaged(store, f"{name} has {slice_path.stat().st_size:,} bytes instead of {size_bytes:,}")


def _damaged(store: Store, what: str) -> UserError:
    return UserError(f"The store {store.path} is damaged: {what}; ingest the logs into a new --store.")


def _counts(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Count every table that the manifest answers for; the names are ours."""
    parts = [f"SELECT '{name}' AS name, count(*) AS rows FROM {name}" for name in COUNTED_TABLES]  # noqa: S608  # our own names
    return dict(con.execute(" UNION ALL ".join(parts)).fetchall())


def _record_counts(con: duckdb.DuckDBPyConnection) -> None:
    generation = _generation(con) + 1
    con.execute("DELETE FROM table_manifest")
    counts = _counts(con)
    con.execute(
        "INSERT INTO table_manifest SELECT $generation, unnest($tables), unnest($rows)",
        {"generation": generation, "tables": list(counts), "rows": list(counts.values())},
    )


def _generation(con: duckdb.DuckDBPyConnection) -> int:
    row = first_row(con, "SELECT coalesce(max(generation), 0) FROM table_manifest")
    return int(row[0]) if row else 0


def _generation_path(lake: Path) -> Path:
    return lake / "generation.json"


def _leave(store: Store) -> None:
    with suppress(duckdb.Error):
        store.con.execute("ROLLBACK")
    settle(store)
