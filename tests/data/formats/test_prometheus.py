import json
from pathlib import Path

import pytest

from data.errors import UserError
from data.ingest import ingest_logs

T0 = 1793512800  # 2026-11-01 06:00 UTC


def series(name: str, values: list[float], **labels: str) -> dict[str, object]:
    metric = {"__name__": name, "model_name": "llama", **labels} if name else labels
    return {"metric": metric, "values": [[T0 + 60 * i, str(v)] for i, v in enumerate(values)]}


def write(path: Path, *results: dict[str, object], kind: str = "matrix") -> Path:
    path.write_text(json.dumps({"status": "success", "data": {"resultType": kind, "result": results}}))
    return path


def test_metrics_in_several_files_of_a_folder_are_one_source(tmp_path: Path, store, now):
    folder = tmp_path / "metrics"
    folder.mkdir()
    write(folder / "a.json", series("vllm:request_success_total", [0, 4, 6], finished_reason="stop"))
    write(folder / "b.json", series("vllm:prompt_tokens_total", [0, 400, 600]))
    write(folder / "c.json", series("vllm:generation_tokens_total", [0, 40, 60]))

    summary = ingest_logs(store, [folder], now=now)

    assert {file.label for file in summary.files} == {"metrics"}
    sql = "SELECT requests, prompt_tok_sum, output_tok_sum FROM usage_bucket ORDER BY bucket_utc"
    assert store.con.execute(sql).fetchall() == [(4, 400, 40), (2, 200, 20)]


def test_files_that_follow_each_other_lose_nothing_between_them_and_overlaps_count_once(
    tmp_path: Path, store, now
):
    first = series("vllm:request_success_total", [0, 4, 6, 9])
    later = series("vllm:request_success_total", [6, 9, 10, 20])
    later["values"] = [[T0 + 60 * (i + 2), v] for i, (_, v) in enumerate(later["values"])]
    write(tmp_path / "a.json", first)
    write(tmp_path / "b.json", later)

    ingest_logs(store, [tmp_path / "a.json", tmp_path / "b.json"], now=now, label="x")

    rows = store.con.execute("SELECT requests FROM usage_bucket ORDER BY bucket_utc").fetchall()
    assert rows == [(4,), (2,), (3,), (1,), (10,)]


def test_engines_add_up_and_ranks_and_watchers_of_the_same_do_not(tmp_path: Path, store, now):
    name = "sglang:prompt_tokens_total"
    results = [series(name, [0, 100], engine=e, tp_rank=r) for e in "01" for r in "0123"]
    results += [series(name, [0, 100], engine=e, tp_rank="0", prometheus_replica="b") for e in "01"]
    write(tmp_path / "a.json", *results)

    ingest_logs(store, [tmp_path / "a.json"], now=now)

    assert store.con.execute("SELECT prompt_tok_sum FROM usage_bucket").fetchall() == [(200,)]


def test_only_the_best_of_metrics_that_say_the_same_counts(tmp_path: Path, store, now):
    write(
        tmp_path / "a.json",
        series("vllm:request_success_total", [0, 5]),
        series("vllm:e2e_request_latency_seconds_count", [0, 7]),
    )

    ingest_logs(store, [tmp_path / "a.json"], now=now)

    assert store.con.execute("SELECT requests FROM usage_bucket").fetchall() == [(5,)]


def test_a_metric_that_was_not_read_is_unknown_and_not_zero(tmp_path: Path, store, now):
    write(tmp_path / "a.json", series("vllm:prompt_tokens_total", [0, 100]))

    ingest_logs(store, [tmp_path / "a.json"], now=now)

    assert store.con.execute("SELECT requests, output_tok_sum FROM usage_bucket").fetchall() == [(None, None)]


def test_histograms_are_kept_as_steps_by_the_hour(tmp_path: Path, store, now):
    steps = {"100.0": [0, 1, 2], "200.0": [0, 3, 8], "+Inf": [0, 3, 9]}
    name = "vllm:request_prompt_tokens_bucket"
    write(tmp_path / "a.json", *(series(name, values, le=le) for le, values in steps.items()))

    ingest_logs(store, [tmp_path / "a.json"], now=now, max_rejected_share=1)

    sql = "SELECT window_s, field, above, upto, requests FROM usage_histogram ORDER BY upto"
    assert store.con.execute(sql).fetchall() == [
        (3600, "prompt", 0, 100, 2),
        (3600, "prompt", 100, 200, 6),
        (3600, "prompt", 200, float("inf"), 1),
    ]


@pytest.mark.parametrize(
    ("results", "kind", "sentence"),
    [
        ([series("", [1, 2], model_name="x")], "matrix", "series without a name, as after rate"),
        (
            [series("vllm:num_requests_running", [1, 2])],
            "matrix",
            r"no two readings .* \(it has vllm:num_requests",
        ),
        ([series("vllm:prompt_tokens_total", [1])], "matrix", "no two readings of a counter"),
        (
            [{"metric": {"__name__": "vllm:prompt_tokens_total"}, "value": [T0, "1"]}],
            "vector",
            "readings of one moment",
        ),
    ],
)
def test_what_gives_no_rate_is_refused_with_the_way_out(results, kind, sentence, tmp_path: Path, store, now):
    with pytest.raises(UserError, match=sentence):
        ingest_logs(store, [write(tmp_path / "a.json", *results, kind=kind)], now=now)


@pytest.mark.parametrize(
    "text",
    [
        '# HELP vllm:prompt_tokens_total Tokens, all.\nvllm:prompt_tokens_total{engine="0",model_name="x"} 1\n',
        'vllm:prompt_tokens_total{engine="0",model_name="x"} 8123\n',
    ],
)
def test_one_reading_of_metrics_is_refused_with_the_way_out(text: str, tmp_path: Path, store, now):
    path = tmp_path / "metrics.txt"
    path.write_text(text)

    with pytest.raises(UserError, match="query_range"):
        ingest_logs(store, [path], now=now)


def test_readings_that_are_no_numbers_are_rejected_and_stale_ones_left_out(tmp_path: Path, store, now):
    good = [series("vllm:request_success_total", [0, 2, 4], engine=str(i)) for i in range(30)]
    stale = series("vllm:request_success_total", [0, float("nan"), 4], engine="stale")
    bad = series("vllm:request_success_total", [0], engine="bad")
    bad["values"] = [["x", "y"]]

    (file,) = ingest_logs(store, [write(tmp_path / "a.json", *good, stale, bad)], now=now).files

    assert [row.reason for row in file.rejected] == ["readings that are no numbers"]
    assert store.con.execute("SELECT requests FROM usage_bucket ORDER BY 1").fetchall() == [(62,), (62,)]


def test_a_file_that_was_read_with_others_does_not_come_back_without_them(tmp_path: Path, store, now):
    first = write(tmp_path / "a.json", series("vllm:request_success_total", [0, 4, 6]))
    other = write(tmp_path / "b.json", series("vllm:prompt_tokens_total", [0, 400, 600]))
    ingest_logs(store, [first, other], now=now, label="x")

    with pytest.raises(UserError, match=r"was read together with .*b\.json.* give all of these files together"):
        ingest_logs(store, [first], now=now, label="x")

    third = write(tmp_path / "c.json", series("vllm:generation_tokens_total", [0, 40, 60]))
    ingest_logs(store, [first, other, third], now=now, label="x")
    sql = "SELECT sum(requests), sum(prompt_tok_sum), sum(output_tok_sum) FROM usage_bucket"
    assert store.con.execute(sql).fetchall() == [(6, 600, 60)]
