"""Which files to read, as what, and under which label: decided for all of them before anything is written."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from data.errors import UserError
from data.formats.contract import AggregateFormat, Options, RequestFormat
from data.formats.registry import AGGREGATE_FORMATS, REQUEST_FORMATS, Format, find_format, recognise
from data.formats.sample import Sample, look_at

_ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet", ".pq")
_PACKED = (".gz", ".zst")


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


Unit = RequestUnit | AggregateUnit


def find_units(paths: Sequence[Path], format_name: str | None, label: str | None, options: Options) -> list[Unit]:
    """Return what to read, each file once, in the order given; folders are searched for logs by their endings.

    label: None takes what the rows say, else the name of the folder that was given, else the file's own.
    Raises UserError: a file is missing, empty or of no known format, or an option is missing.
    """
    fmt = find_format(format_name) if format_name else None
    units: dict[tuple[Path, ...], Unit] = {}
    for path, own_label in _files(paths):
        sample = look_at(path)
        unit = _unit(sample, fmt or recognise(sample, options), label, own_label, options)
        samples = (unit.sample,) if isinstance(unit, RequestUnit) else unit.samples
        units.setdefault(tuple(member.path.resolve() for member in samples), unit)
    if not units:
        named = ", ".join(map(str, paths)) or "what was given"
        raise UserError(f"There is no log in {named}; logs end in {', '.join(_ENDINGS)}, packed or not.")
    return list(units.values())


def _unit(sample: Sample, fmt: Format, label: str | None, own_label: str, options: Options) -> Unit:
    for request_format in REQUEST_FORMATS:
        if request_format is fmt:
            _require_columns(sample, request_format, options)
            request_format.select(sample, options)  # says now which option is missing
            label = label or request_format.own_label(sample) or own_label
            return RequestUnit(sample=sample, format=request_format, label=label)
    aggregate = next(one for one in AGGREGATE_FORMATS if one is fmt)
    if not aggregate.sniff(sample):
        raise UserError(f"{sample.path} does not have the columns of {aggregate.name}: {aggregate.description}.")
    members = aggregate.unit(sample.path)
    label = label or aggregate.own_label(sample.path)
    return AggregateUnit(samples=tuple(look_at(path) for path in members), format=aggregate, label=label)


def _require_columns(sample: Sample, fmt: RequestFormat, options: Options) -> None:
    """Say now that a file is not of the format it was declared to be."""
    if options.mapping is None and not fmt.sniff(sample):
        raise UserError(f"{sample.path} does not have the columns of {fmt.name}: {fmt.description}.")


def _files(paths: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    """Return each file with the label that it gets by itself."""
    for path in paths:
        if path.is_dir():
            for file in sorted(path.rglob("*")):
                if file.is_file() and _is_log(file):
                    yield file, path.resolve().name
        elif path.exists():
            yield path, _bare_name(path)
        else:
            raise UserError(f"There is no file {path}; check its path.")


def _is_log(path: Path) -> bool:
    name = path.name.lower()
    for packed in _PACKED:
        name = name.removesuffix(packed)
    return name.endswith(_ENDINGS) and not path.name.startswith((".", "_"))


def _bare_name(path: Path) -> str:
    """Return the file's name without its endings."""
    name = path.name
    for ending in (*_PACKED, *_ENDINGS):
        name = name.removesuffix(ending)
    return name or path.name
