import numpy as np
import pytest

from sizing.calibration import LEVELS, Key
from sizing.shrink import SLOW, effects, total

RNG = np.random.default_rng(5)


def keys(model, count):
    return [Key(model=model, gpu="h100", engine="vllm", precision="fp8")] * count


def test_many_points_move_a_multiplier_further_than_one():
    many = keys("often", 30) + keys("once", 1)
    series = np.array([f"s{i}" for i in range(31)])
    residual = np.concatenate([np.full(30, 0.2), [0.2]])
    table = effects(many, series, SLOW).multipliers(residual - residual.mean())
    apart = effects(many, series, SLOW).multipliers(np.concatenate([np.full(30, 0.2), [0.0]]))

    assert total(table, [many[0]]) == pytest.approx(0, abs=1e-9)
    assert 0.15 < total(apart, [many[0]])[0] < 0.2
    assert 0 < total(apart, [many[-1]])[0] < 0.05  # pulled along by what it shares: GPU, engine, precision


def test_runs_of_one_sweep_count_as_little_more_than_one():
    many = keys("a", 30)
    one_sweep = effects(many, np.array(["s"] * 30), SLOW).multipliers(np.full(30, 0.2))
    thirty = effects(many, np.array([f"s{i}" for i in range(30)]), SLOW).multipliers(np.full(30, 0.2))

    assert total(one_sweep, many[:1]) < total(thirty, many[:1])


def test_setting_that_was_never_seen_takes_what_it_shares_with_those_that_were():
    seen = keys("a", 20)
    series = np.array([f"s{i}" for i in range(20)])
    table = effects(seen, series, SLOW).multipliers(np.full(20, 0.3))
    new_model = Key(model="b", gpu="h100", engine="vllm", precision="fp8")
    nothing = Key(model="b", gpu="l4", engine="sglang", precision="bf16")

    assert 0 < total(table, [new_model])[0] < total(table, seen[:1])[0]
    assert total(table, [nothing])[0] == 0


def test_broken_run_counts_only_to_the_limit():
    seen = keys("a", 5)
    series = np.array(list("abcde"))
    model = effects(seen, series, SLOW)
    broken = np.array([0.0, 0.0, 0.0, 0.0, 9.0])

    assert model.multipliers(broken) == model.multipliers(np.minimum(broken, SLOW.limit))


def test_whitened_residuals_have_the_covariance_of_noise():
    seen = keys("a", 3) + keys("b", 3)
    model = effects(seen, np.array(list("xxyyzz")), SLOW)
    draws = model.lower @ RNG.standard_normal((6, 4_000))
    white = np.stack([model.whiten(draw) for draw in draws.T])

    assert np.cov(white.T) == pytest.approx(np.eye(6), abs=0.1)
    assert len(model.names) == 2 * len(LEVELS) - len([level for level in LEVELS if 0 not in level])
