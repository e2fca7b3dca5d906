"""A rollup made outside the store, as a folder: a manifest, and Parquet tables that must add up to it."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Literal

import duckdb
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from data.dialects import CANONICAL_TYPES, ROLLUP_TABLES
from data.errors import UserError

MANIFEST = "manifest.json"
MAX_REJECTED_SHARE = 0.05
"""A rollup that leaves out a larger share of its rows is refused, as a log would be."""

_WHOLE = frozenset(name for name, kind in CANONICAL_TYPES.items() if kind == "BIGINT")
_REQUIRED = ("arrived_utc", "prompt_tok", "output_tok")
_NO_WHOLE_NUMBER = -1
"""What a fraction of a token becomes: the SQL leaves the row out, as it does every negative count."""


class DayCount(BaseModel):
    """What the rollups of one source label and UTC day must add up to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source_label: str = Field(min_length=1)
    day_utc: date
    requests: int = Field(gt=0)
    token_requests: int = Field(ge=0)
    cached_known_requests: int = Field(ge=0)


class RollupManifest(BaseModel):
    """DIR/manifest.json of a rollup. Only schema_version and engine must be there; what else is there must hold.

    rows_read, rows_rejected, rows_duplicate: of the input. tables: rows of each table. days: left out, they are
    read from the table rollup_days.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1]
    engine: str = Field(min_length=1, max_length=100)
    input: str | None = None
    rows_read: int | None = Field(default=None, ge=0)
    rows_rejected: int | None = Field(default=None, ge=0)
    rows_duplicate: int | None = Field(default=None, ge=0)
    tables: dict[str, int] | None = None
    days: tuple[DayCount, ...] | None = None


def read_manifest(folder: Path) -> RollupManifest:
    """Return a rollup's manifest; raises UserError where there is none, or one that is not understood."""
    path = folder / MANIFEST
    try:
        return RollupManifest.model_validate_json(path.read_bytes())
    except OSError as err:
        raise UserError(
            f"{folder} has no readable {MANIFEST}, so it is no rollup;"
            " make one with fleetcast rollup (docs/scale.md)."
        ) from err
    except ValidationError as err:
        first = err.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the text"
        raise UserError(f"{path} is no manifest of a rollup: {place}: {first['msg']}; see docs/scale.md.") from err


@contextmanager
def new_rollup(out: Path) -> Iterator[Path]:
    """Give a folder beside `out` to fill, and let `out` appear whole at the end, or not at all.

    Raises UserError where `out` is there already.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out} is there already; name another --out, or remove it.")
    part = out.with_name(f".{out.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir(parents=True)
        yield part
        if out.exists():
            out.rmdir()
        part.rename(out)
    except OSError as err:
        raise UserError(f"Cannot write {out}: {err.strerror or err}; name another --out.") from err
    finally:
        shutil.rmtree(part, ignore_errors=True)


def write_manifest(
    folder: Path, *, engine: str, source: str, read: int, usable: int, kept: int, max_rejected_share: float
) -> RollupManifest:
    """Write the manifest of the tables in a folder; raises UserError where too many rows were left out.

    read, usable, kept: rows of the input; those that the store would accept; those of them that are no duplicates.
    """
    if read == 0:
        raise UserError(f"There is no request in {source}; give another --input.")
    if read - usable > max_rejected_share * read:
        raise UserError(
            f"{read - usable:,} of the {read:,} rows of {source} cannot be used (at most {max_rejected_share:.0%}"
            " may): no label, a time outside 2000-2100, a token count that is no whole number of 0 to 100,000,000,"
            " cached tokens above the prompt, or an unknown category; mend them, or raise --max-rejected-share."
        )
    with duckdb.connect() as con:
        tables = {table: _count(con, folder, table) for table in ROLLUP_TABLES}
        rows = con.execute(
            """SELECT source_label, day_utc, requests, token_requests, cached_known_requests
            FROM read_parquet($files) ORDER BY source_label, day_utc""",
            {"files": table_files(folder, "rollup_days")},
        ).fetchall()
    manifest = RollupManifest(
        schema_version=1,
        engine=engine,
        input=source,
        rows_read=read,
        rows_rejected=read - usable,
        rows_duplicate=usable - kept,
        tables=tables,
        days=tuple(DayCount(**dict(zip(DayCount.model_fields, row, strict=True))) for row in rows),
    )
    text = json.dumps(manifest.model_dump(mode="json"), indent=1)
    (folder / MANIFEST).write_text(text + "\n", "utf-8")
    return manifest


def table_files(folder: Path, table: str) -> list[str]:
    """Return the Parquet files of a table: DIR/<table>.parquet, or every one in DIR/<table>/."""
    single = folder / f"{table}.parquet"
    files = [single] if single.is_file() else sorted((folder / table).rglob("*.parquet"))
    return [str(file) for file in files if not file.name.startswith(("_", "."))]


def canonical_columns(kinds: Mapping[str, str], source: str, *, truncate: str) -> list[tuple[str, str]]:
    """Return (column, expression) of `canonical_requests` over a user's columns, of `kinds` (name -> kind).

    kind: "whole", "float", "text", "time" or "other", as the engine's type is. truncate: the engine's word for
    the whole number below. A column that is not there is NULL. Raises UserError for one that is of no use.
    """
    missing = [name for name in _REQUIRED if name not in kinds]
    if missing:
        raise UserError(
            f"{source} has no column {missing[0]!r}; a rollup reads the canonical columns (docs/formats.md)."
        )
    return [(name, _expression(name, kinds.get(name), source, truncate)) for name in CANONICAL_TYPES]


def _expression(name: str, kind: str | None, source: str, truncate: str) -> str:
    if kind is None:
        return "NULL"
    numbers = {"whole", "float"} if name in _WHOLE else {"text", "whole"}
    allowed = {"time"} if name == "arrived_utc" else numbers
    if kind not in allowed:
        raise UserError(
            f"The column {name!r} of {source} is of a type that a rollup does not read;"
            f" write it as {CANONICAL_TYPES[name]}, or use fleetcast ingest."
        )
    if kind == "float":
        whole = f"WHEN {truncate}({name}) = {name} THEN {name}"
        return f"CASE WHEN {name} IS NULL OR isnan({name}) THEN NULL {whole} ELSE {_NO_WHOLE_NUMBER} END"
    return name


def _count(con: duckdb.DuckDBPyConnection, folder: Path, table: str) -> int:
    rows = con.execute(
        "SELECT count(*) FROM read_parquet($files)", {"files": table_files(folder, table)}
    ).fetchall()
    return int(rows[0][0])
