import json
from pathlib import Path

import pytest

from data.errors import UserError
from sizing.results.aiperf import aiperf_csv, is_aiperf, read_aiperf
from sizing.results.row import Stated

ALL = Stated(gpu="h100", tp=2, precision="fp8", engine="trtllm", model="llama-3.1-70b")
RUN = json.loads((Path(__file__).parent / "cases" / "aiperf.json").read_text())
GENAI_PERF_CSV = (Path(__file__).parent / "cases" / "genai_perf.csv").read_text()


def test_summary_becomes_a_row_in_our_units():
    row = read_aiperf(RUN, Stated(gpu="h100", tp=2, precision="fp8", engine="trtllm"), "run.json")

    assert is_aiperf(RUN)
    assert row["model"] == "meta-llama/Llama-3.1-70B-Instruct"
    assert (row["ttft_ms"], row["tpot_ms"], row["output_tok_s"]) == pytest.approx((350, 15, 1_020))
    assert (row["isl"], row["osl"], row["concurrency"], row["n_gpus"]) == (2_000, 510, 16, 2)


def test_genai_perf_says_its_model_and_concurrency_elsewhere():
    old = RUN | {"input_config": {"model": ["m"], "perf_analyzer": {"stimulus": {"concurrency": 8}}}}
    row = read_aiperf(old, Stated(gpu="h100", tp=2, precision="fp8", engine="trtllm"), "run.json")

    assert (row["model"], row["concurrency"]) == ("m", 8)


@pytest.mark.parametrize(("unit", "value"), [("s", 0.35), ("us", 350_000.0), ("ns", 350e6)])
def test_units_are_read_not_assumed(unit, value):
    row = read_aiperf(RUN | {"time_to_first_token": {"unit": unit, "avg": value}}, ALL, "run.json")

    assert row["ttft_ms"] == pytest.approx(350)


def test_unit_that_is_not_known_is_refused():
    with pytest.raises(UserError, match="time_to_first_token is in fortnights; use one of"):
        read_aiperf(RUN | {"time_to_first_token": {"unit": "fortnights", "avg": 1}}, ALL, "run.json")


def test_csv_of_genai_perf_is_the_same_run():
    table = aiperf_csv(GENAI_PERF_CSV.splitlines())
    row = read_aiperf(table, ALL, "run.csv")

    assert is_aiperf(table)
    assert row["concurrency"] == pytest.approx(16)  # Little's law: 2 a second, 8 s each
    assert (row["ttft_ms"], row["tpot_ms"], row["output_tok_s"], row["isl"]) == pytest.approx(
        (350, 15, 1_020, 2_000)
    )


def test_run_without_concurrency_or_rate_says_what_to_export():
    bare = {k: v for k, v in RUN.items() if k not in ("input_config", "request_throughput")}

    with pytest.raises(UserError, match="neither its concurrency nor its latency and request rate"):
        read_aiperf(bare, ALL, "run.json")
