import math
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import format as fmt
from reports.budget import Currency

USD = Currency(code="USD", per_usd=1.0, rate_date=None, source="")
CHF = Currency(code="CHF", per_usd=0.8, rate_date=date(2026, 11, 20), source="ECB")

UNKNOWNS = [None, math.nan, math.inf, -math.inf]


@pytest.mark.parametrize("value", UNKNOWNS)
def test_what_is_not_known_is_an_en_dash_and_never_a_zero(value):
    for show in (fmt.count, fmt.short, fmt.qps, fmt.percent, fmt.ratio, fmt.seconds, fmt.kilowatts):
        assert show(value) == "–"
    for show in (fmt.money, fmt.money_short, fmt.price):
        assert show(value, USD) == "–"
    assert fmt.day(None) == "–"


@pytest.mark.parametrize(
    ("usd", "shown"),
    [
        (0, "$0"),
        (0.004, "$0.00"),
        (99.99, "$99.99"),
        (99.996, "$100"),
        (1234.5, "$1,234"),
        (-1234.6, "−$1,235"),
        (-0.001, "$0.00"),
        (1e9, "$1,000,000,000"),
    ],
)
def test_money_is_whole_from_a_hundred_up(usd, shown):
    assert fmt.money(usd, USD) == shown


def test_money_is_shown_in_the_currency_of_the_report():
    assert fmt.money(1000, CHF) == "CHF 800"
    assert fmt.money_short(-50_000, CHF) == "−CHF 40.0K"
    assert fmt.price(2.5, CHF) == "CHF 2.00"


@pytest.mark.parametrize(
    ("usd", "shown"), [(2.5, "$2.50"), (0.1, "$0.10"), (0.0153, "$0.015"), (0.000_25, "$0.00025"), (0, "$0.00")]
)
def test_a_unit_price_keeps_two_digits_that_mean_something(usd, shown):
    assert fmt.price(usd, USD) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (9_999.4, "9,999"), (9_999.6, "10.0K"), (999_499, "999K"), (999_500, "1.00M"), (1.2345e12, "1.23T"),
     (-12_345, "−12.3K"), (0.000_123_4, "0.000123"), (99.96, "100")],
)  # fmt: skip
def test_short_numbers_carry_three_digits_over_every_seam(value, shown):
    assert fmt.short(value) == shown


@given(st.floats(min_value=1e-6, max_value=9.99e14))
def test_a_short_number_is_within_half_a_percent_of_its_value(value):
    text = fmt.short(value).replace(",", "")
    scale = {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}.get(text[-1], 1.0)
    number = float(text.rstrip("KMBT")) * scale
    assert number == pytest.approx(value, rel=0.0051)


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_no_number_breaks_a_format_or_shows_an_exponent(value):
    shown = [fmt.count(value), fmt.percent(value), fmt.ratio(value), fmt.money(value, USD), fmt.price(value, USD)]
    if abs(value) < 9e14:
        shown.append(fmt.short(value))
    for text in shown:
        assert "e" not in text.lower()
        assert "nan" not in text
        assert "-" not in text


@pytest.mark.parametrize(("share", "shown"), [(1.0, "100%"), (0.0995, "10%"), (0.0994, "9.9%"), (-0.2, "−20%")])
def test_percent_drops_its_decimal_from_ten_up(share, shown):
    assert fmt.percent(share) == shown


def test_dates_are_english_on_any_machine():
    assert fmt.day(date(2026, 3, 1)) == "1 Mar 2026"
    assert fmt.month("2027-01") == "Jan 2027"
    assert fmt.month("whole plan") == "whole plan"
    assert fmt.month("2027-13") == "2027-13"
    assert fmt.stamp(datetime(2026, 11, 23, 6, 5, tzinfo=UTC)) == "23 Nov 2026, 06:05 UTC"


def test_foreign_text_cannot_turn_or_break_the_line_around_it():
    assert fmt.plain("a\u202eb\x00c\ud800d") == "a\ufffdb\ufffdc\ufffdd"
    assert fmt.plain("naïve 模型 עברית") == "naïve 模型 עברית"


@given(st.text(), st.integers(min_value=3, max_value=60))
def test_cut_text_never_exceeds_its_limit(text, limit):
    assert len(fmt.plain(text, limit)) <= limit
    assert len(fmt.squeeze(text, limit)) <= limit


def test_amounts_in_sentences_follow_the_currency_and_keep_their_decimals():
    euro = Currency(code="EUR", per_usd=0.92, rate_date=None, source="")
    text = "Commit: $13,381 ($9,719 to $20,342), at $3.00 an hour; $0.0000180 a request; no 100$ or US$."

    assert fmt.in_currency(text, euro) == (
        "Commit: €12,311 (€8,941 to €18,715), at €2.76 an hour; €0.0000166 a request; no 100$ or US$."
    )
    assert fmt.in_currency(text, Currency(code="USD", per_usd=1.0, rate_date=None, source="")) == text
