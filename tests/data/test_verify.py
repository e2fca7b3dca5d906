"""Every kind of damage is found, named, and sent to the command that mends it; a whole store has no finding."""

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from data.checks import forget_command, rebuild_command
from data.compact import vacuum_store
from data.errors import UserError
from data.ingest import ingest_logs
from data.kept import kept_path, read_kept
from data.rebuild import rebuild_store
from data.tables import ROLLUP_TIMES
from data.verify import verify_store
from data.warehouse import open_store

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ROWS = [
    {"arrived_utc": f"2026-11-0{1 + n % 2}T00:00:{n:02}Z", "prompt_tok": 40_000 * n - 1, "output_tok": n}
    for n in range(30)
]


@pytest.fixture(scope="module")
def template(tmp_path_factory, write_rows) -> Path:
    folder = tmp_path_factory.mktemp("template")
    with open_store(folder / "s.duckdb", write=True, now=NOW) as store:
        ingest_logs(store, [write_rows(folder / "a.csv", ROWS)], now=NOW)
    return folder


@pytest.fixture
def filled(template: Path, tmp_path: Path) -> Path:
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    return tmp_path / "s.duckdb"


def lake_of(path: Path) -> Path:
    return path.with_name("s.lake")


def a_slice(path: Path) -> Path:
    return sorted(lake_of(path).glob("requests/*/*.parquet"))[0]


def said(path: Path) -> str:
    return "\n".join(finding.line for finding in verify_store(path))


