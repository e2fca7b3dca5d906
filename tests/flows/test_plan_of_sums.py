"""Made-up exports of 60 days go the whole way to a page, and the page says what their source does not state."""

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flows.cli import main
from reports.budget import BudgetReport, from_json

START, DAYS = datetime(2026, 9, 24, tzinfo=UTC), 60
HOURS = [START + timedelta(hours=n) for n in range(24 * DAYS)]
STEPS = (100, 200, 500, 1_000, 2_000, 5_000, 10_000)
PLAN = """schema = 1
title = "sums"
seed = 7
time_zone = "UTC"
currency = "USD"
horizons_days = [30]
paths = 200
[store]
path = "s.duckdb"
[[workloads]]
name = "w"
category = "online"
match = { label = "w" }
model = "llama-3.1-8b"
precision = "bf16"
gpus = ["h100"]
"""


def requests_at(hour: datetime) -> int:
    """Busy by day, quiet at weekends, and never quite the same."""
    return int((600 if 8 <= hour.hour < 20 else 200) * (0.5 if hour.weekday() > 4 else 1) + (hour.day * 7) % 40)


def openai(folder: Path) -> Path:
    data = [
        {
            "object": "bucket",
            "start_time": int(hour.timestamp()),
            "end_time": int(hour.timestamp()) + 3600,
            "results": [
                {
                    "object": "organization.usage.completions.result",
                    "num_model_requests": requests_at(hour),
                    "input_tokens": 1000 * requests_at(hour),
                    "input_cached_tokens": 300 * requests_at(hour),
                    "output_tokens": 200 * requests_at(hour),
                }
            ],
        }
        for hour in HOURS
    ]
    path = folder / "openai.json"
    path.write_text(json.dumps([{"object": "page", "data": data[n : n + 168]} for n in range(0, len(data), 168)]))
    return path


def anthropic(folder: Path) -> Path:
    lines = []
    for hour in HOURS:
        n, end = requests_at(hour), hour + timedelta(hours=1)
        result = {"uncached_input_tokens": 600 * n, "cache_read_input_tokens": 300 * n, "output_tokens": 200 * n,
                  "cache_creation": {"ephemeral_5m_input_tokens": 100 * n}}  # fmt: skip
        bucket = {"starting_at": hour.isoformat(), "ending_at": end.isoformat(), "results": [result]}
        lines.append(json.dumps({"data": [bucket], "has_more": True}) + "\n")
    path = folder / "anthropic.jsonl"
    path.write_text("".join(lines))
    return path


def litellm(folder: Path) -> Path:
    path = folder / "litellm.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["date", "model", "prompt_tokens", "completion_tokens", "cache_read_input_tokens", "spend",
                       "api_requests", "successful_requests", "failed_requests"])  # fmt: skip
        for day in range(DAYS):
            n = sum(requests_at(hour) for hour in HOURS[24 * day : 24 * day + 24])
            row = [1000 * n, 200 * n, 300 * n, 1.5, n + 3, n, 3]
            rows.writerow([(START + timedelta(days=day)).date().isoformat(), "m", *row])
    return path


def prometheus(folder: Path) -> Path:
    path = folder / "metrics.json"
    stamps = [int(hour.timestamp()) for hour in [*HOURS, HOURS[-1] + timedelta(hours=1)]]

    def series(name: str, factor: float, **labels: str) -> dict[str, object]:
        total, values = 0.0, [[stamps[0], "0"]]
        for stamp, hour in zip(stamps[1:], HOURS, strict=True):
            total = total + factor * requests_at(hour) if hour.hour or hour.day != 15 else factor
            values.append([stamp, repr(total)])
        return {"metric": {"__name__": name, "engine": "0", **labels}, "values": values}

    results = [
        series("vllm:request_success_total", 1, finished_reason="stop"),
        series("vllm:prompt_tokens_total", 1000),
        series("vllm:generation_tokens_total", 200),
    ]
    for field, mean in (("prompt", 1000), ("generation", 200)):
        for upto in STEPS:
            share = min(1.0, (upto / mean / 3) ** 0.7)
            results.append(series(f"vllm:request_{field}_tokens_bucket", share, le=f"{upto:.1f}"))
        results.append(series(f"vllm:request_{field}_tokens_bucket", 1, le="+Inf"))
    path.write_text(json.dumps({"status": "success", "data": {"resultType": "matrix", "result": results}}))
    return path


def planned(folder: Path, export: Path, *, assume: str = "", options: tuple[str, ...] = ()) -> tuple[int, Path]:
    config, out = folder / "plan.toml", folder / "runs"
    config.write_text(PLAN + assume)
    store = str(folder / "s.duckdb")
    assert main(["ingest", str(export), "--label", "w", "--store", store, *options]) == 0
    return main(["plan", "--config", str(config), "--as-of", "2026-11-23", "--out", str(out)]), out


def report_in(out: Path) -> BudgetReport:
    (path,) = out.glob("2026-11-23/plan.json")
    return from_json(path.read_text())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("export", "assume", "percentiles", "notes"),
    [
        (openai, "", "none", ["The spread of lengths is assumed"]),
        (anthropic, "assume = { prompt_tok = 1000 }\n", "none", ["does not count requests", "spread of lengths"]),
        (litellm, "", "none", ["The spread of lengths is assumed"]),
        (prometheus, "", "histogram", ["keeps lengths as histograms"]),
    ],
)
def test_an_export_of_sums_becomes_a_page(
    export: Callable[[Path], Path], assume: str, percentiles: str, notes: list[str], tmp_path: Path
):
    ended, out = planned(tmp_path, export(tmp_path), assume=assume)

    assert ended == 0
    report = report_in(out)
    (workload,) = report.workloads
    assert workload.source is not None
    assert workload.source.percentiles == percentiles
    # The counter of Prometheus was reset twice, each time within an hour that then counts as one request.
    assert workload.source.requests == pytest.approx(sum(map(requests_at, HOURS)), rel=0.001)
    assert report.quality.requests == workload.source.requests
    said = " ".join(workload.notes)
    assert all(note in said for note in notes)
    prompt = workload.horizons[0].tokens[0]
    assert prompt.mean_tok == pytest.approx(1000, rel=0.1)
    assert (prompt.p50 is None) == (percentiles == "none")
    if prompt.p50 is not None:
        low, middle, high = prompt.p50
        assert low <= 1000 * 1.01  # the ends of the step that holds the median
        assert high >= 2000 * 0.99
        assert low < middle < high
    assert workload.source.sentence in (out / "2026-11-23" / "budget.html").read_text().replace("&#39;", "'")


@pytest.mark.slow
def test_a_source_without_requests_is_refused_in_one_sentence(tmp_path: Path, capsys):
    ended, out = planned(tmp_path, anthropic(tmp_path))

    assert ended == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "does not count requests" in said
    assert "assume = { prompt_tok = 1500 }" in said
    assert not list(out.glob("**/budget.html"))
