"""A first look at a log file: how it is packed, how it is laid out, and what its columns are called."""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from data.errors import UserError
from data.formats.json_paths import HEAD_CHARS, key_paths

Kind = Literal["csv", "jsonl", "json", "lines", "parquet"]
Compression = Literal["none", "gzip", "zstd"]

MAX_LINE_BYTES = 16 * 1024 * 1024
"""A longer line is rejected, so that one bad file cannot fill the memory."""

_MAGIC: tuple[tuple[bytes, Compression], ...] = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"))
_LOOKED_AT_LINES = 20

_PLAIN_LINE = re.compile(
    r"""^[^{"]*(
        \[\d{2}/[A-Z][a-z]{2}/\d{4}:\d{2}:\d{2}:\d{2}\ [+-]\d{4}\]\ "     # nginx, Apache
        | \b(DEBUG|INFO|WARNING|ERROR)\s+(\d{4}-)?\d{2}-\d{2}\s\d{2}:\d{2}:\d{2}  # vLLM, Ray Serve
    )""",
    re.VERBOSE,
)
"""What lines of servers' logs look like, which have no header and no columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What the first bytes of a file say.

    kind: `jsonl` is an object a line, be it a single one; `json` is one document over many lines, or one array
        (data/formats/document.py); `lines` is a log of plain lines without columns.
    columns: header of a CSV file, keys of the first objects of JSON, schema of a Parquet file, in order; empty for
        plain lines.
    types: DuckDB type of each Parquet column that is not text; empty for text files.
    delimiter: of a CSV file.
    paths: dotted paths of the keys inside the first objects of JSON, three levels deep where they are one a line.
    head: the first lines of a log without columns. May hold text of prompts: it is looked at and never shown.
    """

    path: Path
    kind: Kind
    compression: Compression
    columns: tuple[str, ...]
    delimiter: str = ","
    types: Mapping[str, str] = field(default_factory=dict)
    paths: frozenset[str] = frozenset()
    head: tuple[str, ...] = field(default=(), repr=False)

    def has(self, *names: str) -> bool:
        """Return whether all of these columns are there."""
        return set(names) <= set(self.columns)

    def reaches(self, *paths: str) -> bool:
        """Return whether all of these dotted paths lead to something: keys of JSON, or columns."""
        return all(path in self.paths or path in self.columns for path in paths)

    def shows(self, pattern: str) -> bool:
        """Return whether one of the first lines of a log without columns matches."""
        return any(re.search(pattern, line) for line in self.head)


def look_at(path: Path) -> Sample:
    """Return the sample of a file, recognised by its content and never by its name.

    Raises UserError where the file is empty, cut off, or neither CSV with a header, JSON lines nor Parquet.
    """
    try:
        with path.open("rb") as file:
            head = file.read(4)
    except OSError as err:
        raise UserError(f"Cannot read {path}: {err.strerror or err}; check its path.") from err
    if head == b"PAR1":
        return _parquet_sample(path)
    compression = _compression(head)
    return _text_sample(path, compression)


def open_text(path: Path, compression: Compression, errors: str = "replace") -> io.TextIOWrapper:
    """Open a text log for reading line by line: unpacked, without its byte order mark, bad bytes replaced."""
    source = path.open("rb") if compression == "none" else pa.input_stream(str(path), compression=compression)
    return io.TextIOWrapper(source, encoding="utf-8-sig", errors=errors, newline="")


def _compression(head: bytes) -> Compression:
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    return "none"


def _parquet_sample(path: Path) -> Sample:
    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError) as err:
        raise UserError(f"{path} is a Parquet file that is cut off or damaged; write it again.") from err
    if len(set(schema.names)) < len(schema.names):
        raise UserError(f"{path} has two columns of the same name; rename one of them.")
    types = {column.name: str(column.type) for column in schema if not pa.types.is_string(column.type)}
    return Sample(path=path, kind="parquet", compression="none", columns=tuple(schema.names), types=types)


