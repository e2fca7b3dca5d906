import json
from pathlib import Path

from data.ingest import ingest_logs


def taken(store, now, tmp_path: Path, **result: object):
    bucket = {
        "starting_at": "2026-11-01T00:00:00+02:00",
        "ending_at": "2026-11-02T00:00:00+02:00",
        "results": [result],
    }
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"data": [bucket], "has_more": False}))
    (file,) = ingest_logs(store, [path], now=now, max_rejected_share=1).files
    sql = """SELECT CAST(bucket_utc AS VARCHAR), requests, prompt_tok_sum, cached_prompt_tok_sum, category
        FROM usage_bucket"""
    return store.con.execute(sql).fetchall(), [bad.reason for bad in file.rejected]


def test_the_parts_of_the_prompt_are_summed_and_requests_are_unknown(store, now, tmp_path: Path):
    rows, rejected = taken(
        store,
        now,
        tmp_path,
        uncached_input_tokens=10,
        cache_read_input_tokens=20,
        cache_creation={"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4},
        output_tokens=5,
    )

    assert rejected == []
    assert rows == [("2026-10-31 22:00:00+00", None, 37, 20, None)]  # an offset is honoured; no tier, no category


def test_a_prompt_whose_main_part_is_missing_is_unknown_and_not_its_rest(store, now, tmp_path: Path):
    rows, _ = taken(store, now, tmp_path, cache_read_input_tokens=20, output_tokens=5, service_tier="batch")

    assert rows == [("2026-10-31 22:00:00+00", None, None, 20, "batch")]
