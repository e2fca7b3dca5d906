import json
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq

from data.ingest import ingest_logs

ROW = {
    "request_id": "c-1",
    "call_type": "acompletion",
    "api_key": "9f2c",
    "spend": 0.1,
    "prompt_tokens": 10,
    "completion_tokens": 2,
    "startTime": "2026-11-01T06:00:00Z",
    "endTime": "2026-11-01T06:00:01Z",
    "model": "m",
}


def line(**changes) -> str:
    return json.dumps({**ROW, **changes}) + "\n"


def test_an_older_table_without_status_metadata_and_model_group_is_read(take, stored):
    take(line())

    assert stored("model, team, status, cached_prompt_tok, prompt_tok") == [("m", "9f2c", None, None, 10)]


def test_a_failure_is_told_by_its_code(take, stored):
    said = {None: "ok", "429": "rate_limited", "400": "client_error", "503": "server_error"}
    said |= {"": "server_error", "None": "server_error"}

    take(
        "".join(
            line(
                request_id=f"r{n}",
                startTime=f"2026-11-01T06:00:0{n}Z",
                status="success" if code is None else "failure",
                metadata={"error_information": {"error_code": code}},
            )
            for n, code in enumerate(said)
        )
    )

    assert [row[0] for row in stored("status")] == list(said.values())


def test_retries_are_kept_each_with_its_status(take, stored):
    take(
        line(request_id="a", status="failure", prompt_tokens=0, completion_tokens=0)
        + line(request_id="b", status="success", startTime="2026-11-01T06:00:02Z")
    )

    assert stored("request_id, status, prompt_tok") == [("a", "server_error", None), ("b", "ok", 10)]


def test_a_parquet_dump_is_read_in_its_own_types(tmp_path, store, now, stored):
    path = tmp_path / "dump.parquet"
    table = pa.table(
        {
            **{key: [value] for key, value in ROW.items() if not key.endswith("Time")},
            "startTime": [datetime.fromisoformat("2026-11-01T06:00:00.125")],
            "endTime": [datetime.fromisoformat("2026-11-01T06:00:01")],
            "request_tags": [["prod", "search"]],
            "metadata": [{"usage_object": {"prompt_tokens_details": {"cached_tokens": 4}}}],
            "cache_hit": ["False"],
        }
    )
    pq.write_table(table, path)

    (file,) = ingest_logs(store, [path], now=now).files

    assert file.format == "litellm"
    assert stored("team, prompt_tok, cached_prompt_tok, duration_s") == [("prod", 10, 4, 0.875)]
