import pytest

from data import duplicates
from data.ingest import ingest_logs


def rows(ids: str, second: int, tok: int) -> list[dict[str, object]]:
    return [
        {"request_id": i, "arrived_utc": f"2026-11-01T06:00:{second:02}Z", "prompt_tok": tok, "output_tok": 1}
        for i in ids
    ]


def test_the_file_that_came_first_counts_and_within_a_file_the_earliest_row(store, write_csv, now):
    first = write_csv("a.csv", [*rows("x", 30, 2), *rows("x", 10, 1)])
    second = write_csv("b.csv", rows("xy", 5, 9))

    ingest_logs(store, [first], now=now, label="one")
    ingest_logs(store, [second], now=now, label="one")

    found = store.con.execute("SELECT request_id, prompt_tok FROM requests ORDER BY 1").fetchall()
    assert found == [("x", 1), ("y", 9)]


def test_rows_without_an_id_are_never_duplicates(store, write_csv, now):
    log = [{**row, "request_id": ""} for row in rows("abc", 1, 7)]

    (file,) = ingest_logs(store, [write_csv("a.csv", log)], now=now).files

    assert (file.rows_new, file.rows_duplicate) == (3, 0)


@pytest.mark.parametrize("rows_at_once", [1, 1_000])
def test_counting_in_batches_finds_the_same(store, write_csv, now, monkeypatch, rows_at_once: int):
    monkeypatch.setattr(duplicates, "_ROWS_AT_ONCE", rows_at_once)
    day_two = [{**row, "arrived_utc": "2026-11-02T00:00:00Z"} for row in rows("pq", 1, 1)]
    one = write_csv("a.csv", [*rows("ab", 1, 1), *day_two])
    two = write_csv("b.csv", [*rows("bc", 1, 1), *day_two])

    summary = ingest_logs(store, [one, two], now=now, label="one")

    assert [file.rows_duplicate for file in summary.files] == [0, 3]


def test_marked_rows_stay_in_the_lake(store, write_csv, now):
    ingest_logs(store, [write_csv("a.csv", rows("aab", 1, 1))], now=now)

    ((path,),) = store.con.execute("SELECT path FROM slice_manifest").fetchall()
    found = store.con.execute(
        "SELECT count(*), count(*) FILTER (is_duplicate) FROM read_parquet($p)", {"p": str(store.lake / path)}
    ).fetchall()
    assert found == [(3, 1)]
