"""The fast way never decides: whatever it reads, the patient way reads the same."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from data import requests_file
from data.formats.contract import RequestSelect
from data.formats.sample import look_at
from data.formats.typed import typed_relation
from data.ingest import ingest_logs
from data.warehouse import open_store

NOW = datetime(2026, 11, 24, tzinfo=UTC)
COUNTS = ["12", "12.0", "12.5", "1e3", " 12 ", "", "-1", "x", "nan", "99999999999999999999", "0x10"]
JSON_COUNTS = [12, 12.0, 12.5, "12", "12.5", " 12 ", "x", None, "", True, {"n": 1}, [1], 10**20, -1]
TIMES = ["2026-01-01T00:00:00+02:00", "2026-01-01 00:00:00.1234567", "2026-13-01", "", "1700000000", "infinity"]


def read_both_ways(store, log: Path, monkeypatch) -> list:
    """Return what became of a log read the fast way and of the same read the patient way."""
    found = []
    for way in ("fast", "patient"):
        label = f"{way} {log}"
        with monkeypatch.context() as patched:
            if way == "patient":
                patched.setattr(requests_file, "_read_clean", lambda *_: None)
            (file,) = ingest_logs(store, [log], now=NOW, label=label, max_rejected_share=1.0).files
        rows = store.con.execute(
            "SELECT * EXCLUDE (source_label) FROM requests WHERE source_label = $label ORDER BY ALL",
            {"label": label},
        ).fetchall()
        counts = (file.rows_read, file.rows_new, file.rows_rejected, file.first_utc, file.last_utc)
        found.append((counts, file.rejected, rows))
    return found


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with open_store(tmp_path_factory.mktemp("typed") / "s.duckdb", write=True, now=NOW) as opened:
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
