"""The frontier: nothing on it is beaten, everything off it is, and each row is what a plan would get."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from data.errors import UserError
from sizing.calibration import load_calibration
from sizing.frontier import COLUMNS, Lengths, default_precisions, frontier, undominated
from sizing.profile import Slo, gpu_s_per_request, replica_profile

ASKED = Lengths(prompt_tok=2_000, output_tok=300)
PRICES = {"h100": 3.0, "h200": 4.0}


@pytest.fixture(scope="module")
def table(models, gpus):
    asked = [gpus[name] for name in ("h100", "h200", "b200")]
    return frontier(models["llama-3.1-70b"], asked, ASKED, usd_per_gpu_hour=PRICES)


VALUES = st.floats(-5, 5).map(lambda v: round(v, 1)) | st.just(float("nan"))


@given(arrays(float, st.tuples(st.integers(1, 30), st.just(2)), elements=VALUES))
def test_what_is_on_the_frontier_is_beaten_by_nothing_and_what_is_off_it_by_something(points):
    x, y = points.T
    on = undominated(x, y)

    for i in np.flatnonzero(np.isfinite(x) & np.isfinite(y)):
        better = (x >= x[i]) & (y >= y[i]) & ((x > x[i]) | (y > y[i]))
        as_good = (x >= x[i]) & (y >= y[i])
        assert not better.any() if on[i] else (on & as_good).any()
    assert not on[~(np.isfinite(x) & np.isfinite(y))].any()


def test_every_column_is_there_and_every_gpu_that_holds_the_model(table):
    assert tuple(table.columns) == COLUMNS
    assert set(table["gpu"]) == {"h100", "h200", "b200"}
    assert table["tok_per_s_per_user"].to_numpy() == pytest.approx(1 / table["tpot_s"].to_numpy())


def test_more_sequences_never_answer_faster_and_never_give_less(table):
    for _, rows in table.groupby(["gpu", "tp", "precision"]):
        assert (np.diff(rows["batch"]) > 0).all()
        assert (np.diff(rows["tpot_s"]) >= 0).all()
        assert (np.diff(rows["tok_per_s_per_gpu"]) >= -1e-9).all()


def test_the_largest_batch_takes_the_gpu_seconds_that_a_plan_reckons_with(table, models, gpus):
    rows = table[(table.gpu == "h200") & (table.tp == 2) & (table.precision == "fp8")]
    plan = replica_profile(
        models["llama-3.1-70b"],
        gpus["h200"],
        tp=2,
        precision="fp8",
        kv_precision="bf16",
        slo=Slo(),
        prompt_tok=2_000,
        cached_prompt_tok=0,
        output_tok=300,
    )

    last = rows.iloc[-1]
    assert last["batch"] == plan.batch
    assert last["tok_per_s_per_gpu"] == pytest.approx(300 / gpu_s_per_request(plan), rel=1e-6)
    assert last["tpot_s"] == pytest.approx(plan.tpot_s)
    assert last["ttft_s"] == pytest.approx(plan.ttft_s)


def test_dollars_are_price_over_rate_and_unknown_without_a_price(table):
    h100 = table[table.gpu == "h100"].iloc[0]

    assert h100["usd_per_mtok"] == pytest.approx(3.0 / 3_600 / h100["tok_per_s_per_gpu"] * 1e6)
    assert h100["usd_per_mtok_low"] < h100["usd_per_mtok"] < h100["usd_per_mtok_high"]
    assert table[table.gpu == "b200"][["usd_per_mtok", "usd_per_mtok_low"]].isna().all(axis=None)
    assert not table[table.gpu == "b200"]["cheapest"].any()


def test_the_cheapest_are_also_on_their_own_frontier(table):
    assert table[table["cheapest"]]["own"].all()
    assert table[table["fastest"]]["own"].all()


def test_measured_points_stand_beside_each_row(table):
    calibration = load_calibration()

    for gpu, rows in table.groupby("gpu"):
        assert set(rows["measured_points"]) == {calibration.measured_points("llama-3.1-70b", str(gpu))}


@pytest.mark.parametrize(
    ("model", "gpu", "tried"),
    [
        ("llama-3.1-70b", "a100-80gb", ("bf16",)),
        ("llama-3.1-70b", "h100", ("bf16", "fp8")),
        ("llama-3.1-70b", "b200", ("bf16", "fp8", "fp4")),
        ("deepseek-v3", "h200", ("fp8",)),
        ("gpt-oss-120b", "a100-80gb", ("fp4",)),
    ],
)
def test_precisions_are_those_published_and_the_narrower_ones_that_the_gpu_computes_in(
    models, gpus, model, gpu, tried
):
    assert default_precisions(models[model], gpus[gpu]) == tried


def test_a_model_that_nothing_holds_says_why(models, gpus):
    with pytest.raises(UserError, match=r"llama-3.1-405b at fp8 needs 4\d\d"):
        frontier(models["llama-3.1-405b"], [gpus["l4"]], ASKED, usd_per_gpu_hour={})
    with pytest.raises(UserError, match="No GPU was named"):
        frontier(models["llama-3.1-8b"], [], ASKED, usd_per_gpu_hour={})


def test_an_engine_that_was_never_measured_is_refused(models, gpus):
    with pytest.raises(UserError, match="is not calibrated"):
        frontier(models["llama-3.1-8b"], [gpus["h100"]], ASKED, usd_per_gpu_hour={}, engine="mine")


def test_cached_tokens_raise_throughput(models, gpus):
    fresh, cached = (
        frontier(
            models["llama-3.1-8b"],
            [gpus["h100"]],
            Lengths(prompt_tok=4_000, output_tok=200, cached_prompt_tok=c),
            usd_per_gpu_hour={},
        )["tok_per_s_per_gpu"].max()
        for c in (0, 3_000)
    )

    assert cached > 1.5 * fresh
