"""Rollups made elsewhere into the store: checked against what they promise, then put where their days were."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import duckdb

from data.dialects import ROLLUP_TABLES
from data.errors import UserError
from data.files import digest_of
from data.manifest import FileRecord, add_files
from data.rolled_up import MANIFEST, RollupManifest, read_manifest, table_files
from data.rollup import DAILY_TABLES, FINE_DAYS, FINE_TABLE, TAKEN, LabelDay, forget_days
from data.tables import ROLLUP_TIMES
from data.warehouse import Store, transaction

_COUNTS = ("source_label", "day_utc", "requests", "token_requests", "cached_known_requests")
_SUMS = (  # table, which of its rows, what of them adds up to what of a day
    ("rollup_minute", "true", "requests", "requests"),
    ("rollup_minute", "true", "token_requests", "token_requests"),
    ("rollup_minute", "true", "cached_known_requests", "cached_known_requests"),
    ("rollup_10s", "true", "requests", "requests"),
    ("joint_histogram_daily", "true", "requests", "token_requests"),
    ("token_histogram_daily", "field = 'prompt'", "requests", "token_requests"),
    ("token_histogram_daily", "field = 'output'", "requests", "token_requests"),
    ("token_histogram_daily", "field = 'cached'", "requests", "cached_known_requests"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RollupTaken:
    """What became of a rollup. status: `done`, or `unchanged` where the store had this content already."""

    status: str
    engine: str
    labels: tuple[str, ...]
    days: int
    requests: int


def take_rollup(store: Store, folder: Path, *, now: datetime) -> RollupTaken:
    """Take a rollup's tables into the store, in place of what it had for the same labels and days.

    Checked before anything changes: the manifest, every table's columns and types, row counts, and that each day's
    requests are the same in all tables. A rebuild needs nothing more: the store keeps copies of what no slice can
    give (data/kept.py). Raises UserError.
    """
    manifest = read_manifest(folder)
    digest = _digest(folder)
    try:
        _read_tables(store.con, folder, manifest)
        counts = _day_counts(store.con, folder, manifest)
        _check_sums(store.con, folder)
        _refuse_raw_days(store, folder, set(counts))
        records = _records(folder, digest, counts)
        taken = RollupTaken(
            status="unchanged" if all(_is_newest(store, one) for one in records) else "done",
            engine=manifest.engine,
            labels=tuple(one.source_label for one in records),
            days=len(counts),
            requests=sum(counts.values()),
        )
        if taken.status == "done":
            _commit(store, records, set(counts), now)
        return taken
    finally:
        for table in ROLLUP_TABLES:
            store.con.execute(f"DROP TABLE IF EXISTS temp.taken_{table}")


def _read_tables(con: duckdb.DuckDBPyConnection, folder: Path, manifest: RollupManifest) -> None:
    """Read every table into taken_<table>, with the types of the store's own."""
    for table in ROLLUP_TABLES:
        files = table_files(folder, table)
        if not files:
            raise UserError(f"{folder} has no {table}.parquet and no {table}/*.parquet; roll up again.")
        columns = _columns(con, table)
        cast = ", ".join(f'CAST("{name}" AS {kind}) AS {name}' for name, kind in columns.items())
        sql = f"CREATE OR REPLACE TEMP TABLE taken_{table} AS SELECT {cast} FROM read_parquet($files)"  # noqa: S608
        try:
            con.execute(sql, {"files": files})
        except duckdb.Error as err:
            first = str(err).splitlines()[0]
            raise UserError(f"The table {table} of {folder} is not as docs/scale.md has it: {first}") from err
        promised = (manifest.tables or {}).get(table)
        rows = _one(con, f"SELECT count(*) FROM taken_{table}")  # noqa: S608  # our own names
        if promised is not None and promised != rows:
            raise UserError(
                f"{folder} has {rows:,} rows of {table} instead of the {promised:,} that its manifest promises;"
                " copy it again, whole."
            )
        _refuse_nulls(con, folder, table)


