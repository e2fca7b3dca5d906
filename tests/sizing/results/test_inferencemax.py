import json
from pathlib import Path

import pytest

from data.errors import UserError
from sizing.results.inferencemax import drafts, is_inferencemax, read_inferencemax
from sizing.results.row import Stated

RUN = json.loads((Path(__file__).parent / "cases" / "inferencemax.json").read_text())


def test_run_is_in_seconds_and_per_gpu_and_becomes_milliseconds_and_the_instance():
    row = read_inferencemax(RUN, Stated(), "agg.json")

    assert is_inferencemax(RUN)
    assert (row["gpu"], row["framework"], row["n_gpus"]) == ("h200", "trtllm", 8)
    assert (row["ttft_ms"], row["tpot_ms"], row["output_tok_s"]) == pytest.approx((550, 21, 2_800))
    assert (row["isl"], row["len_note"]) == (1024, "lengths drawn at 80-100% of the nominal")


def test_attention_data_parallelism_is_kept():
    row = read_inferencemax(RUN | {"dp_attention": "true", "ep": 8}, Stated(), "agg.json")

    assert (row["tp"], row["dp"], row["ep"]) == (1, 8, 8)


def test_lengths_that_older_runs_lack_are_asked_for():
    old = {k: v for k, v in RUN.items() if k not in ("isl", "osl")}

    with pytest.raises(UserError, match="give --prompt-tokens"):
        read_inferencemax(old, Stated(), "agg.json")
    assert read_inferencemax(old, Stated(prompt_tok=8192, output_tok=1024), "agg.json")["isl"] == 8192


def test_milliseconds_in_place_of_seconds_are_noticed():
    with pytest.raises(UserError, match="must be in seconds"):
        read_inferencemax(RUN | {"mean_ttft": 5_500.0}, Stated(), "agg.json")


@pytest.mark.parametrize(
    ("mtp", "yes"), [("on", True), ("mtp3", True), ("off", False), (None, False), ("", False)]
)
def test_runs_with_drafts_are_told_apart(mtp, yes):
    assert drafts(RUN | {"mtp": mtp}) is yes
