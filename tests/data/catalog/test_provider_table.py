"""Providers side by side: contracts first, then the cheapest, and no price where nobody prints one."""

from dataclasses import replace

from data.catalog.prices import load_offers
from data.catalog.provider_table import provider_table


def test_h100_on_demand_stands_cheapest_first_and_old_prices_are_left_out():
    rows = provider_table(load_offers(), ["h100"])
    lows = [sum(row.usd_per_gpu_hour["on-demand"]) for row in rows if "on-demand" in row.usd_per_gpu_hour]

    assert lows == sorted(lows)
    lambda_row = next(row for row in rows if row.provider == "lambda")
    assert lambda_row.usd_per_gpu_hour["on-demand"] == (3.99, 4.29)  # not the superseded 2.99 to 3.29


def test_a_term_that_nobody_prints_is_missing_and_reserved_ones_stand_beside():
    core = next(row for row in provider_table(load_offers(), ["h100"]) if row.provider == "coreweave")

    assert core.usd_per_gpu_hour == {"on-demand": (2.23, 2.23), "reserved-1y": (1.79, 1.79)}


def test_the_users_contract_stands_first():
    quote = next(o for o in load_offers() if o.gpu == "h100" and o.term == "on-demand")
    mine = replace(quote, provider="our host", contract=True, usd_per_gpu_hour_low=9.0, usd_per_gpu_hour_high=9.0)

    assert provider_table([*load_offers(), mine], ["h100"])[0].provider == "our host"
