"""One request's bill: by hand, exact to the last digit, and what the price list itself charges."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from genai_prices import Usage, calc_price
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import UserError
from sizing.api_cost import request_usd
from sizing.price_list import api_price
from sizing.request_bill import Request, bills_usd, request_bill

AT = datetime(2026, 11, 23, tzinfo=UTC)
MODELS = [
    ("anthropic", "claude-sonnet-4-5"),  # tiers, cache writes of both kinds
    ("openrouter", "perplexity/sonar-deep-research"),  # reasoning priced apart
    ("openai", "gpt-4o"),  # no price for cache writes
    ("google", "gemini-2.5-pro"),
]


def usd_of(model, at=AT, **tokens):
    return request_bill(api_price(*model, at=at), Request(**tokens)).usd


def test_the_threshold_doubles_the_bill_by_one_token():
    assert usd_of(MODELS[0], prompt_tok=200_000, output_tok=1_000) == Decimal("0.615")
    assert usd_of(MODELS[0], prompt_tok=200_001, output_tok=1_000) == Decimal("1.222506")


def test_cached_reads_and_writes_pay_their_own_price():
    """700 x $3 + 100 x $0.30 + 150 x $3.75 + 50 x $6 + 100 x $15, in millionths."""
    usd = usd_of(
        MODELS[0],
        prompt_tok=1_000,
        output_tok=100,
        cached_tok=100,
        cache_write_tok=200,
        cache_write_1h_tok=50,
    )

    assert usd == (700 * 3 + 30 + Decimal("562.5") + 300 + 1_500) / 1_000_000


def test_reasoning_is_carved_out_of_the_output_where_it_has_a_price():
    """1,000 x $2 + 50 x $8 + 50 x $3, in millionths."""
    assert usd_of(MODELS[1], prompt_tok=1_000, output_tok=100, reasoning_tok=50) == Decimal("0.00255")


def test_an_announced_price_counts_from_its_day():
    argon = ("google", "gemini-4-argon")
    before = usd_of(argon, datetime(2026, 11, 30, 23, tzinfo=UTC), prompt_tok=1_000, output_tok=100)

    assert usd_of(argon, datetime(2026, 12, 1, tzinfo=UTC), prompt_tok=1_000, output_tok=100) == 2 * before


@pytest.mark.parametrize("model", MODELS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_every_bill_is_the_price_lists_own_and_its_lines_add_up(model, data):
    prompt, output = data.draw(st.integers(1, 400_000)), data.draw(st.integers(0, 30_000))
    cached = data.draw(st.integers(0, prompt))
    write = data.draw(st.integers(0, prompt - cached))
    hour = data.draw(st.integers(0, write))
    reasoning = data.draw(st.integers(0, output))
    usage = Usage(
        input_tokens=prompt,
        cache_read_tokens=cached,
        cache_write_tokens=write,
        cache_write_1h_tokens=hour,
        output_tokens=output,
        output_reasoning_tokens=reasoning,
    )
    price = api_price(*model, at=AT)
    bill = request_bill(
        price,
        Request(
            prompt_tok=prompt,
            output_tok=output,
            cached_tok=cached,
            cache_write_tok=write,
            cache_write_1h_tok=hour,
            reasoning_tok=reasoning,
        ),
    )
    floats = request_usd(
        price, prompt, cached, output, cache_write_tok=write, cache_write_1h_tok=hour, reasoning_tok=reasoning
    )

    theirs = calc_price(usage, model[1], provider_id=model[0], genai_request_timestamp=AT).total_price
    assert bill.usd == theirs
    assert bill.usd == sum(line.usd for line in bill.lines)
    assert sum(line.tokens for line in bill.lines) == prompt + output
    assert float(floats) == pytest.approx(float(theirs), rel=1e-12)


def test_many_bills_add_up_exactly():
    bill = request_bill(api_price(*MODELS[0], at=AT), Request(prompt_tok=1, output_tok=1))

    assert bills_usd([bill] * 10_000) == Decimal("0.000018") * 10_000


@pytest.mark.parametrize(
    "tokens",
    [
        {"prompt_tok": 10, "output_tok": 0, "cached_tok": 8, "cache_write_tok": 3},
        {"prompt_tok": 10, "output_tok": 5, "reasoning_tok": 6},
        {"prompt_tok": 10, "output_tok": 5, "cache_write_tok": 2, "cache_write_1h_tok": 3},
    ],
)
def test_parts_larger_than_their_whole_are_refused(tokens):
    with pytest.raises(UserError, match="part of"):
        Request(**tokens)
