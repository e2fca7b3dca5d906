"""Logs into the store: the plain step that the command line and the Prefect flow share."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from data.errors import UserError, printable
from data.find_files import STDIN
from data.formats.contract import Options
from data.formats.packed import MAX_UNPACK_RATIO
from data.formats.reader import fast_relation
from data.ingest import IngestSummary, ingest_logs, tidy_up
from data.lock import Patience
from data.sources import RequestUnit, find_units
from data.spool import spooled
from data.warehouse import open_store
from flows.progress import Report, no_progress


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestRequest:
    """What to read and how; only values, so that a Prefect task can take it."""

    logs: tuple[Path, ...]
    store: Path
    format: str | None = None
    mapping: Path | None = None
    label: str | None = None
    start: datetime | None = None
    max_rejected_share: float = 0.05
    max_unpack_ratio: float = MAX_UNPACK_RATIO
    wait_s: float = 0.0


def ingest(request: IngestRequest, progress: Report = no_progress) -> IngestSummary:
    """Read the logs into the store; raises UserError when a file is missing, unknown or mostly bad.

    `-` among the logs is standard input, laid down beside the store first.
    """
    if STDIN not in request.logs:
        return _ingest(request, None, progress)
    with spooled(request.store, sys.stdin.buffer) as stdin:
        try:
            return _ingest(request, stdin, progress)
        except UserError as error:
            error.args = (str(error).replace(str(stdin), "standard input"),)
            raise


def _ingest(request: IngestRequest, stdin: Path | None, progress: Report) -> IngestSummary:
    now = datetime.now(UTC)
    if not request.store.exists():
        _require_readable(request, stdin)
    patience = Patience(request.wait_s, lambda who: progress(f"waiting: {who}", 0.0))
    try:
        with open_store(request.store, write=True, now=now, patience=patience) as store:
            return ingest_logs(
                store,
                request.logs,
                now=now,
                format=request.format,
                label=request.label,
                mapping=request.mapping,
                start=request.start,
                max_rejected_share=request.max_rejected_share,
                max_unpack_ratio=request.max_unpack_ratio,
                progress=progress,
                stdin=stdin,
            )
    except UserError as error:
        if error.__cause__ is not None:  # the machine failed under way, as a full disk does
            tidy_up(request.store, now)
        raise


def _require_readable(request: IngestRequest, stdin: Path | None) -> None:
    """Refuse what cannot be read before a new store is made, so that a mistyped command leaves nothing behind."""
    options = Options(start=request.start, mapping=request.mapping)
    for unit in find_units(request.logs, request.format, request.label, options, stdin):
        if isinstance(unit, RequestUnit):
            select = unit.format.select(unit.sample, options)
            fast_relation(unit.sample, select.reads, optional=select.optional, pattern=select.pattern)


def summary_lines(summary: IngestSummary) -> Sequence[str]:
    """Return what to tell the user: a line a file, its rejected rows by line number, and the totals."""
    lines = []
    for file in summary.files:
        lines.append(
            f"{printable(file.path.name)}: {file.status} as {file.format}, label {file.label!r}:"
            f" {file.rows_read:,} rows read, {file.rows_new:,} new, {file.rows_duplicate:,} duplicate,"
            f" {file.rows_rejected:,} rejected" + (f", {file.rows_skipped:,} skipped" if file.rows_skipped else "")
        )
        lines += [f"  {part.rows:,} skipped: {part.reason}" for part in file.skipped]
        lines += [printable(f"  line {bad.line}: {bad.reason}: {bad.excerpt}") for bad in file.rejected]
    return lines
