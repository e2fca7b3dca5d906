"""The run table: the same inputs are known again, any changed part is not, and a run that died is not running."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from data.warehouse import query
from flows import runs
from flows.runs import begin_run, code_digest, end_run, finished_run, input_digest

DAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
PARTS = {"as_of": "2026-11-23", "config": "a", "code": "b", "facts": "c", "genai-prices": "d", "store": "e"}


@pytest.fixture
def con():
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute(query("schema"))
        yield con


def _begin(con, digest="d" * 64, *, kind="plan", as_of=DAY, now=NOW):
    return begin_run(con, kind=kind, as_of=as_of, digest=digest, now=now)


def _rows(con):
    return con.execute("SELECT revision, status, error FROM run ORDER BY started_utc, revision").fetchall()


@pytest.mark.parametrize("part", list(PARTS))
def test_the_digest_changes_with_each_part(part):
    assert input_digest({**PARTS, part: "other"}) != input_digest(PARTS)


def test_the_digest_does_not_depend_on_the_order_and_cannot_be_confused():
    assert input_digest(dict(reversed(PARTS.items()))) == input_digest(PARTS)
    assert input_digest({"a": "bc", "d": ""}) != input_digest({"a": "b", "d": "c"})
    assert len(input_digest(PARTS)) == 64


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """A small copy of the house, which code_digest takes for ours."""
    for room in runs.ROOMS:
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").write_text('"""A room."""\n')
    (tmp_path / "data" / "query.sql").write_text("SELECT 1")
    (tmp_path / "reports" / "page.css").write_text("p {}")
    monkeypatch.setattr(runs, "__file__", str(tmp_path / "flows" / "runs.py"))
    return tmp_path


def test_the_code_digest_changes_with_any_source_and_with_nothing_else(sources):
    before = code_digest()
    assert before == code_digest()

    (sources / "data" / "__pycache__").mkdir()
    (sources / "data" / "__pycache__" / "x.pyc").write_text("compiled")
    (sources / "notes.md").write_text("notes")
    assert code_digest() == before

    seen = {before}
    for name in ("data/query.sql", "reports/page.css", "sizing/__init__.py"):
        with (sources / name).open("a") as file:
            file.write("\n")
        seen.add(code_digest())
    (sources / "forecasting" / "new.py").write_text("")
    seen.add(code_digest())
    (sources / "forecasting" / "new.py").rename(sources / "forecasting" / "renamed.py")
    seen.add(code_digest())
    assert len(seen) == 6


def test_a_run_is_finished_only_when_it_ended_well(con, tmp_path):
    run = _begin(con)
    assert finished_run(con, kind="plan", digest=run.input_digest) is None

    end_run(con, run, now=NOW, out_dir=None, error="UserError: no traffic")
    assert finished_run(con, kind="plan", digest=run.input_digest) is None

    again = _begin(con)
    end_run(con, again, now=NOW, out_dir=tmp_path)
    assert finished_run(con, kind="plan", digest=run.input_digest) == tmp_path
    assert finished_run(con, kind="ingest", digest=run.input_digest) is None
    assert finished_run(con, kind="plan", digest="e" * 64) is None
    assert _rows(con) == [(1, "failed", "UserError: no traffic"), (2, "done", None)]


def test_the_newest_of_several_finished_runs_counts(con):
    for n in range(3):
        run = _begin(con, now=NOW + timedelta(hours=n))
        end_run(con, run, now=NOW + timedelta(hours=n), out_dir=Path(f"/plans/{n}"))

    assert finished_run(con, kind="plan", digest="d" * 64) == Path("/plans/2")


def test_revisions_count_the_runs_of_a_day_and_kind(con):
    first, second = _begin(con), _begin(con, digest="e" * 64)
    other_day = _begin(con, as_of=DAY + timedelta(days=1))
    other_kind = _begin(con, kind="ingest")

    assert [r.revision for r in (first, second, other_day, other_kind)] == [1, 2, 1, 1]
    assert first.run_id == "plan-20261123-1-dddddddd"
    assert len({r.run_id for r in (first, second, other_day, other_kind)}) == 4


def test_a_run_that_died_is_failed_at_the_next_start_of_its_kind(con):
    _begin(con)
    _begin(con, kind="ingest")
    assert [row[1] for row in _rows(con)] == ["running", "running"]

    _begin(con, now=NOW + timedelta(hours=1))

    status = con.execute("SELECT kind, status, error FROM run ORDER BY kind, started_utc").fetchall()
    assert status == [
        ("ingest", "running", None),
        ("plan", "failed", "the process ended before the run did"),
        ("plan", "running", None),
    ]