def _columns(con: duckdb.DuckDBPyConnection, table: str) -> Mapping[str, str]:
    """Return {column: type} of a table."""
    if table == "rollup_days":
        return dict(zip(_COUNTS, ("VARCHAR", "DATE", "BIGINT", "BIGINT", "BIGINT"), strict=True))
    sql = """SELECT column_name, data_type FROM duckdb_columns()
        WHERE table_name = $table AND NOT internal AND schema_name = 'main' AND database_name <> 'temp'
        ORDER BY column_index"""
    return dict(con.execute(sql, {"table": table}).fetchall())


def _refuse_nulls(con: duckdb.DuckDBPyConnection, folder: Path, table: str) -> None:
    """Refuse a table in which something is missing that every row has, or that no rollup of ours could hold."""
    nullable = {"model", "region", "team", "category"}
    needed = [name for name in _columns(con, table) if name not in nullable]
    bad = [f"{name} IS NULL" for name in needed]
    bad += [f"{name} < 0 OR isnan({name}) OR isinf({name})" for name in needed if name.endswith("_sum")]
    bad += ["requests < 1"]
    if "status_class" in needed:
        bad += ["status_class NOT IN ('served', 'throttled', 'failed')"]
    if "field" in needed:
        bad += ["field NOT IN ('prompt', 'cached', 'output')"]
    for name, grid in (("bucket", "fine"), ("prompt_bucket", "coarse"), ("output_bucket", "coarse")):
        if name in needed:
            bad += [f"{name} NOT IN (SELECT bucket FROM bucket_edge WHERE grid = '{grid}')"]  # noqa: S608
    for rule in bad:
        if count := _one(con, f"SELECT count(*) FROM taken_{table} WHERE {rule}"):  # noqa: S608  # our own rules
            raise UserError(
                f"{count:,} rows of {table} in {folder} cannot be right ({rule}); roll up again with the SQL of"
                " fleetcast export-sql."
            )


def _day_counts(con: duckdb.DuckDBPyConnection, folder: Path, manifest: RollupManifest) -> dict[LabelDay, int]:
    """Return {(label, day): requests} as the table rollup_days has it, which the manifest must agree with."""
    rows = con.execute(f"SELECT {', '.join(_COUNTS)} FROM taken_rollup_days").fetchall()  # noqa: S608
    if not rows:
        raise UserError(f"{folder} covers no day; roll up again.")
    if len({row[:2] for row in rows}) < len(rows):
        raise UserError(f"{folder} counts a day twice in rollup_days; roll up again.")
    if manifest.days is not None:
        promised = {tuple(getattr(one, name) for name in _COUNTS) for one in manifest.days}
        for label, day, *_ in sorted(promised ^ set(rows)):
            raise UserError(
                f"{folder}/{MANIFEST} and rollup_days do not agree on {day} of {label!r}; copy the rollup again."
            )
    return {(label, day): requests for label, day, requests, *_ in rows}


