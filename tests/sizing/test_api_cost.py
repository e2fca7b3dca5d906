"""Requests are billed by their own length: alone, and through the sums that the forecast keeps."""

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest
from genai_prices import Usage, calc_price
from hypothesis import given, settings
from hypothesis import strategies as st

from data.traffic import LONG_PROMPT_TOK
from forecasting.demand import Demand, LongShare, Moments
from sizing.api_cost import ApiPlan, api_cost, api_price, demand_api_usd, request_usd, tier_notes

AT = datetime(2026, 11, 23, tzinfo=UTC)
TIERED = [
    ("anthropic", "claude-sonnet-4-5"),
    ("anthropic", "claude-haiku-5-5"),
    ("google", "gemini-2.5-pro"),
    ("openai", "gpt-6-sol"),
    ("openrouter", "x-ai/grok-4-fast"),
]
SONNET = api_price("anthropic", "claude-sonnet-4-5", at=AT)


def demand_of(prompt, cached, output, *, days=1, as_of=date(2026, 11, 23)):
    """Return one path whose every day holds exactly these requests."""
    prompt, cached, output = (np.asarray(x, dtype=float) for x in (prompt, cached, output))

    def share(part, whole):
        return float(part.sum() / whole.sum()) if whole.sum() else 0.0

    long = tuple(
        LongShare(
            threshold_tok=threshold,
            requests=float((prompt > threshold).mean()),
            prompt_tok=share(prompt[prompt > threshold], prompt),
            cached_prompt_tok=share(cached[prompt > threshold], cached),
            output_tok=share(output[prompt > threshold], output),
        )
        for threshold in LONG_PROMPT_TOK
    )
    one = np.ones((1, days))
    return Demand(
        workload="chat",
        as_of=as_of,
        basis="history",
        days=np.datetime64(as_of, "D") + np.arange(days),
        requests=one * len(prompt),
        prompt_tok=one * prompt.mean(),
        cached_prompt_tok=one * cached.mean(),
        output_tok=one * output.mean(),
        busiest_10s_factor=one,
        window_s=10,
        moments=Moments(prompt_sq=1, cached_sq=1, prompt_cached=1, prompt_output=1, output_sq=1),
        long=long,
        tokens=(),
        hour_of_week=np.ones(168),
    )


def test_one_token_past_the_threshold_bills_the_whole_request_at_the_tier():
    """0.2 Mtok x $3 + 0.001 x $15 = $0.615; 0.200001 x $6 + 0.001 x $22.5 = $1.222506."""
    usd = request_usd(SONNET, [200_000, 200_001], 0, 1_000)

    assert usd == pytest.approx([0.615, 1.222506], abs=1e-12)


@pytest.mark.parametrize(("provider", "model"), TIERED)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_every_request_costs_what_the_price_list_itself_says(provider, model, data):
    prompt = data.draw(
        st.one_of(st.integers(1, 400_000), st.sampled_from([n + d for n in LONG_PROMPT_TOK for d in (0, 1)]))
    )
    cached, output = data.draw(st.integers(0, prompt)), data.draw(st.integers(0, 30_000))
    usage = Usage(input_tokens=prompt, cache_read_tokens=cached, output_tokens=output)

    theirs = calc_price(usage, model, provider_id=provider, genai_request_timestamp=AT).total_price
    ours = request_usd(api_price(provider, model, at=AT), prompt, cached, output)

    assert float(ours) == pytest.approx(float(theirs), rel=1e-12)


lengths = st.lists(
    st.tuples(st.integers(1, 400_000), st.floats(0, 1), st.integers(0, 8_000)), min_size=1, max_size=30
)


@pytest.mark.parametrize(("provider", "model"), TIERED[:4])
@settings(max_examples=40, deadline=None)
@given(requests=lengths)
def test_the_sums_above_thresholds_bill_a_day_exactly_as_its_requests(provider, model, requests):
    prompt, share, output = (np.array(x, dtype=float) for x in zip(*requests, strict=True))
    cached = np.floor(prompt * share)
    price = api_price(provider, model, at=AT)

    day = demand_api_usd(price, demand_of(prompt, cached, output))

    assert day[0, 0] == pytest.approx(request_usd(price, prompt, cached, output).sum(), rel=1e-9)


