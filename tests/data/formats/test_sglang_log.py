import json


def event(**meta) -> str:
    counts = {"prompt_tokens": 5, "completion_tokens": 1, **meta}
    whole = {
        "timestamp": "2026-11-01T06:00:03",
        "event": "request.finished",
        "rid": "s",
        "out": {"meta_info": counts},
    }
    return json.dumps(whole) + "\n"


def test_an_end_whose_latency_is_missing_is_no_arrival(take):
    file = take(event(e2e_latency=1.0) + event())

    assert (file.rows_new, [row.reason for row in file.rejected]) == (1, ["the time is missing or cannot be read"])


def test_the_latency_is_taken_off_the_end(take, stored):
    take(event(e2e_latency=1.5))

    assert stored("strftime(arrived_utc, '%H:%M:%S.%g'), duration_s") == [("06:00:01.500", 1.5)]
