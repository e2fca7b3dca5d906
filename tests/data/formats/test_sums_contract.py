"""Every format of sums under one contract: windows in UTC, what is not stated is NULL, nothing is counted twice.

Under sums/<format> (sums/<format>+<what> where a format has several) lie a hand-written export and the rows of
usage_bucket that it must become. `case.toml` says the start, and what is duplicate, rejected or skipped.
"""

import csv
import tomllib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pytest

from data.formats.contract import Options
from data.formats.registry import AGGREGATE_FORMATS, formats, recognise
from data.formats.sample import look_at
from data.ingest import FileResult, ingest_logs
from data.warehouse import Store

FOLDER = Path(__file__).parent / "sums"


@dataclass(frozen=True, kw_only=True)
class Case:
    """An export, its options, the rows it must become, and what of it is duplicate, rejected or skipped."""

    name: str
    log: Path
    options: Options
    expect: list[dict[str, str | None]]
    duplicate: int
    rejected: list[str]
    skipped: dict[str, int]

    @property
    def format(self) -> str:
        return self.name.partition("+")[0]


def _read(folder: Path) -> Case:
    (log,) = folder.glob("log.*")
    said = folder / "case.toml"
    facts = tomllib.loads(said.read_text("utf-8")) if said.exists() else {}
    mapping = folder / "map.toml"
    with (folder / "expect.csv").open(newline="", encoding="utf-8") as file:
        expect = [{key: value or None for key, value in row.items()} for row in csv.DictReader(file)]
    start = datetime.fromisoformat(facts["start"]) if "start" in facts else None
    return Case(
        name=folder.name,
        log=log,
        options=Options(start=start, mapping=mapping if mapping.exists() else None),
        expect=expect,
        duplicate=facts.get("duplicate", 0),
        rejected=facts.get("rejected", []),
        skipped=facts.get("skipped", {}),
    )


CASES = [_read(folder) for folder in sorted(FOLDER.iterdir())]
ALL = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def test_every_format_of_sums_has_a_case():
    """ServeGen's pair of files has tests of its own."""
    assert {case.format for case in CASES} == {fmt.name for fmt in AGGREGATE_FORMATS} - {"servegen"}


@pytest.mark.parametrize("fmt", AGGREGATE_FORMATS, ids=lambda fmt: fmt.name)
def test_a_format_says_what_it_is_and_what_it_reads(fmt):
    assert formats()[fmt.name] is fmt
    assert fmt.description
    assert fmt.recognised
    assert fmt.columns
    assert fmt.percentiles in {"stated", "histogram", "none"}


def _taken(case: Case, log: Path, store: Store, now: datetime) -> FileResult:
    (file,) = ingest_logs(
        store,
        [log],
        now=now,
        mapping=case.options.mapping,
        start=case.options.start,
        max_rejected_share=0.2,
    ).files
    return file


@ALL
def test_an_export_is_recognised_from_its_content_alone(case: Case, tmp_path: Path):
    disguised = tmp_path / "export"
    disguised.write_bytes(case.log.read_bytes())

    assert recognise(look_at(disguised), case.options).name == case.format


@ALL
def test_an_export_becomes_the_buckets_that_it_states(case: Case, store, now):
    file = _taken(case, case.log, store, now)

    names = ", ".join(f"CAST({name} AS VARCHAR) AS {name}" for name in case.expect[0])
    rows = store.con.execute(f"SELECT {names} FROM usage_bucket ORDER BY ALL").fetchall()
    found = [dict(zip(case.expect[0], (_short(value) for value in row), strict=True)) for row in rows]
    assert found == case.expect
    assert file.rows_duplicate == case.duplicate
    assert [bad.reason for bad in file.rejected] == case.rejected
    assert {part.reason: part.rows for part in file.skipped} == case.skipped
    assert file.rows_new == file.rows_read - file.rows_duplicate - file.rows_rejected - file.rows_skipped
    assert file.first_utc is not None
    assert file.last_utc is not None
    assert file.first_utc < file.last_utc


def _short(value: str | None) -> str | None:
    return value.removesuffix(".0") if value else value


@ALL
@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_a_packed_export_reads_like_the_plain_one(case: Case, packing: str, tmp_path: Path, store, now):
    packed = tmp_path / "packed"
    with pa.CompressedOutputStream(str(packed), packing) as out:
        out.write(case.log.read_bytes())

    file = _taken(case, packed, store, now)

    assert file.format == case.format
    assert store.con.execute("SELECT count(*) FROM usage_bucket").fetchall() == [(len(case.expect),)]


@ALL
def test_the_same_export_again_changes_nothing(case: Case, tmp_path: Path, store, now):
    _taken(case, case.log, store, now)
    copy = tmp_path / "copy"
    copy.write_bytes(case.log.read_bytes())

    again = ingest_logs(
        store, [copy], now=now, label=case.log.stem, mapping=case.options.mapping, start=case.options.start
    )

    assert {file.status for file in again.files} == {"unchanged"}
