from dataclasses import replace

import numpy as np
import pytest

from data.catalog.gpus import load_gpus
from data.catalog.models import load_models
from sizing.calibration import from_toml, load_calibration, to_toml
from sizing.fit import (
    PARAMETERS,
    cold_starts,
    fit,
    front_ends,
    instance_tok_per_s,
    on_a_bound,
    residuals,
    serve,
)
from sizing.measured import CHUNK_TOK, measured

MODELS, GPUS = load_models(), load_gpus()


@pytest.fixture(scope="module")
def points(made_up_table):
    return measured(made_up_table, MODELS, GPUS)


@pytest.fixture(scope="module")
def fitted(points):
    return fit(points, description="made up", fitted="2026-11-23")


def test_fit_finds_its_way_back_to_points_that_the_roofline_made(points, fitted):
    slow, wait = residuals(points, serve(points, fitted))

    assert np.std(slow) < 0.08  # 5% of it is noise
    assert np.std(wait) < 0.20
    assert abs(slow.mean()) < 0.02


def test_factors_stay_within_physics_and_sit_beside_one_for_all(fitted):
    for parameter in PARAMETERS:
        table = fitted.physics[parameter.field]
        assert "all" in table
        assert all(parameter.low <= value <= parameter.high for value in table.values())


def test_same_points_give_the_same_bytes(points, fitted):
    again = fit(points, description="made up", fitted="2026-11-23")

    assert to_toml(again) == to_toml(fitted)


def test_fit_survives_being_written(points, fitted):
    read = from_toml(to_toml(fitted))

    assert serve(points, read).tpot_s == pytest.approx(serve(points, fitted).tpot_s, rel=1e-3)
    assert read.points == {"llama-3.1-8b|h100": 24, "llama-3.1-70b|h200": 24}


def test_points_without_latency_are_fitted_on_throughput(made_up_table):
    bare = made_up_table.assign(ttft_ms=np.nan, tpot_ms=np.nan, tput_derived=0)
    points = measured(bare, MODELS, GPUS)
    slow, _ = residuals(points, serve(points, fit(points, description="", fitted="2026-11-23")))

    assert np.median(np.abs(slow)) < 0.2


def test_derived_throughput_is_worked_out_as_the_file_does(points, fitted):
    served = serve(points, fitted)
    row = points.table.iloc[0]
    by_hand = row["concurrency"] * 1_024 / (served.ttft_s[0] + served.tpot_s[0] * 1_023)

    assert instance_tok_per_s(points, served)[0] == pytest.approx(by_hand)


def test_wait_that_no_queue_makes_is_taken_for_kernels_being_compiled(made_up_table):
    late = made_up_table.assign(release="", measured_on="2025-11-10")
    here = (late["model"] == "llama-3.1-70b") & (late["concurrency"] * late["isl"] >= CHUNK_TOK)
    late.loc[here, "ttft_ms"] += 6_000
    points = measured(late, MODELS, GPUS)
    served = serve(points, replace(load_calibration(), slow={}, wait={}, cold={}))

    assert cold_starts(points, served) == pytest.approx({"llama-3.1-70b|vllm|2025-11": 6.0}, rel=0.1)


def test_wait_that_grows_with_the_clients_is_no_cold_start(made_up_table):
    late = made_up_table.assign(measured_on="2025-11-10")
    late["ttft_ms"] += 200 * late["concurrency"]
    points = measured(late, MODELS, GPUS)

    assert cold_starts(points, serve(points, replace(load_calibration(), slow={}, wait={}, cold={}))) == {}


def test_rate_at_which_replicas_of_every_size_stop_is_the_front_ends(made_up_table):
    assert front_ends(measured(made_up_table, MODELS, GPUS)) == {"all": 0.0}

    stuck = made_up_table.assign(output_tok_s=np.minimum(made_up_table["output_tok_s"], 1_500.0))
    assert front_ends(measured(stuck, MODELS, GPUS)) == {"all": 0.0, "vllm": pytest.approx(1 / 1_500)}


def test_engine_that_sends_many_tokens_at_a_time_has_no_such_limit(made_up_table):
    stuck = made_up_table.assign(output_tok_s=1_500.0, framework="trtllm")

    assert front_ends(measured(stuck, MODELS, GPUS)) == {"all": 0.0}


def test_factor_on_its_bound_is_said_to_sit_there(fitted):
    physics = {**fitted.physics, "norm": {"all": 1.0}, "memory_efficiency": {"all": 0.7}}

    said = on_a_bound(replace(fitted, physics=physics))

    assert "norm of all is 1, the lowest allowed (1)." in said
    assert not any("memory_efficiency" in sentence for sentence in said)
