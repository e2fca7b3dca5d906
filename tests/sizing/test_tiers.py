"""Which GPU for which workload: data sheet over price by hand, and where bandwidth does not tell."""

import math

import pytest

from data.errors import UserError
from sizing.tiers import TIER_COLUMNS, WORKLOADS, bandwidth_rule, tier_table

NAMES = ("h100", "h200", "b200", "h20", "l4")
PRICES = {"h100": 3.0, "h200": 4.0, "b200": 6.5}


@pytest.fixture(scope="module")
def asked(gpus):
    return [gpus[name] for name in NAMES]


@pytest.fixture(scope="module")
def tiers(models, asked):
    return tier_table(models["llama-3.1-8b"], asked, usd_per_gpu_hour=PRICES).set_index("gpu")


@pytest.fixture(scope="module")
def rule(models, asked, gpus):
    return bandwidth_rule(models["llama-3.1-8b"], asked, gpus["h100"])


def test_what_a_dollar_buys_is_price_over_data_sheet(tiers):
    assert tuple(tiers.reset_index().columns) == TIER_COLUMNS
    h100 = tiers.loc["h100"]
    assert h100["usd_per_tb_per_s"] == pytest.approx(3.0 / 3.35)
    assert h100["usd_per_pflop_per_s"] == pytest.approx(3.0 / 0.989)
    assert h100["flop_per_byte"] == pytest.approx(989e12 / 3.35e12)


def test_each_workload_has_one_cheapest_gpu_and_the_others_are_multiples_of_it(tiers):
    ratios = tiers[list(WORKLOADS)]

    assert (ratios.min() == 1).all()
    assert ratios.loc["h20"].isna().all()  # no price is known


def test_a_gpu_without_a_price_still_has_a_best_workload(tiers):
    # 4 TB/s and 148 TFLOP/s: it reads fast and computes slowly, so it writes better than it reads documents.
    assert tiers.loc["h20", "best_workload"] == "generation"
    assert math.isnan(tiers.loc["h20", "usd_per_tb_per_s"])


def test_a_price_changes_what_is_cheapest_but_not_what_a_gpu_is_best_at(models, asked, tiers):
    dear = tier_table(models["llama-3.1-8b"], asked, usd_per_gpu_hour={**PRICES, "h200": 40.0}).set_index("gpu")

    assert dear.loc["h200", "best_workload"] == tiers.loc["h200", "best_workload"]
    assert (dear.loc["h200", list(WORKLOADS)].astype(float) > 5).all()


def test_a_model_that_does_not_fit_has_no_ratio(models, asked):
    tiers = tier_table(models["llama-3.1-405b"], asked, usd_per_gpu_hour={**PRICES, "l4": 0.7}).set_index("gpu")

    assert tiers.loc["l4", list(WORKLOADS)].isna().all()
    assert tiers.loc["l4", "best_workload"] is None
    assert tiers.loc["l4", "usd_per_tb_per_s"] == pytest.approx(0.7 / 0.3)


def test_the_reference_is_once_itself(rule):
    first = rule.table.iloc[0]

    assert first["gpu"] == rule.reference == "h100"
    assert first.drop("gpu").astype(float).to_list() == pytest.approx([1.0] * 6)


def test_bandwidth_does_not_tell_how_fast_documents_are_read(rule):
    h20 = rule.table.set_index("gpu").loc["h20"]

    assert h20["bandwidth"] == pytest.approx(4.0 / 3.35)
    assert h20["documents"] < 0.25
    assert "documents on h20" in rule.sentence
    assert "1.19x the bandwidth" in rule.sentence


def test_a_reference_that_does_not_hold_the_model_is_refused(models, asked, gpus):
    with pytest.raises(UserError, match=r"llama-3.1-405b does not fit l4, so nothing can be compared with it\."):
        bandwidth_rule(models["llama-3.1-405b"], asked, gpus["l4"])


def test_alone_there_is_nothing_to_compare(models, gpus):
    rule = bandwidth_rule(models["llama-3.1-8b"], [gpus["h100"]], gpus["h100"])

    assert rule.sentence == "No other GPU holds the model, so nothing can be said of speed-ups over h100."
