import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from data.errors import UserError
from data.ingest import ingest_logs
from data.tables import COUNTED_TABLES
from data.warehouse import STORE_VERSION, open_store, transaction

ROWS = [{"arrived_utc": f"2026-11-0{day} 06:00:00Z", "prompt_tok": 100, "output_tok": 10} for day in (1, 2, 3)]


@pytest.fixture
def filled(tmp_path: Path, write_csv, now) -> Path:
    path = tmp_path / "s.duckdb"
    with open_store(path, write=True, now=now) as store:
        ingest_logs(store, [write_csv("a.csv", ROWS)], now=now)
    return path


def refusal(path: Path, **options) -> str:
    with pytest.raises(UserError) as refused, open_store(path, **options):
        pass
    return str(refused.value)


def test_a_missing_store_is_refused_with_the_command_that_makes_one(tmp_path: Path):
    assert "fleetcast ingest" in refusal(tmp_path / "none.duckdb")
    assert list(tmp_path.iterdir()) == []


def test_a_reader_sees_every_request_and_can_change_nothing(filled: Path):
    with open_store(filled) as store:
        assert store.con.execute("SELECT count(*), sum(prompt_tok) FROM requests").fetchall() == [(3, 300)]
        with pytest.raises(duckdb.Error):
            store.con.execute("DELETE FROM file_manifest")


def test_times_are_utc_whatever_the_machine_says(filled: Path, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    with open_store(filled) as store:
        rows = store.con.execute("SELECT CAST(min(arrived_utc) AS VARCHAR) FROM requests").fetchall()
    assert rows == [("2026-11-01 06:00:00+00",)]


def test_a_file_that_is_no_store_is_refused(tmp_path: Path):
    path = tmp_path / "x.duckdb"
    path.write_bytes(b"not a database" * 1_000)

    assert "not a store" in refusal(path)
    assert "not a store" in refusal(path, write=True)


def test_a_duckdb_file_of_someone_else_is_refused(tmp_path: Path):
    path = tmp_path / "x.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("CREATE TABLE theirs (a INTEGER)")

    assert "not a store of fleetcast" in refusal(path)
    assert "not a store of fleetcast" in refusal(path, write=True)


def test_a_store_of_another_version_is_refused(filled: Path):
    with duckdb.connect(str(filled)) as con:
        con.execute("UPDATE store_version SET version = 7")

    assert f"has version 7 and this fleetcast reads version {STORE_VERSION}" in refusal(filled)


@pytest.mark.parametrize("table", ["rollup_minute", "token_histogram_daily", "slice_manifest"])
def test_a_table_that_lost_rows_is_seen_on_opening(filled: Path, table: str):
    with duckdb.connect(str(filled)) as con:
        con.execute(f"DELETE FROM {table}")

    assert f"table {table} has 0 rows instead of" in refusal(filled)


def test_a_lost_log_is_seen_on_opening(filled: Path):
    """DuckDB drops a missing .wal without a word; the generation beside the file knows better."""
    beside = filled.with_name("s.lake") / "generation.json"
    newer = json.loads(beside.read_text())["generation"] + 1
    beside.write_text(json.dumps({"generation": newer}))

    assert "its newest changes are gone" in refusal(filled)


def test_a_missing_or_cut_parquet_file_is_seen_on_opening(filled: Path):
    part = next((filled.with_name("s.lake") / "requests").glob("*/*.parquet"))
    content = part.read_bytes()

    part.write_bytes(content[:-7])
    assert f"has {len(content) - 7:,} bytes instead of {len(content):,}" in refusal(filled)

    part.unlink()
    assert "is missing" in refusal(filled)


def test_a_folder_is_no_store(tmp_path: Path):
    assert "is a folder" in refusal(tmp_path, write=True)


def test_a_reader_is_told_who_writes(filled: Path, now):
    code = f"""
import sys
from pathlib import Path
from data.errors import UserError
from data.warehouse import STORE_VERSION, open_store
try:
    with open_store(Path({str(filled)!r})): pass
except UserError as err:
    print(err)
"""
    with open_store(filled, write=True, now=now):
        root = Path(__file__).resolve().parents[2]
        said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)

    assert "is being written by process" in said.stdout


