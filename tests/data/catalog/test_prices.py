"""Prices: the planning table's ranges, what wins, and what a reservation costs when nobody quotes it."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.catalog.gpus import load_gpus
from data.catalog.prices import (
    Discount,
    GpuOffer,
    load_discounts,
    load_offers,
    offers_for,
    price_sources,
    reserved_offer,
)
from data.errors import UserError

OFFERS = load_offers()
DISCOUNTS = load_discounts()

CONTRACT = """
[[offer]]
gpu = "h100"
term = "on-demand"
usd_per_gpu_hour_low = 1.9
usd_per_gpu_hour_high = 1.9
provider = "our host"
source = "contract 7"
checked = 2026-11-01
"""


def contract(tmp_path: Path, text: str, name: str = "contract.toml") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def planned(gpu: str) -> GpuOffer:
    (offer,) = offers_for(OFFERS, gpu, "on-demand", "planning-table")
    return offer


@pytest.mark.parametrize(
    ("gpu", "low", "high"),
    [("b200", 5, 8), ("h200", 3, 5), ("h100", 2, 4), ("a100-80gb", 1, 2), ("l40s", 0.8, 1.5), ("mi355x", 2, 4)],
)
def test_the_planning_table_keeps_its_six_ranges(gpu, low, high):
    offer = planned(gpu)

    assert (offer.usd_per_gpu_hour_low, offer.usd_per_gpu_hour_high) == (low, high)
    assert offer.usd_per_gpu_hour == pytest.approx((low + high) / 2)


def test_the_planning_table_holds_nothing_else():
    assert sum(offer.price_source == "planning-table" for offer in OFFERS) == 6
    assert price_sources(OFFERS) == ("planning-table", "list-prices")


def test_every_gpu_that_has_a_price_is_in_the_gpu_catalog():
    priced = {offer.gpu for offer in OFFERS} | {gpu for discount in DISCOUNTS for gpu in discount.gpus}

    assert priced - set(load_gpus()) == set()
    assert {"b300", "gh200-96gb", "h100-pcie"} <= priced


def test_offers_come_cheapest_first_and_leave_out_superseded_ones():
    found = offers_for(OFFERS, "h100", "on-demand", "list-prices")

    prices = [offer.usd_per_gpu_hour for offer in found]
    assert prices == sorted(prices)
    assert len(found) >= 5
    older = [offer for offer in OFFERS if offer.superseded]
    assert [offer.provider for offer in older] == ["lambda"]
    assert older[0] not in found


def test_a_gpu_without_a_price_has_no_offer_rather_than_a_price_of_zero():
    assert offers_for(OFFERS, "gaudi3", "on-demand") == ()


@pytest.mark.parametrize("price_source", [None, "planning-table", "list-prices"])
def test_the_users_contract_wins_over_every_table(tmp_path, price_source):
    offers = load_offers([contract(tmp_path, CONTRACT)])

    (offer,) = offers_for(offers, "h100", "on-demand", price_source)

    assert (offer.usd_per_gpu_hour, offer.provider, offer.price_source) == (1.9, "our host", "contract")
    assert offers_for(offers, "h200", "on-demand", price_source) == offers_for(
        OFFERS, "h200", "on-demand", price_source
    )


def test_a_quote_of_the_same_seller_comes_before_a_derived_price():
    aws = next(o for o in offers_for(OFFERS, "h100", "on-demand") if o.provider == "aws")

    month = reserved_offer(aws, "reserved-30d", OFFERS, DISCOUNTS)

    assert month is not None
    assert (month.usd_per_gpu_hour, month.derived) == (4.916, False)


def test_without_a_quote_the_middle_discount_is_taken_off_and_the_offer_says_so():
    year = reserved_offer(planned("h100"), "reserved-1y", OFFERS, DISCOUNTS)

    assert year is not None
    assert year.usd_per_gpu_hour == pytest.approx(3.0 * (1 - 0.375))  # middle of 35-40%
    assert year.usd_per_gpu_hour_low == pytest.approx(2.0 * (1 - 0.375))
    assert year.derived
    assert year.note == "Derived, not quoted: on-demand less 37.5%, the middle of 35-40% off h100 at hyperscalers."


def test_a_discount_said_of_other_gpus_is_named_as_an_assumption():
    month = reserved_offer(planned("mi355x"), "reserved-30d", OFFERS, DISCOUNTS)

    assert month is not None
    assert month.usd_per_gpu_hour == pytest.approx(3.0 * 0.7)
    assert month.note.endswith("off h100, h200, b200 at packet.ai, assumed to hold for mi355x.")


def test_a_term_that_no_discount_is_known_for_stays_unknown():
    assert reserved_offer(planned("h100"), "reserved-1y", OFFERS, []) is None


def test_a_contract_for_the_term_comes_before_everything(tmp_path):
    path = contract(tmp_path, CONTRACT.replace('"on-demand"', '"reserved-1y"').replace("1.9", "1.2"))

    year = reserved_offer(planned("h100"), "reserved-1y", load_offers([path]), DISCOUNTS)

    assert year is not None
    assert (year.usd_per_gpu_hour, year.contract, year.derived) == (1.2, True, False)


def test_the_users_discount_comes_before_ours(tmp_path):
    text = """
