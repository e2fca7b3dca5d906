import json
from pathlib import Path

import pytest

from data.errors import UserError
from sizing.results.row import Stated
from sizing.results.vllm_bench import is_vllm_bench, read_vllm_bench

RUN = json.loads((Path(__file__).parent / "cases" / "vllm_bench.json").read_text())
ALL = Stated(gpu="h100", tp=1, precision="bf16", engine="vllm")


def test_run_becomes_a_row_in_our_units():
    row = read_vllm_bench(RUN, ALL, "run.json")

    assert is_vllm_bench(RUN)
    assert (row["isl"], row["osl"], row["concurrency"]) == (1024, 256, 16)
    assert (row["output_tok_s"], row["ttft_ms"], row["tpot_ms"]) == (1024.0, 120.0, 15.0)
    assert (row["model"], row["framework"], row["measured_on"]) == (RUN["model_id"], "vllm", "2026-11-20")


def test_without_a_limit_all_prompts_are_in_flight():
    assert read_vllm_bench(RUN | {"max_concurrency": None}, ALL, "run.json")["concurrency"] == 160


def test_at_a_request_rate_littles_law_says_how_many_are_in_flight():
    row = read_vllm_bench(RUN | {"request_rate": 4.0, "max_concurrency": None}, ALL, "run.json")

    assert row["concurrency"] == pytest.approx(4.0 * (0.120 + 255 * 0.015))  # 4 a second, 3.945 s each


def test_metadata_say_what_the_run_does_not_and_the_user_wins():
    run = RUN | {"gpu": "h200", "tp": "2", "precision": "fp8", "engine": "sglang"}

    assert read_vllm_bench(run, Stated(), "run.json")["framework"] == "sglang"
    assert read_vllm_bench(run, Stated(gpu="h100"), "run.json")["gpu"] == "h100"


@pytest.mark.parametrize(
    ("left_out", "says"),
    [("gpu", "on which GPU it ran; give --gpu"), ("tp", "give --tp"), ("precision", "give --precision"),
     ("engine", "which engine served it; give --engine")],
)  # fmt: skip
def test_fact_that_no_file_has_is_asked_for(left_out, says):
    stated = Stated(**{k: v for k, v in {"gpu": "h100", "tp": 1, "precision": "bf16", "engine": "vllm"}.items()
                       if k != left_out})  # fmt: skip

    with pytest.raises(UserError, match=f"run.json does not say .*{says}"):
        read_vllm_bench(RUN, stated, "run.json")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [({"completed": 0}, "none of the requests was answered"),
     ({"duration": -1}, "`duration` is -1 s, which no run"),
     ({"duration": "soon"}, "'soon', which is no number"),
     ({"output_throughput": 0.0}, "output_tok_per_s is 0, which no run can be")],
)  # fmt: skip
def test_run_that_cannot_be_is_refused(wrong, says):
    with pytest.raises(UserError, match=says):
        read_vllm_bench(RUN | wrong, ALL, "run.json")