def _check_sums(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Compare each table's requests of a day with what rollup_days says; 10-s rows may lack older days."""
    for table, rows, added, count in _SUMS:
        day = f"CAST({ROLLUP_TIMES[table]} AS DATE)"
        missing = "false" if table == FINE_TABLE else f"days.{count} > 0"
        sql = f"""SELECT coalesce(days.source_label, found.source_label), coalesce(days.day_utc, found.day_utc),
                coalesce(found.added, 0), coalesce(days.{count}, 0)
            FROM (SELECT source_label, {day} AS day_utc, sum({added}) AS added FROM taken_{table} WHERE {rows}
                GROUP BY ALL) AS found
            FULL JOIN taken_rollup_days AS days USING (source_label, day_utc)
            WHERE CASE WHEN found.added IS NULL THEN {missing}
                ELSE coalesce(found.added <> days.{count}, true) END
            ORDER BY ALL LIMIT 1"""  # noqa: S608  # our own names
        for label, wrong, found, expected in con.execute(sql).fetchall():
            raise UserError(
                f"{table} of {folder} adds up to {found:,} {count} on {wrong} of {label!r} instead of {expected:,}"
                f"{'' if rows == 'true' else f' ({rows})'}; roll that day up again."
            )


def _refuse_raw_days(store: Store, folder: Path, days: set[LabelDay]) -> None:
    sql = """SELECT source_label, day_utc, file_manifest.path
        FROM slice_manifest JOIN file_manifest USING (file_id) WHERE status = 'done'"""
    for label, day, log in sorted(store.con.execute(sql).fetchall()):
        if (label, day) in days:
            raise UserError(
                f"{folder} covers {day} of the label {label!r}, which {log} already covers request by request;"
                " roll up under another label or without that day, so that nothing counts twice."
            )


def _is_newest(store: Store, record: FileRecord) -> bool:
    """Return whether this was the last rollup of its label: an older one may have lost days to a later one."""
    sql = """SELECT sha256 FROM file_manifest WHERE source_label = $label AND format = $format AND status = 'done'
        ORDER BY ingested_utc DESC, rowid DESC LIMIT 1"""
    found = store.con.execute(sql, {"label": record.source_label, "format": TAKEN}).fetchall()
    return found == [(record.sha256,)]


def _covered(store: Store, record: FileRecord, days: set[LabelDay]) -> list[str]:
    """Return the earlier rollups of a label of which no day is left once these days are replaced."""
    sql = """SELECT file_id, CAST(first_utc AS DATE), CAST(last_utc AS DATE) FROM file_manifest
        WHERE source_label = $label AND format = $format AND status = 'done'"""
    gone = []
    for file_id, first, last in store.con.execute(sql, {"label": record.source_label, "format": TAKEN}).fetchall():
        span = {(record.source_label, first + timedelta(days=n)) for n in range((last - first).days + 1)}
        gone += [file_id] if span <= days else []
    return gone


def _records(folder: Path, digest: str, counts: Mapping[LabelDay, int]) -> list[FileRecord]:
    """Return one record for each label, known by what the tables hold."""
    records = []
    for label in sorted({label for label, _ in counts}):
        days = sorted(day for name, day in counts if name == label)
        requests = sum(n for (name, _), n in counts.items() if name == label)
        records.append(
            FileRecord(
                file_id=hashlib.sha256(f"{digest}\0{label}".encode()).hexdigest()[:16],
                path=str(folder.resolve()),
                source_label=label,
                format=TAKEN,
                size_bytes=sum(Path(f).stat().st_size for t in ROLLUP_TABLES for f in table_files(folder, t)),
                sha256=digest,
                mapping_sha256="",
                rows_read=requests,
                rows_new=requests,
                first_utc=_midnight(days[0]),
                last_utc=_midnight(days[-1]),
            )
        )
    return records


def _commit(store: Store, records: list[FileRecord], days: set[LabelDay], now: datetime) -> None:
    """Put the tables' rows in place of what the store has of these days."""
    with transaction(store):
        for table in (*DAILY_TABLES, FINE_TABLE):
            forget_days(store, table, days)
            store.con.execute(f"INSERT INTO {table} BY NAME SELECT * FROM taken_{table}")  # noqa: S608
        store.con.execute(
            """DELETE FROM rollup_10s USING (SELECT source_label AS label, CAST(max(minute_utc) AS DATE) AS newest
                FROM rollup_minute WHERE list_contains($labels, source_label) GROUP BY source_label) AS last
            WHERE source_label = label AND CAST(window_utc AS DATE) <= newest - CAST($days AS INTEGER)""",
            {"labels": [one.source_label for one in records], "days": FINE_DAYS},
        )
        for one in records:
            store.con.execute(
                "UPDATE file_manifest SET status = 'replaced' WHERE list_contains($ids, file_id)",
                {"ids": _covered(store, one, days)},
            )
        ids = [one.file_id for one in records]
        store.con.execute("DELETE FROM file_manifest WHERE list_contains($ids, file_id)", {"ids": ids})
        add_files(store, records, now)


def _digest(folder: Path) -> str:
    """Return the sha256 of all tables' content; where they lie and what they are called does not matter."""
    digest = hashlib.sha256()
    for table in ROLLUP_TABLES:
        digest.update(f"{table}\0".encode())
        for file in table_files(folder, table):
            digest.update(bytes.fromhex(digest_of(Path(file))))
    return digest.hexdigest()


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


def _one(con: duckdb.DuckDBPyConnection, sql: str) -> int:
    return int(con.execute(sql).fetchall()[0][0])
