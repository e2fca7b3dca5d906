"""A lost DuckDB file is made anew from the lake: every table equal, the old file kept until then."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from data import rebuild as rebuild_module
from data.errors import UserError
from data.ingest import ingest_logs
from data.kept import kept_path, read_kept
from data.lock import StoreLockedError, hold_lock
from data.rebuild import drop_database, put_in_place, rebuild_store
from data.tables import ROLLUP_TIMES, kept_tables
from data.verify import verify_store
from data.warehouse import open_store, transaction

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def rows_of(day: int, ids: str, tok: int = 10) -> list[dict[str, object]]:
    return [
        {"request_id": i, "arrived_utc": f"2026-11-{day:02}T06:00:0{n}Z", "prompt_tok": tok, "output_tok": 1}
        for n, i in enumerate(ids)
    ]


def tables(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with open_store(path) as store:
        names = (*ROLLUP_TIMES, *kept_tables(store.con), "bucket_edge", "store_version")
        return {name: store.con.execute(f"SELECT * FROM {name} ORDER BY ALL").fetchall() for name in names}


@pytest.fixture(scope="module")
def template(tmp_path_factory, write_rows) -> Path:
    """A folder with a store that has all there is: replaced files, duplicates, bad rows, old days, runs."""
    folder = tmp_path_factory.mktemp("template")
    old = [
        {**row, "arrived_utc": f"2026-0{1 + n}-01T06:00:00Z", "prompt_tok": 40_000}
        for n, row in enumerate(rows_of(1, "xyz"))
    ]
    mixed = [*rows_of(1, "cde"), *rows_of(3, "f", tok=-1), *old]
    with open_store(folder / "s.duckdb", write=True, now=NOW) as store:
        for rows in ([*rows_of(1, "abc"), *rows_of(2, "de")], rows_of(1, "abcd")):
            ingest_logs(store, [write_rows(folder / "a.csv", rows)], now=NOW)
        ingest_logs(store, [write_rows(folder / "b.csv", mixed)], now=NOW, label="a")
        store.con.execute("INSERT INTO run VALUES ('r', 'plan', NULL, 1, 'd', 'done', now(), now(), NULL, NULL)")
        store.con.execute(
            "INSERT INTO forecast_record VALUES ('r', '2026-11-01', 'chat', '2026-11-02', 'requests', 1, 0, 1, 2)"
        )
        with transaction(store):
            store.con.execute(
                "INSERT INTO usage_bucket (file_id, bucket_utc, bucket_s, source_label, requests, output_tok_sum)"
                " VALUES ('u', '2026-11-01', 600, 'l', 5, 50)"
            )
    return folder


@pytest.fixture
def filled(template: Path, tmp_path: Path) -> Path:
    """A copy of that store; its logs are where they were."""
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    return tmp_path / "s.duckdb"


def test_a_deleted_file_comes_back_table_by_table(filled: Path, now):
    before = tables(filled)
    assert all(before[name] for name in (*ROLLUP_TIMES, "file_manifest", "rejected_rows", "usage_bucket", "run"))
    filled.unlink()

    built = rebuild_store(filled, now=now)

    assert (built.files, built.rows, built.lost) == (2, 10, ())
    assert tables(filled) == before
    assert verify_store(filled) == ()
    assert sorted(path.name for path in filled.parent.iterdir() if path.is_file() and "csv" not in path.name) == [
        "s.duckdb"
    ]


def test_what_was_known_before_is_known_after(filled: Path, now, template):
    filled.unlink()
    rebuild_store(filled, now=now)

    with open_store(filled, write=True, now=now) as store:
        (again,) = ingest_logs(store, [template / "a.csv"], now=now).files

    assert again.status == "unchanged"


@pytest.mark.parametrize("damage", ["garbage", "half", "empty", "sound"])
def test_whatever_the_old_file_is_the_new_one_is_the_same(filled: Path, now, damage: str):
    before = tables(filled)
    content = filled.read_bytes()
    filled.write_bytes(
        {"garbage": b"x" * 50_000, "half": content[: len(content) // 2], "empty": b"", "sound": content}[damage]
    )

    rebuild_store(filled, now=now)

    assert tables(filled) == before


def test_without_copies_a_sound_file_gives_its_own_tables(filled: Path, now):
    before = tables(filled)
    kept_path(filled.with_name("s.lake")).unlink()

    rebuild_store(filled, now=now)

    assert tables(filled) == before
    assert read_kept(filled.with_name("s.lake")).copies


def test_rollups_that_went_wrong_are_right_again(filled: Path, now):
    before = tables(filled)
    with open_store(filled, write=True, now=now) as store:
        store.con.execute("UPDATE rollup_minute SET requests = requests + 1")
    assert any("does not add up" in finding.what for finding in verify_store(filled))

    rebuild_store(filled, now=now)

    assert tables(filled) == before


def test_without_copies_and_without_a_file_it_says_so(filled: Path, now):
    filled.unlink()
    kept_path(filled.with_name("s.lake")).write_text("{")

    with pytest.raises(UserError, match=r"Neither .* can be read; ingest the logs into a new --store"):
        rebuild_store(filled, now=now)
    assert not filled.exists()


def test_copies_of_another_version_are_refused(filled: Path, now):
    filled.unlink()
    beside = kept_path(filled.with_name("s.lake"))
    beside.write_text(json.dumps({**json.loads(beside.read_text()), "version": 0}))

    with pytest.raises(UserError, match="are of version 0 and this fleetcast makes version"):
        rebuild_store(filled, now=now)


def test_without_a_lake_there_is_nothing_to_build_from(tmp_path: Path, now):
    with pytest.raises(UserError, match="There is no store at"):
        rebuild_store(tmp_path / "none.duckdb", now=now)
    assert list(tmp_path.iterdir()) == []


def test_the_old_file_stands_until_the_new_one_is_whole(filled: Path, now, monkeypatch):
    content = filled.read_bytes()

    def die(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(rebuild_module, "roll_up", die)
    with pytest.raises(ZeroDivisionError):
        rebuild_store(filled, now=now)

    assert filled.read_bytes() == content
    assert not filled.with_name("s.duckdb.fresh").exists()
    assert verify_store(filled) == ()


def test_a_damaged_slice_is_left_out_with_leave_until_its_log_is_read_again(filled: Path, now, template):
    with open_store(filled) as store:
        ((name,),) = store.con.execute(
            "SELECT slice_manifest.path FROM slice_manifest JOIN file_manifest USING (file_id)"
            " WHERE status = 'done' AND file_manifest.path LIKE '%a.csv'"
        ).fetchall()
    part = filled.with_name("s.lake") / name
    part.write_bytes(part.read_bytes()[:-1] + b"?")

    with pytest.raises(UserError, match=r"1 of the Parquet files .*a.csv; rebuild with --forget-damaged"):
        rebuild_store(filled, now=now)

    assert rebuild_store(filled, now=now, forget_damaged=True).lost == (str(template / "a.csv"),)
    assert verify_store(filled) == ()
    with open_store(filled) as store:
        kept = store.con.execute("SELECT request_id FROM requests ORDER BY 1").fetchall()
        assert "".join(row[0] for row in kept) == "cdexyz"  # c and d, which a.csv hid, are back
    with open_store(filled, write=True, now=now) as store:
        (healed,) = ingest_logs(store, [template / "a.csv"], now=now).files
        assert healed.status == "replaced"
    with open_store(filled) as store:
        assert store.con.execute("SELECT count(*) FROM requests").fetchall() == [(8,)]


def test_a_store_that_is_being_written_is_left_alone(filled: Path, now):
    with hold_lock(filled, now), pytest.raises(StoreLockedError):
        rebuild_store(filled, now=now)


def test_days_are_rolled_up_in_groups_that_fit_the_memory(filled: Path, now, monkeypatch):
    before = tables(filled)
    monkeypatch.setattr(rebuild_module, "_ROWS_AT_ONCE", 1)

    rebuild_store(filled, now=now)

    assert tables(filled) == before


def test_a_log_of_the_old_database_does_not_outlive_it(tmp_path: Path):
    path, fresh = tmp_path / "s.duckdb", tmp_path / "s.duckdb.fresh"
    fresh.write_text("new")
    path.write_text("old")
    (tmp_path / "s.duckdb.wal").write_text("changes of the old one")

    put_in_place(fresh, path)

    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("s.duckdb", "new")]
    drop_database(path)
    assert list(tmp_path.iterdir()) == []


def test_a_new_store_never_takes_the_lake_of_a_lost_one_for_rubbish(filled: Path, now):
    slices = sorted(filled.with_name("s.lake").glob("requests/*/*.parquet"))
    filled.unlink()

    with (
        pytest.raises(UserError, match=r"no store at .* but its lake is there; .* store rebuild"),
        open_store(filled, write=True, now=now),
    ):
        pass

    assert sorted(filled.with_name("s.lake").glob("requests/*/*.parquet")) == slices
    assert not filled.exists()
