"""One input at a time: by hand, and which way each of them must move the breakeven."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import UserError
from sizing.tornado import Case, Lengths, Swings, tornado

LENGTHS = Lengths(prompt_tok=7_744, cached_tok=0, output_tok=256)


def gpu_s(lengths):
    """0.36 GPU-seconds for the request of the docs, the uncached prompt 30 of the 36."""
    return (lengths.prompt_tok - lengths.cached_tok) / 7_744 * 0.30 + lengths.output_tok / 256 * 0.06


def api_usd(lengths):
    return (lengths.prompt_tok + lengths.output_tok) * 0.18e-6


def base(**more):
    values = {
        "gpus": 1,
        "usd_per_gpu_hour": 3.0,
        "utilisation": 0.7,
        "gpu_s": gpu_s(LENGTHS),
        "api_usd": api_usd(LENGTHS),
        "tok_per_request": 8_000,
    }
    return Case(**{**values, **more})


def bars(**more):
    ranges = {"throughput_band": (0.8, 1.25), "gpu_price_range": (2.0, 4.0), **more}
    return {b.factor: b for b in tornado(base(), LENGTHS, gpu_s=gpu_s, api_usd=api_usd, **ranges)}


def test_the_base_case_breaks_even_at_21_percent_and_2083_requests_an_hour():
    """3 / 0.00144 = 2,083 an hour = 0.5787 a second x 0.36 s = 0.2083; x 8,000 tokens x 730.5 h = 12,175 Mtok."""
    case = base()

    assert case.qps * 3_600 == pytest.approx(2_083.33, abs=0.01)
    assert case.needed_utilisation == pytest.approx(0.20833, abs=1e-5)
    assert case.mtok_per_month == pytest.approx(12_175, abs=1)


def test_half_the_api_price_needs_twice_the_utilisation_and_twice_the_gpu_price_too():
    found = bars()

    assert found["API price"].low == pytest.approx(2 * base().needed_utilisation)
    assert found["GPU price"].high == pytest.approx(base().needed_utilisation * 4 / 3)
    assert found["Throughput (MFU)"].low == pytest.approx(base().needed_utilisation / 0.8)


def test_a_fifth_of_the_prompt_from_the_cache_saves_a_fifth_of_its_prefill():
    assert bars()["Cache hits"].high == pytest.approx(base().needed_utilisation * (0.06 + 0.30 * 0.8) / 0.36)


def test_bars_stand_widest_first_and_cover_all_five_inputs_of_the_question():
    found = list(bars().values())

    assert [b.width for b in found] == sorted((b.width for b in found), reverse=True)
    assert {b.factor for b in found} == {
        *("API price", "Throughput (MFU)", "Cache hits", "Prompt length", "Output length", "GPU price"),
    }


def test_one_quote_is_moved_by_the_stated_swing():
    assert bars(gpu_price_range=(3.0, 3.0))["GPU price"].high_text == "$3.60 an hour"


@given(st.floats(0.01, 10), st.floats(0.01, 100), st.floats(1e-6, 1))
def test_a_breakeven_exists_exactly_where_the_needed_utilisation_can_be_reached(seconds, price, api):
    case = base(gpu_s=seconds, usd_per_gpu_hour=price, api_usd=api)

    assert (case.qps is None) == (case.needed_utilisation > case.utilisation)
    if case.qps is not None:
        assert case.qps * seconds == pytest.approx(case.needed_utilisation)  # work of one GPU a second


def test_a_swing_that_leaves_out_today_is_refused():
    with pytest.raises(UserError, match="must hold 1 between"):
        Swings(api_price=(1.1, 1.5))
