import json
from datetime import UTC, datetime

from data.ingest import ingest_logs

START = datetime(2026, 1, 5, tzinfo=UTC)


def test_milliseconds_count_from_the_start_that_is_given(tmp_path, store, now):
    path = tmp_path / "m.jsonl"
    rows = [
        {"timestamp": t, "input_length": 5, "output_length": 1, "hash_ids": [1]} for t in (0, 3_052, 86_400_000)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))

    ingest_logs(store, [path], now=now, start=START)

    found = store.con.execute(
        "SELECT epoch_ms(arrived_utc) - epoch_ms($start) FROM requests ORDER BY 1", {"start": START}
    )
    assert found.fetchall() == [(0,), (3_052,), (86_400_000,)]


def test_a_time_that_is_no_number_is_rejected_by_its_line(tmp_path, store, now):
    path = tmp_path / "m.jsonl"
    good = '{"timestamp": 1, "input_length": 5, "output_length": 1, "hash_ids": []}\n'
    path.write_text(good * 5 + good.replace("1,", '"soon",', 1))

    (file,) = ingest_logs(store, [path], now=now, start=START).files

    assert [(bad.line, bad.reason) for bad in file.rejected] == [(6, "the time is missing or cannot be read")]
