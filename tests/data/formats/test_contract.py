"""Every format under one contract: canonical columns, UTC, units, the cached convention, no text of prompts."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.errors import UserError
from data.formats.contract import CANONICAL_FIELDS, Options, end_of, no_options, start_key
from data.formats.registry import AGGREGATE_FORMATS, REQUEST_FORMATS, formats, recognise
from data.formats.sample import look_at
from data.ingest import ingest_logs

MAPPING = """
[columns]
request_id = "id"
arrived_utc = "created"
team = "team"
prompt_tok = "usage.prompt_tokens"
cached_prompt_tok = "usage.prompt_tokens_details.cached_tokens"
output_tok = "usage.completion_tokens"
duration_s = "latency_ms"
status = "http_status"
[units]
duration_s = "ms"
[tokens]
cached = "inclusive"
"""


NO_OPTIONS = Options()


@dataclass(frozen=True, kw_only=True)
class Case:
    """A hand-written log, and the first row that it must become."""

    format: str
    file: str
    content: str
    options: Options = NO_OPTIONS
    rows: int
    first: dict[str, object]


def case_line(**content: object) -> str:
    return json.dumps(content) + "\n"


CASES = [
    Case(
        format="azure-llm",
        file="azure.csv",
        content="TIMESTAMP,ContextTokens,GeneratedTokens\n"
        "2024-05-10 00:00:00+02:00,2162,5\n2023-11-16 18:15:46.6805900,374,44\n2024-05-10 00:00:01+00:00,2399,6\n",
        rows=3,
        first={
            "arrived_utc": datetime(2023, 11, 16, 18, 15, 46, 680590, tzinfo=UTC),
            "prompt_tok": 374,
            "output_tok": 44,
            "cached_prompt_tok": None,
            "status": None,
        },
    ),
    Case(
        format="mooncake",
        file="mooncake.jsonl",
        content=case_line(timestamp=3052, input_length=7234, output_length=794, hash_ids=[0, 28, 29])
        + case_line(timestamp=3053, input_length=10, output_length=1, hash_ids=[]),
        options=Options(start=datetime(2026, 1, 5, tzinfo=UTC)),
        rows=2,
        first={
            "arrived_utc": datetime(2026, 1, 5, 0, 0, 3, 52_000, tzinfo=UTC),
            "prompt_tok": 7234,
            "output_tok": 794,
            "cached_prompt_tok": None,
        },
    ),
    Case(
        format="canonical",
        file="ours.csv",
        content="request_id,arrived_utc,model,team,category,prompt_tok,cached_prompt_tok,output_tok,status,prompt\n"
        "r-1,2026-11-01T06:00:00.125Z,llama,search,batch,1840,1024,312,200,a secret\n"
        "r-2,2026-11-01T06:00:01Z,llama,search,batch,,,,429,another\n",
        rows=2,
        first={
            "request_id": "r-1",
            "arrived_utc": datetime(2026, 11, 1, 6, 0, 0, 125_000, tzinfo=UTC),
            "model": "llama",
            "team": "search",
            "category": "batch",
            "prompt_tok": 1840,
            "cached_prompt_tok": 1024,
            "output_tok": 312,
            "status": "ok",
        },
    ),
    Case(
        format="mapping",
        file="app.jsonl",
        content=case_line(
            id="r-1001",
            created="2026-11-01T06:00:00.125Z",
            team="search",
            prompt="a secret",
            usage={
                "prompt_tokens": 1840,
                "completion_tokens": 312,
                "prompt_tokens_details": {"cached_tokens": 1024},
            },
            latency_ms=3250,
            http_status=200,
        ),
        options=Options(mapping=Path("map.toml")),
        rows=1,
        first={
            "request_id": "r-1001",
            "arrived_utc": datetime(2026, 11, 1, 6, 0, 0, 125_000, tzinfo=UTC),
            "team": "search",
            "prompt_tok": 1840,
            "cached_prompt_tok": 1024,
            "output_tok": 312,
            "duration_s": 3.25,
            "status": "ok",
        },
    ),
]
ALL = pytest.mark.parametrize("case", CASES, ids=lambda case: case.format)


def laid_out(case: Case, folder: Path) -> tuple[Path, Options]:
    path = folder / case.file
    path.write_text(case.content, "utf-8")
    if case.options.mapping is None:
        return path, case.options
    mapping = folder / "map.toml"
    mapping.write_text(MAPPING, "utf-8")
    return path, Options(mapping=mapping, start=case.options.start)


def test_every_request_format_has_a_case():
    assert {case.format for case in CASES} == {fmt.name for fmt in REQUEST_FORMATS}


@pytest.mark.parametrize("fmt", [*REQUEST_FORMATS, *AGGREGATE_FORMATS], ids=lambda fmt: fmt.name)
def test_a_format_says_what_it_is(fmt):
    assert formats()[fmt.name] is fmt
    assert fmt.description


@ALL
def test_a_format_is_recognised_from_its_content_alone(case: Case, tmp_path: Path):
    path, options = laid_out(case, tmp_path)
    disguised = path.rename(tmp_path / "log")

    assert recognise(look_at(disguised), options).name == case.format


@ALL
def test_only_canonical_fields_come_out_and_no_text_is_read(case: Case, tmp_path: Path):
    path, options = laid_out(case, tmp_path)

    select = formats()[case.format].select(look_at(path), options)

    assert set(select.fields) <= set(CANONICAL_FIELDS)
    assert "arrived_utc" in select.fields
    assert set(select.required) <= set(CANONICAL_FIELDS)
    assert not {"prompt", "messages", "response", "input", "output"} & set(select.reads.values())


@ALL
def test_the_rows_are_the_canonical_request(case: Case, tmp_path: Path, store, now):
    path, options = laid_out(case, tmp_path)

    summary = ingest_logs(store, [path], now=now, mapping=options.mapping, start=options.start)

    assert (summary.rows_new, summary.rows_rejected) == (case.rows, 0)
    columns = ", ".join(case.first)
    row = store.con.execute(f"SELECT {columns} FROM requests ORDER BY arrived_utc LIMIT 1").fetchone()
    assert dict(zip(case.first, row, strict=True)) == case.first


@ALL
@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_a_packed_file_reads_like_the_plain_one(case: Case, packing: str, tmp_path: Path, store, now):
    path, options = laid_out(case, tmp_path)
    packed = tmp_path / "packed"
    with pa.CompressedOutputStream(str(packed), packing) as out:
        out.write(path.read_bytes())

    summary = ingest_logs(store, [packed], now=now, mapping=options.mapping, start=options.start)

    assert summary.rows_new == case.rows


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


def test_a_source_without_dates_asks_for_its_start(tmp_path: Path, store, now):
    path, _ = laid_out(CASES[1], tmp_path)

    with pytest.raises(UserError, match="--start"):
        ingest_logs(store, [path], now=now)


def test_a_start_without_a_zone_is_utc(tmp_path: Path):
    sample = look_at(laid_out(CASES[1], tmp_path)[0])
    naive = datetime.fromisoformat("2026-01-05T00:00:00")

    assert Options(start=naive).start_utc(sample) == datetime(2026, 1, 5, tzinfo=UTC)
    assert Options(start=datetime.fromisoformat("2026-01-05T01:00:00+02:00")).start_utc(sample).hour == 23


def test_only_options_that_change_what_is_read_make_a_file_new():
    first, second = (Options(start=datetime(2026, 1, day, tzinfo=UTC)) for day in (5, 6))

    assert start_key(first) != start_key(second)
    assert no_options(first) == no_options(second) == ""


def test_windows_end_after_their_length():
    assert end_of(datetime(2026, 1, 5, tzinfo=UTC), 600) == datetime(2026, 1, 5, 0, 10, tzinfo=UTC)
