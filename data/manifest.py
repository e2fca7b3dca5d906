"""The manifest: which files the store has read, and the one place where what was read becomes part of it."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from data.duplicates import mark_duplicates
from data.errors import UserError
from data.formats.contract import AggregateFile
from data.frames import first_row
from data.lake import Slice, remove_slices
from data.rollup import LabelDay, roll_up, rolled_up_days
from data.warehouse import Store, transaction

_USAGE_TABLES = ("usage_bucket", "usage_percentile", "usage_histogram")
_USAGE_KEYS = ("model", "region", "team", "category")
_USAGE_SUMS = ("requests", "prompt_tok_sum", "output_tok_sum", "total_tok_sum")
_SLICE_COLUMNS = "file_id, day_utc, path, rows, size_bytes, sha256, rows_duplicate"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRecord:
    """One row of file_manifest, as far as the file itself says it."""

    file_id: str
    path: str
    source_label: str
    format: str
    size_bytes: int
    sha256: str
    mapping_sha256: str
    rows_read: int = 0
    rows_new: int = 0
    rows_duplicate: int = 0
    rows_rejected: int = 0
    rows_skipped: int = 0
    first_utc: datetime | None = None
    last_utc: datetime | None = None

    @property
    def content(self) -> tuple[str, str, str, str]:
        """Return what makes two files the same: content, label, format, and options that change what is read."""
        return self.sha256, self.source_label, self.format, self.mapping_sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A log that lies in the lake and waits for its commit."""

    record: FileRecord
    slices: tuple[Slice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """A slice that is missing or altered. log: path of the file that it was made from."""

    file_id: str
    path: str
    log: str


def file_id_of(path: Path, label: str) -> str:
    """Return the first 16 hex digits of sha256(path, label)."""
    return hashlib.sha256(f"{path.resolve()}\0{label}".encode("utf-8", "surrogateescape")).hexdigest()[:16]


def known_file(store: Store, record: FileRecord) -> FileRecord | None:
    """Return the record of the same content under the same label, format and options, if the store has it."""
    sql = """SELECT file_id, path, source_label, format, size_bytes, sha256, mapping_sha256,
        rows_read, rows_new, rows_duplicate, rows_rejected, rows_skipped, first_utc, last_utc FROM file_manifest
        WHERE sha256 = $sha256 AND source_label = $label AND format = $format AND mapping_sha256 = $mapping
            AND status = 'done' ORDER BY path LIMIT 1"""
    sha256, label, name, mapping = record.content
    found = first_row(store.con, sql, {"sha256": sha256, "label": label, "format": name, "mapping": mapping})
    return FileRecord(**dict(zip(FileRecord.__slots__, found, strict=True))) if found else None


def records_at(store: Store, paths: Iterable[str]) -> list[FileRecord]:
    """Return what the store holds of these paths, a record for each label that one was read under."""
    columns = ", ".join(FileRecord.__slots__)
    sql = f"""SELECT {columns} FROM file_manifest JOIN (SELECT unnest($paths) AS path) USING (path)
        WHERE status = 'done' ORDER BY path, source_label"""  # noqa: S608  # our own names
    rows = store.con.execute(sql, {"paths": sorted(paths)}).fetchall()
    return [FileRecord(**dict(zip(FileRecord.__slots__, row, strict=True))) for row in rows]


def is_current(store: Store, file_id: str) -> bool:
    """Return whether the store holds a content of this path and label, which a new one would replace."""
    sql = "SELECT 1 FROM file_manifest WHERE file_id = $file_id AND status = 'done'"
    return first_row(store.con, sql, {"file_id": file_id}) is not None


def left_behind(store: Store, records: Sequence[FileRecord]) -> str | None:
    """Return the path of a file that was read together with one of these and is not among them now, else None.

    Files that are read together have the same options key, and what they add up to stands with the first of them.
    """
    sql = """SELECT other.path FROM file_manifest AS mine
        JOIN file_manifest AS other USING (source_label, format, mapping_sha256, status)
        WHERE status = 'done' AND list_contains($ids, mine.file_id) AND NOT list_contains($ids, other.file_id)
        ORDER BY other.path LIMIT 1"""
    found = first_row(store.con, sql, {"ids": [record.file_id for record in records]})
    return str(found[0]) if found else None


def commit_requests(
    store: Store, folder: Path, pending: Sequence[Pending], now: datetime
) -> Mapping[str, FileRecord]:
    """Make logs part of the store in one transaction, with the rollups of the days they touch.

    Returns {file id: record}, duplicates counted. Files of the same path and label are replaced. A failure leaves
    the store as it was; slices that nobody names are swept later.
    """
    ids = [one.record.file_id for one in pending]
    old = _slices(store, ids)
    changed = {(one.record.source_label, part.day_utc) for one in pending for part in one.slices}
    _refuse_rolled_up(store, pending)
    labels = {one.record.file_id: one.record.source_label for one in pending}
    changed |= {(labels[part.file_id], part.day_utc) for part in old}
    before, after = _mark(store, folder, pending, changed)
    with transaction(store):
        _retire(store, ids)
        _replace_slices(store, [*old, *before], after)
        add_files(store, [one.record for one in pending], now)
        store.con.execute("INSERT INTO rejected_rows SELECT * FROM pending_rejected")
        _count_duplicates(store, {part.file_id for part in after} | set(ids))
        roll_up(store, changed)
    store.con.execute("DELETE FROM pending_rejected")
    fresh = [part for one in pending for part in one.slices]
    remove_slices(store, {part.path for part in (*old, *before, *fresh)} - {part.path for part in after})
    return {record.file_id: record for record in _records(store, ids)}


def commit_aggregates(
    store: Store, files: Sequence[tuple[FileRecord, AggregateFile]], now: datetime
) -> Mapping[str, FileRecord]:
    """Make one unit of aggregated files part of the store in one transaction; returns {file id: record}.

    Raises UserError where another file of the same label already has one of its windows: adding both would count
    that traffic twice.
    """
    ids = [record.file_id for record, _ in files]
    old = _slices(store, ids)
    with transaction(store):
        _retire(store, ids)
        _replace_slices(store, old, [])
        for record, content in files:
            _refuse_overlap(store, record, content.buckets)
            _add_rows(store, "usage_bucket", record, content.buckets)
            _add_rows(store, "usage_percentile", record, content.percentiles)
            _add_rows(store, "usage_histogram", record, content.histograms)
            bad = [(record.file_id, row.line, row.reason, row.excerpt) for row in content.rejected]
            if bad:
                store.con.executemany("INSERT INTO rejected_rows VALUES (?, ?, ?, ?)", bad)
        add_files(store, [record for record, _ in files], now)
        roll_up(store, {(files[0][0].source_label, part.day_utc) for part in old})
    remove_slices(store, {part.path for part in old})
    return {record.file_id: record for record in _records(store, ids)}


def forget_slices(store: Store, folder: Path, lost: Sequence[Lost]) -> None:
    """Leave lost slices out: their files are no longer known, so that ingesting them again heals the store.

    The other slices of such a file stay. Rows that a lost one hid as duplicates come back. Runs inside the
    caller's transaction; the rollups are the caller's.
    """
    ids = sorted({one.file_id for one in lost})
    gone = [part for part in _slices(store, ids) if part.path in {one.path for one in lost}]
    _replace_slices(store, gone, [])
    labels = {record.file_id: record.source_label for record in _records(store, ids)}
    before, after = _mark(store, folder, [], {(labels[part.file_id], part.day_utc) for part in gone})
    _replace_slices(store, before, after)
    store.con.execute(
        "UPDATE file_manifest SET sha256 = '', rows_new = 0, rows_duplicate = 0"
        " WHERE list_contains($ids, file_id) AND status = 'done'",
        {"ids": ids},
    )
    _count_duplicates(store, {part.file_id for part in after} | set(ids))


def _refuse_rolled_up(store: Store, pending: Sequence[Pending]) -> None:
    """Refuse requests of days that a rollup made elsewhere covers: nobody could tell which of them it counted."""
    taken = rolled_up_days(store)
    for one in pending:
        for part in one.slices:
            if (one.record.source_label, part.day_utc) in taken:
                raise UserError(
                    f"{one.record.path} has requests on {part.day_utc}, which a rollup already covers under the"
                    f" label {one.record.source_label!r}; give it another --label, so that nothing counts twice."
                )


def _mark(
    store: Store, folder: Path, pending: Sequence[Pending], changed: Iterable[LabelDay]
) -> tuple[list[Slice], list[Slice]]:
    """Return the slices of the changed days as the manifest has them, and as they must be now."""
    ids = [one.record.file_id for one in pending]
    before: list[Slice] = []
    after: list[Slice] = []
    for label in sorted({label for label, _ in changed}):
        days = sorted(day for name, day in changed if name == label)
        kept = _other_slices(store, label, days, ids)
        fresh = [part for one in pending if one.record.source_label == label for part in one.slices]
        before += kept
        after += mark_duplicates(store, folder, [*kept, *fresh])
    return before, after


def _slices(store: Store, ids: Sequence[str]) -> list[Slice]:
    sql = f"SELECT {_SLICE_COLUMNS} FROM slice_manifest WHERE list_contains($ids, file_id) ORDER BY path"  # noqa: S608
    return [_slice(row) for row in store.con.execute(sql, {"ids": list(ids)}).fetchall()]


def _other_slices(store: Store, label: str, days: Sequence[date], ids: Sequence[str]) -> list[Slice]:
    """Return a label's slices of these days that come from other files, the file that came first in front."""
    columns = ", ".join(f"slice_manifest.{column}" for column in _SLICE_COLUMNS.split(", "))
    sql = f"""SELECT {columns} FROM slice_manifest JOIN file_manifest USING (file_id)
        WHERE status = 'done' AND source_label = $label AND list_contains($days, day_utc)
            AND NOT list_contains($ids, file_id)
        ORDER BY ingested_utc, file_manifest.path, day_utc"""  # noqa: S608  # our own names
    rows = store.con.execute(sql, {"label": label, "days": list(days), "ids": list(ids)}).fetchall()
    return [_slice(row) for row in rows]


def _slice(row: tuple[Any, ...]) -> Slice:
    return Slice(**dict(zip(_SLICE_COLUMNS.split(", "), row, strict=True)))


def _retire(store: Store, ids: Sequence[str]) -> None:
    """Take away what these files were; their rows of the manifest stay as `replaced`."""
    sql = "UPDATE file_manifest SET status = 'replaced' WHERE list_contains($ids, file_id) AND status = 'done'"
    store.con.execute(sql, {"ids": list(ids)})
    for table in ("rejected_rows", *_USAGE_TABLES):
        store.con.execute(f"DELETE FROM {table} WHERE list_contains($ids, file_id)", {"ids": list(ids)})  # noqa: S608


def _replace_slices(store: Store, old: Sequence[Slice], new: Sequence[Slice]) -> None:
    store.con.execute(
        "DELETE FROM slice_manifest WHERE list_contains($paths, path)", {"paths": [part.path for part in old]}
    )
    if new:
        frame = pd.DataFrame([asdict(part) for part in new])
        store.con.register("new_slices", frame)
        store.con.execute("INSERT INTO slice_manifest BY NAME SELECT * FROM new_slices")
        store.con.unregister("new_slices")


def add_files(store: Store, records: Sequence[FileRecord], now: datetime) -> None:
    """Write these records to file_manifest, as done."""
    for record in records:
        store.con.execute(
            """INSERT INTO file_manifest VALUES ($file_id, $path, $source_label, $format, $size_bytes, $sha256,
                $mapping_sha256, $rows_read, $rows_new, $rows_duplicate, $rows_rejected, $rows_skipped,
                $first_utc, $last_utc, 'done', $now)""",
            {**asdict(record), "now": now},
        )


def _count_duplicates(store: Store, ids: Iterable[str]) -> None:
    """Say in the manifest how many rows of each file another one holds; marking may have changed older files."""
    store.con.execute(
        """UPDATE file_manifest SET rows_duplicate = marked.duplicates, rows_new = marked.rows - marked.duplicates
        FROM (
            SELECT file_id, sum(rows) AS rows, sum(rows_duplicate) AS duplicates
            FROM slice_manifest WHERE list_contains($ids, file_id) GROUP BY file_id
        ) AS marked
        WHERE file_manifest.file_id = marked.file_id AND status = 'done'""",
        {"ids": sorted(ids)},
    )


def _records(store: Store, ids: Sequence[str]) -> list[FileRecord]:
    columns = ", ".join(FileRecord.__slots__)
    sql = f"SELECT {columns} FROM file_manifest WHERE list_contains($ids, file_id) AND status = 'done'"  # noqa: S608
    rows = store.con.execute(sql, {"ids": list(ids)}).fetchall()
    return [FileRecord(**dict(zip(FileRecord.__slots__, row, strict=True))) for row in rows]


def _refuse_overlap(store: Store, record: FileRecord, buckets: pd.DataFrame) -> None:
    """Refuse windows that another file may hold already: a key that one of them does not state may be any."""
    if buckets.empty:
        return
    keys = [key for key in _USAGE_KEYS if key in buckets]
    same = " ".join(
        f"AND (usage_bucket.{key} = fresh.{key} OR usage_bucket.{key} IS NULL OR fresh.{key} IS NULL)"
        for key in keys
    )
    fresh = buckets.assign(costs_only=buckets.reindex(columns=_USAGE_SUMS).isna().all(axis=1))
    store.con.register("new_buckets", fresh)
    columns = ", ".join(["bucket_s", "costs_only", *(f"CAST({key} AS VARCHAR) AS {key}" for key in keys)])
    sums = ", ".join(f"usage_bucket.{name}" for name in _USAGE_SUMS)
    sql = f"""SELECT file_manifest.path, min(usage_bucket.bucket_utc) FROM usage_bucket
        JOIN (SELECT CAST(bucket_utc AS TIMESTAMPTZ) AS bucket_utc, {columns} FROM new_buckets) AS fresh
            ON usage_bucket.bucket_utc < fresh.bucket_utc + to_seconds(fresh.bucket_s)
            AND fresh.bucket_utc < usage_bucket.bucket_utc + to_seconds(usage_bucket.bucket_s)
            AND fresh.costs_only = (coalesce({sums}) IS NULL) {same}
        JOIN file_manifest ON file_manifest.file_id = usage_bucket.file_id AND status = 'done'
        WHERE usage_bucket.source_label = $label GROUP BY file_manifest.path ORDER BY file_manifest.path LIMIT 1"""  # noqa: S608  # our own names
    found = first_row(store.con, sql, {"label": record.source_label})
    store.con.unregister("new_buckets")
    if found:
        raise UserError(
            f"{record.path} covers times that {found[0]} already covers under the label {record.source_label!r}"
            f" (from {found[1]:%Y-%m-%d %H:%M} UTC); give it another --label, so that nothing counts twice."
        )


def _add_rows(store: Store, table: str, record: FileRecord, rows: pd.DataFrame) -> None:
    if rows.empty:
        return
    frame = rows.assign(file_id=record.file_id, source_label=record.source_label)
    store.con.register("new_rows", frame)
    store.con.execute(f"INSERT INTO {table} BY NAME SELECT * FROM new_rows")  # noqa: S608  # our own table
    store.con.unregister("new_rows")
