from pathlib import Path

from data.ingest import ingest_logs

HEAD = "TimeGenerated,MetricName,ModelDeploymentName,Total,TimeGrain\n"


def test_metrics_in_separate_files_are_put_together(tmp_path: Path, store, now):
    for metric, total in (("ModelRequests", 5), ("InputTokens", 50), ("OutputTokens", 20)):
        (tmp_path / f"{metric}.csv").write_text(f"{HEAD}2026-11-01T06:00:00Z,{metric},d,{total},PT1H\n")

    ingest_logs(store, sorted(tmp_path.glob("*.csv")), now=now, label="a")

    sql = "SELECT bucket_s, model, requests, prompt_tok_sum, output_tok_sum FROM usage_bucket"
    assert store.con.execute(sql).fetchall() == [(3600, "d", 5, 50, 20)]


def test_a_grain_that_is_unknown_is_rejected(tmp_path: Path, store, now):
    path = tmp_path / "m.csv"
    path.write_text(
        HEAD + "2026-11-01T06:00:00Z,ModelRequests,d,5,PT7M\n" + "2026-11-01T07:00:00Z,ModelRequests,d,5,PT1H\n"
    )

    (file,) = ingest_logs(store, [path], now=now).files

    assert [bad.reason for bad in file.rejected] == ["the window is not between a second and 32 days long"]
