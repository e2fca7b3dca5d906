from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq

from data.ingest import ingest_logs


def test_maps_of_a_parquet_export_are_read(tmp_path, store, now, stored):
    path = tmp_path / "observations.parquet"
    usage = pa.array(
        [[("input", 5), ("input_cached_tokens", 7), ("output", 1)]], pa.map_(pa.string(), pa.uint64())
    )
    start = [datetime.fromisoformat("2026-11-01T06:00:00")]
    table = {"id": ["o"], "type": ["GENERATION"], "start_time": start, "usage_details": usage}
    pq.write_table(pa.table(table), path)

    (file,) = ingest_logs(store, [path], now=now).files

    assert file.format == "langfuse"
    assert stored("prompt_tok, cached_prompt_tok, output_tok, reasoning_tok") == [(12, 7, 1, None)]


def test_a_usage_that_is_no_map_is_unknown(take, stored):
    take(
        "id,type,start_time,usage_details\n"
        "a,GENERATION,2026-11-01 06:00:00,not a map\nb,GENERATION,2026-11-01 06:00:01,\n"
        "c,GENERATION,2026-11-01 06:00:02,{'total':9}\n"
    )

    assert stored("prompt_tok, output_tok") == [(None, None)] * 3
