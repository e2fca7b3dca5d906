"""Spot, owned and provisioned lines: by hand, and unknown where a price is."""

from datetime import date

import numpy as np
import pytest

from data.catalog.prices import GpuOffer
from data.catalog.provisioned import load_provisioned
from sizing.compare import GpuNeed
from sizing.extra_costs import SpotTerms, owned_cost, provisioned_costs, spot_cost
from sizing.loaded import OwnedGpu
from tests.sizing.test_api_cost import demand_of


def offer(term, usd):
    return GpuOffer(
        gpu="h100", term=term, usd_per_gpu_hour_low=usd, usd_per_gpu_hour_high=usd, provider="host", source="s",
        checked=date(2026, 11, 24), price_source="list-prices",
    )  # fmt: skip


def need(**offers):
    return GpuNeed(gpu="h100", hourly_gpus=np.full((2, 3, 24), 10.0), offers=offers, unit_gpus=4)


def test_spot_pays_for_work_done_twice_and_for_hours_without_spot():
    """240 GPU-hours a day: 80% x 1.25 x $1 = $240 on spot, 20% x $3 = $144 on demand."""
    both = {"on-demand": offer("on-demand", 3.0), "spot": offer("spot", 1.0)}
    cost = spot_cost("chat", need(**both), SpotTerms(overhead=0.25, fallback=0.2))

    assert cost.usd == pytest.approx(np.full((2, 3), 384.0))
    assert "20% of the need to find no spot GPU" in cost.note


def test_no_spot_price_is_unknown_not_free():
    assert spot_cost("chat", need(**{"on-demand": offer("on-demand", 3.0)}), SpotTerms()).usd is None


def test_owned_gpus_stand_in_whole_replicas_and_draw_power_when_they_work():
    """10 GPUs asked in units of 4 make 12: 12 x 24 x $1 + 240 x $0.15."""
    gpu = OwnedGpu(
        gpu="h100", capex_usd=35_040, life_years=4, kw=1.2, usd_per_kwh=0.1, pue=1.25, source="s",
        checked=date(2026, 11, 24),
    )  # fmt: skip
    cost = owned_cost("chat", need(), gpu)

    assert cost.gpus == 12
    assert cost.usd == pytest.approx(np.full((2, 3), 288 + 36.0))


def test_every_term_of_a_model_has_a_line_and_one_without_a_price_says_why():
    known, demand = load_provisioned(), demand_of([7_000], [0], [300], days=40)
    azure, claude = known.find("azure", "gpt-5"), known.find("google", "claude-sonnet-4-5")
    lines = provisioned_costs(demand, azure, known.prices_of(azure), np.full((1, 40), 50.0))
    unpriced = provisioned_costs(demand, claude, known.prices_of(claude), np.full((1, 40), 50.0))

    assert [line.option for line in lines] == ["provisioned-hourly", "provisioned-monthly", "provisioned-yearly"]
    assert all(line.usd is not None for line in lines)
    assert unpriced[0].usd is None
    assert "No price of a GSU" in unpriced[0].note
