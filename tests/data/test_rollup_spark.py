"""Spark and DuckDB roll the same requests up to the same rows; a live Spark needs Java, and so these are slow."""

import importlib.util
import os
import shutil
from pathlib import Path

import duckdb
import pytest

from data import rollup_spark
from data.dialects import ROLLUP_TABLES
from data.errors import UserError
from data.rollup_duckdb import roll_up_parquet as by_duckdb
from data.rollup_intake import take_rollup
from data.warehouse import open_store

_spec = importlib.util.spec_from_file_location("mixed_requests", Path(__file__).with_name("mixed_requests.py"))
mixed_requests = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(mixed_requests)


@pytest.fixture
def spark_is_here() -> None:
    missing = [what for what, here in (("java", shutil.which("java")), ("pyspark", _has_pyspark())) if not here]
    if missing:
        if os.environ.get("FLEETCAST_REQUIRE_TOOLS") == "1":
            pytest.fail(f"{missing[0]} is not here, and FLEETCAST_REQUIRE_TOOLS=1 says it must be")
        pytest.skip(f"{missing[0]} is not here")


def _has_pyspark() -> bool:
    return importlib.util.find_spec("pyspark") is not None


@pytest.mark.slow
def test_spark_and_duckdb_agree_to_the_row_and_the_store_takes_either(tmp_path, now, spark_is_here):
    source = tmp_path / "in"
    mixed_requests.write_mixed_requests(source)
    one = by_duckdb(str(source), tmp_path / "duckdb")
    other = rollup_spark.roll_up_parquet(str(source), tmp_path / "spark", master="local[2]")

    assert other.engine.startswith("spark ")
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        for table in ROLLUP_TABLES:
            mine = f"read_parquet('{tmp_path}/duckdb/{table}.parquet')"
            theirs = f"read_parquet('{tmp_path}/spark/{table}/*.parquet')"
            names = ", ".join(row[0] for row in con.execute(f"DESCRIBE FROM {mine}").fetchall())
            for a, b in ((mine, theirs), (theirs, mine)):
                rows = con.execute(f"SELECT {names} FROM {a} EXCEPT ALL SELECT {names} FROM {b}").fetchall()
                assert not rows, (table, rows[:3])
    assert other.model_dump(exclude={"engine", "input"}) == one.model_dump(exclude={"engine", "input"})
    with open_store(tmp_path / "s.duckdb", write=True, now=now) as store:
        taken = take_rollup(store, tmp_path / "spark", now=now)
        again = take_rollup(store, tmp_path / "duckdb", now=now)  # other bytes, the same sums
        kept = store.con.execute("SELECT sum(requests) FROM rollup_minute").fetchall()
    counted = one.rows_read - one.rows_rejected - one.rows_duplicate
    assert (taken.status, taken.requests, again.requests) == ("done", counted, counted)
    assert kept == [(counted,)]


@pytest.mark.slow
def test_what_spark_cannot_read_is_one_sentence(tmp_path, spark_is_here):
    with pytest.raises(UserError, match=r"Spark cannot read .*nothing as Parquet"):
        rollup_spark.roll_up_parquet(str(tmp_path / "nothing"), tmp_path / "out", master="local[2]")
    assert not list(tmp_path.iterdir())


def test_without_pyspark_the_way_out_is_said(tmp_path, monkeypatch):
    def gone(_name: str) -> None:
        raise ModuleNotFoundError("No module named 'pyspark'")

    monkeypatch.setattr(rollup_spark, "import_module", gone)

    with pytest.raises(UserError, match=r"Spark is not installed; install fleetcast with its extra: .*\[spark\]"):
        rollup_spark.roll_up_parquet("in", tmp_path / "out")
