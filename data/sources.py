"""Which files to read, as what, and under which label: decided for all of them before anything is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from data.errors import UserError, printable
from data.find_files import Found, find_readable
from data.formats.contract import AggregateFormat, Options, RequestFormat
from data.formats.registry import (
    AGGREGATE_FORMATS,
    AUTO,
    BY_MAPPING,
    REQUEST_FORMATS,
    SHOWN_CHARS,
    Format,
    described,
    find_format,
    recognise,
)
from data.formats.sample import Sample, look_at
from data.known import KnownUnit, known_logs
from data.text import ENDINGS
from data.warehouse import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestUnit:
    """One log of requests."""

    sample: Sample
    format: RequestFormat
    label: str

    @property
    def size_bytes(self) -> int:
        """Bytes on disk."""
        return self.sample.path.stat().st_size


@dataclass(frozen=True, slots=True, kw_only=True)
class AggregateUnit:
    """Files of sums that only make sense together."""

    samples: tuple[Sample, ...]
    format: AggregateFormat
    label: str


Unit = RequestUnit | AggregateUnit | KnownUnit


def find_units(
    paths: Sequence[Path],
    format_name: str | None,
    label: str | None,
    options: Options,
    stdin: Path | None = None,
    store: Store | None = None,
) -> list[Unit]:
    """Return what to read, each file once, in the order given (`find_files` says what paths may be).

    format_name: None and AUTO recognise each file by its content. label: None takes what the rows say, else the
    name of the folder that was given, else the file's own. stdin: where standard input lies. store: which logs of
    requests need no look, because it has them (data/known.py).
    Raises UserError: a file is missing, empty or of no known format, or an option is missing.
    """
    fmt = described(find_format(format_name), options) if format_name and format_name != AUTO else None
    units: dict[tuple[Path, ...], Unit] = {}
    gathered: dict[tuple[str, str], list[tuple[Sample, Found]]] = {}
    readable = list(find_readable(paths, stdin))
    known = known_logs(store, readable, format_name, label, options) if store else _nothing_known
    for found in readable:
        if (unchanged := known(found)) is not None:
            units.setdefault((found.path.resolve(),), unchanged)
            continue
        sample = look_at(found.path)
        one = fmt or recognise(sample, options)
        if (aggregate := _aggregate(one)) is not None and aggregate.gathers:
            _require_sums(sample, aggregate)
            key = (aggregate.name, "" if label else found.folder)
            gathered.setdefault(key, []).append((sample, found))
            continue
        unit = _unit(sample, one, label, found.label, options)
        samples = unit.samples if isinstance(unit, AggregateUnit) else (unit.sample,)
        units.setdefault(tuple(member.path.resolve() for member in samples), unit)
    for (name, _), members in gathered.items():
        unit = _gathered(name, members, label)
        units.setdefault(tuple(sample.path.resolve() for sample in unit.samples), unit)
    if not units:
        named = ", ".join(map(str, paths)) or "what was given"
        raise UserError(f"There is no log in {named}; logs end in {', '.join(ENDINGS)}, packed or not.")
    return list(units.values())


def _nothing_known(_: Found) -> None:
    """Return None: there is no store to ask."""


def _gathered(name: str, members: Sequence[tuple[Sample, Found]], label: str | None) -> AggregateUnit:
    """Return files of one format that were given together as one unit; several are called by their folder."""
    samples = {sample.path.resolve(): sample for sample, _ in members}
    first = members[0][1]
    own = first.label
    if len(samples) > 1 and not first.folder:
        own = printable(first.path.resolve().parent.name) or own
    fmt = next(one for one in AGGREGATE_FORMATS if one.name == name)
    return AggregateUnit(samples=tuple(samples[path] for path in sorted(samples)), format=fmt, label=label or own)


def _unit(
    sample: Sample, fmt: Format, label: str | None, own_label: str, options: Options
) -> RequestUnit | AggregateUnit:
    for request_format in REQUEST_FORMATS:
        if request_format is fmt:
            _require_columns(sample, request_format, options)
            request_format.select(sample, options)  # says now which option is missing
            label = label or request_format.own_label(sample) or own_label
            return RequestUnit(sample=sample, format=request_format, label=label)
    aggregate = next(one for one in AGGREGATE_FORMATS if one is fmt)
    _require_sums(sample, aggregate)
    members = aggregate.unit(sample.path)
    label = label or aggregate.own_label(sample.path) or own_label
    return AggregateUnit(samples=tuple(look_at(path) for path in members), format=aggregate, label=label)


def _aggregate(fmt: Format) -> AggregateFormat | None:
    return next((one for one in AGGREGATE_FORMATS if one is fmt), None)


def _require_sums(sample: Sample, fmt: AggregateFormat) -> None:
    if not fmt.sniff(sample) and fmt.name not in BY_MAPPING:
        raise UserError(f"{sample.path} does not have the columns of {fmt.name}: {fmt.description}.")


def _require_columns(sample: Sample, fmt: RequestFormat, options: Options) -> None:
    """Say now that a file is not of the format it was declared to be."""
    if options.mapping is None and fmt.name not in BY_MAPPING and not fmt.sniff(sample):
        seen = (
            ", ".join(column[:SHOWN_CHARS] for column in sample.columns[:12]) or f"{sample.kind} without columns"
        )
        raise UserError(
            f"{sample.path} does not have the columns of {fmt.name}, which is recognised by {fmt.recognised};"
            f" it has {seen}."
        )
