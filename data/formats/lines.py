"""Text logs row by row, each with its line: slower than DuckDB's readers, and at a loss with nothing.

What a line holds is never trusted: its length is bounded, bytes that are not UTF-8 are marked, a quote that is
never closed costs one row and not the rest of the file.
"""

import csv
import json
import re
from collections.abc import Iterator

import pyarrow as pa

from data.errors import UserError
from data.formats.document import documents
from data.formats.sample import MAX_LINE_BYTES, Sample, open_text

csv.field_size_limit(MAX_LINE_BYTES)

NOT_TEXT = "\x00not UTF-8"
"""What stands for a cell that is not UTF-8; no name may have a NUL in it (sql/checked_requests.sql)."""

_BATCH_ROWS = 20_000
_BATCH_CHARS = 32 * 1024 * 1024
_RECOVERED_CHARS = 8 * MAX_LINE_BYTES
"""How much of a file is looked at twice after quotes that are never closed, so that a hostile one stays linear."""

_MALFORMED = pa.schema([("line", pa.int64()), ("malformed", pa.string())])
_NOT_UTF8 = re.compile("[\udc80-\udcff]")

_Row = tuple[str | int | None, ...]


def text_rows(sample: Sample, names: tuple[str, ...]) -> pa.RecordBatchReader:
    """Return a text file row by row with its 1-based line; a malformed row has a reason and no values.

    names: of the columns to be made; a file that is not CSV has one, its whole line.
    """
    schema = pa.schema([*_MALFORMED, *((name, pa.string()) for name in names)])
    by_kind = {"csv": _csv_rows, "json": _elements}
    rows = by_kind.get(sample.kind, _whole_lines)(sample)
    return pa.RecordBatchReader.from_batches(schema, _batches(rows, schema))


class _Lines:
    """The lines of a file, some of which are put back to be read again. number: of the last line given."""

    def __init__(self, sample: Sample) -> None:
        self._file = open_text(sample.path, sample.compression, errors="surrogateescape")
        self._again: list[str] = []
        self.number = 0
        self.record: list[str] = []

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._again.pop() if self._again else self._read()
        if not line:
            raise StopIteration
        self.number += 1
        self.record.append(line)
        return line

    def begin(self) -> int:
        """Begin a record; return the number of its first line."""
        self.record = []
        return self.number + 1

    def give_back(self, lines: list[str]) -> None:
        """Take lines back, to be given again in the same order."""
        self._again += reversed(lines)
        self.number -= len(lines)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _read(self) -> str:
        line = self._file.readline(MAX_LINE_BYTES)
        if len(line) < MAX_LINE_BYTES or line.endswith(("\n", "\r")):
            return line
        while (rest := self._file.readline(MAX_LINE_BYTES)) and not rest.endswith(("\n", "\r")):
            pass
        return _TOO_LONG


_TOO_LONG = "\x00too long\n"


def _csv_rows(sample: Sample) -> Iterator[_Row]:
    width, nothing = len(sample.columns), [None] * len(sample.columns)
    lines = _Lines(sample)
    spare = _RECOVERED_CHARS
    header: list[str] = []
    rows = csv.reader(lines, delimiter=sample.delimiter, strict=True)
    while True:
        line = lines.begin()
        row, wrong = _next_row(rows)
        if row is None and not wrong:
            lines.close()
            return
        if row is not None and not header:
            header = row
            continue
        wrong = wrong or _what_is_wrong(row or [], header, width)
        if wrong and len(lines.record) > 1 and spare > 0:  # a quote that is never closed took the lines behind it
            again = lines.record[1:]
            spare -= sum(map(len, again))
            lines.give_back(again)
            rows = csv.reader(lines, delimiter=sample.delimiter, strict=True)
            wrong = _NOT_CLOSED
        if wrong:
            yield (line, wrong, *nothing)
        elif row:
            yield (line, None, *map(_cell, row[:width]))
        if wrong and wrong.startswith(_CUT_OFF):
            lines.close()
            return


_CUT_OFF = "cannot be read: "
_NOT_CLOSED = "a quote is opened and not closed"


def _next_row(rows: Iterator[list[str]]) -> tuple[list[str] | None, str | None]:
    """Return the next row, or why there is none; neither at the end of the file."""
    try:
        return next(rows), None
    except StopIteration:
        return None, None
    except csv.Error as err:
        return None, _NOT_CLOSED if "end of data" in str(err) else f"not CSV: {err}"
    except (EOFError, OSError, pa.ArrowException) as err:
        return None, f"{_CUT_OFF}{err}"


def _what_is_wrong(row: list[str], header: list[str], width: int) -> str | None:
    if row and row[0].startswith(_TOO_LONG.rstrip()):
        return f"line longer than {MAX_LINE_BYTES:,} bytes"
    if row == header:
        return "the header again"
    if row and (len(row) < width or any(row[width:])):
        return f"{len(row)} columns instead of {width}"
    return None


def _cell(text: str) -> str:
    return text if text.isascii() or not _NOT_UTF8.search(text) else NOT_TEXT


def _elements(sample: Sample) -> Iterator[_Row]:
    """Return the elements of an array, counted from 1 like lines, or the one document."""
    try:
        yield from ((n, wrong, json.dumps(content)) for n, wrong, content in documents(sample))
    except UserError as err:
        yield 1, str(err).removeprefix(f"{sample.path} ").partition(";")[0].rstrip("."), None


def _whole_lines(sample: Sample) -> Iterator[_Row]:
    lines = _Lines(sample)
    while True:
        line = lines.begin()
        try:
            text = next(lines)
        except StopIteration:
            break
        except (EOFError, OSError, pa.ArrowException) as err:
            yield line, f"{_CUT_OFF}{err}", None
            break
        if text is _TOO_LONG:
            yield line, f"line longer than {MAX_LINE_BYTES:,} bytes", None
        elif not text.isascii() and _NOT_UTF8.search(text):
            yield (line, "not UTF-8 text", None) if sample.kind == "jsonl" else (line, None, _replaced(text))
        elif text.strip():
            yield line, None, text
    lines.close()


def _replaced(text: str) -> str:
    """Return a line of a server's log, in which odd bytes may stand beside what is read, with marks for them."""
    return _NOT_UTF8.sub("�", text)


def _batches(rows: Iterator[_Row], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Return the rows in batches that are bounded in rows and in memory."""
    batch: list[_Row] = []
    chars = 0
    for row in rows:
        batch.append(row)
        chars += sum(len(cell) for cell in row if isinstance(cell, str))
        if len(batch) >= _BATCH_ROWS or chars >= _BATCH_CHARS:
            yield _batch(batch, schema)
            batch, chars = [], 0
    if batch:
        yield _batch(batch, schema)


def _batch(rows: list[_Row], schema: pa.Schema) -> pa.RecordBatch:
    columns = zip(*rows, strict=True)
    return pa.record_batch([pa.array(c, t) for c, t in zip(columns, schema.types, strict=True)], schema=schema)
