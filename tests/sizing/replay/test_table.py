"""The tables: exact columns, ratios that can be worked out again, and the verdict."""

import pytest

from sizing.replay.engine import replay_need
from sizing.replay.market import ReplayMarket, terms_for
from sizing.replay.table import held_everywhere, replay_table, verdict_table
from tests.sizing.replay.cases import waves


@pytest.fixture(scope="module")
def rows():
    markets = [ReplayMarket(on_demand_usd_per_gpu_hour=4.0, terms=terms_for(d)) for d in (0.0, 0.45)]
    return replay_need(waves(days=500), markets, 1)


def test_the_columns_are_those_that_were_promised(rows):
    assert list(replay_table(rows).columns) == [
        "unique_id", "policy", "one_year_discount", "price_path",
        "cost_usd", "clairvoyant_usd", "unserved_gpu_hours",
    ]  # fmt: skip


def test_ratios_follow_from_the_table(rows):
    table, verdict = replay_table(rows), verdict_table(rows)
    cell = table[table["one_year_discount"] == 0.45].set_index("policy")
    found = verdict[verdict["one_year_discount"] == 0.45].set_index("policy")

    assert found.loc["ladder", "pooled_vs_ours"] == pytest.approx(
        cell.loc["ladder", "cost_usd"] / cell.loc["fleetcast", "cost_usd"]
    )
    assert found.loc["ladder", "regret_usd"] == pytest.approx(
        cell.loc["ladder", "cost_usd"] - cell.loc["ladder", "clairvoyant_usd"]
    )


def test_a_cell_without_a_discount_holds_by_being_equal(rows):
    verdict = verdict_table(rows)

    assert held_everywhere(verdict[verdict["one_year_discount"] == 0]) == (1, 1, 1)


def test_a_baseline_that_costs_less_is_not_hidden(rows):
    verdict = verdict_table(rows)
    verdict.loc[(verdict["policy"] == "mix") & (verdict["one_year_discount"] == 0.45), "pooled_vs_ours"] = 0.9

    assert held_everywhere(verdict)[2] == 1
