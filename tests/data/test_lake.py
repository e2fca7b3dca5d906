import hashlib

import pyarrow.parquet as pq

from data.ingest import ingest_logs
from data.lake import staging, sweep

ROWS = [
    {"arrived_utc": f"2026-11-0{1 + n % 3}T0{n % 9}:00:00Z", "prompt_tok": n, "output_tok": 1} for n in range(90)
]


def test_a_source_file_gives_one_parquet_file_for_each_utc_day(store, write_csv, now):
    late = {"arrived_utc": "2026-11-01T23:59:59.999999Z", "prompt_tok": 1, "output_tok": 1}
    east = {"arrived_utc": "2026-11-02T01:00:00+02:00", "prompt_tok": 1, "output_tok": 1}
    ingest_logs(store, [write_csv("a.csv", [*ROWS, late, east])], now=now)

    rows = store.con.execute(
        "SELECT day_utc, path, rows, size_bytes, sha256 FROM slice_manifest ORDER BY 1"
    ).fetchall()

    assert [(day.isoformat(), count) for day, _, count, _, _ in rows] == [
        ("2026-11-01", 32),
        ("2026-11-02", 30),
        ("2026-11-03", 30),
    ]
    for day, name, count, size, sha256 in rows:
        path = store.lake / name
        assert path.parent.name == day.isoformat()
        assert (pq.read_metadata(path).num_rows, path.stat().st_size) == (count, size)
        assert hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def test_parts_of_a_day_are_joined_into_one_file(store, write_csv, now):
    """DuckDB closes a day's file early where it may keep only one open."""
    store.con.execute("SET partitioned_write_max_open_files = 1")
    store.con.execute("SET partitioned_write_flush_threshold = 1")

    ingest_logs(store, [write_csv("a.csv", ROWS)], now=now)

    assert store.con.execute("SELECT count(*), sum(rows) FROM slice_manifest").fetchall() == [(3, 90)]
    assert store.con.execute("SELECT count(*), sum(prompt_tok) FROM requests").fetchall() == [(90, sum(range(90)))]


def test_what_nobody_names_is_swept_and_what_is_named_stays(store, write_csv, now):
    ingest_logs(store, [write_csv("a.csv", ROWS)], now=now)
    stray = next((store.lake / "requests").glob("*/*.parquet")).with_name("stray.parquet")
    stray.write_bytes(b"half")

    sweep(store)

    assert not stray.exists()
    assert len(list(store.lake.glob("requests/*/*.parquet"))) == 3


def test_a_staging_folder_starts_empty_and_goes_away(store):
    (store.lake / ".staging").mkdir()
    (store.lake / ".staging" / "old").write_text("x")

    with staging(store) as folder:
        assert list(folder.iterdir()) == []
    assert not folder.exists()
