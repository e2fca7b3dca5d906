"""What is ingested again, late or changed touches its own days and no other."""

from pathlib import Path

from data.ingest import ingest_logs
from data.tables import ROLLUP_TIMES
from data.warehouse import Store


def rows_of(day: int, ids: str, month: int = 10) -> list[dict[str, object]]:
    moment = f"2026-{month:02}-{day:02}T06:00"
    return [
        {"request_id": i, "arrived_utc": f"{moment}:{n:02}Z", "prompt_tok": 40_000, "output_tok": 1}
        for n, i in enumerate(ids)
    ]


def mark(store: Store) -> set[tuple[str, str]]:
    """Mark every row of the rollups, so that a row that is made anew is known by having no mark."""
    for table in ROLLUP_TIMES:
        store.con.execute(f"UPDATE {table} SET requests = requests + 1000000")
    return days(store, "true")


def touched(store: Store, before: set[tuple[str, str]]) -> set[str]:
    """Return the days of which some rollup was made anew, or is gone."""
    return {day for _, day in days(store, "requests < 1000000") | (before - days(store, "true"))}


def days(store: Store, which: str) -> set[tuple[str, str]]:
    found = set()
    for table, column in ROLLUP_TIMES.items():
        sql = f"SELECT DISTINCT '{table}', CAST({column} AS DATE)::VARCHAR FROM {table} WHERE {which}"
        found |= set(store.con.execute(sql).fetchall())
    return found


def test_late_rows_recompute_just_their_days(store: Store, write_csv, now):
    ingest_logs(store, [write_csv("a.csv", [row for day in range(1, 8) for row in rows_of(day, "abc")])], now=now)
    before, slices = mark(store), {p.name: p.stat().st_mtime_ns for p in store.lake.glob("requests/*/*")}

    ingest_logs(store, [write_csv("late.csv", [*rows_of(3, "z"), *rows_of(5, "y")])], now=now, label="a")

    assert touched(store, before) == {"2026-10-03", "2026-10-05"}
    after = {p.name: p.stat().st_mtime_ns for p in store.lake.glob("requests/*/*")}
    assert {name: after[name] for name in slices} == slices  # no slice was written again
    assert store.con.execute("SELECT count(*) FROM requests").fetchall() == [(23,)]


def test_a_changed_file_recomputes_the_days_of_both_its_contents(store: Store, write_csv, now):
    ingest_logs(store, [write_csv("a.csv", [*rows_of(1, "ab"), *rows_of(2, "c")])], now=now)
    ingest_logs(store, [write_csv("b.csv", [*rows_of(2, "d"), *rows_of(4, "e")])], now=now, label="a")
    before = mark(store)

    ingest_logs(store, [write_csv("a.csv", [*rows_of(1, "ab"), *rows_of(3, "c")])], now=now)

    assert touched(store, before) == {"2026-10-01", "2026-10-02", "2026-10-03"}


def test_an_overlapping_file_recomputes_the_days_it_holds_and_counts_each_request_once(
    store: Store, write_csv, now
):
    ingest_logs(
        store, [write_csv("week1.csv", [r for d in (1, 2, 3) for r in rows_of(d, "abc")])], now=now, label="a"
    )
    before = mark(store)

    summary = ingest_logs(
        store, [write_csv("week2.csv", [r for d in (3, 4) for r in rows_of(d, "abcd")])], now=now, label="a"
    )

    assert (summary.rows_new, summary.rows_duplicate) == (5, 3)
    assert touched(store, before) == {"2026-10-03", "2026-10-04"}
    assert store.con.execute("SELECT count(*) FROM requests").fetchall() == [(9 + 1 + 4,)]


def test_a_monthly_run_over_a_growing_folder_touches_only_what_is_new(
    store: Store, write_rows, now, tmp_path: Path
):
    folder = tmp_path / "chat"
    folder.mkdir()
    for month, days in ((9, range(1, 11)), (10, range(1, 4))):
        for day in days:
            write_rows(folder / f"2026-{month:02}-{day:02}.csv", rows_of(day, "abc", month))
    ingest_logs(store, [folder], now=now)
    before = mark(store)

    write_rows(folder / "2026-10-03.csv", rows_of(3, "abcd"))  # the newest was still being written
    write_rows(folder / "2026-10-04.csv", rows_of(4, "abc"))
    summary = ingest_logs(store, [folder], now=now)

    assert [file.status for file in summary.files].count("unchanged") == 12
    assert touched(store, before) == {"2026-10-03", "2026-10-04"}

    before = mark(store)
    ingest_logs(store, [folder], now=now)
    assert touched(store, before) == set()
