"""Logs into the store: each file once, known by its content; what changed replaces what it was; all or nothing."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import duckdb

from data.errors import UserError, printable
from data.files import digest_of
from data.find_files import STDIN_LABEL
from data.formats.contract import AggregateFile, Options, Rejected, Skipped
from data.formats.packed import MAX_UNPACK_RATIO, measure
from data.formats.sample import Sample
from data.known import KnownUnit, mapping_digest
from data.lake import staging, sweep
from data.manifest import (
    FileRecord,
    Pending,
    commit_aggregates,
    commit_requests,
    file_id_of,
    is_current,
    known_file,
    left_behind,
)
from data.requests_file import EXAMPLES, RequestsRead, read_requests, too_many
from data.sources import AggregateUnit, RequestUnit, Unit, find_units
from data.text import stored_path
from data.warehouse import Store, open_store, show_requests

Progress = Callable[[str, float], None]
Status = Literal["done", "unchanged", "replaced", "refused"]

MAX_REJECTED_SHARE = 0.05
"""A file with a larger share of rows that cannot be used is refused whole."""

_CLOCKS_DIFFER = timedelta(days=1)
"""How far after now a request may have arrived, by clocks and zones that are not ours."""

_BATCH_FILES, _BATCH_BYTES = 500, 2_000_000_000
"""Logs are committed together up to these bounds, so that a day is rolled up once for many files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileResult:
    """What became of one file.

    rejected: the first few rows that could not be used, by line. skipped: rows that are no requests, by reason,
    where the file was read now.

    status: `unchanged` files were known with this content and nothing was touched (their counts are those of
    then); `replaced` files were known with another content, which is gone.
    """

    path: Path
    format: str
    label: str
    rows_read: int
    rows_new: int
    rows_duplicate: int
    rows_rejected: int
    status: Status
    first_utc: datetime | None
    last_utc: datetime | None
    rejected: tuple[Rejected, ...] = ()
    rows_skipped: int = 0
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestSummary:
    """What became of each file, and the totals of those that were read now."""

    files: tuple[FileResult, ...]

    @property
    def rows_read(self) -> int:
        """Rows read now; files that were known count nothing."""
        return sum(file.rows_read for file in self._fresh)

    @property
    def rows_new(self) -> int:
        """Rows stored now."""
        return sum(file.rows_new for file in self._fresh)

    @property
    def rows_duplicate(self) -> int:
        """Rows that another file holds under the same request id."""
        return sum(file.rows_duplicate for file in self._fresh)

    @property
    def rows_rejected(self) -> int:
        """Rows that could not be used."""
        return sum(file.rows_rejected for file in self._fresh)

    @property
    def rows_skipped(self) -> int:
        """Rows that are no requests."""
        return sum(file.rows_skipped for file in self._fresh)

    @property
    def _fresh(self) -> tuple[FileResult, ...]:
        return tuple(file for file in self.files if file.status in {"done", "replaced"})


class FileRefusedError(UserError):
    """Some files had too many bad rows; the others are stored. summary: what became of each."""

    def __init__(self, sentence: str, summary: IngestSummary) -> None:
        super().__init__(sentence)
        self.summary = summary


def ingest_logs(
    store: Store,
    paths: Sequence[Path],
    *,
    now: datetime,
    format: str | None = None,  # noqa: A002  # what the command line's option is called
    label: str | None = None,
    mapping: Path | None = None,
    start: datetime | None = None,
    max_rejected_share: float = MAX_REJECTED_SHARE,
    max_unpack_ratio: float = MAX_UNPACK_RATIO,
    progress: Progress | None = None,
    stdin: Path | None = None,
) -> IngestSummary:
    """Read logs (files, or folders of them) into the store, and bring its rollups up to date.

    format: name of a format; None recognises each file by its content. label: source label of all files; None
    takes what the rows say, else the folder's or the file's name. mapping: describes an unknown table. start: time
    0 of sources without dates. progress: called with what is being done and the share done (0..1).
    stdin: file that holds what came on standard input (`-` among the paths), known by its content alone.

    Everything that can be refused before reading is refused before anything is written: missing files, unknown
    formats, options that are missing. A file over `max_rejected_share` is refused alone, and FileRefusedError is
    raised after the others are stored. Raises UserError.
    """
    options = Options(start=start, mapping=mapping)
    run = _Run(
        store=store,
        options=options,
        now=now,
        max_share=max_rejected_share,
        max_unpack_ratio=max_unpack_ratio,
        report=progress or _silent,
        stdin=stdin,
    )
    units = find_units(paths, format, label, options, stdin, store)
    store.con.execute(
        "CREATE OR REPLACE TEMP TABLE pending_rejected AS SELECT * FROM main.rejected_rows WHERE false"
    )
    sweep(store)
    results: list[FileResult] = []
    with staging(store) as folder:
        for batch in _batches(units):
            run.report(f"reading {printable(run.shown(_first_path(batch[0])).name)}", len(results) / len(units))
            results += _take(run, folder, batch)
    show_requests(store)
    run.report("done", 1.0)
    summary = IngestSummary(files=tuple(results))
    _raise_if_refused(summary, max_rejected_share)
    return summary