def test_pricing_the_mean_length_would_miss_the_long_requests():
    """Nine prompts of 10,000 and one of 250,000: $0.27 + $1.50 by request, $1.02 at the mean length of 34,000."""
    prompt = [10_000] * 9 + [250_000]

    day = demand_api_usd(SONNET, demand_of(prompt, np.zeros(10), np.zeros(10)))

    assert day[0, 0] == pytest.approx(9 * 0.03 + 1.5)
    assert 10 * request_usd(SONNET, 34_000, 0, 0) == pytest.approx(1.02)


def test_a_token_ratio_moves_both_tokens_and_threshold():
    """200,000 API tokens are 100,000 logged ones at a ratio of 2: a prompt of 150,000 logged pays the tier."""
    demand = demand_of([50_000, 150_000], [0, 0], [100, 100])

    day = demand_api_usd(SONNET, demand, token_ratio=2.0)

    assert day[0, 0] == pytest.approx(request_usd(SONNET, [100_000, 300_000], 0, 200).sum())


def test_a_threshold_that_is_not_kept_takes_the_nearest_one_below_and_says_so():
    tier = replace(SONNET.tiers[0], threshold_tok=300_000)
    price = replace(SONNET, tiers=(tier,))
    demand = demand_of([280_000], [0], [0])

    assert demand_api_usd(price, demand)[0, 0] == pytest.approx(280_000 * 6e-6)
    assert any("300,000" in note and "272,000" in note for note in tier_notes(price, demand))


def test_199_999_and_200_000_are_one_threshold():
    price = replace(SONNET, tiers=(replace(SONNET.tiers[0], threshold_tok=199_999),))
    demand = demand_of([150_000, 220_000], [0, 0], [0, 0])

    assert demand_api_usd(price, demand) == pytest.approx(demand_api_usd(SONNET, demand))
    assert not any("nearest length" in note for note in tier_notes(price, demand))


def test_unknown_long_shares_give_no_cost_rather_than_the_base_price():
    demand = replace(demand_of([10_000], [0], [100]), long=())

    cost = api_cost(ApiPlan(provider="anthropic", model="claude-sonnet-4-5"), demand)

    assert cost.usd is None
    assert any("not known" in note for note in cost.notes)


def test_unknown_cached_tokens_get_no_discount():
    known, unknown = demand_of([10_000], [0], [100]), demand_of([10_000], [np.nan], [100])

    assert demand_api_usd(SONNET, unknown) == pytest.approx(demand_api_usd(SONNET, known))
    assert any("no cache discount" in note for note in tier_notes(SONNET, unknown))


def test_prompts_longer_than_the_context_window_are_pointed_out():
    demand = demand_of([10_000, 250_000], [0, 0], [100, 100])

    assert any("50.00% of requests" in note and "refused" in note for note in tier_notes(SONNET, demand))


def test_an_announced_rise_reaches_the_days_from_which_it_holds():
    """gemini-4-argon: $2 in, $10 out until 2026-11-30, then $4 and $20."""
    demand = demand_of([1_000_000], [0], [0], days=10, as_of=date(2026, 11, 25))
    demand = replace(demand, prompt_tok=np.full((1, 10), 1_000.0), long=demand_of([1_000], [0], [0]).long)

    cost = api_cost(ApiPlan(provider="google", model="gemini-4-argon"), demand)

    assert cost.usd is not None
    assert cost.usd[0] == pytest.approx([0.002] * 6 + [0.004] * 4)
    assert any("changes within the horizon" in note for note in cost.notes)


def test_batch_without_a_price_is_unknown_with_its_reason():
    plan = ApiPlan(provider="together", model="meta-llama/Llama-3.3-70B-Instruct-Turbo")
    demand = demand_of([1_000], [0], [100])

    unknown = api_cost(plan, demand, processing="batch")
    stated = api_cost(plan, demand, processing="batch", batch_fraction=0.5)
    normal = api_cost(plan, demand)

    assert unknown.usd is None
    assert "batch_fraction" in unknown.notes[0]
    assert stated.usd is not None
    assert normal.usd is not None
    assert stated.usd == pytest.approx(normal.usd / 2)
