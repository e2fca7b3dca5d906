"""What stands behind a planned workload's lines: sums to the cent, prices later, units by band."""

from decimal import Decimal

import numpy as np
import pytest

from flows.money_settings import OverheadSettings, OwnedSettings, SpotSettings
from flows.selfhost import scaled
from flows.selfhost_rows import self_hosting
from reports.budget import Currency
from reports.format import cents_row
from sizing.loaded import Overheads
from tests.sizing.test_api_cost import demand_of


def test_scaled_traffic_has_the_lengths_and_the_hit_rate_that_were_asked_for():
    demand = demand_of([1_000, 3_000], [400, 400], [100, 300])
    other = scaled(demand, 1.5, 2.0, 0.5)

    assert other.prompt_tok == pytest.approx(demand.prompt_tok * 1.5)
    assert other.output_tok == pytest.approx(demand.output_tok * 2)
    assert other.cached_prompt_tok == pytest.approx(other.prompt_tok * 0.5)
    assert [s.threshold_tok for s in other.long] == [round(s.threshold_tok * 1.5) for s in demand.long]


def test_traffic_without_hits_can_be_given_some():
    demand = demand_of([1_000], [0], [100])

    assert scaled(demand, 1.0, 1.0, 0.2).cached_prompt_tok == pytest.approx(np.array([[200.0]]))


def test_nothing_behind_the_lines_is_nothing_on_the_page():
    from flows.selfhost import Behind

    assert self_hosting(Behind()) is None


@pytest.mark.parametrize("per_usd", [1.0, 0.9137, 151.3])
def test_a_printed_row_adds_up_to_its_printed_total_in_any_currency(per_usd):
    currency = Currency(code="EUR", per_usd=per_usd, rate_date=None, source="")
    for seed in range(200):
        parts = np.random.default_rng(seed).gamma(0.5, 10_000, 5)
        *shown, total = [Decimal(cell.strip("€").replace(",", "")) for cell in cents_row(list(parts), currency)]
        assert sum(shown) == total


def test_the_plans_keys_are_those_of_the_rooms_below():
    assert OverheadSettings(staff=0.3).to_overheads() == Overheads(staff=0.3)
    assert SpotSettings().to_terms().fallback == 0.1
    owned = OwnedSettings.model_validate(
        {
            "gpu": "H100",
            "capex_usd": 30_000,
            "life_years": 4,
            "kw": 1.2,
            "usd_per_kwh": 0.1,
            "pue": 1.3,
            "source": "invoice",
            "checked": "2026-11-24",
        }
    )
    assert owned.to_owned().gpu == "h100"