def tidy_up(path: Path, now: datetime) -> None:
    """Give back what a failed ingest left in the lake, as far as the machine lets us; the next one does it too."""
    with suppress(UserError, duckdb.Error, OSError), open_store(path, write=True, now=now) as store:
        sweep(store)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """What every file of one call shares."""

    store: Store
    options: Options
    now: datetime
    max_share: float
    max_unpack_ratio: float
    report: Progress
    stdin: Path | None = None

    def shown(self, path: Path) -> Path:
        """Return what a result calls a file: what was spooled has no name of its own."""
        return Path(STDIN_LABEL) if path == self.stdin else path


def _silent(_what: str, _share: float) -> None:
    """Report to nobody."""


def _batches(units: Sequence[Unit]) -> Iterator[list[Unit]]:
    """Return the units in groups that are committed together: aggregates alone, logs up to a bound."""
    batch: list[Unit] = []
    size_bytes = 0
    for unit in units:
        weight = _weight_bytes(unit)
        if batch and (len(batch) >= _BATCH_FILES or size_bytes + weight > _BATCH_BYTES):
            yield batch
            batch, size_bytes = [], 0
        batch.append(unit)
        size_bytes += weight
    if batch:
        yield batch


def _weight_bytes(unit: Unit) -> int:
    """Return how much of a batch a unit fills: what is known is not read."""
    if isinstance(unit, KnownUnit):
        return 0
    return unit.size_bytes if isinstance(unit, RequestUnit) else _BATCH_BYTES


def _first_path(unit: Unit) -> Path:
    if isinstance(unit, KnownUnit):
        return unit.path
    return unit.sample.path if isinstance(unit, RequestUnit) else unit.samples[0].path


def _take(run: _Run, folder: Path, batch: Sequence[Unit]) -> list[FileResult]:
    """Read and commit one batch; the results stand in the order of the files."""
    results: list[FileResult] = []
    for unit in batch:
        if isinstance(unit, AggregateUnit):
            results += _take_aggregates(run, unit)
    logs = [unit for unit in batch if not isinstance(unit, AggregateUnit)]
    return results + (_take_requests(run, folder, logs) if logs else [])


def _take_requests(run: _Run, folder: Path, logs: Sequence[RequestUnit | KnownUnit]) -> list[FileResult]:
    """Read logs into the lake, those that are known left alone, then commit them together."""
    results: list[tuple[str, FileResult]] = []
    pending: dict[tuple[str, ...], Pending] = {}
    for unit in logs:
        if isinstance(unit, KnownUnit):
            results.append((unit.record.file_id, _result(unit.path, unit.record, "unchanged")))
            continue
        record = _record(run, unit.sample, unit.format.name, unit.label, unit.format.options_key(run.options))
        twin = pending.get(record.content)
        known = twin.record if twin else known_file(run.store, record)
        if known is not None:
            results.append((record.file_id, _result(run.shown(unit.sample.path), known, "unchanged")))
            continue
        read = _read(run, folder, unit, record)
        status: Status = "replaced" if is_current(run.store, record.file_id) else "done"
        record = _with_counts(record, read)
        if not read.refused:
            pending[record.content] = Pending(record=record, slices=read.slices)
        found = _result(run.shown(unit.sample.path), record, "refused" if read.refused else status, read.rejected)
        found = replace(found, skipped=read.skipped)
        results.append((record.file_id, found))
    committed = commit_requests(run.store, folder, list(pending.values()), run.now) if pending else {}
    return [_recounted(result, committed.get(file_id)) for file_id, result in results]


def _read(run: _Run, folder: Path, unit: RequestUnit, record: FileRecord) -> RequestsRead:
    unpacked = measure(unit.sample, run.max_unpack_ratio)
    select = unit.format.select(unit.sample, run.options)
    return read_requests(
        run.store,
        folder,
        record.file_id,
        unit.sample,
        select,
        label=unit.label,
        max_rejected_share=run.max_share,
        latest_utc=run.now + _CLOCKS_DIFFER,
        whole=unpacked.whole,
    )


