"""Merit order: what serves the need above what is held, cheapest first."""

from datetime import date

import pytest

from data.catalog.commit_offers import Offers, TermOffer
from data.catalog.prices import GpuOffer
from sizing.commit.market import market_of, market_of_prices


def names(market):
    return [tier.name for tier in market.tiers]


def offered(**more):
    return market_of(Offers(gpu="h100", on_demand_usd_per_gpu_hour=3.0, **more))


def test_on_demand_without_a_limit_serves_all():
    assert names(offered(api_usd_per_gpu_hour=4.0)) == ["on demand"]


def test_a_limit_on_demand_spills_to_the_api_and_without_one_goes_unserved():
    assert names(offered(on_demand_max_gpus=8, api_usd_per_gpu_hour=4.0)) == ["on demand", "API"]
    assert names(offered(on_demand_max_gpus=8)) == ["on demand", "unserved"]


def test_a_cheaper_api_leaves_nothing_to_on_demand():
    assert names(offered(api_usd_per_gpu_hour=2.0)) == ["API"]


def test_spot_serves_first_as_far_as_the_need_may_run_on_it():
    assert names(offered(spot_usd_per_gpu_hour=1.0, spot_max_gpus=4)) == ["spot", "on demand"]
    assert names(offered(spot_usd_per_gpu_hour=1.0)) == ["on demand"]


def test_work_that_can_wait_takes_the_cheapest_way():
    assert offered().batch_usd_per_gpu_hour == 3.0
    assert offered(spot_usd_per_gpu_hour=1.0, spot_overhead_fraction=0.2).batch_usd_per_gpu_hour == 1.2
    assert offered(api_batch_usd_per_gpu_hour=0.9).batch_usd_per_gpu_hour == 0.9


def test_bands_are_as_wide_as_every_unit_is_made_of():
    terms = tuple(TermOffer(name=str(n), days=30, discount=0.1, unit_gpus=n) for n in (8, 12))

    assert offered(terms=terms).unit_gpus == 4
    assert offered().unit_gpus == 1


def test_a_plans_prices_make_the_same_market():
    def quote(term, usd):
        return GpuOffer(
            gpu="h100", term=term, usd_per_gpu_hour_low=usd - 0.5, usd_per_gpu_hour_high=usd + 0.5, provider="p",
            source="s", checked=date(2026, 11, 23), price_source="test",
        )  # fmt: skip

    prices = {
        term: quote(term, usd) for term, usd in (("reserved-1y", 1.8), ("on-demand", 3), ("reserved-30d", 2.7))
    }
    market = market_of_prices(prices, unit_gpus=4, max_gpus={"reserved-1y": 16}, lead_days=7)

    assert [(t.option, round(t.usd_per_gpu_hour, 9), t.max_gpus) for t in market.terms] == [
        ("reserved-30d", 2.7, None),
        ("reserved-1y", 1.8, 16),
    ]
    assert market.unit_gpus == 4
    assert market_of_prices({}) is None
    assert market.on_demand_usd_per_gpu_hour == pytest.approx(3.0)