[[discount]]
terms = ["reserved-1y"]
fraction_low = 0.5
fraction_high = 0.5
provider = "our host"
source = "contract 7"
checked = 2026-11-01
"""
    discounts = load_discounts([contract(tmp_path, text)])

    year = reserved_offer(planned("h100"), "reserved-1y", OFFERS, discounts)

    assert year is not None
    assert year.usd_per_gpu_hour == pytest.approx(1.5)


@given(
    low=st.floats(0.01, 50),
    more=st.floats(0, 50),
    fraction=st.floats(0, 0.9),
    spread=st.floats(0, 0.09),
)
def test_a_reservation_never_costs_more_than_on_demand_and_keeps_its_range_in_order(low, more, fraction, spread):
    day = date(2026, 11, 23)
    offer = GpuOffer(
        gpu="h100",
        term="on-demand",
        usd_per_gpu_hour_low=low,
        usd_per_gpu_hour_high=low + more,
        provider="p",
        source="s",
        checked=day,
        price_source="t",
    )
    discount = Discount(
        terms=("reserved-1y",),
        fraction_low=fraction,
        fraction_high=fraction + spread,
        provider="p",
        source="s",
        checked=day,
    )

    year = reserved_offer(offer, "reserved-1y", [offer], [discount])

    assert year is not None
    assert year.usd_per_gpu_hour_low <= year.usd_per_gpu_hour <= year.usd_per_gpu_hour_high
    assert year.usd_per_gpu_hour <= offer.usd_per_gpu_hour


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            'gpu = "h100"',
            'gpu = "h10"',
            "row [offer 1]: `gpu` is 'h10', which the GPU catalog lacks; did you mean h100",
        ),
        ('"on-demand"', '"monthly"', "row [offer 1]: `term` is 'monthly'; it should be 'on-demand', 'spot',"),
        ("low = 1.9", "low = 0.0", "row [offer 1]: `usd_per_gpu_hour_low` is 0.0; it should be greater than 0."),
        (
            "low = 1.9",
            "low = 2.5",
            "row [offer 1]: `usd_per_gpu_hour_low` is 2.5, above usd_per_gpu_hour_high, 1.9;",
        ),
        ('source = "contract 7"', "", "row [offer 1]: `source` is missing; every row must state it."),
        ("provider", "seller", "row [offer 1]: `seller` is not a key of this table;"),
        ("[[offer]]", "[[offers]]", "`offers` is not a table of prices; allowed are [[offer]] and [[discount]]."),
        ("[[offer]]", "[offer]", "`offer` is not a list of tables; write [[offer]] above each of its rows."),
    ],
)
def test_a_wrong_price_is_named_with_file_row_key_and_what_is_allowed(tmp_path, old, new, sentence):
    path = contract(tmp_path, CONTRACT.replace(old, new))

    with pytest.raises(UserError) as raised:
        load_offers([path])

    assert str(path) in str(raised.value)
    assert sentence in str(raised.value)


def test_the_contract_printed_in_the_docs_works(tmp_path):
    docs = (Path(__file__).parents[3] / "docs" / "catalog.md").read_text()
    text = next(block for block in docs.split("```") if block.startswith("toml\n[[offer]]")).removeprefix("toml\n")
    path = contract(tmp_path, text)

    (offer,) = offers_for(load_offers([path]), "h100", "reserved-1y")
    month = reserved_offer(planned("h100"), "reserved-30d", OFFERS, load_discounts([path]))

    assert (offer.usd_per_gpu_hour, offer.contract) == (1.75, True)
    assert month is not None
    assert month.usd_per_gpu_hour == pytest.approx(2.70)
