"""Room given back: files that nobody names removed, and the DuckDB file written anew without its holes."""

import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from data.errors import UserError
from data.faults import machine_faults
from data.files import size_of
from data.frames import first_row
from data.kept import damaged_copies, read_kept
from data.lake import sweep
from data.lock import AT_ONCE, Patience, hold_lock
from data.rebuild import drop_database, put_in_place
from data.warehouse import connect, lake_of, missing_store, opened


@dataclass(frozen=True, slots=True, kw_only=True)
class Vacuumed:
    """Bytes won, by where they were."""

    unnamed_bytes: int
    temporary_bytes: int
    database_bytes: int

    @property
    def total_bytes(self) -> int:
        """Bytes won altogether."""
        return self.unnamed_bytes + self.temporary_bytes + self.database_bytes


def vacuum_store(path: Path, *, now: datetime, patience: Patience = AT_ONCE) -> Vacuumed:
    """Remove what no manifest names and dead processes left, write damaged copies again, compact the database.

    Raises UserError where there is no store, or where it is damaged.
    """
    if not path.exists():
        raise UserError(missing_store(path))
    fresh = path.with_name(path.name + ".fresh")
    with machine_faults(path), hold_lock(path, now, patience):
        temporary_bytes = _drop_temporary(path) + size_of(fresh)
        drop_database(fresh)
        _drop_damaged_copies(path)
        with opened(path, write=True, now=now) as store:
            unnamed_bytes = sweep(store)
        before_bytes = size_of(path)
        try:
            _compact(path, fresh)
            if size_of(fresh) < before_bytes:
                put_in_place(fresh, path)
        finally:
            drop_database(fresh)
        with opened(path, write=True, now=now):
            pass  # checked again, and settled
        return Vacuumed(
            unnamed_bytes=unnamed_bytes,
            temporary_bytes=temporary_bytes,
            database_bytes=before_bytes - size_of(path),
        )


def _drop_temporary(path: Path) -> int:
    freed = 0
    for name in (".staging", ".tmp"):
        folder = lake_of(path) / name
        freed += size_of(folder)
        shutil.rmtree(folder, ignore_errors=True)
    return freed


def _drop_damaged_copies(path: Path) -> None:
    """Take damaged copies away, so that closing the store writes them again."""
    lake = lake_of(path)
    kept = read_kept(lake)
    if kept is None or kept.copies is None:
        return
    for table, _ in damaged_copies(lake, kept):
        (lake / kept.copies[table].path).unlink(missing_ok=True)


def _compact(path: Path, fresh: Path) -> None:
    """Copy every table into a new database."""
    con = connect(fresh, write=True, lake=lake_of(path))
    try:
        row = first_row(con, "SELECT current_database()")
        name = str(row[0] if row else "").replace('"', '""')
        con.execute("ATTACH $path AS old_store (READ_ONLY)", {"path": str(path)})
        con.execute(f'COPY FROM DATABASE old_store TO "{name}"')
        con.execute("DETACH old_store")
        con.execute("CHECKPOINT")
    finally:
        con.close()
