import numpy as np
import pytest

from data.catalog.gpus import load_gpus
from data.catalog.models import load_models
from data.errors import UserError
from sizing.calibration import Key, load_calibration, overlaid
from sizing.measured import measured
from sizing.own import conformal_band, learn
from sizing.profile import Slo, gpu_s_per_request, replica_profile

MODELS, GPUS = load_models(), load_gpus()
SLOWER = 1.3
KEY = Key(model="llama-3.1-70b", gpu="h200", engine="vllm", precision="fp8")


@pytest.fixture(scope="module")
def mine(made_up_table):
    """Return points of a stack that is 1.3 times slower than the shipped multipliers of their settings say."""
    points = measured(made_up_table, MODELS, GPUS)
    shipped = load_calibration()
    slow = shipped.factors(points.keys).slow * SLOWER
    return made_up_table.assign(
        ttft_ms=made_up_table["ttft_ms"] * slow, tpot_ms=made_up_table["tpot_ms"] * slow,
        output_tok_s=made_up_table["output_tok_s"] / slow,
    )  # fmt: skip


def own(table):
    return learn(measured(table, MODELS, GPUS), load_calibration(), description="mine", fitted="2026-11-24")


def test_stack_that_is_slower_throughout_is_learned_to_be(mine):
    learned = own(mine)
    setting = next(s for s in learned.settings if s.key == KEY)

    assert setting.slower == pytest.approx(SLOWER, rel=0.05)
    assert setting.after < 0.05 < setting.before
    assert (setting.points, setting.sweeps) == (24, 4)


def test_one_run_moves_its_setting_by_less_than_many(mine):
    one = mine[(mine["model"] == "llama-3.1-70b") & (mine["concurrency"] == 16)].head(1)
    (setting,) = own(one).settings

    assert 1.0 < setting.slower < SLOWER
    assert setting.band is None


def test_overlay_goes_on_top_of_the_shipped_factors_and_leaves_others_as_they_are(mine):
    learned = overlaid(load_calibration(), own(mine).toml)
    elsewhere = Key(model="gemma-3-27b", gpu="l40s", engine="trtllm", precision="bf16")
    before, after = (c.factors([KEY, elsewhere]).slow for c in (load_calibration(), learned))

    assert after[0] / before[0] == pytest.approx(SLOWER, rel=0.05)
    assert after[1] / before[1] == pytest.approx(1.0, abs=0.15)
    assert learned.physics == load_calibration().physics
    assert learned.measured_points("llama-3.1-70b", "h200") > load_calibration().measured_points(
        "llama-3.1-70b", "h200"
    )


def test_profile_on_ones_own_calibration_takes_what_ones_own_stack_takes(mine, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(own(mine).toml)
    asked = {"tp": 4, "precision": "fp8", "kv_precision": "fp8", "slo": Slo()}
    asked |= {"prompt_tok": 1_000, "cached_prompt_tok": 0, "output_tok": 1_000}
    shipped, learned = (
        gpu_s_per_request(replica_profile(MODELS["llama-3.1-70b"], GPUS["h200"], calibration=c, **asked))
        for c in (None, load_calibration(path))
    )

    assert learned / shipped == pytest.approx(SLOWER, rel=0.08)


def test_overlay_of_other_factors_is_refused(mine):
    old = own(mine).toml.replace(f"base = {load_calibration().fitted}", "base = 2020-01-01")

    with pytest.raises(UserError, match="learned on top of factors fitted 2020-01-01"):
        overlaid(load_calibration(), old)


def test_band_holds_new_points_as_often_as_it_says():
    rng = np.random.default_rng(20261124)
    new = np.exp(rng.normal(0, 0.2, 100_000))
    covered = []
    for _ in range(400):
        low, high = conformal_band(rng.normal(0, 0.2, 40))
        covered.append(np.mean((new >= low) & (new <= high)))
    assert 0.79 <= np.mean(covered) <= 0.84  # k = 4 of 40 on each side: 1 - 8 / 41


def test_same_points_give_the_same_bytes(mine):
    assert own(mine).toml == own(mine).toml
