"""What a store holds, how big it is, and who writes to it."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from data.checks import generation_of
from data.errors import UserError
from data.files import size_of
from data.frames import first_row
from data.lock import Holder, StoreLockedError, read_holder
from data.warehouse import STORE_VERSION, Store, lake_of, missing_store, open_store, query


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStatus:
    """One source label. kind: requests, sums (of others), or rollups; rows: those that count, duplicates apart."""

    label: str
    kind: str
    files: int
    days: int
    rows: int
    duplicates: int
    rejected: int
    size_bytes: int
    first_utc: datetime | None
    last_utc: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStatus:
    """A store. sources: None while another process writes, when nobody else can read. holder: who that is."""

    path: Path
    version: int
    generation: int | None
    database_bytes: int
    lake_bytes: int
    holder: Holder | None
    sources: tuple[SourceStatus, ...] | None
    runs: int | None
    last_run: str | None


def store_status(path: Path) -> StoreStatus:
    """Return what a store holds; raises UserError where there is none or it is damaged."""
    if not path.exists():
        raise UserError(missing_store(path))
    holder = read_holder(path)
    holder = holder if holder is not None and holder.alive else None
    try:
        with open_store(path) as store:
            return _read(store, holder)
    except StoreLockedError:
        return _sizes(path, holder)


def _read(store: Store, holder: Holder | None) -> StoreStatus:
    rows = store.con.execute(query("store_status")).fetchall()
    runs = first_row(store.con, "SELECT count(*), arg_max(run_id || ': ' || status, started_utc) FROM run")
    fields = SourceStatus.__slots__
    return StoreStatus(
        path=store.path,
        version=STORE_VERSION,
        generation=generation_of(store.con),
        database_bytes=size_of(store.path),
        lake_bytes=size_of(store.lake),
        holder=holder,
        sources=tuple(SourceStatus(**dict(zip(fields, row, strict=True))) for row in rows),
        runs=int(runs[0]) if runs else 0,
        last_run=runs[1] if runs else None,
    )


def _sizes(path: Path, holder: Holder | None) -> StoreStatus:
    return StoreStatus(
        path=path,
        version=STORE_VERSION,
        generation=None,
        database_bytes=size_of(path),
        lake_bytes=size_of(lake_of(path)),
        holder=holder,
        sources=None,
        runs=None,
        last_run=None,
    )
