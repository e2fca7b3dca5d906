import json
from pathlib import Path

import pytest

from data.errors import UserError
from data.ingest import FileRefusedError, ingest_logs

H0 = 1793491200  # 2026-11-01 00:00 UTC


def write(path: Path, *buckets: tuple[int, int, list[dict[str, object]]]) -> Path:
    data = [{"object": "bucket", "start_time": a, "end_time": b, "results": results} for a, b, results in buckets]
    path.write_text(json.dumps({"object": "page", "data": data, "has_more": False, "next_page": None}))
    return path


def result(**more: object) -> dict[str, object]:
    sums = {"input_tokens": 100, "input_cached_tokens": 40, "output_tokens": 10, "num_model_requests": 5}
    return {"object": "organization.usage.completions.result", **sums, "model": "m", **more}


def test_an_export_that_grew_replaces_what_it_was(tmp_path: Path, store, now):
    path = write(tmp_path / "u.json", (H0, H0 + 3600, [result()]))
    ingest_logs(store, [path], now=now)
    write(path, (H0, H0 + 3600, [result(num_model_requests=6)]), (H0 + 3600, H0 + 7200, [result()]))

    (file,) = ingest_logs(store, [path], now=now).files

    assert file.status == "replaced"
    assert store.con.execute("SELECT sum(requests) FROM usage_bucket").fetchall() == [(11,)]


def test_another_export_of_the_same_times_is_refused_and_one_of_later_times_is_not(tmp_path: Path, store, now):
    ingest_logs(store, [write(tmp_path / "a.json", (H0, H0 + 3600, [result()]))], now=now, label="o")

    with pytest.raises(UserError, match="so that nothing counts twice"):
        ingest_logs(store, [write(tmp_path / "b.json", (H0, H0 + 86_400, [result()]))], now=now, label="o")
    ingest_logs(store, [write(tmp_path / "c.json", (H0 + 3600, H0 + 7200, [result()]))], now=now, label="o")

    assert store.con.execute("SELECT sum(requests) FROM usage_bucket").fetchall() == [(10,)]


def test_a_window_that_is_stated_twice_in_other_words_is_a_contradiction(tmp_path: Path, store, now):
    good = [(H0 + 3600 * i, H0 + 3600 * (i + 1), [result()]) for i in range(30)]
    path = write(tmp_path / "u.json", *good, (H0, H0 + 3600, [result(num_model_requests=6)]))

    (file,) = ingest_logs(store, [path], now=now).files

    assert [bad.reason for bad in file.rejected] == [
        "an earlier row states other sums for the same window and key"
    ]
    assert store.con.execute("SELECT sum(requests) FROM usage_bucket").fetchall() == [(150,)]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"input_tokens": -1}, "a sum of tokens is negative"),
        ({"input_tokens": "many"}, "prompt_tok_sum is not a number"),
        ({"input_cached_tokens": 101}, "cached_prompt_tok_sum is above prompt_tok_sum"),
        ({"num_model_requests": 1, "input_tokens": 10**15}, "more tokens than so many requests have"),
    ],
)
def test_numbers_that_cannot_be_are_rejected(more, reason, tmp_path: Path, store, now):
    path = write(tmp_path / "u.json", (H0, H0 + 3600, [result(**more)]))

    with pytest.raises(FileRefusedError, match=reason):
        ingest_logs(store, [path], now=now)
