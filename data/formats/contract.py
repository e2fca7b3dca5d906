"""What every log dialect must offer, so that a new source is one small module and a fixture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Protocol

import duckdb
import pandas as pd

from data.errors import UserError
from data.formats.sample import Sample

CANONICAL_FIELDS = (
    "request_id",
    "arrived_utc",
    "model",
    "region",
    "team",
    "tags",
    "category",
    "prompt_tok",
    "cached_prompt_tok",
    "output_tok",
    "reasoning_tok",
    "first_token_s",
    "duration_s",
    "status",
    "cost_usd",
)
"""The canonical request as a source may state it (docs/formats.md); `source_label` comes from the file.

prompt_tok includes cached_prompt_tok, output_tok includes reasoning_tok, arrived_utc is the arrival.
NULL = unknown.
"""

STATUSES = ("ok", "rate_limited", "client_error", "server_error", "cancelled", "unknown")
CATEGORIES = ("online", "batch", "scheduled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the user says about a source beside the file itself."""

    start: datetime | None = None
    mapping: Path | None = None

    def start_utc(self, sample: Sample) -> datetime:
        """Return when the source's time 0 was, or ask for it. A start without a zone is UTC."""
        if self.start is None:
            raise UserError(f"{sample.path} has no dates; say when it began with --start 2026-01-05T00:00:00Z.")
        return self.start.astimezone(UTC) if self.start.tzinfo else self.start.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSelect:
    """One SELECT from a log file to the canonical request.

    reads: our name -> the source's column, a dotted path into JSON, or (logs of plain lines) a group of `pattern`.
        Nothing else of the file is ever read.
    fields: canonical field -> SQL expression over our names. A field left out is unknown.
    required: canonical fields without which a row is rejected; the others stay NULL.
    parameters: values of the $parameters in the expressions.
    optional: of our names, those that a file may lack; they are NULL then.
    skip: SQL expression over our names: why a row is no request (a fixed text), NULL where it is one. Such rows
        are neither stored nor errors; they are counted and shown.
    items: SQL expression over `reads`: the list of the requests inside one row, where a row holds several.
    cells: our name -> SQL expression over one `item` of that list; `fields` and `skip` are then over these names.
    pattern: regular expression of one line of a log that has no columns, its groups in the order of `reads`. A
        line that does not match has NULL in all of them.
    """

    reads: Mapping[str, str]
    fields: Mapping[str, str]
    required: frozenset[str] = frozenset()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()
    skip: str | None = None
    items: str | None = None
    cells: Mapping[str, str] = field(default_factory=dict)
    pattern: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names that `fields` and `skip` are made of."""
        return tuple(self.cells or self.reads)


class RequestFormat(Protocol):
    """A source with one row for each request. A module that has these names is one.

    recognised: what its content is recognised by. columns: what is read, {column or key of the source: what
    becomes of it}; the rest of a file is never read.
    """

    name: str
    description: str
    recognised: str
    columns: Mapping[str, str]

    def sniff(self, sample: Sample) -> bool:
        """Return whether the file is of this format, from its content alone."""

    def own_label(self, sample: Sample) -> str | None:
        """Return the one source label that the rows state, None where they state none."""

    def select(self, sample: Sample, options: Options) -> RequestSelect:
        """Return what to read and how; raises UserError where something must be said with an option."""

    def options_key(self, options: Options) -> str:
        """Return the options that change what is read, as text: other options, other content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """One row that cannot be used. line: 1-based line of a text file, row number of a Parquet file."""

    line: int
    reason: str
    excerpt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """Rows of a log that are no requests, such as spans of tools: how many, and why."""

    reason: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AggregateFile:
    """What one file of sums came to: rows of usage_bucket, usage_percentile, usage_histogram; file_id left out.

    rows_duplicate: rows that state once more what another row of the file states.
    """

    sample: Sample
    rows_read: int
    rejected: tuple[Rejected, ...]
    buckets: pd.DataFrame
    percentiles: pd.DataFrame = field(default_factory=pd.DataFrame)
    histograms: pd.DataFrame = field(default_factory=pd.DataFrame)
    first_utc: datetime | None
    last_utc: datetime | None
    rows_duplicate: int = 0
    skipped: tuple[Skipped, ...] = ()

    @property
    def rows_skipped(self) -> int:
        """Rows that are not about requests to a model."""
        return sum(part.rows for part in self.skipped)


Percentiles = Literal["requests", "stated", "histogram", "none"]
"""Where percentiles of a source can come from: each request, figures it states, histogram steps, or nowhere."""


class AggregateFormat(Protocol):
    """A source of sums: no requests, only what happened in each window."""

    name: str
    description: str
    recognised: str
    """What its content is recognised by."""
    columns: Mapping[str, str]
    """What is read: the source's column or key -> what becomes of it."""
    percentiles: Percentiles
    gathers: bool
    """Whether files of this format that are given together under one label are read as one unit."""

    def sniff(self, sample: Sample) -> bool:
        """Return whether the file is of this format, from its content alone."""

    def unit(self, path: Path) -> tuple[Path, ...]:
        """Return the files that only make sense together with this one, itself among them, in a fixed order."""

    def own_label(self, path: Path) -> str | None:
        """Return the source label of a unit where the user gives none; None takes the folder's or the file's."""

    def load(
        self, con: duckdb.DuckDBPyConnection, samples: Sequence[Sample], options: Options
    ) -> tuple[AggregateFile, ...]:
        """Return what the files of one unit come to, one entry for each."""

    def options_key(self, options: Options) -> str:
        """Return the options that change what is read, as text."""


def no_options(_: Options) -> str:
    """Return the key of a format that no option changes."""
    return ""


def no_label(_: Sample) -> str | None:
    """Return None: the rows of this format do not name their source."""
    return None


def alone(path: Path) -> tuple[Path, ...]:
    """Return the file itself: files of this format do not need each other."""
    return (path,)


def no_own_label(_: Path) -> None:
    """Return None: nothing but the file's place says what this source is called."""


def start_key(options: Options) -> str:
    """Return the key of a format without dates."""
    return options.start.isoformat() if options.start else ""


def end_of(start: datetime, seconds: float) -> datetime:
    """Return the moment so many seconds after the start."""
    return start + timedelta(seconds=seconds)
