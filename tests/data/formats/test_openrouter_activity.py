import json
from pathlib import Path

from data.ingest import ingest_logs

ROW = {
    "date": "2026-11-01",
    "model": "m",
    "usage": 0.5,
    "requests": 3,
    "prompt_tokens": 30,
    "completion_tokens": 9,
}


def test_an_array_of_rows_reads_like_the_apis_answer(tmp_path: Path, store, now):
    path = tmp_path / "activity.json"
    path.write_text(json.dumps([{**ROW, "reasoning_tokens": 4}], indent=1))

    (file,) = ingest_logs(store, [path], now=now).files

    assert file.format == "openrouter-activity"
    sql = "SELECT requests, prompt_tok_sum, output_tok_sum, cached_prompt_tok_sum FROM usage_bucket"
    assert store.con.execute(sql).fetchall() == [(3, 30, 9, None)]  # reasoning is inside the output
