import gzip
import json
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.ingest import FileRefusedError, ingest_logs


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


def test_whole_numbers_that_clickhouse_writes_as_text_are_numbers(take, stored):
    row = {"id": "a", "type": "GENERATION", "start_time": "2026-11-01 06:00:00", "usage_details": {"input": "816"}}

    take(json.dumps(row) + "\n")

    assert stored("prompt_tok, output_tok") == [(816, None)]


def test_a_usage_that_is_no_map_is_unknown(take, stored):
    take(
        "id,type,start_time,usage_details\n"
        "a,GENERATION,2026-11-01 06:00:00,not a map\nb,GENERATION,2026-11-01 06:00:01,\n"
        "c,GENERATION,2026-11-01 06:00:02,{'total':9}\n"
    )

    assert stored("prompt_tok, output_tok") == [(None, None)] * 3


def observation(n: int, **changes: object) -> dict[str, object]:
    whole = {"id": f"o{n}", "type": "GENERATION", "startTime": f"2026-11-01T06:00:0{n}Z", "input": "hush-hush"}
    return {**whole, "usageDetails": {"input": n, "output": 1}, **changes}


@pytest.mark.parametrize("indent", [None, 2])
def test_an_array_of_observations_is_read_element_by_element(tmp_path, store, now, stored, indent):
    path = tmp_path / "export"
    path.write_bytes(gzip.compress(json.dumps([observation(n) for n in range(1, 4)], indent=indent).encode()))

    (file,) = ingest_logs(store, [path], now=now).files

    assert (file.format, file.rows_new) == ("langfuse", 3)
    assert stored("request_id, prompt_tok") == [("o1", 1), ("o2", 2), ("o3", 3)]


def test_a_bad_element_of_an_array_is_named_by_its_number(take):
    file = take(json.dumps([observation(1), observation(2, startTime="soon"), observation(3)], indent=1))

    assert [(row.line, row.reason) for row in file.rejected] == [(2, "the time is missing or cannot be read")]


def test_an_array_that_is_cut_off_is_refused_in_one_sentence(take):
    with pytest.raises(FileRefusedError, match=r"refused whole: 1 of its 1 rows .* is not valid JSON"):
        take(json.dumps([observation(1), observation(2)], indent=1)[:-20])
