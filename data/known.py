"""Logs that the store has already read, told by their path and bytes alone: nothing else of them is opened."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from data.files import digest_of
from data.find_files import Found
from data.formats import mapped
from data.formats.contract import Options
from data.formats.registry import AUTO, BY_MAPPING, REQUEST_FORMATS, described, find_format, formats
from data.manifest import FileRecord, records_at
from data.text import stored_path
from data.warehouse import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownUnit:
    """One log of requests that has not changed since it was read. record: what the manifest says of it."""

    path: Path
    record: FileRecord


def known_logs(
    store: Store, found: Iterable[Found], format_name: str | None, label: str | None, options: Options
) -> Callable[[Found], KnownUnit | None]:
    """Return a look-up of the files that the store knows at the same path, with the same content and options.

    It returns None for a file that has to be looked at; one of another size than was read is not even hashed.
    Without a `label`, a log keeps the one that it was read under, so that it is never counted under a second one.
    Sums are left to be looked at: whether they changed depends on the files that they were read with.
    """
    keys = _options_keys(format_name, options)
    wanted: dict[str, list[FileRecord]] = {}
    for record in records_at(store, {stored_path(one.path.resolve()) for one in found}):
        if keys.get(record.format) == record.mapping_sha256 and label in {None, record.source_label}:
            wanted.setdefault(record.path, []).append(record)
    return lambda one: _known(one, wanted.get(stored_path(one.path.resolve()), []))


def mapping_digest(options_key: str) -> str:
    """Return what the manifest keeps of a format's options key: its sha256, "" where no option matters."""
    return hashlib.sha256(options_key.encode()).hexdigest() if options_key else ""


def _options_keys(format_name: str | None, options: Options) -> Mapping[str, str]:
    """Return {name of each format of requests that a file may be read as: the digest of its options now}."""
    if format_name and format_name != AUTO:
        names = {described(find_format(format_name), options).name}
    elif options.mapping is not None:
        names = {described(mapped, options).name}
    else:
        names = set(formats()) - BY_MAPPING
    requests = [fmt for fmt in REQUEST_FORMATS if fmt.name in names]
    try:
        return {fmt.name: mapping_digest(fmt.options_key(options)) for fmt in requests}
    except OSError:  # a mapping file that is not there: the format says so when it looks at the log
        return {}


def _known(found: Found, records: list[FileRecord]) -> KnownUnit | None:
    size_bytes = found.path.stat().st_size if records else 0
    same_size = [record for record in records if record.size_bytes == size_bytes]
    if not same_size:
        return None
    sha256 = digest_of(found.path)
    same = [record for record in same_size if record.sha256 == sha256]
    own = [record for record in same if record.source_label == found.label] or same
    return KnownUnit(path=found.path, record=own[0]) if len(own) == 1 else None
