"""The lake: raw requests as Parquet, a file for each (source file, UTC day), never changed once it is named."""

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from data.files import digest_of, sync_file, sync_folder
from data.frames import first_row
from data.text import literal_path
from data.warehouse import Store

_SLICE_COLUMNS = """request_id, arrived_utc, source_label, model, region, team, tags, category,
    prompt_tok, cached_prompt_tok, output_tok, reasoning_tok, first_token_s, duration_s, status, cost_usd"""

_PARQUET = "FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, COMPRESSION_LEVEL 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One Parquet file of the lake. path: relative to the lake; rows: duplicates included."""

    file_id: str
    day_utc: date
    path: str
    rows: int
    size_bytes: int
    sha256: str
    rows_duplicate: int = 0


@contextmanager
def staging(store: Store) -> Iterator[Path]:
    """Give a folder for half-written files inside the lake (same disk), empty, and remove it afterwards."""
    folder = store.lake / ".staging"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_slices(
    store: Store,
    folder: Path,
    file_id: str,
    judged_sql: str,
    parameters: Mapping[str, Any],
    *,
    only_clean: bool = False,
    only_day: date | None = None,
) -> tuple[Slice, ...]:
    """Write the rows of `judged_sql` that are neither bad nor skipped to the lake, a slice for each UTC day.

    The oldest day comes first. judged_sql: the columns of data/sql/checked_requests.sql. The slices are on disk
    for good when this returns, but nobody sees them before the manifest names them.

    only_clean: fail with duckdb.InvalidInputException at the first row that is bad or skipped. only_day: the one
    UTC day that all of them have, where the caller knows it: not parting the rows takes half the time.
    """
    target = folder / "split"
    shutil.rmtree(target, ignore_errors=True)
    # CASE, because DuckDB may judge the parts of an OR in any order.
    usable = "reason IS NULL AND skipped IS NULL"
    if only_clean:
        usable = f"CASE WHEN {usable} THEN true ELSE error(coalesce(reason, skipped)) END"
    rows = f"SELECT {_SLICE_COLUMNS}, false AS is_duplicate FROM ({judged_sql}) WHERE {usable}"  # noqa: S608
    if only_day is not None:
        target = target / f"day_utc={only_day.isoformat()}" / "whole.parquet"
        target.parent.mkdir(parents=True)
        sql = f"COPY ({rows}) TO $target ({_PARQUET})"
    else:
        sql = f"""COPY (SELECT *,
            DATE '1970-01-01' + CAST(epoch_us(arrived_utc) // 86400000000 AS INTEGER) AS day_utc
            FROM ({rows})) TO $target ({_PARQUET}, PARTITION_BY (day_utc), OVERWRITE_OR_IGNORE true)"""  # noqa: S608
    store.con.execute(sql, {**parameters, "target": str(target)})
    split = folder / "split"
    days = sorted(split.iterdir()) if split.exists() else []
    slices = tuple(_settle_day(store, file_id, day) for day in days)
    shutil.rmtree(split, ignore_errors=True)
    _sync_lake(store, slices)
    return slices


def write_slice(store: Store, folder: Path, old: Slice, sql: str, parameters: Mapping[str, Any]) -> Slice:
    """Write another content of one slice, as `sql` gives it, beside the old file; return the new slice."""
    part = folder / "slice.parquet"
    store.con.execute(f"COPY ({sql}) TO $target ({_PARQUET})", {**parameters, "target": str(part)})
    written = _settle_file(store, old.file_id, old.day_utc, part)
    _sync_lake(store, [written])
    return written


def span_of(store: Store, slices: Sequence[Slice]) -> tuple[datetime | None, datetime | None]:
    """Return the first and the last arrival in the slices of one file, oldest first; None where there is none."""
    if not slices:
        return None, None
    paths = [literal_path(store.lake / part.path) for part in (slices[0], slices[-1])]
    row = first_row(
        store.con, "SELECT min(arrived_utc), max(arrived_utc) FROM read_parquet($paths)", {"paths": paths}
    )
    return (row[0], row[1]) if row else (None, None)


def remove_slices(store: Store, paths: Iterable[str]) -> None:
    """Remove slices that the manifest no longer names."""
    for path in paths:
        (store.lake / path).unlink(missing_ok=True)


def sweep(store: Store) -> int:
    """Remove files that the manifest does not name, as an ingest that died leaves them; returns their bytes."""
    named = {row[0] for row in store.con.execute("SELECT path FROM slice_manifest").fetchall()}
    freed_bytes = 0
    for path in (store.lake / "requests").glob("*/*.parquet"):
        if path.relative_to(store.lake).as_posix() not in named:
            freed_bytes += path.stat().st_size
            path.unlink()
    for folder in (store.lake / "requests").glob("*"):
        with suppress(OSError):
            folder.rmdir()  # days without a slice; the others are not empty
    return freed_bytes


def _settle_day(store: Store, file_id: str, folder: Path) -> Slice:
    """Give the one file of a day's folder its name in the lake; join the parts where DuckDB wrote several."""
    day = date.fromisoformat(folder.name.partition("=")[2])
    parts = sorted(folder.iterdir())
    if len(parts) > 1:
        joined = folder / "joined.parquet"
        sql = f"COPY (SELECT * FROM read_parquet($parts, hive_partitioning = false)) TO $target ({_PARQUET})"  # noqa: S608
        store.con.execute(sql, {"parts": [literal_path(part) for part in parts], "target": str(joined)})
        parts = [joined]
    return _settle_file(store, file_id, day, parts[0])


def _settle_file(store: Store, file_id: str, day: date, part: Path) -> Slice:
    sha256 = digest_of(part)
    name = f"requests/{day.isoformat()}/{file_id}-{sha256[:12]}.parquet"
    sync_file(part)
    final = store.lake / name
    final.parent.mkdir(parents=True, exist_ok=True)
    rows, size_bytes = pq.read_metadata(part).num_rows, part.stat().st_size
    part.replace(final)
    return Slice(file_id=file_id, day_utc=day, path=name, rows=rows, size_bytes=size_bytes, sha256=sha256)


def _sync_lake(store: Store, slices: Sequence[Slice]) -> None:
    for folder in {(store.lake / part.path).parent for part in slices}:
        sync_folder(folder)
    if slices:
        sync_folder(store.lake / "requests")
        sync_folder(store.lake)