def test_a_whole_store_has_no_finding_and_is_not_changed(filled: Path):
    before = {path: path.read_bytes() for path in filled.parent.rglob("*") if path.is_file()}
    assert verify_store(filled) == ()
    assert {path: path.read_bytes() for path in filled.parent.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("how", ["missing", "cut", "altered"])
def test_a_slice_that_is_not_what_was_written_is_found_with_its_log(filled: Path, template: Path, how: str):
    part = a_slice(filled)
    content = part.read_bytes()
    part.write_bytes({"missing": b"", "cut": content[:-9], "altered": content[:50] + b"?" + content[51:]}[how])
    if how == "missing":
        part.unlink()

    (finding,) = verify_store(filled)

    assert part.name in finding.what
    assert finding.way_out == forget_command(filled, str(template / "a.csv"))


@pytest.mark.parametrize("how", ["deleted", "cut", "empty", "overwritten"])
def test_a_database_that_cannot_be_opened_is_found(filled: Path, how: str):
    content = filled.read_bytes()
    if how == "deleted":
        filled.unlink()
    else:
        filled.write_bytes({"cut": content[:9_000], "empty": b"", "overwritten": b"?" * 20_000}[how])

    (finding,) = verify_store(filled)

    assert finding.way_out == rebuild_command(filled)


def test_damaged_blocks_inside_the_database_are_found(filled: Path):
    """DuckDB sees them only when it reads them, and opening reads few."""
    content = bytearray(filled.read_bytes())
    block_bytes = 262_144
    found = 0
    for start in range(12_288, len(content) - block_bytes + 1, block_bytes):
        damaged = bytearray(content)
        damaged[start + 64 : start + 4_096] = bytes(4_032)
        filled.write_bytes(damaged)
        found += bool(verify_store(filled))
    assert found >= 1


@pytest.mark.parametrize("damage", ["truncated", "altered", "deleted"])
def test_a_log_that_lost_a_commit_is_found_by_the_generation(filled: Path, tmp_path: Path, write_csv, damage: str):
    """A process commits, and dies before the log is folded into the file; then the log is damaged."""
    late = write_csv("late.csv", ROWS[:2])
    code = f"""
import os
from datetime import datetime
from pathlib import Path
from data import warehouse
from data.ingest import ingest_logs
now = datetime.fromisoformat({NOW.isoformat()!r})
with warehouse.open_store(Path({str(filled)!r}), write=True, now=now) as store:
    warehouse._checkpoint = lambda con: os._exit(9)
    ingest_logs(store, [Path({str(late)!r})], now=now)
"""
    root = Path(__file__).resolve().parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 9
    wal = filled.with_name("s.duckdb.wal")
    assert verify_store(filled) == ()
    content = wal.read_bytes()

    wal.write_bytes(
        {"truncated": content[:-20], "altered": content[:40] + b"????" + content[44:]}.get(damage, b"")
    )
    if damage == "deleted":
        wal.unlink()

    assert "its newest changes are gone" in said(filled)
    rebuild_store(filled, now=NOW)
    assert verify_store(filled) == ()
    with open_store(filled) as store:
        assert store.con.execute("SELECT count(*) FROM file_manifest").fetchall() == [(2,)]  # nothing was lost


@pytest.mark.parametrize("table", ["rollup_minute", "rollup_10s", "long_requests_daily", "joint_histogram_daily"])
def test_a_rollup_that_does_not_add_up_to_its_slices_is_found(filled: Path, table: str):
    with duckdb.connect(str(filled)) as con:
        con.execute(f"UPDATE {table} SET requests = requests + 1 WHERE {ROLLUP_TIMES[table]} < '2026-11-02'")

    (finding,) = verify_store(filled)

    assert f"{table} of 'a' on 2026-11-01 does not add up" in finding.what
    assert finding.way_out == rebuild_command(filled)


@pytest.mark.parametrize("field", ["prompt", "output"])
def test_a_histogram_that_does_not_add_up_is_found(filled: Path, field: str):
    with duckdb.connect(str(filled)) as con:
        con.execute(
            "UPDATE token_histogram_daily SET requests = requests + 1 WHERE field = $field", {"field": field}
        )

    assert f"token_histogram_daily, {field} of 'a' on 2026-11-02" in said(filled)


def test_sums_that_are_wrong_with_the_right_count_are_found(filled: Path):
    with duckdb.connect(str(filled)) as con:
        con.execute("UPDATE rollup_minute SET prompt_output_sum = prompt_output_sum * 1.001")

    assert "rollup_minute of 'a'" in said(filled)


def test_rows_that_do_not_match_the_manifest_are_found(filled: Path, template: Path):
    with duckdb.connect(str(filled)) as con:
        con.execute("UPDATE file_manifest SET rows_new = rows_new - 3")

    assert f"the manifest counts 26 rows, 0 duplicates and 1 rejected of {template / 'a.csv'}" in said(filled)
    assert "the copy of table file_manifest has other rows" in said(filled)


def test_a_table_that_lost_rows_is_found(filled: Path):
    with duckdb.connect(str(filled)) as con:
        con.execute("DELETE FROM rejected_rows")

    assert "table rejected_rows has 0 rows instead of 1" in said(filled)


@pytest.mark.parametrize("damage", ["no file", "no copy", "altered copy"])
def test_lost_copies_are_found_and_written_again_by_vacuum(filled: Path, damage: str):
    lake = lake_of(filled)
    copy = lake / read_kept(lake).copies["file_manifest"].path
    if damage == "no file":
        kept_path(lake).unlink()
    elif damage == "no copy":
        copy.unlink()
    else:
        copy.write_bytes(copy.read_bytes()[:-1] + b"?")

    assert "store vacuum" in said(filled)

    vacuum_store(filled, now=NOW)
    assert verify_store(filled) == ()
    filled.unlink()
    rebuild_store(filled, now=NOW)
    assert verify_store(filled) == ()


def test_files_that_nobody_names_are_no_damage(filled: Path):
    (a_slice(filled).parent / "stray.parquet").write_bytes(b"half")
    assert verify_store(filled) == ()


def test_a_newer_generation_beside_is_found(filled: Path):
    content = json.loads(kept_path(lake_of(filled)).read_text())
    kept_path(lake_of(filled)).write_text(json.dumps({**content, "generation": content["generation"] + 1}))

    assert "its newest changes are gone" in said(filled)


def test_where_there_is_nothing_there_is_nothing_to_verify(tmp_path: Path):
    with pytest.raises(UserError, match="There is no store at"):
        verify_store(tmp_path / "none.duckdb")


def test_a_database_of_someone_else_is_no_store(tmp_path: Path):
    with duckdb.connect(str(tmp_path / "x.duckdb")) as con:
        con.execute("CREATE TABLE theirs (a INTEGER)")
    with pytest.raises(UserError, match="not a store of fleetcast"):
        verify_store(tmp_path / "x.duckdb")
