"""Text logs read straight into types, by DuckDB's own readers: the fast way, for files in which every value fits.

It never decides that a row is bad. One value that does not fit makes the query fail, and the file is then read the
patient way (`data.formats.reader`), which says what is wrong with which line.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from data.formats.contract import RequestSelect
from data.formats.reader import Relation, fast_relation
from data.formats.sample import MAX_LINE_BYTES, Sample
from data.text import literal_path

_TYPES = {
    "arrived_utc": "TIMESTAMPTZ",
    # DOUBLE, not BIGINT: DuckDB's readers round 12.5 to a whole number without a word.
    "prompt_tok": "DOUBLE",
    "cached_prompt_tok": "DOUBLE",
    "output_tok": "DOUBLE",
    "reasoning_tok": "DOUBLE",
    "first_token_s": "DOUBLE",
    "duration_s": "DOUBLE",
    "cost_usd": "DOUBLE",
}
"""Canonical fields that may be read as a type, where the source states them as they are."""

_JSON_AS_TEXT = frozenset(field for field in _TYPES if field.endswith("_tok"))
"""DuckDB's JSON reader takes `true` for the number 1; as text it is no number."""

_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
"""A path into JSON that needs no quotes as the name of a column, and leads through no list."""


class _Place(NamedTuple):
    """Where a value lies: a key of the row, a key of the object there ("": all of it), and a pointer into that."""

    top: str
    key: str = ""
    pointer: str = ""


def typed_relation(sample: Sample, select: RequestSelect) -> Relation:
    """Return the file's rows with `line` (NULL in text), `malformed` (NULL) and the names of `select.reads`.

    Files whose rows hold several requests, or are plain lines, or lack a column that they may lack, are read as
    `fast_relation` reads them.
    """
    plain = (
        select.items is None and select.pattern is None and len(set(select.reads.values())) == len(select.reads)
    )
    if plain and sample.kind == "csv" and set(select.reads.values()) <= set(sample.columns):
        return _csv(sample, select)
    if plain and sample.kind == "jsonl" and _is_declarable(select.reads.values()):
        return _json(sample, select)
    return fast_relation(sample, select.reads, optional=select.optional, pattern=select.pattern)


def _csv(sample: Sample, select: RequestSelect) -> Relation:
    positions = {sample.columns.index(source): name for name, source in select.reads.items()}
    types = {f"c{i}": _type(select, positions.get(i)) for i in range(len(sample.columns))}
    columns = ", ".join(f"{_cleaned(f'c{i}', types[f'c{i}'])} AS {name}" for i, name in positions.items())
    sql = f"""SELECT CAST(NULL AS BIGINT) AS line, CAST(NULL AS VARCHAR) AS malformed, {columns} FROM read_csv(
        $raw_path, auto_detect = false, header = true, delim = $raw_delimiter, quote = '"', escape = '"',
        columns = $raw_columns, compression = $raw_compression, max_line_size = $raw_line_bytes,
        hive_partitioning = false)"""  # noqa: S608  # c0, c1, ...
    return Relation(sql=sql, parameters=_raw(sample, types) | {"raw_delimiter": sample.delimiter})


def _is_declarable(paths: Iterable[str]) -> bool:
    """Return whether everything that is read can be declared: keys of the row, and simple paths inside them.

    What is read both whole and in parts cannot.
    """
    paths = tuple(paths)
    if any("/" in path or ("." in path and not _PATH.fullmatch(path)) for path in paths):
        return False
    places = {_place(path) for path in paths}
    in_parts = {_Place(place.top) for place in places if place.key}
    in_parts |= {place._replace(pointer="") for place in places if place.pointer}
    return not places & in_parts


def _place(path: str) -> _Place:
    top, *inside = path.split(".", 2)
    return _Place(top, *inside[:1], *("/" + rest.replace(".", "/") for rest in inside[1:]))


def _json(sample: Sample, select: RequestSelect) -> Relation:
    """Read keys and what is inside them; a key of the file is a parameter, and its column is known by position.

    An object is declared with the keys that are read, so that the reader skips the rest of it, prompts above all.
    What lies deeper is taken out of its text: what holds it need not be an object in every row.
    """
    places = {name: _place(source) for name, source in select.reads.items()}
    types: dict[str, str] = {}
    for name, place in places.items():
        if place.key:
            types[place.top] = _struct(other for other in places.values() if other.top == place.top)
        else:
            types[place.top] = _type(select, name, as_text=_JSON_AS_TEXT)
    raw = _raw(sample, types)
    columns = []
    for name, place in places.items():
        expression = f"k{list(types).index(place.top)}"
        if place.key:
            expression = f"struct_extract({expression}, '{place.key}')"
        if place.pointer:
            raw[f"inside_{name}"] = place.pointer
            expression = f"json_extract_string({expression}, $inside_{name})"
        kind = "VARCHAR" if place.key else types[place.top]
        columns.append(f"{_cleaned(expression, kind)} AS {name}")
    sql = f"""SELECT CAST(NULL AS BIGINT) AS line, CAST(NULL AS VARCHAR) AS malformed, {", ".join(columns)}
        FROM read_json($raw_path, format = 'newline_delimited', columns = $raw_columns,
        compression = $raw_compression, maximum_object_size = $raw_line_bytes, hive_partitioning = false)
        AS file({", ".join(f"k{i}" for i in range(len(types)))})"""  # noqa: S608  # k0, k1, ...
    return Relation(sql=sql, parameters=raw)


def _struct(places: Iterable[_Place]) -> str:
    """Return the type of an object with these keys: text, or JSON where something inside is read."""
    keys = {place.key: "JSON" if place.pointer else "VARCHAR" for place in places}
    return "STRUCT(" + ", ".join(f'"{key}" {kind}' for key, kind in keys.items()) + ")"


def _type(select: RequestSelect, name: str | None, as_text: frozenset[str] = frozenset()) -> str:
    """Return the type of one of our names: text, unless it is a canonical field as it stands and nothing else."""
    if name is None or select.fields.get(name) != name or name in as_text:
        return "VARCHAR"
    if any(name in expression for field, expression in select.fields.items() if field != name):
        return "VARCHAR"
    return _TYPES.get(name, "VARCHAR")


def _cleaned(expression: str, kind: str) -> str:
    """Make empty text NULL. NaN stays: as a count it is no number, and the row is then judged patiently."""
    return f"nullif(trim({expression}), '')" if kind == "VARCHAR" else expression


def _raw(sample: Sample, types: Mapping[str, str]) -> dict[str, Any]:
    return {
        "raw_path": [literal_path(sample.path)],
        "raw_compression": sample.compression,
        "raw_line_bytes": MAX_LINE_BYTES,
        "raw_columns": dict(types),
    }