def _text_sample(path: Path, compression: Compression) -> Sample:
    lines = _first_lines(path, compression)
    if not lines:
        raise UserError(f"{path} is empty; leave it out.")
    if "\x00" in lines[0] or "�" in lines[0]:
        raise UserError(_not_text(path, lines[0]))
    if any(_PLAIN_LINE.search(line) for line in lines):
        return Sample(path=path, kind="lines", compression=compression, columns=(), head=tuple(lines))
    if _is_document(lines):
        return _document_sample(path, compression)
    if lines[0].lstrip().startswith("{"):
        objects = _objects(lines)
        keys = dict.fromkeys(key for content in objects for key in content)
        paths = frozenset(path for content in objects for path in _paths(content))
        return Sample(path=path, kind="jsonl", compression=compression, columns=tuple(keys), paths=paths)
    delimiter = max(",;\t|", key=lines[0].count)
    header = _header(path, lines, delimiter)
    return Sample(
        path=path,
        kind="csv",
        compression=compression,
        columns=tuple(c.strip() for c in header),
        delimiter=delimiter,
    )


def _document_sample(path: Path, compression: Compression) -> Sample:
    """Return the keys in the first part of a document, which may be far longer than what is looked at."""
    with open_text(path, compression) as file:
        paths = tuple(dict.fromkeys(key_paths(file.read(HEAD_CHARS))))
    columns = tuple(key for key in paths if "." not in key)
    return Sample(path=path, kind="json", compression=compression, columns=columns, paths=frozenset(paths))


def _is_document(lines: list[str]) -> bool:
    """Return whether the text is an array, or an object that does not end in its first line but goes on below."""
    first = lines[0].strip()
    if not first.startswith("{") or len(lines) == 1 or lines[1].lstrip().startswith("{"):
        return first.startswith("[")
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return True
    return False


def _header(path: Path, lines: list[str], delimiter: str) -> list[str]:
    """Return the names of the columns; those without a name, as spreadsheets leave behind, may be many."""
    try:
        header = next(csv.reader(lines, delimiter=delimiter))
    except csv.Error as err:
        raise UserError(f"The header of {path} is not CSV ({err}); mend its first line.") from err
    named = [name.strip() for name in header if name.strip()]
    if len(set(named)) < len(named):
        twice = next(name for name in named if named.count(name) > 1)
        raise UserError(f"{path} has two columns of the same name, {twice[:80]!r}; rename one of them.")
    return header


def _not_text(path: Path, line: str) -> str:
    if line.count("\x00") * 3 > len(line):
        return f"{path} looks like UTF-16; convert it with: iconv -f UTF-16 -t UTF-8."
    return f"{path} is neither Parquet nor UTF-8 text; convert it to UTF-8."


def _first_lines(path: Path, compression: Compression) -> list[str]:
    lines: list[str] = []
    try:
        with open_text(path, compression) as file:
            while len(lines) < _LOOKED_AT_LINES and (line := file.readline(MAX_LINE_BYTES)):
                if line.strip():
                    lines.append(line)
                if sum(map(len, lines)) > MAX_LINE_BYTES:
                    break
    except (OSError, EOFError, pa.ArrowException) as err:
        if not lines:
            raise UserError(f"{path} cannot be unpacked as {compression}; it is cut off or damaged.") from err
    return lines


def _objects(lines: list[str]) -> list[dict[str, Any]]:
    """Return the lines that are objects."""
    found = []
    for line in lines:
        try:
            content = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(content, dict):
            found.append(content)
    return found


def _paths(content: dict[str, Any], levels: int = 3) -> Iterator[str]:
    """Return the dotted paths to everything inside an object, so many levels deep."""
    for key, value in content.items():
        yield key
        if isinstance(value, dict) and levels > 1:
            yield from (f"{key}.{path}" for path in _paths(value, levels - 1))