def test_a_transaction_that_fails_leaves_everything_as_it_was(store):
    before = store.con.execute("SELECT * FROM table_manifest ORDER BY ALL").fetchall()

    def fail_half_way() -> None:
        with transaction(store):
            store.con.execute("INSERT INTO rejected_rows VALUES ('f', 1, 'r', 'e')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()

    assert store.con.execute("SELECT count(*) FROM rejected_rows").fetchall() == [(0,)]
    assert store.con.execute("SELECT * FROM table_manifest ORDER BY ALL").fetchall() == before


def test_the_manifest_answers_for_every_table_that_the_lake_gives(store):
    tables = {
        row[0]
        for row in store.con.execute("SELECT table_name FROM duckdb_tables() WHERE NOT temporary").fetchall()
    }

    assert tables - set(COUNTED_TABLES) == {
        "store_version",
        "table_manifest",
        "bucket_edge",
        "run",
        "forecast_record",
        "forecast_part",
        "forecast_score",
        "spend_file",
        "spend_actual",
        "commit_decision",
        "price_used",
    }


def test_a_store_of_before_the_track_record_gets_its_tables_when_it_is_written(filled: Path, now):
    with duckdb.connect(str(filled)) as con:
        con.execute("DROP TABLE forecast_part")
        con.execute("DROP TABLE forecast_score")

    with open_store(filled) as store:  # a reader asks for nothing that is missing
        assert store.con.execute("SELECT count(*) FROM requests").fetchall() == [(3,)]
    with open_store(filled, write=True, now=now) as store:
        assert store.con.execute("SELECT count(*) FROM forecast_score").fetchall() == [(0,)]


def test_a_path_with_quotes_in_it_is_only_a_path(tmp_path: Path, write_csv, now):
    path = tmp_path / 'it\'s "quoted"; DROP TABLE x' / "s'.duckdb"
    with open_store(path, write=True, now=now) as store:
        ingest_logs(store, [write_csv("a.csv", ROWS)], now=now)
    with open_store(path) as store:
        assert store.con.execute("SELECT count(*) FROM requests").fetchall() == [(3,)]


@pytest.mark.parametrize("left", [b"", bytes(4_096), bytes(8) + b"DUCK" + bytes(4_000)])
def test_headers_that_a_killed_process_never_finished_are_made_again(tmp_path, left):
    path = tmp_path / "s.duckdb"
    path.write_bytes(left)

    with open_store(path, write=True) as store:
        assert store.con.execute("SELECT count(*) FROM file_manifest").fetchone() == (0,)


@pytest.mark.parametrize("other", [b"my notes", b"PAR1" + bytes(100), bytes(8) + b"DUCK" + bytes(20_000)])
def test_a_file_that_is_something_else_is_left_alone(tmp_path, other):
    path = tmp_path / "s.duckdb"
    path.write_bytes(other)

    with pytest.raises(UserError), open_store(path, write=True):
        pass
    assert path.read_bytes() == other


def test_a_log_named_as_the_store_is_refused_and_nothing_is_made(tmp_path):
    path = tmp_path / "gateway.csv"
    path.write_text("arrived_utc,prompt_tok,output_tok\n2026-11-01,1,1\n")

    with pytest.raises(UserError, match="is a file of something else, not a store; name another --store"):
        open_store(path, write=True).__enter__()
    with pytest.raises(UserError, match="is not a store"):
        open_store(path).__enter__()
    assert [each.name for each in tmp_path.iterdir()] == ["gateway.csv"]


def test_a_folder_named_as_the_store_is_refused_and_nothing_is_made(tmp_path):
    (tmp_path / "logs").mkdir()

    with pytest.raises(UserError, match="is a folder"):
        open_store(tmp_path / "logs", write=True).__enter__()
    assert [each.name for each in tmp_path.iterdir()] == ["logs"]


def test_an_empty_file_is_no_store_and_the_way_out_is_said(tmp_path):
    (tmp_path / "empty.csv").touch()
    with (
        pytest.raises(UserError, match="ingest the logs into a new --store"),
        open_store(tmp_path / "empty.csv", write=False),
    ):
        pass
