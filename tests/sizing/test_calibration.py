from dataclasses import fields, replace

import pytest

from data.errors import UserError
from sizing.calibration import DEFAULT_ENGINE, LEVELS, RELEASE_LEVELS, Key, from_toml, load_calibration, to_toml
from sizing.fit import PARAMETERS
from sizing.throughput import Factors

KEY = Key(model="llama-3.1-70b", gpu="h200", engine="vllm", precision="fp8")


def test_written_and_read_back_is_the_same():
    once = to_toml(load_calibration())

    assert to_toml(from_toml(once)) == once


def test_shipped_factors_stay_within_what_physics_allows():
    physics = load_calibration().physics

    for parameter in PARAMETERS:
        for value in physics[parameter.field].values():
            assert parameter.low * (1 - 1e-5) <= value <= parameter.high * (1 + 1e-5)


def test_shipped_calibration_says_what_it_rests_on():
    shipped = load_calibration()

    assert shipped.rows > 1_000
    assert shipped.series > 500
    assert shipped.measured_points("llama-3.1-70b", "h200") > 50
    assert shipped.measured_points("phi-4", "l4") == 0
    assert DEFAULT_ENGINE in shipped.engines


def test_band_of_an_unseen_pair_is_wider():
    shipped = load_calibration()
    seen, unseen = shipped.band("llama-3.1-70b", "h200"), shipped.band("phi-4", "l4")

    assert unseen[0] < seen[0] < 1 < seen[1] < unseen[1]


def test_multiplier_is_the_sum_of_what_a_key_shares():
    assert KEY.at((0,)) == "llama-3.1-70b|*|*|*"
    assert KEY.at((1, 3)) == "*|h200|*|fp8"
    assert KEY.at((2, 4)) == "*|*|vllm|*|"
    assert len(LEVELS) == 15 + len(RELEASE_LEVELS)
    factors = load_calibration().factors([KEY])

    assert {f.name for f in fields(Factors)} == set(factors.__slots__)
    assert 0.5 < float(factors.slow[0]) < 2


def test_plan_is_tied_to_no_release():
    shipped = load_calibration()
    named = replace(KEY, release=next(n.split("|")[4] for n in shipped.slow if n.startswith("*|*|vllm|*|")))

    assert not any(name.endswith("|") for name in (*shipped.slow, *shipped.wait))
    assert shipped.factors([named]).slow != shipped.factors([KEY]).slow


def test_band_of_ones_own_wins():
    own = replace(load_calibration(), bands={"llama-3.1-70b|h200": (0.9, 1.1)})

    assert own.band("llama-3.1-70b", "h200") == (0.9, 1.1)
    assert own.band("llama-3.1-70b", "h100") == own.spread


def test_model_and_gpu_that_were_never_measured_still_get_factors():
    unknown = Key(model="nobody-knows", gpu="nor-this", engine="nor-that", precision="int8")

    assert load_calibration().factors([unknown]).compute_efficiency[0] > 0


def test_unknown_engine_names_those_that_are_known():
    with pytest.raises(UserError, match=r"engine 'llamacpp' is not calibrated; use one of .*vllm"):
        load_calibration().check_engine("llamacpp")


@pytest.mark.parametrize("text", ["not toml [", "[about]\n"])
def test_broken_calibration_file_is_the_users_to_mend(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(text)

    with pytest.raises(UserError, match=r"mine\.toml is not a calibration"):
        load_calibration(path)


def test_missing_calibration_file_is_the_users_to_mend(tmp_path):
    with pytest.raises(UserError, match="Cannot read the calibration"):
        load_calibration(tmp_path / "none.toml")
