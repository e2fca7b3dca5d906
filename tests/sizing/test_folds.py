import numpy as np
import pytest

from data.catalog.gpus import load_gpus
from data.catalog.models import load_models
from data.errors import UserError
from sizing.fit import fit, instance_tok_per_s, serve
from sizing.folds import band, bands_by_fold, calibrate, fold_numbers, out_of_fold
from sizing.measured import measured

MODELS, GPUS = load_models(), load_gpus()


@pytest.fixture(scope="module")
def points(made_up_table):
    return measured(made_up_table, MODELS, GPUS)


@pytest.fixture(scope="module")
def oof(points):
    return out_of_fold(points, "series", 3)


def test_sweeps_and_pairs_stay_whole(points):
    for by, names in (("series", points.table["series"]), ("pair", points.table["model"] + points.table["gpu"])):
        fold = fold_numbers(points, by)
        for name in names.unique():
            assert len(set(fold[(names == name).to_numpy()])) == 1


def test_every_point_is_predicted_by_a_fit_that_did_not_see_it(points, oof):
    assert np.isfinite(oof.tok_per_s).all()
    number = oof.fold[0]
    others = fit(points.take(oof.fold != number), description="", fitted="")
    left_out = points.take(oof.fold == number)

    assert oof.tok_per_s[oof.fold == number] == pytest.approx(
        instance_tok_per_s(left_out, serve(left_out, others)), rel=1e-6
    )


def test_band_holds_four_fifths_of_what_it_is_made_from():
    ratio = np.random.default_rng(3).normal(0.1, 0.3, 5_000)
    low, high = band(ratio)

    assert np.mean((np.exp(ratio) >= low) & (np.exp(ratio) <= high)) == pytest.approx(0.8, abs=0.01)


def test_single_pair_leaves_nothing_to_leave_out(made_up_table):
    one = measured(made_up_table[made_up_table["gpu"] == "h100"], MODELS, GPUS)

    with pytest.raises(UserError, match=r"of one pair, llama-3.1-8b\|h100"):
        calibrate(one, description="", fitted="2026-11-23", folds=2)


def test_points_band_does_not_know_its_own_fold(oof):
    bands = bands_by_fold(oof)
    number = oof.fold[0]

    assert bands[0] == pytest.approx(band(oof.log_ratio[oof.fold != number]))


def test_calibration_carries_a_band_for_pairs_seen_and_unseen(points):
    calibration = calibrate(points, description="made up", fitted="2026-11-23", folds=2)

    for low, high in (calibration.spread, calibration.spread_unseen):
        assert 0 < low < high
