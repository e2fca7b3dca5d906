from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.errors import UserError
from data.formats.servegen import own_label, unit
from data.ingest import FileRefusedError, ingest_logs

START = datetime(2026, 1, 5, tzinfo=UTC)
TOKENS = """model,t_s,window_s,field,requests,mean,p50,p90,p95,p99
m,0,21600,input_tokens,100,200,100,300,400,900
m,0,21600,output_tokens,100,50,40,90,95,99
"""


def write_rates(path: Path, rows: list[tuple[int, int, float, float]]) -> Path:
    columns = zip(*rows, strict=True)
    pq.write_table(pa.table(dict(zip(("client_id", "t_s", "rate_rps", "iat_cv"), columns, strict=True))), path)
    return path


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    rates = [(1, 0, 0.5, 1.0), (2, 0, 1.5, 3.0), (1, 600, 1.0, 2.0), (1, 21600, 2.0, 1.0)]
    tokens = tmp_path / "x_tokens_6h.csv"
    tokens.write_text(TOKENS)
    return write_rates(tmp_path / "x_clients_10min.parquet", rates), tokens


def test_rates_become_requests_and_the_means_of_their_window_token_sums(pair, store, now):
    summary = ingest_logs(store, [pair[0]], now=now, start=START)

    assert [file.label for file in summary.files] == ["x", "x"]
    rows = store.con.execute(
        "SELECT epoch(bucket_utc) - epoch($start), requests, prompt_tok_sum, output_tok_sum, arrival_cv, model"
        " FROM usage_bucket ORDER BY bucket_utc",
        {"start": START},
    ).fetchall()
    assert rows == [
        (0, 1200, 240_000, 60_000, 2.5, "m"),  # (0.5 + 1.5) x 600; CV (0.5 x 1 + 1.5 x 3) / 2
        (600, 600, 120_000, 30_000, 2.0, "m"),
        (21_600, 1200, None, None, 1.0, "m"),  # no statistics for this window: unknown, not 0
    ]


def test_percentiles_are_kept_as_given(pair, store, now):
    ingest_logs(store, list(pair), now=now, start=START)

    rows = store.con.execute(
        "SELECT field, requests, mean_tok, p50_tok, p90_tok, p95_tok, p99_tok FROM usage_percentile ORDER BY field"
    ).fetchall()
    assert rows == [("output", 100, 50, 40, 90, 95, 99), ("prompt", 100, 200, 100, 300, 400, 900)]


def test_a_prompt_in_parts_adds_up_in_its_mean_and_states_no_percentiles(pair, store, now):
    text = TOKENS.replace("input_tokens", "text_tokens") + "m,0,21600,image_tokens,100,1000,900,1200,1230,1260\n"
    pair[1].write_text(text)

    ingest_logs(store, [pair[0]], now=now, start=START)

    rows = store.con.execute("SELECT field, mean_tok, p50_tok FROM usage_percentile ORDER BY field").fetchall()
    assert rows == [("image", 1000, 900), ("output", 50, 40), ("prompt", 1200, None), ("text", 200, 100)]
    assert store.con.execute("SELECT prompt_tok_sum FROM usage_bucket ORDER BY 1 LIMIT 1").fetchall() == [
        (720_000,)
    ]


def test_the_reference_trace_has_237_million_requests(shared_traffic: Path, store, now):
    ingest_logs(store, [shared_traffic / "llm_servegen_m_large_clients_10min.parquet"], now=now, start=START)

    ((requests, slots),) = store.con.execute("SELECT sum(requests), count(*) FROM usage_bucket").fetchall()
    assert requests == pytest.approx(236_892_826)
    assert slots == 2016  # 14 days of 144


def test_new_statistics_replace_the_pair(pair, store, now):
    ingest_logs(store, [pair[0]], now=now, start=START)
    assert {f.status for f in ingest_logs(store, list(pair), now=now, start=START).files} == {"unchanged"}

    pair[1].write_text(TOKENS.replace("100,200", "100,400"))
    summary = ingest_logs(store, [pair[0]], now=now, start=START)

    assert {file.status for file in summary.files} == {"replaced"}
    assert store.con.execute("SELECT max(prompt_tok_sum) FROM usage_bucket").fetchall() == [(480_000,)]
    assert store.con.execute("SELECT count(*) FROM usage_bucket").fetchall() == [(3,)]


def test_rates_alone_leave_the_lengths_unknown(pair, store, now):
    pair[1].unlink()

    (file,) = ingest_logs(store, [pair[0]], now=now, start=START).files

    assert (file.label, file.rows_read) == ("x", 4)
    assert store.con.execute("SELECT count(prompt_tok_sum), sum(requests) FROM usage_bucket").fetchall() == [
        (0, 3000)
    ]


def test_statistics_without_rates_are_refused_with_the_file_that_is_missing(pair, store, now):
    pair[0].unlink()

    with pytest.raises(UserError, match="add the file"):
        ingest_logs(store, [pair[1]], now=now, start=START)


def test_a_missing_start_is_asked_for(pair, store, now):
    with pytest.raises(UserError, match="--start"):
        ingest_logs(store, [pair[0]], now=now)


def test_the_same_times_of_another_file_are_refused_under_one_label(pair, store, now, tmp_path: Path):
    ingest_logs(store, [pair[0]], now=now, start=START, label="one")
    other = write_rates(tmp_path / "y_clients_10min.parquet", [(1, 0, 1.0, 1.0)])
    (tmp_path / "y_tokens_6h.csv").write_text(TOKENS)

    with pytest.raises(UserError, match="so that nothing counts twice"):
        ingest_logs(store, [other], now=now, start=START, label="one")

    assert store.con.execute("SELECT count(*) FROM usage_bucket").fetchall() == [(3,)]
    ingest_logs(store, [other], now=now, start=START, label="two")


def test_bad_rows_are_named(pair, store, now, tmp_path: Path):
    rows = [(1, 600 * n, 1.0, 1.0) for n in range(100)]
    rows[7] = (1, 7 * 600 + 1, 1.0, 1.0)
    rows[9] = (1, 5400, -1.0, 1.0)
    rates = write_rates(tmp_path / "z_clients_10min.parquet", rows)
    (tmp_path / "z_tokens_6h.csv").write_text(TOKENS)

    file = ingest_logs(store, [rates], now=now, start=START).files[0]

    assert [(bad.line, bad.reason) for bad in file.rejected] == [
        (8, "t_s is not the start of a slot"),
        (10, "rate_rps is negative"),
    ]
    (tmp_path / "z_tokens_6h.csv").write_text(TOKENS.replace("300,400", "900,400").replace("90,95", "x,95"))
    with pytest.raises(FileRefusedError, match="percentiles are negative or not in order"):
        ingest_logs(store, [rates], now=now, start=START)


def test_the_pair_is_found_from_either_file_and_named_by_its_prefix(pair):
    assert unit(pair[0]) == unit(pair[1]) == pair
    assert own_label(pair[0]) == own_label(pair[1]) == "x"
    assert unit(Path("other.parquet")) == (Path("other.parquet"),)
