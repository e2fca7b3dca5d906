import pytest

from data.errors import UserError
from sizing.results.row import Seen, Stated, measured_row, number, sweep_of

SEEN = Seen(clients=8, prompt_tok=1_000, output_tok=200, output_tok_per_s=500.0, ttft_s=0.2, tpot_s=0.015)
ALL = Stated(model="llama-3.1-8b", gpu="h100", tp=1, precision="fp8", engine="vllm")


def test_runs_of_one_sweep_differ_in_clients_alone():
    one = measured_row(SEEN, ALL, place="a.json", source="ours")
    more = one | {"concurrency": 64, "row_id": "b.json"}

    assert sweep_of(one) == sweep_of(more)
    assert sweep_of(one) != sweep_of(one | {"isl": 4_000})


def test_more_gpus_than_a_replica_are_several_replicas():
    row = measured_row(SEEN, Stated(**{**_facts(), "gpus": 8}), place="a.json", source="ours")

    assert (row["n_gpus"], row["tp"]) == (8, 1)


def _facts():
    return {"model": "llama-3.1-8b", "gpu": "h100", "tp": 1, "precision": "fp8", "engine": "vllm"}


def test_the_users_word_wins_over_the_files():
    assert ALL.over(gpu="b200", gpus=4).gpu == "h100"
    assert ALL.over(gpu="b200", gpus=4).gpus == 4


def test_field_that_must_be_there_is_named():
    with pytest.raises(UserError, match=r"x\.json has no `duration`"):
        number({}, "duration", "x.json")
