import numpy as np
import pandas as pd
import pytest

from data.catalog.gpus import load_gpus
from data.catalog.models import load_models
from data.errors import UserError
from sizing.calibration import Key
from sizing.measured import engine_batch, engine_of, kv_precision_of, measured, read_measured, release_of

MODELS, GPUS = load_models(), load_gpus()


def test_points_stand_in_the_order_of_the_rows(made_up_table):
    points = measured(made_up_table, MODELS, GPUS)

    assert len(points) == len(made_up_table)
    assert points.clients.tolist() == made_up_table["concurrency"].tolist()
    assert points.work.tp.tolist() == made_up_table["tp"].tolist()
    assert points.keys[0] == Key(
        model="llama-3.1-8b", gpu="h100", engine="vllm", precision="bf16", release="unstated"
    )


def test_lengths_drawn_below_the_nominal_count_at_their_mean(made_up_table):
    drawn = made_up_table.assign(len_note="lengths drawn at 80-100% of the nominal")
    points = measured(drawn, MODELS, GPUS)

    assert points.prompt_tok[0] == pytest.approx(0.9 * 1_024)
    assert not points.same_lengths.any()
    assert measured(made_up_table, MODELS, GPUS).same_lengths.all()


def test_part_of_the_points_is_what_the_part_of_the_rows_gives(made_up_table):
    chosen = np.arange(len(made_up_table)) % 3 == 0
    part = measured(made_up_table, MODELS, GPUS).take(chosen)
    again = measured(made_up_table[chosen], MODELS, GPUS)

    assert part.keys == again.keys
    assert part.memory_batch == pytest.approx(again.memory_batch)
    assert part.work.read_bytes == pytest.approx(again.work.read_bytes)


def test_instances_of_several_replicas_share_their_clients(made_up_table):
    points = measured(made_up_table.assign(n_gpus=made_up_table["tp"] * 2), MODELS, GPUS)

    assert points.replicas.tolist() == [2.0] * len(points)
    assert points.clients.tolist() == (made_up_table["concurrency"] / 2).tolist()


def test_degree_beyond_the_scale_up_domain_counts_gpus_twice(made_up_table):
    row = made_up_table[:1].assign(model="deepseek-r1", gpu="b200", weight_precision="fp4", n_gpus=16, tp=16, ep=4)

    assert measured(row, MODELS, GPUS).work.tp[0] == 4


def test_weights_that_cannot_fit_as_stated_were_on_more_gpus(made_up_table):
    row = made_up_table[:1].assign(model="qwen3-235b-a22b", gpu="h200", weight_precision="fp8", n_gpus=1, tp=1)

    assert measured(row, MODELS, GPUS).work.tp[0] == 2


def test_division_that_a_source_does_not_state_is_the_smallest_with_room(made_up_table):
    row = made_up_table[:1].assign(model="llama-2-70b", gpu="h200", weight_precision="fp8", n_gpus=8, tp=np.nan)

    assert measured(row, MODELS, GPUS).work.tp[0] == 1
    assert measured(row.assign(gpu="l40s"), MODELS, GPUS).work.tp[0] == 4


def test_tensorrt_llm_admits_what_fits_to_its_last_token():
    asked = {"tp": 1, "pp": 1, "precision": "fp8", "kv": "fp8", "lengths": (1_000.0, 8_000.0)}
    trt, vllm = (
        engine_batch(MODELS["llama-3.1-70b"], GPUS["b200"], engine=e, **asked) for e in ("trtllm", "vllm")
    )

    assert trt < vllm


def test_engines_of_2024_stand_apart():
    assert engine_of("vllm") == engine_of("vLLM 0.10.0") == "vllm"
    assert engine_of("vllm", "argonne-lcf/LLM-Inference-Bench: Plots/All_results.csv") == "vllm-2024"
    assert engine_of("tensorrtllm", "argonne-lcf/LLM-Inference-Bench: x") == "trtllm-2024"
    assert engine_of("TensorRT 10.11") == "trtllm"


def test_stated_kv_precision_wins_over_recipes():
    key = Key(model="llama-3.1-70b", gpu="h200", engine="vllm", precision="fp8")

    assert kv_precision_of("fp16", key, mla=False) == "bf16"
    assert kv_precision_of("fp8", key, mla=False) == "fp8"
    assert kv_precision_of(np.nan, key, mla=False) == "fp8"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"model": "llama-9"}, "No model is called 'llama-9'"),
        ({"gpu": "h900"}, "No GPU is called 'h900'"),
        ({"weight_precision": "fp7"}, "precision 'fp7' is not known"),
    ],
)
def test_row_that_we_do_not_know_is_named(made_up_table, change, says):
    with pytest.raises(UserError, match=says):
        measured(made_up_table[:1].assign(**change), MODELS, GPUS)


def test_missing_column_is_named(made_up_table):
    with pytest.raises(UserError, match="lack the column `isl`"):
        measured(made_up_table.drop(columns="isl"), MODELS, GPUS)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"none\.csv"):
        read_measured(tmp_path / "none.csv", MODELS, GPUS)


def test_file_reads_as_the_table_does(tmp_path, made_up_table):
    made_up_table.to_csv(tmp_path / "m.csv", index=False)

    assert read_measured(tmp_path / "m.csv", MODELS, GPUS).keys == measured(made_up_table, MODELS, GPUS).keys


def test_only_needed_columns_are_needed(made_up_table):
    few = made_up_table.drop(columns=["len_note", "ttft_ms", "tpot_ms", "output_tok_s", "tput_derived"])

    assert len(measured(few, MODELS, GPUS)) == len(few)


def test_gpu_that_is_counted_for_attention_and_for_experts_is_one(made_up_table):
    # InferenceX's rows at TP 16, EP 4 on machines of eight repeat rows at TP 4 on four GPUs, to the last digit.
    row = made_up_table[:1].assign(model="deepseek-r1", gpu="b200", weight_precision="fp4", framework="sglang")
    both = measured(
        pd.concat([row.assign(n_gpus=4, tp=4, ep=4), row.assign(n_gpus=16, tp=16, ep=4)]), MODELS, GPUS
    )

    assert both.work.tp.tolist() == [4, 4]
    assert both.replicas.tolist() == [1, 1]
    assert both.clients[0] == both.clients[1]


def test_attention_by_sequence_is_counted_so(made_up_table):
    row = made_up_table[:1].assign(model="deepseek-r1", gpu="h200", weight_precision="fp8", framework="trtllm")
    shared, split = (
        measured(row.assign(n_gpus=8, tp=tp, dp=dp, ep=8), MODELS, GPUS) for tp, dp in ((1, 8), (8, 1))
    )

    assert shared.work.tp[0] == split.work.tp[0] == 8
    assert shared.memory_batch[0] > 4 * split.memory_batch[0]


def test_release_is_the_version_else_the_month(made_up_table):
    assert release_of({"framework_version": "0.5.9", "measured_on": "2026-03-25"}) == "0.5.9"
    assert release_of({"framework_version": np.nan, "measured_on": "2025-11-10"}) == "2025-11"
    assert release_of({}) == "unstated"
    assert measured(made_up_table, MODELS, GPUS).keys[0].release == "unstated"


def test_recipes_that_look_for_prompts_seldom_hold_them_back(made_up_table):
    row = made_up_table[:1].assign(model="deepseek-r1", framework="sglang", gpu="b200", weight_precision="fp4")
    held = [
        measured(row.assign(concurrency=clients, gpu=gpu), MODELS, GPUS).held_steps[0]
        for clients, gpu in ((8, "b200"), (16, "b200"), (16, "h200"))
    ]

    assert held == [5, 15, 0]