def _take_aggregates(run: _Run, unit: AggregateUnit) -> list[FileResult]:
    """Read files of sums that belong together and commit them together, or refuse them together."""
    key = unit.format.options_key(run.options) + "".join(digest_of(sample.path) for sample in unit.samples)
    records = [_record(run, sample, unit.format.name, unit.label, key) for sample in unit.samples]
    known = [known_file(run.store, record) for record in records]
    if all(known):
        return [_result(run.shown(s.path), k, "unchanged") for s, k in zip(unit.samples, known, strict=True) if k]
    for sample in unit.samples:
        measure(sample, run.max_unpack_ratio)
    statuses: list[Status] = ["replaced" if is_current(run.store, r.file_id) else "done" for r in records]
    if unit.format.gathers and (other := left_behind(run.store, records)) is not None:
        raise UserError(
            f"{unit.samples[0].path} was read together with {other}, whose counts would be lost without it;"
            " give all of these files together, or another --label."
        )
    contents = unit.format.load(run.store.con, unit.samples, run.options)
    counted = [_with_sums(record, content) for record, content in zip(records, contents, strict=True)]
    if any(too_many(r.rows_rejected, r.rows_read - r.rows_skipped, run.max_share) for r in counted):
        statuses = ["refused"] * len(counted)
    else:
        commit_aggregates(run.store, list(zip(counted, contents, strict=True)), run.now)
    return [
        replace(
            _result(run.shown(content.sample.path), record, status, content.rejected[:EXAMPLES]),
            skipped=content.skipped,
        )
        for record, status, content in zip(counted, statuses, contents, strict=True)
    ]


def _record(run: _Run, sample: Sample, format_name: str, label: str, options_key: str) -> FileRecord:
    path = sample.path.resolve()
    sha256 = digest_of(path)
    # What is piped in has no path that a later content could replace: each content is a file of its own.
    place = Path(f"/{STDIN_LABEL}/{sha256[:16]}") if sample.path == run.stdin else path
    return FileRecord(
        file_id=file_id_of(place, label),
        path=stored_path(place),
        source_label=label,
        format=format_name,
        size_bytes=path.stat().st_size,
        sha256=sha256,
        mapping_sha256=mapping_digest(options_key),
    )


def _with_counts(record: FileRecord, read: RequestsRead) -> FileRecord:
    return replace(
        record,
        rows_read=read.rows_read,
        rows_new=0 if read.refused else read.rows_read - read.rows_rejected - read.rows_skipped,
        rows_rejected=read.rows_rejected,
        rows_skipped=read.rows_skipped,
        first_utc=read.first_utc,
        last_utc=read.last_utc,
    )


def _with_sums(record: FileRecord, content: AggregateFile) -> FileRecord:
    return replace(
        record,
        rows_read=content.rows_read,
        rows_new=content.rows_read - len(content.rejected) - content.rows_duplicate - content.rows_skipped,
        rows_skipped=content.rows_skipped,
        rows_duplicate=content.rows_duplicate,
        rows_rejected=len(content.rejected),
        first_utc=content.first_utc,
        last_utc=content.last_utc,
    )


def _result(path: Path, record: FileRecord, status: Status, rejected: tuple[Rejected, ...] = ()) -> FileResult:
    return FileResult(
        path=path,
        format=record.format,
        label=record.source_label,
        rows_read=record.rows_read,
        rows_new=0 if status == "refused" else record.rows_new,
        rows_duplicate=record.rows_duplicate,
        rows_rejected=record.rows_rejected,
        status=status,
        first_utc=record.first_utc,
        last_utc=record.last_utc,
        rejected=rejected,
        rows_skipped=record.rows_skipped,
    )


def _recounted(result: FileResult, committed: FileRecord | None) -> FileResult:
    """Return the result with what the commit found to be duplicates."""
    if committed is None or result.status == "unchanged":
        return result
    return replace(result, rows_new=committed.rows_new, rows_duplicate=committed.rows_duplicate)


def _raise_if_refused(summary: IngestSummary, max_share: float) -> None:
    refused = [file for file in summary.files if file.status == "refused"]
    if not refused:
        return
    file = max(refused, key=lambda one: one.rows_rejected / max(one.rows_read - one.rows_skipped, 1))
    first = f", first in line {file.rejected[0].line}: {file.rejected[0].reason}" if file.rejected else ""
    more = f"; {len(refused) - 1} more were refused too" if len(refused) > 1 else ""
    # Where not one row can be used, no share lets the file in.
    way_out = ", or raise --max-rejected-share" if file.rows_rejected < file.rows_read - file.rows_skipped else ""
    raise FileRefusedError(
        f"{file.path} was refused whole: {file.rows_rejected:,} of its {file.rows_read - file.rows_skipped:,} rows"
        " cannot be used"
        f" (at most {max_share:.0%} may){first}{more}. Mend the file{way_out}.",
        summary,
    )
