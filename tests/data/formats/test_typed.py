"""The fast way never decides: whatever it reads, the patient way reads the same."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from data import requests_file
from data.formats import canonical
from data.formats.contract import Options, RequestSelect
from data.formats.sample import look_at
from data.formats.typed import typed_relation
from data.lake import staging
from data.warehouse import open_store

NOW = datetime(2026, 11, 24, tzinfo=UTC)
COUNTS = ["12", "12.0", "12.5", "1e3", " 12 ", "", "-1", "x", "nan", "99999999999999999999", "0x10"]
JSON_COUNTS = [12, 12.0, 12.5, "12", "12.5", " 12 ", "x", None, "", True, {"n": 1}, [1], 10**20, -1]
TIMES = ["2026-01-01T00:00:00+02:00", "2026-01-01 00:00:00.1234567", "2026-13-01", "", "1700000000", "infinity"]


def read_both_ways(store, log: Path, monkeypatch, select: RequestSelect | None = None) -> list:
    """Return what became of a log read the fast way and of the same read the patient way, before any commit."""
    sample, found = look_at(log), []
    select = select or canonical.select(sample, Options())
    for way in ("fast", "patient"):
        store.con.execute("DELETE FROM pending_rejected")
        with monkeypatch.context() as patched, staging(store) as folder:
            if way == "patient":
                patched.setattr(requests_file, "_read_clean", lambda *_: None)
            read = requests_file.read_requests(
                store, folder, "0" * 16, sample, select, label="x", max_rejected_share=1.0, latest_utc=NOW
            )
        rows = [store.con.read_parquet(str(store.lake / part.path)).fetchall() for part in read.slices]
        rejected = store.con.execute("SELECT * FROM pending_rejected ORDER BY line").fetchall()
        found.append((replace(read, slices=()), rejected, sorted(rows, key=repr)))
    return found


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with open_store(tmp_path_factory.mktemp("typed") / "s.duckdb", write=True, now=NOW) as opened:
        opened.con.execute("CREATE TEMP TABLE pending_rejected AS SELECT * FROM main.rejected_rows WHERE false")
        yield opened


@pytest.mark.parametrize(
    ("count", "span"), [*((one, "1.5") for one in COUNTS), ("1", "inf"), ("1", "-1"), ("1", "x"), ("1", "nan")]
)
def test_csv_reads_alike_both_ways(store, tmp_path, monkeypatch, count, span):
    log = tmp_path / "log.csv"
    rows = [f"{time},{count},2,{span}, m " for time in TIMES[:2]]
    head = ["arrived_utc,prompt_tok,output_tok,duration_s,model", "2026-01-02T00:00:00Z,1,1,1,"]
    log.write_text("\n".join([*head, *rows]) + "\n")

    fast, patient = read_both_ways(store, log, monkeypatch)
    assert fast == patient


@pytest.mark.parametrize(
    ("count", "time"), [*((one, TIMES[0]) for one in JSON_COUNTS), *((1, one) for one in TIMES)]
)
def test_json_lines_read_alike_both_ways(store, tmp_path, monkeypatch, count, time):
    rows = [{"arrived_utc": TIMES[0], "prompt_tok": 1, "output_tok": 2, "status": 429}]
    rows.append({"arrived_utc": time, "prompt_tok": count, "output_tok": 2, "status": None, "tags": ["a"]})
    log = tmp_path / "log.jsonl"
    log.write_text("\n".join(map(json.dumps, rows)) + "\n")

    fast, patient = read_both_ways(store, log, monkeypatch)
    assert fast == patient


NESTED = RequestSelect(
    reads={
        "t": "t", "prompt": "in.prompt", "output": "in.output", "deep": "out.body.ms", "deeper": "out.body.a.b",
    },
    fields={
        "arrived_utc": "t", "prompt_tok": "prompt", "output_tok": "output", "duration_s": "deep",
        "model": "deeper",
    },
)  # fmt: skip


@pytest.mark.parametrize(
    ("inner", "outer"),
    [
        *(({"prompt": count, "text": "never read"}, None) for count in (*JSON_COUNTS, 1.1e300, "\u00e9\\n")),
        *(
            (inner, None)
            for inner in (None, 5, "text", [1], {}, {"Prompt": 1}, {"prompt": 1, "output": {"x": [1]}})
        ),
        *(
            ({"prompt": 1}, {"body": body})
            for body in (None, 5, '{"ms": 1}', [{"ms": 1}], {"ms": "2"}, {"ms": []})
        ),
        *(
            ({"prompt": 1}, {"body": {"ms": 1, "a": inside}})
            for inside in ({"b": " m "}, {"b": None}, [1], "x", 1)
        ),
    ],
)
def test_objects_inside_json_lines_read_alike_both_ways(store, tmp_path, monkeypatch, inner, outer):
    log = tmp_path / "log.jsonl"
    rows = [
        {"t": TIMES[0], "in": {"output": 2}, "out": {"body": {"ms": 1}}},
        {"t": TIMES[1], "in": inner, "out": outer},
    ]
    log.write_text("\n".join(map(json.dumps, rows)) + "\n")

    fast, patient = read_both_ways(store, log, monkeypatch, NESTED)
    assert fast == patient
    assert "STRUCT" in str(typed_relation(look_at(log), NESTED).parameters)


@pytest.mark.parametrize(
    "line",
    [
        '{"t": 1',
        '{"t": 1} x',
        '[{"t": 1}]',
        "5",
        '{"in": {"prompt": 1, "prompt": 2}}',
        '{"t": NaN}',
        "{'t': 1}",
        '""',
    ],
)
@pytest.mark.parametrize("select", [NESTED, replace(NESTED, reads={**NESTED.reads, "deep": "out.body.0"})])
def test_lines_that_are_no_rows_read_alike_both_ways(store, tmp_path, monkeypatch, line, select):
    log = tmp_path / "log.jsonl"
    log.write_text(f'{{"t": "{TIMES[0]}", "in": {{"prompt": 1}}}}\n{line}\n{{"t": "{TIMES[0]}"}}\n')

    fast, patient = read_both_ways(store, log, monkeypatch, select)
    assert fast == patient
    assert fast[0].rows_read == 3


@pytest.mark.parametrize(
    "paths",
    [
        ("a", "a.b"),
        ("a.b", "a.b.c"),
        ("a.0",),
        ("a..b",),
        ("/a",),
        ("a b.c",),
        ("a.b'); DROP TABLE x; --",),
        ("a.b~",),
    ],
)
def test_paths_that_cannot_be_declared_are_taken_out_of_the_line(tmp_path, paths):
    log = tmp_path / "log.jsonl"
    log.write_text('{"a": {"b": 1}}\n')
    reads = {f"name_{i}": path for i, path in enumerate(paths)}

    relation = typed_relation(look_at(log), RequestSelect(reads=reads, fields={}))

    assert "raw_paths" in relation.parameters
    assert "DROP" not in relation.sql


def test_objects_inside_clean_lines_are_read_in_one_pass(store, tmp_path, monkeypatch):
    log = tmp_path / "log.jsonl"
    log.write_text(json.dumps({"t": TIMES[0], "in": {"prompt": 7}, "out": {"body": {"ms": 2, "a": {"b": "m"}}}}))
    monkeypatch.setattr(requests_file, "_judge", lambda *_: pytest.fail("a clean log was read the patient way"))

    with staging(store) as folder:
        read = requests_file.read_requests(
            store, folder, "1" * 16, look_at(log), NESTED, label="x", max_rejected_share=0.0, latest_utc=NOW
        )
    rows = store.con.read_parquet(str(store.lake / read.slices[0].path)).project(
        "prompt_tok, output_tok, duration_s, model"
    )
    assert rows.fetchall() == [(7, None, 2.0, "m")]


def test_a_name_that_an_expression_uses_too_stays_text(tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("t,p,o\n2026-01-01T00:00:00Z,1,2\n")
    reads = {"arrived_utc": "t", "prompt_tok": "p", "output_tok": "o"}
    fields = {"arrived_utc": "arrived_utc", "prompt_tok": "prompt_tok", "output_tok": "output_tok + prompt_tok"}
    relation = typed_relation(look_at(log), RequestSelect(reads=reads, fields=fields))

    assert relation.parameters["raw_columns"] == {"c0": "TIMESTAMPTZ", "c1": "VARCHAR", "c2": "VARCHAR"}


def test_keys_of_a_file_never_become_sql(tmp_path):
    log = tmp_path / "log.jsonl"
    log.write_text('{"a\'); DROP TABLE x; --": 1}\n')
    reads = {"prompt_tok": "a'); DROP TABLE x; --"}
    relation = typed_relation(look_at(log), RequestSelect(reads=reads, fields={"prompt_tok": "prompt_tok"}))

    assert "DROP" not in relation.sql
