"""Every format under one contract: canonical columns, UTC, units, the cached convention, no text of prompts.

Under cases/<format> (cases/<format>+<what> where a format has several) lie a hand-written log and the table that
it must become. `case.toml` says the start that a log without dates needs, and how many rows are no requests.
"""

import csv
import tomllib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.errors import UserError
from data.formats.contract import CANONICAL_FIELDS, Options, end_of, no_options, start_key
from data.formats.registry import AGGREGATE_FORMATS, REQUEST_FORMATS, formats, recognise
from data.formats.sample import look_at
from data.ingest import FileResult, ingest_logs
from data.warehouse import Store

FOLDER = Path(__file__).parent / "cases"
SECRET = "hush-hush"
"""Stands in every log wherever its source may write text of prompts."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A log of one format. expect: rows by canonical field as text, None for unknown, in the order of arrival."""

    name: str
    log: Path
    options: Options
    expect: list[dict[str, str | None]]
    skipped: dict[str, int] = field(default_factory=dict)

    @property
    def format(self) -> str:
        """The folder's name; what follows a plus tells several logs of one format apart."""
        return self.name.partition("+")[0]


def read_cases() -> list[Case]:
    """Return all cases, by name."""
    return [_read(folder) for folder in sorted(FOLDER.iterdir()) if folder.is_dir()]


def _read(folder: Path) -> Case:
    (log,) = folder.glob("log.*")
    said = folder / "case.toml"
    facts = tomllib.loads(said.read_text("utf-8")) if said.exists() else {}
    mapping = folder / "map.toml"
    with (folder / "expect.csv").open(newline="", encoding="utf-8") as file:
        expect = [{key: value or None for key, value in row.items()} for row in csv.DictReader(file)]
    return Case(
        name=folder.name,
        log=log,
        options=Options(start=facts.get("start"), mapping=mapping if mapping.exists() else None),
        expect=expect,
        skipped=facts.get("skipped", {}),
    )


CASES = read_cases()
ALL = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
MOONCAKE = FOLDER / "mooncake" / "log.jsonl"


def ingested(case: Case, store: Store, now: datetime, path: Path | None = None, **options: object) -> FileResult:
    (file,) = ingest_logs(
        store,
        [path or case.log],
        now=now,
        mapping=case.options.mapping,
        start=case.options.start,
        label="it",
        **options,
    ).files
    return file


def test_every_request_format_has_a_case_of_a_few_lines():
    assert {case.format for case in CASES} == {fmt.name for fmt in REQUEST_FORMATS}
    assert all(3 <= len(case.expect) + sum(case.skipped.values()) <= 12 for case in CASES)


@pytest.mark.parametrize("fmt", [*REQUEST_FORMATS, *AGGREGATE_FORMATS], ids=lambda fmt: fmt.name)
def test_a_format_says_what_it_is(fmt):
    assert formats()[fmt.name] is fmt
    assert fmt.description
    assert fmt in AGGREGATE_FORMATS or fmt.recognised


@ALL
def test_a_format_lists_what_it_reads(case: Case):
    fmt = formats()[case.format]
    reads = fmt.select(look_at(case.log), case.options).reads

    assert fmt.columns
    if case.format != "mapping" and look_at(case.log).kind != "lines":
        assert all(
            any(read.removeprefix("data.").strip("/") in source for source in fmt.columns)
            for read in reads.values()
        )


@ALL
def test_a_format_is_recognised_from_its_content_alone(case: Case, tmp_path: Path):
    disguised = tmp_path / "log"
    disguised.write_bytes(case.log.read_bytes())

    assert recognise(look_at(disguised), case.options).name == case.format


@ALL
def test_only_canonical_fields_come_out(case: Case):
    select = formats()[case.format].select(look_at(case.log), case.options)

    assert set(select.fields) <= set(CANONICAL_FIELDS)
    assert "arrived_utc" in select.fields
    assert set(select.required) <= set(CANONICAL_FIELDS)
    assert set(select.optional) <= set(select.reads)


@ALL
def test_the_rows_are_the_canonical_request_without_the_text_of_prompts(case: Case, store, now):
    file = ingested(case, store, now)

    assert file.format == case.format
    assert {part.reason: part.rows for part in file.skipped} == case.skipped
    assert file.rows_skipped == sum(case.skipped.values())
    assert (file.rows_new, file.rows_rejected, file.rows_duplicate) == (len(case.expect), 0, 0)
    assert file.rows_read == file.rows_new + file.rows_skipped
    assert stored(store, case) == typed(store, case)
    assert SECRET in case.log.read_text("utf-8")
    assert_silent(store)


def stored(store: Store, case: Case) -> list[tuple]:
    """Return what the store holds, and in the columns that the case leaves out only NULL."""
    silent = sorted(set(CANONICAL_FIELDS) - set(case.expect[0]) - {"tags"})
    columns = ", ".join([*case.expect[0], *silent])
    return store.con.execute(f"SELECT {columns} FROM requests ORDER BY arrived_utc, request_id").fetchall()


