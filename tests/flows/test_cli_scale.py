import duckdb
import pytest

from flows.cli import main


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "in" / "log.parquet"
    path.parent.mkdir()
    duckdb.execute(
        "COPY (SELECT 'chat' AS source_label, TIMESTAMPTZ '2026-03-29 12:00:00+00' + to_minutes(i) AS arrived_utc,"
        f" i AS prompt_tok, 1 AS output_tok FROM range(90) AS r(i)) TO '{path}'"
    )
    return path


def test_a_rollup_goes_from_parquet_into_a_store_that_says_where_it_came_from(tmp_path, log, capsys):
    out, db = tmp_path / "out", tmp_path / "s.duckdb"

    assert main(["rollup", "--engine", "duckdb", "--input", str(log.parent), "--out", str(out)]) == 0
    assert (
        "90 rows read, 0 rejected, 0 duplicate; 90 requests on 1 days of 'chat', by duckdb"
        in capsys.readouterr().out
    )
    assert main(["ingest", "--rollup", str(out), "--store", str(db)]) == 0
    assert "out: done as a rollup by duckdb" in capsys.readouterr().out
    assert main(["ingest", "--rollup", str(out), "--store", str(db)]) == 0
    assert "out: unchanged as a rollup" in capsys.readouterr().out
    assert main(["store", "verify", "--store", str(db)]) == 0


def test_one_table_or_all_are_printed(capsys):
    assert main(["export-sql", "--dialect", "trino", "--table", "rollup_minute"]) == 0
    one = capsys.readouterr().out
    assert main(["export-sql", "--dialect", "trino"]) == 0
    everything = capsys.readouterr().out

    assert one.startswith("-- rollup_minute of fleetcast's rollup, for trino;")
    assert one in everything
    assert everything.count("canonical_requests: a table or view") == 6


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["ingest", "--rollup", "nowhere", "--store", "s.duckdb"], "nowhere has no readable manifest.json"),
        (["ingest", "log.csv", "--rollup", "x", "--store", "s.duckdb"], "for which LOG has no meaning"),
        (["ingest", "--rollup", "x", "--label", "a", "--store", "s.duckdb"], "for which --label has no meaning"),
        (["ingest", "--store", "s.duckdb"], "Nothing to ingest was named"),
        (["export-sql", "--dialect", "spark", "--table", "x"], "There is no table 'x' to export SQL for"),
        (
            ["rollup", "--engine", "duckdb", "--master", "yarn", "--input", "x", "--out", "y"],
            "--master says where Spark runs",
        ),
        (["rollup", "--engine", "duckdb", "--input", "x", "--out", "y"], "There is no Parquet file in x"),
    ],
)
def test_a_mistake_is_one_sentence_and_leaves_nothing(tmp_path, monkeypatch, capsys, arguments, sentence):
    monkeypatch.chdir(tmp_path)

    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())
