import json


def row(**changes) -> str:
    whole = {
        "request_id": "h",
        "request_created_at": "2026-11-01T06:00:00Z",
        "status": 200,
        "prompt_tokens": 5,
        "completion_tokens": 1,
        "model": "m",
    }
    return json.dumps({**whole, **changes}) + "\n"


def test_the_newest_version_of_a_request_counts(take, stored):
    file = take(
        row(updated_at="2026-11-01T06:00:01Z", status=-2, prompt_tokens=0, completion_tokens=0)
        + row(updated_at="2026-11-01T06:00:09Z")
    )

    assert stored("status, prompt_tok") == [("ok", 5)]
    assert [(part.reason, part.rows) for part in file.skipped] == [("older version of another row", 1)]


def test_the_arrival_is_the_requests_and_not_the_responses(take, stored):
    take(row(response_created_at="2026-11-01T06:00:30Z", latency=30_000))

    assert stored("epoch(arrived_utc), duration_s") == [(1793512800.0, 30.0)]
