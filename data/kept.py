"""What nothing else can give back, copied beside the lake, so that the DuckDB file can be lost.

`<lake>/generation.json` names a Parquet file under `<lake>/kept/` for each table of that kind that has rows, and
the generation (number of changes committed) that they are of. Copies are on disk before a change is committed, and
the file that names them is renamed right after: a crash in between leaves the store and its copies as they were.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from data.files import digest_of, prepare_file, publish_file, sync_file, sync_folder
from data.frames import first_row
from data.tables import ROLLUP_TIMES, kept_tables
from data.text import literal_path

_WITHOUT_SLICES = """
SELECT DISTINCT source_label FROM file_manifest
WHERE status = 'done' AND rows_new > 0 AND file_id NOT IN (SELECT file_id FROM slice_manifest)
    AND file_id NOT IN (SELECT file_id FROM usage_bucket)
    AND file_id NOT IN (SELECT file_id FROM usage_percentile)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One table as a Parquet file. path: relative to the lake; fingerprint: of its rows, whatever their order."""

    path: str
    rows: int
    size_bytes: int
    sha256: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the file beside the lake says. copies: None in stores last written before there were any.

    version: of the store's tables.
    """

    generation: int
    copies: Mapping[str, Copy] | None
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Copies that are on disk and wait to be named; None: nothing has changed."""

    temporary: Path | None


def kept_path(lake: Path) -> Path:
    """Return the file that names the copies."""
    return lake / "generation.json"


def read_kept(lake: Path) -> Kept | None:
    """Return what the file beside the lake says; None where it is missing or cannot be read."""
    try:
        content = json.loads(kept_path(lake).read_text("utf-8"))
        tables = content.get("tables")
        copies = None if tables is None else {name: Copy(**each) for name, each in tables.items()}
        return Kept(generation=int(content["generation"]), copies=copies, version=content.get("version"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def prepare_copies(con: duckdb.DuckDBPyConnection, lake: Path, generation: int) -> Prepared:
    """Copy the tables that changed, as the open transaction sees them; nobody sees the copies before `publish`."""
    before = read_kept(lake)
    known = (before.copies or {}) if before else {}
    every = {name: _copied(con, lake, name, sql, known.get(name)) for name, sql in _queries(con)}
    copies = {name: copy for name, copy in every.items() if copy is not None}
    found = first_row(con, "SELECT version FROM store_version")
    version = int(found[0]) if found else None
    now = Kept(generation=generation, copies=copies, version=version)
    if now == before:
        return Prepared(temporary=None)
    if any(copies[name] is not known.get(name) for name in copies):
        sync_folder(lake / "kept")
    tables = {name: asdict(copy) for name, copy in copies.items()}
    content = {"generation": generation, "version": version, "tables": tables}
    text = json.dumps(content, indent=1, sort_keys=True)
    return Prepared(temporary=prepare_file(kept_path(lake), text + "\n"))


def publish_copies(lake: Path, prepared: Prepared) -> None:
    """Name the prepared copies in one step, and remove those that are named no more."""
    if prepared.temporary is not None:
        publish_file(prepared.temporary, kept_path(lake))
    drop_unnamed_copies(lake)


def drop_unnamed_copies(lake: Path) -> int:
    """Remove copies that the file beside the lake does not name; returns their bytes."""
    kept = read_kept(lake)
    if kept is None:
        return 0
    named = {lake / copy.path for copy in (kept.copies or {}).values()}
    freed = 0
    for path in (lake / "kept").glob("*"):
        if path not in named:
            freed += path.stat().st_size
            path.unlink()
    return freed


def kept_rollups(table: str) -> str:
    """Return the query for the rows of a rollup that no slice can give: those that came in as rollups."""
    day = f"CAST({ROLLUP_TIMES[table]} AS DATE)"
    return f"""SELECT * FROM {table} WHERE source_label IN ({_WITHOUT_SLICES}) AND (source_label, {day}) NOT IN (
        SELECT (source_label, day_utc) FROM slice_manifest JOIN file_manifest USING (file_id)
        WHERE status = 'done')"""  # noqa: S608  # our own names


def fingerprint(con: duckdb.DuckDBPyConnection, sql: str) -> tuple[int, str]:
    """Return how many rows a query has and a number that changes with any of them; it reads every value."""
    row = first_row(con, f"SELECT count(*), coalesce(sum(hash(kept_row)), 0) FROM ({sql}) AS kept_row")  # noqa: S608
    return (int(row[0]), str(row[1])) if row else (0, "0")


def _queries(con: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, str]]:
    """Return each table to be copied with the query for its rows."""
    for table in kept_tables(con):
        yield table, f"SELECT * FROM {table}"  # noqa: S608  # our own names
    if first_row(con, _WITHOUT_SLICES) is not None:
        for table in ROLLUP_TIMES:
            yield table, kept_rollups(table)


def _copied(con: duckdb.DuckDBPyConnection, lake: Path, table: str, sql: str, known: Copy | None) -> Copy | None:
    """Return the copy that has these rows: the known one, or a new file; None where there are no rows."""
    rows, found = fingerprint(con, sql)
    if rows == 0:
        return None
    if known is not None and (known.rows, known.fingerprint) == (rows, found) and _is_there(lake, known):
        return known
    folder = lake / "kept"
    folder.mkdir(exist_ok=True)
    part = folder / f".{table}.tmp"
    con.execute(f"COPY ({sql}) TO $target (FORMAT parquet, COMPRESSION zstd)", {"target": str(part)})
    sync_file(part)
    sha256, size_bytes = digest_of(part), part.stat().st_size
    name = f"kept/{table}-{sha256[:12]}.parquet"
    part.replace(lake / name)
    return Copy(path=name, rows=rows, size_bytes=size_bytes, sha256=sha256, fingerprint=found)


def _is_there(lake: Path, copy: Copy) -> bool:
    path = lake / copy.path
    return path.is_file() and path.stat().st_size == copy.size_bytes


def damaged_copies(lake: Path, kept: Kept) -> list[tuple[str, str]]:
    """Return (table, what is wrong) for each copy that is not what the file beside the lake promises."""
    found: list[tuple[str, str]] = []
    for table, copy in (kept.copies or {}).items():
        path = lake / copy.path
        if not path.is_file():
            found.append((table, f"{copy.path} is missing in {lake}"))
        elif digest_of(path) != copy.sha256:
            found.append((table, f"{copy.path} in {lake} is cut off or altered"))
    return found


def load_copies(con: duckdb.DuckDBPyConnection, lake: Path, kept: Kept) -> None:
    """Fill the empty tables of a new store from the copies; columns that a copy lacks stay NULL."""
    for table, copy in (kept.copies or {}).items():
        parameters: dict[str, Any] = {"path": [literal_path(lake / copy.path)]}
        rows = "SELECT * FROM read_parquet($path)"
        con.execute(f"CREATE TABLE IF NOT EXISTS {table} AS {rows} WHERE false", parameters)
        con.execute(f"INSERT INTO {table} BY NAME {rows}", parameters)  # the names are those of our tables
