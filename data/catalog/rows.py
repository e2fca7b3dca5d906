"""Read rows of facts from TOML, lay the user's files over ours, and check every value before anyone uses it."""

import hashlib
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from data.errors import UserError

Row = dict[str, Any]
T = TypeVar("T")

CATALOG_FILES = ("models.toml", "gpus.toml", "prices.toml", "price_jumps.toml", "provisioned.toml")


def catalog_digest() -> str:
    """Return the sha256 of our own catalog files, so that a plan can say which facts it rests on."""
    digest = hashlib.sha256()
    for name in CATALOG_FILES:
        digest.update(name.encode() + b"\0" + catalog_bytes(name))
    return digest.hexdigest()


def catalog_bytes(name: str) -> bytes:
    """Return one of our own catalog files as it was shipped."""
    return files("data.catalog").joinpath(name).read_bytes()


def read_toml(path: Path) -> Row:
    """Return the content of a user's TOML file, or say in one sentence why it cannot be read."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as err:
        raise UserError(f"Cannot read the catalog file {path}: {err.strerror or err}; check its path.") from err
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        raise UserError(f"The catalog file {path} is not valid TOML: {err}; mend that line.") from err


def load_named_rows(
    name: str, overlays: Sequence[Path], kind: type[T], fill: Callable[[Row], Row] = dict
) -> dict[str, T]:
    """Return {row name: row} of one of our tables, the user's overlays on top.

    An overlay's row of a name that we have replaces the keys it gives and keeps the others; it must bring its own
    `source` and `checked`, because ours do not vouch for its values. `fill` adds what follows from other keys.
    """
    merged = _tables(tomllib.loads(catalog_bytes(name).decode()), name)
    origin = dict.fromkeys(merged, name)
    for path in overlays:
        for row_name, row in _tables(read_toml(path), str(path)).items():
            for key in ("source", "checked"):
                _require(key in row, str(path), row_name, key, "is missing", "every row states where it is from")
            merged[row_name] = {**merged.get(row_name, {}), **row}
            origin[row_name] = str(path)
    return {
        row_name: checked_row(kind, fill({**row, "name": row_name}), origin[row_name], row_name)
        for row_name, row in merged.items()
    }


def checked_row(kind: type[T], row: Row, file: str, row_name: str) -> T:
    """Return the row as `kind`, or raise UserError naming file, row, key, value and what is allowed."""
    _refuse_unknown_keys(kind, row, file, row_name)
    try:
        return _adapter(kind).validate_python(row)
    except ValidationError as err:
        first = err.errors(include_url=False)[0]
        key = str(first["loc"][0]) if first["loc"] else "(row)"
        if first["type"] in {"missing", "missing_keyword_only_argument"}:
            raise UserError(_sentence(file, row_name, key, "is missing", "every row must state it")) from err
        value, allowed = first.get("input"), first["msg"]
        raise UserError(_sentence(file, row_name, key, f"is {value!r}", _uncapitalised(allowed))) from err
    except UserError as err:
        raise UserError(f"{file}, row [{row_name}]: {err}") from err


def find_named(rows: Mapping[str, T], name: str, what: str) -> T:
    """Return the row of that name, upper and lower case alike, or raise UserError with the nearest names."""
    if (row := rows.get(name.strip().lower())) is not None:
        return row
    raise UserError(f"No {what} is called {name!r}; {nearest(name, rows)}")


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the end of a sentence that offers the nearest known names, or all of them."""
    names = sorted(known)
    close = get_close_matches(name.lower(), names, n=3, cutoff=0.5)
    return f"did you mean {' or '.join(close)}?" if close else f"known are {', '.join(names)}."


_ADAPTERS: dict[str, TypeAdapter[Any]] = {}


def _adapter(kind: type[T]) -> TypeAdapter[T]:
    """Build the checks of a table once: they cost more than the rows."""
    if kind.__qualname__ not in _ADAPTERS:
        _ADAPTERS[kind.__qualname__] = TypeAdapter(kind)
    return _ADAPTERS[kind.__qualname__]


def _tables(content: Row, file: str) -> dict[str, Row]:
    for row_name, row in content.items():
        allowed = f'a table, written ["{row_name}"] on a line of its own'
        _require(isinstance(row, dict), file, row_name, "(row)", f"is {row!r}", allowed)
    return content


def _refuse_unknown_keys(kind: type[T], row: Row, file: str, row_name: str) -> None:
    known = [key for key in kind.__dataclass_fields__ if key != "name"]  # type: ignore[attr-defined]  # dataclass
    for key in row:
        if key != "name" and key not in known:
            raise UserError(_sentence(file, row_name, key, "is not a key of this table", nearest(key, known)))


def _require(holds: bool, file: str, row_name: str, key: str, wrong: str, allowed: str) -> None:
    if not holds:
        raise UserError(_sentence(file, row_name, key, wrong, allowed))


def _sentence(file: str, row_name: str, key: str, wrong: str, allowed: str) -> str:
    return f"{file}, row [{row_name}]: `{key}` {wrong}; {allowed.rstrip('.')}" + (
        "" if allowed[-1] == "?" else "."
    )


def _uncapitalised(message: str) -> str:
    message = message.removeprefix("Value error, ").replace("Input should", "it should")
    return message[:1].lower() + message[1:]