def typed(store: Store, case: Case) -> list[tuple]:
    """Return what a case expects, in the types of the store."""
    kinds = dict(
        store.con.execute("SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM requests)").fetchall()
    )
    silent = (None,) * len(set(CANONICAL_FIELDS) - set(case.expect[0]) - {"tags"})
    columns = ", ".join(f"CAST(? AS {kinds[column]})" for column in case.expect[0])
    rows = [store.con.execute(f"SELECT {columns}", list(row.values())).fetchone() for row in case.expect]
    return [(*row, *silent) for row in rows]


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
@pytest.mark.parametrize(
    "case", [case for case in CASES if case.name in {"litellm", "otel", "vllm-log"}], ids=lambda case: case.name
)
def test_a_packed_file_reads_like_the_plain_one(case: Case, packing: str, tmp_path: Path, store, now):
    packed = tmp_path / "packed"
    with pa.CompressedOutputStream(str(packed), packing) as out:
        out.write(case.log.read_bytes())

    ingested(case, store, now, packed)

    assert stored(store, case) == typed(store, case)


@ALL
def test_line_by_line_reads_like_duckdb_does(case: Case, tmp_path: Path, store, now):
    """A line that cannot be read makes the slow and exact reader take the whole file."""
    broken = tmp_path / "broken"
    broken.write_bytes(case.log.read_bytes().rstrip(b"\n") + b'\n{"half a line')

    file = ingested(case, store, now, broken, max_rejected_share=0.9)

    # In some logs of plain lines, a line that says nothing is skipped.
    assert file.rows_rejected == 1 or look_at(broken).kind == "lines"
    assert file.rows_rejected + file.rows_skipped == 1 + sum(case.skipped.values())
    assert stored(store, case) == typed(store, case)


@ALL
def test_no_text_of_a_prompt_is_kept_of_what_is_rejected(case: Case, store, now, monkeypatch):
    monkeypatch.setattr("data.requests_file.MAX_TOK", -1)  # every row that counts tokens is rejected
    monkeypatch.setattr("data.requests_file.too_many", lambda *_: False)  # and kept as such, were it all of them

    ingested(case, store, now, max_rejected_share=1.0)

    counted = [row for row in case.expect if any(row.get(tok) for tok in COUNTS)]
    assert store.con.execute("SELECT count(excerpt) FROM rejected_rows").fetchall() == [(len(counted),)]
    assert_silent(store)


COUNTS = ("prompt_tok", "cached_prompt_tok", "output_tok", "reasoning_tok")


def assert_silent(store: Store) -> None:
    kept = store.con.execute("SELECT excerpt FROM rejected_rows").fetchall()
    kept += store.con.execute("SELECT CAST(to_json(requests) AS VARCHAR) FROM requests").fetchall()
    assert SECRET not in repr(kept)
    assert all(SECRET.encode() not in file.read_bytes() for file in store.lake.rglob("*") if file.is_file())


def test_parquet_in_our_own_names_needs_no_mapping(tmp_path: Path, store, now):
    path = tmp_path / "ours.parquet"
    table = pa.table(
        {
            "arrived_utc": pa.array([datetime(2026, 11, 1, 6, tzinfo=UTC)], pa.timestamp("us", "UTC")),
            "source_label": ["from the rows"],
            "prompt_tok": pa.array([float("nan")]),
            "output_tok": [5],
            "tags": [{"app": "x"}],
        }
    )
    pq.write_table(table, path)

    (file,) = ingest_logs(store, [path], now=now).files

    assert (file.format, file.label, file.rows_new) == ("canonical", "from the rows", 1)
    found = store.con.execute("SELECT arrived_utc, prompt_tok, output_tok, tags FROM requests").fetchall()
    assert found == [(datetime(2026, 11, 1, 6, tzinfo=UTC), None, 5, '{"app":"x"}')]


def test_a_parquet_file_of_several_labels_asks_for_one(tmp_path: Path, store, now):
    path = tmp_path / "ours.parquet"
    rows = {"arrived_utc": ["2026-11-01", "2026-11-01"], "prompt_tok": [1, 1], "output_tok": [1, 1]}
    pq.write_table(pa.table({**rows, "source_label": ["b", "a"]}), path)

    with pytest.raises(UserError, match=r"several source labels \(a and b\)"):
        ingest_logs(store, [path], now=now)

    assert ingest_logs(store, [path], now=now, label="one").files[0].label == "one"


def test_a_source_without_dates_asks_for_its_start(store, now):
    with pytest.raises(UserError, match="--start"):
        ingest_logs(store, [MOONCAKE], now=now)


def test_a_start_without_a_zone_is_utc():
    sample = look_at(MOONCAKE)
    naive = datetime.fromisoformat("2026-01-05T00:00:00")

    assert Options(start=naive).start_utc(sample) == datetime(2026, 1, 5, tzinfo=UTC)
    assert Options(start=datetime.fromisoformat("2026-01-05T01:00:00+02:00")).start_utc(sample).hour == 23


def test_only_options_that_change_what_is_read_make_a_file_new():
    first, second = (Options(start=datetime(2026, 1, day, tzinfo=UTC)) for day in (5, 6))

    assert start_key(first) != start_key(second)
    assert no_options(first) == no_options(second) == ""


def test_windows_end_after_their_length():
    assert end_of(datetime(2026, 1, 5, tzinfo=UTC), 600) == datetime(2026, 1, 5, 0, 10, tzinfo=UTC)
