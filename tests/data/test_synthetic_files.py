"""Rows and the files they become."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from data.synthetic_files import Rows, write_rows
from data.synthetic_lengths import UNKNOWN_TOK


def two_rows() -> Rows:
    code = np.array([0, 1], dtype=np.int8)
    tok = np.array([10, UNKNOWN_TOK], dtype=np.int32)
    number = np.array([0.5, np.nan])
    return Rows(
        arrived_us=np.array([0, 86_400_000_001], dtype=np.int64),
        region=code,
        team=code,
        retry=code,
        status=code,
        prompt_tok=tok,
        cached_prompt_tok=tok,
        output_tok=tok,
        reasoning_tok=tok,
        first_token_s=number,
        duration_s=number,
        cost_usd=number,
    )


def written(path: Path, rows: Rows) -> pd.DataFrame:
    write_rows(path, rows, label="chat", model="m", category="online", teams=("a", "b"))
    return pd.read_parquet(path)


def test_a_row_comes_back_as_it_went_in_and_unknown_comes_back_missing(tmp_path):
    first, second = written(tmp_path / "chat-1970-01.parquet", two_rows()).to_dict("records")

    assert first["request_id"] == "chat-1970-01-000000000"
    assert second["request_id"] == "chat-1970-01-000000001"
    assert second["arrived_utc"] == pd.Timestamp("1970-01-02T00:00:00.000001Z")
    assert (first["region"], second["region"]) == ("eu-west-1", "us-east-1")
    assert (first["team"], second["team"]) == ("a", "b")
    assert (first["status"], second["status"]) == ("ok", "rate_limited")
    assert (first["prompt_tok"], first["duration_s"]) == (10, 0.5)
    assert all(pd.isna(second[key]) for key in ("prompt_tok", "cached_prompt_tok", "output_tok", "duration_s"))


def test_taking_and_joining_keep_every_column_in_step(tmp_path):
    rows = two_rows()
    turned = rows.take(np.array([1])).joined(rows.take(np.array([True, False])))

    assert len(turned) == 2
    assert list(turned.arrived_us) == [86_400_000_001, 0]
    assert list(turned.prompt_tok) == [UNKNOWN_TOK, 10]
    assert list(turned.status) == [1, 0]


def test_a_month_without_requests_is_a_file_without_rows(tmp_path):
    rows = two_rows().take(np.array([], dtype=np.int64))

    assert len(written(tmp_path / "chat-1970-01.parquet", rows)) == 0


def test_a_file_names_nothing_but_its_columns_and_its_writer(tmp_path):
    path = tmp_path / "chat-1970-01.parquet"
    written(path, two_rows())
    metadata = pq.read_metadata(path)

    assert not metadata.metadata
    assert metadata.created_by.startswith("parquet-cpp-arrow")
