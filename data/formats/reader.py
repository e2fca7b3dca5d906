"""Log files as rows with our own column names: by DuckDB's readers, or line by line where those give up.

Column names of a file never become SQL: columns are taken by position, paths into JSON and patterns of lines are
$parameters.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import pyarrow as pa

from data.errors import UserError
from data.formats.document import MAX_DOCUMENT_CHARS
from data.formats.lines import text_rows
from data.formats.sample import MAX_LINE_BYTES, Sample
from data.text import literal_path

_WHOLE_LINES = ("jsonl", "json", "lines")
"""Kinds whose rows are taken out of whole lines or documents; the others have columns."""

WHOLE_DOCUMENT = "/"
"""What a format of JSON reads that takes its rows out of the whole document by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A query for `line`, `malformed` and our names, with its $parameters. line: NULL where it was not counted."""

    sql: str
    parameters: Mapping[str, Any]


def fast_relation(
    sample: Sample,
    reads: Mapping[str, str],
    *,
    optional: AbstractSet[str] = frozenset(),
    pattern: str | None = None,
) -> Relation:
    """Return the file as DuckDB's own readers give it; a malformed line makes the query fail.

    optional: of our names, those whose column may be missing; they are NULL then. pattern: of the lines of a log
    without columns, its groups in the order of `reads`. Raises UserError where a column is not in the file.
    """
    if sample.kind == "parquet":
        return _parquet(sample, reads, optional)
    if sample.kind == "csv":
        return _csv(sample, reads, optional)
    if sample.kind == "json":
        source = """SELECT CAST(NULL AS BIGINT) AS line, CAST(NULL AS VARCHAR) AS malformed,
            CAST(json AS VARCHAR) AS doc FROM read_json_objects($raw_path, format = 'auto',
            compression = $raw_compression, maximum_object_size = $raw_object_bytes, hive_partitioning = false)"""
        return _extracted(
            source, reads, {**_raw(sample), "raw_object_bytes": MAX_DOCUMENT_CHARS}, is_patient=False
        )
    source = """SELECT CAST(NULL AS BIGINT) AS line, CAST(NULL AS VARCHAR) AS malformed, doc FROM read_csv(
        $raw_path, auto_detect = false, header = false, delim = '\x1f', quote = '', escape = '',
        columns = {'doc': 'VARCHAR'}, compression = $raw_compression, max_line_size = $raw_line_bytes,
        hive_partitioning = false) WHERE trim(doc) <> ''"""
    parameters = {**_raw(sample), "raw_line_bytes": MAX_LINE_BYTES}
    return _taken_from_lines(sample, source, reads, parameters, pattern, is_patient=False)


def exact_relation(
    sample: Sample,
    reads: Mapping[str, str],
    view: str,
    *,
    optional: AbstractSet[str] = frozenset(),
    pattern: str | None = None,
) -> Relation:
    """Return the rows of `exact_rows`, registered with DuckDB as `view`: slower, and every row knows its line."""
    if sample.kind in _WHOLE_LINES:
        source = f"SELECT line, malformed, doc FROM {view}"  # noqa: S608  # our own name
        return _taken_from_lines(sample, source, reads, {}, pattern, is_patient=True)
    columns, parameters = _columns(sample, reads, optional)
    return Relation(sql=f"SELECT line, malformed, {columns} FROM {view}", parameters=parameters)  # noqa: S608


def exact_rows(sample: Sample) -> pa.RecordBatchReader:
    """Return a text file row by row with its 1-based line; a malformed row has a reason and no values."""
    return text_rows(sample, ("doc",) if sample.kind in _WHOLE_LINES else _positions(sample))


def _parquet(sample: Sample, reads: Mapping[str, str], optional: AbstractSet[str]) -> Relation:
    columns, parameters = _columns(sample, reads, optional)
    names = ", ".join((*_positions(sample), "row_number"))
    sql = f"""SELECT row_number + 1 AS line, CAST(NULL AS VARCHAR) AS malformed, {columns}
        FROM read_parquet($raw_path, file_row_number = true, hive_partitioning = false) AS file({names})"""  # noqa: S608  # c0, c1, ...
    return Relation(sql=sql, parameters={"raw_path": [literal_path(sample.path)], **parameters})


def _csv(sample: Sample, reads: Mapping[str, str], optional: AbstractSet[str]) -> Relation:
    columns, parameters = _columns(sample, reads, optional)
    declared = ", ".join(f"'{name}': 'VARCHAR'" for name in _positions(sample))
    sql = f"""SELECT CAST(NULL AS BIGINT) AS line, CAST(NULL AS VARCHAR) AS malformed, {columns} FROM read_csv(
        $raw_path, auto_detect = false, header = true, delim = $raw_delimiter, quote = '"', escape = '"',
        columns = {{{declared}}}, compression = $raw_compression, max_line_size = $raw_line_bytes,
        hive_partitioning = false)"""  # noqa: S608  # c0, c1, ...
    raw = {**_raw(sample), "raw_delimiter": sample.delimiter, "raw_line_bytes": MAX_LINE_BYTES}
    return Relation(sql=sql, parameters={**raw, **parameters})


def _raw(sample: Sample) -> dict[str, Any]:
    return {"raw_path": [literal_path(sample.path)], "raw_compression": sample.compression}


def _taken_from_lines(
    sample: Sample,
    source: str,
    reads: Mapping[str, str],
    parameters: Mapping[str, Any],
    pattern: str | None,
    *,
    is_patient: bool,
) -> Relation:
    """Take what is read out of whole lines: each is a JSON document or, in logs without columns, plain text."""
    if sample.kind != "lines":
        return _extracted(source, reads, parameters, is_patient=is_patient)
    if pattern is None:
        raise UserError(f"{sample.path} is a log of plain lines, without columns; say what it is with --format.")
    groups = ", ".join(f"'{name}'" for name in reads)
    columns = ", ".join(f"{_clean(f'found.{name}')} AS {name}" for name in reads)
    sql = f"""SELECT line, malformed, {columns} FROM (
        SELECT line, malformed, regexp_extract(doc, $raw_pattern, [{groups}]) AS found FROM ({source}))"""  # noqa: S608  # our own names
    return Relation(sql=sql, parameters={**parameters, "raw_pattern": pattern})


def _extracted(
    source: str, reads: Mapping[str, str], parameters: Mapping[str, Any], *, is_patient: bool
) -> Relation:
    """Take paths out of one JSON document a row; what is not valid JSON is malformed.

    is_patient: False lets such a row fail the query instead, which parses each document once and not twice.
    """
    if list(reads.values()) == [WHOLE_DOCUMENT]:
        (name,) = reads
        sql = f"""SELECT line, coalesce(malformed, CASE WHEN NOT is_valid THEN 'not valid JSON' END) AS malformed,
            CASE WHEN is_valid THEN doc END AS {name}
            FROM (SELECT line, malformed, doc, coalesce(json_valid(doc), false) AS is_valid FROM ({source}))"""  # noqa: S608  # our own names
        return Relation(sql=sql, parameters=parameters)
    columns = ", ".join(f"{_clean(f'found[{i}]')} AS {name}" for i, name in enumerate(reads, start=1))
    taken = "json_extract_string(doc, $raw_paths)"
    if is_patient:
        taken = f"CASE WHEN json_valid(doc) THEN {taken} END"
    sql = f"""SELECT line, coalesce(malformed, CASE WHEN found IS NULL THEN 'not valid JSON' END) AS malformed,
        {columns} FROM (SELECT line, malformed, {taken} AS found FROM ({source}))"""  # noqa: S608  # our own names
    paths = [_pointer(path.split(".")) if not path.startswith("/") else path for path in reads.values()]
    return Relation(sql=sql, parameters={**parameters, "raw_paths": paths})


def _columns(sample: Sample, reads: Mapping[str, str], optional: AbstractSet[str]) -> tuple[str, dict[str, Any]]:
    """Return the select list of our names, taken by position, and the JSON paths it needs as parameters.

    All paths into one column are taken in one go, so that its JSON is parsed once.
    """
    expressions: dict[str, str] = {}
    inside: dict[str, dict[str, str]] = {}
    for name, source in reads.items():
        if name in optional and not _holds(sample, source):
            expressions[name] = "CAST(NULL AS VARCHAR)"
            continue
        column, path = _find(sample, source)
        if path:
            inside.setdefault(column, {})[name] = _pointer(path)
        else:
            expressions[name] = _clean(f"c{sample.columns.index(column)}", sample.types.get(column))
    parameters: dict[str, Any] = {}
    for column, pointers in inside.items():
        cell, key = f"c{sample.columns.index(column)}", f"paths_{sample.columns.index(column)}"
        document = f"CAST(to_json({cell}) AS VARCHAR)" if column in sample.types else cell
        found = f"CASE WHEN json_valid({document}) THEN json_extract_string({document}, ${key}) END"
        parameters[key] = list(pointers.values())
        expressions |= {name: _clean(f"({found})[{i}]") for i, name in enumerate(pointers, start=1)}
    return ", ".join(f"{expressions[name]} AS {name}" for name in reads), parameters


def _find(sample: Sample, source: str) -> tuple[str, list[str]]:
    """Return the column that a dotted source names, and the path inside it; the longest column name wins."""
    parts = source.split(".")
    for length in range(len(parts), 0, -1):
        if (column := ".".join(parts[:length])) in sample.columns:
            return column, parts[length:]
    close = get_close_matches(source, sample.columns, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}?" if close else f"it has {', '.join(sample.columns[:12])}."
    raise UserError(f"{sample.path} has no column {source!r}; {hint}")


def _holds(sample: Sample, source: str) -> bool:
    """Return whether the file has the column that a dotted source names."""
    parts = source.split(".")
    return any(".".join(parts[:length]) in sample.columns for length in range(1, len(parts) + 1))


def _clean(expression: str, kind: str | None = None) -> str:
    """Make what stands for missing NULL: empty text, and NaN in columns of floats."""
    if kind is None:
        return f"nullif(trim({expression}), '')"
    if kind in {"float", "double", "halffloat"}:
        return f"CASE WHEN NOT isnan({expression}) THEN {expression} END"
    return expression


def _positions(sample: Sample) -> tuple[str, ...]:
    return tuple(f"c{i}" for i in range(len(sample.columns)))


def _pointer(parts: list[str]) -> str:
    """Return a JSON pointer (RFC 6901) of these keys: unlike a path it has no wildcards."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)
