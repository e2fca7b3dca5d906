"""The price list is read offline, agrees with the library that carries it, and never guesses."""

import socket
from datetime import UTC, date, datetime

import numpy as np
import pytest

from data.errors import UserError
from sizing.price_list import ApiPlan, api_price, batch_price, prices_over

AT = datetime(2026, 11, 23, tzinfo=UTC)
FLAT_HOURS = 1 / 24


def test_sonnet_steps_to_a_dearer_tier_above_200_000_tokens():
    price = api_price("anthropic", "claude-sonnet-4-5", at=AT)

    assert (price.input_usd_per_mtok, price.cached_usd_per_mtok, price.output_usd_per_mtok) == (3.0, 0.3, 15.0)
    (tier,) = price.tiers
    assert tier.threshold_tok == 200_000
    assert (tier.input_usd_per_mtok, tier.cached_usd_per_mtok, tier.output_usd_per_mtok) == (6.0, 0.6, 22.5)


def test_a_price_carries_its_source_and_the_day_that_the_list_was_published():
    price = api_price("anthropic", "claude-sonnet-4-5", at=AT)

    assert price.source == "genai-prices 0.2.3"
    assert price.checked == date(2026, 11, 10)


def test_a_mistyped_provider_gets_its_near_match():
    with pytest.raises(UserError, match="no provider 'anthropc'; did you mean anthropic"):
        api_price("anthropc", "claude-sonnet-4-5", at=AT)


def test_a_mistyped_model_gets_its_near_matches():
    with pytest.raises(UserError, match="no model 'gpt-5-minni' at openai; did you mean gpt-5-mini"):
        api_price("openai", "gpt-5-minni", at=AT)


def test_a_model_without_token_prices_is_refused_rather_than_priced_at_zero():
    with pytest.raises(UserError, match="no price per input and output token"):
        api_price("openai", "text-embedding-3-small", at=AT)


def test_a_listed_batch_price_is_read_and_starts_on_its_own_day():
    price, note = batch_price("anthropic", "claude-sonnet-4-5", at=AT)
    before, reason = batch_price("anthropic", "claude-sonnet-4-5", at=datetime(2026, 10, 1, tzinfo=UTC))

    assert price is not None
    assert (price.input_usd_per_mtok, price.output_usd_per_mtok) == (1.5, 7.5)
    assert note == "Batch price from the list."
    assert before is None
    assert "no batch price for anthropic/claude-sonnet-4-5 on 2026-10-01" in reason


def test_an_unlisted_batch_price_is_unknown_unless_the_plan_states_a_fraction():
    model = "meta-llama/Llama-3.3-70B-Instruct-Turbo"
    normal = api_price("together", model, at=AT)

    unknown, reason = batch_price("together", model, at=AT)
    stated, note = batch_price("together", model, at=AT, batch_fraction=0.5)

    assert unknown is None
    assert "state batch_fraction" in reason
    assert stated is not None
    assert stated.input_usd_per_mtok == normal.input_usd_per_mtok / 2
    assert stated.processing == "batch"
    assert "as the plan states" in note


@pytest.mark.parametrize("fraction", [0.0, -0.5, 1.5])
def test_a_batch_fraction_outside_its_range_is_refused(fraction):
    with pytest.raises(UserError, match="batch_fraction"):
        batch_price("together", "meta-llama/Llama-3.3-70B-Instruct-Turbo", at=AT, batch_fraction=fraction)


def test_processing_without_a_price_is_refused_by_name():
    with pytest.raises(UserError, match="no flex price for anthropic/claude-sonnet-4-5"):
        api_price("anthropic", "claude-sonnet-4-5", at=AT, processing="flex")


def test_a_missing_cache_price_bills_cached_tokens_as_input_and_says_so():
    price = api_price("google", "gemini-2.0-flash-lite", at=AT)

    assert price.cached_usd_per_mtok == price.input_usd_per_mtok
    assert "cached tokens are billed as input" in price.notes[0]


def test_an_announced_price_counts_from_its_day():
    days = [date(2026, 11, 30), date(2026, 12, 1), date(2026, 12, 2)]
    plan = ApiPlan(provider="google", model="gemini-4-argon")

    periods, _ = prices_over(plan, days, np.full((3, 24), FLAT_HOURS))

    assert [p.input_usd_per_mtok for p, _ in periods] == [2.0, 4.0]
    assert [share.tolist() for _, share in periods] == [[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]


def test_time_of_day_prices_share_a_flat_day_by_their_hours():
    """deepseek-chat costs 0.27 from 00:30 to 16:30 UTC, 16 of 24 hours, and 0.135 in the other 8."""
    plan = ApiPlan(provider="deepseek", model="deepseek-chat")

    periods, _ = prices_over(plan, [date(2026, 11, 23)], np.full((1, 24), FLAT_HOURS))

    shares = {p.input_usd_per_mtok: share[0] for p, share in periods}
    assert shares == pytest.approx({0.27: 16 / 24, 0.135: 8 / 24})


def test_no_price_needs_the_network(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("the price list reached for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)

    assert api_price("openai", "gpt-5-mini", at=AT).output_usd_per_mtok == 2.0
