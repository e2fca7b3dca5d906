"""Bills that came, read into the store once: FOCUS files of providers, or a table of one's own."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal

import duckdb

from data.errors import UserError
from data.files import digest_of
from data.finops.decisions import has_table
from data.frames import first_row
from data.text import literal_path
from data.warehouse import Store, query

Shape = Literal["focus", "own"]

_MARKS: dict[Shape, frozenset[str]] = {
    "focus": frozenset({"BilledCost", "EffectiveCost", "ChargePeriodStart", "ChargePeriodEnd", "BillingCurrency"}),
    "own": frozenset({"day", "usd"}),
}
"""The columns that tell what a table is; all of them must be there."""

_OPTIONAL: dict[Shape, tuple[str, ...]] = {
    "focus": ("ProviderName", "ServiceName", "Tags", "ConsumedQuantity", "ConsumedUnit", "x_Gpu", "x_Workload",
              "x_Team", "x_RecordType"),
    "own": ("provider", "label", "gpu", "workload", "team", "gpu_hours"),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendRead:
    """What came of one file. known: it was there already, with the same content, and nothing was changed."""

    path: Path
    shape: Shape
    rows: int
    since: date
    until: date
    billed_usd: Decimal
    gpu_hours: float | None
    known: bool


def import_spend(store: Store, path: Path, *, now: datetime) -> SpendRead:
    """Read one file of bills into the store, whole or not at all; a changed file takes the place of its old self.

    Raises UserError naming file, row and value: a table that is neither shape, another currency, a cost that is no
    number, a period that is none, and a forecast of ours, which is no bill.
    """
    sha256 = digest_of(path)
    file_id = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]
    shape = _load(store.con, path)
    _check(store.con, path, shape)
    same = store.con.execute(
        "SELECT count(*) FROM spend_file WHERE sha256 = $sha256", {"sha256": sha256}
    ).fetchone()
    known = bool(same and same[0])
    if not known:
        for table in ("spend_actual", "spend_file"):
            store.con.execute(f"DELETE FROM {table} WHERE file_id = $file", {"file": file_id})  # noqa: S608  # our own names
        store.con.execute(f"INSERT INTO spend_actual {query(f'spend_{shape}')}", {"file": file_id})  # our own text
        store.con.execute(
            "INSERT INTO spend_file SELECT $file, $path, $sha256, $shape, count(*), $now FROM stated_spend",
            {"file": file_id, "path": str(path), "sha256": sha256, "shape": shape, "now": now},
        )
    return _said(store.con, path, shape, known=known)


def _said(con: duckdb.DuckDBPyConnection, path: Path, shape: Shape, *, known: bool) -> SpendRead:
    sums = "count(*), min(day_utc), max(until_utc), sum(billed_usd), sum(gpu_hours)"
    charges = query(f"spend_{shape}")
    rows, since, until, billed_usd, gpu_hours = con.execute(
        f"SELECT {sums} FROM ({charges})",  # noqa: S608  # our own text
        {"file": ""},
    ).fetchall()[0]
    return SpendRead(
        path=path,
        shape=shape,
        rows=rows,
        since=since,
        until=until,
        billed_usd=billed_usd,
        gpu_hours=gpu_hours,
        known=known,
    )


def _load(con: duckdb.DuckDBPyConnection, path: Path) -> Shape:
    """Make `stated_spend`, every cell as text, absent columns as NULL; say which shape it has."""
    parquet = path.suffix.lower() == ".parquet"
    reader = "read_parquet($path)" if parquet else "read_csv($path, all_varchar = true, header = true)"
    try:
        relation = con.execute(f"SELECT * FROM {reader}", {"path": literal_path(path)})  # noqa: S608  # our own text
        columns = [column[0] for column in relation.description or ()]
    except duckdb.Error as error:
        first = str(error).splitlines()[0]
        raise UserError(f"{path} cannot be read as {'Parquet' if parquet else 'CSV'}: {first}") from error
    shape = next((s for s, marks in _MARKS.items() if marks <= set(columns)), None)
    if shape is None:
        asked = " or ".join(f"{', '.join(sorted(marks))} ({s})" for s, marks in _MARKS.items())
        raise UserError(f"{path} is no table of bills: it has {', '.join(columns)[:120]}; it must have {asked}.")
    wanted = [*sorted(_MARKS[shape]), *_OPTIONAL[shape]]
    cells = [f'CAST("{c}" AS VARCHAR) AS "{c}"' if c in columns else f'NULL::VARCHAR AS "{c}"' for c in wanted]
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE stated_spend AS SELECT row_number() OVER () + 1 AS line, {', '.join(cells)}"  # noqa: S608  # our own names
        f" FROM {reader}",
        {"path": literal_path(path)},
    )
    return shape


def _check(con: duckdb.DuckDBPyConnection, path: Path, shape: Shape) -> None:
    """Refuse the file by its first bad row, in one sentence."""
    row = first_row(con, query(f"spend_{shape}_faults"))
    if row is not None:
        line, fault, value = row
        raise UserError(f"{path}, row {line}: {fault}, not {str(value)[:60]!r}; mend that row.")
    if first_row(con, "SELECT line FROM stated_spend LIMIT 1") is None:
        raise UserError(f"{path} has no rows; export the bills again.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendMonth:
    """What one calendar month's bills add up to, by GPU or service. gpu_hours: None where none is stated."""

    month: str
    provider: str | None
    what: str | None
    billed_usd: Decimal
    effective_usd: Decimal
    gpu_hours: float | None


def spend_by_month(con: duckdb.DuckDBPyConnection) -> list[SpendMonth]:
    """Return the bills by calendar month, provider and GPU (or service), long ones spread over their days."""
    if not has_table(con, "spend_actual"):
        return []
    rows = con.execute(query("spend_by_month")).fetchall()
    return [SpendMonth(month=r[0], provider=r[1], what=r[2], billed_usd=r[3], effective_usd=r[4], gpu_hours=r[5])
            for r in rows]  # fmt: skip
