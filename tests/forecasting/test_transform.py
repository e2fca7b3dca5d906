"""What changes when demand is different, and what must not."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import UserError
from data.traffic import SUMS
from forecasting.demand import Demand, LongShare, Moments, TokenOutlook
from forecasting.transform import (
    LongSquares,
    least_squares,
    long_squares,
    per_request_gains,
    since,
    some_paths,
    times_long,
    times_requests,
    times_tokens,
    windows_times,
)

SHORT, LONG = (1_000.0, 100.0, 200.0), (100_000.0, 50_000.0, 1_000.0)
"""Prompt, cached and output tokens of two kinds of request."""


def mix(long_share: float, paths: int = 2, days: int = 3, requests: float = 1_000.0) -> Demand:
    """Return the demand of a mix of two kinds of requests, long ones making up `long_share`."""
    w = np.array([1 - long_share, long_share])
    p, c, o = np.array([SHORT, LONG]).T
    mean = {"p": w @ p, "c": w @ c, "o": w @ o}
    shape = (paths, days)
    shares = [long_share, *(long_share * length / mean[k] for length, k in zip(LONG, "pco", strict=True))]
    names = ("requests", "prompt_tok", "cached_prompt_tok", "output_tok")
    return Demand(
        workload="chat",
        as_of=date(2026, 11, 2),
        basis="history",
        days=np.datetime64("2026-11-02") + np.arange(days),
        requests=np.full(shape, requests),
        prompt_tok=np.full(shape, mean["p"]),
        cached_prompt_tok=np.full(shape, mean["c"]),
        output_tok=np.full(shape, mean["o"]),
        busiest_10s_factor=np.full(shape, 3.0),
        window_s=10,
        moments=Moments(
            prompt_sq=w @ p**2 / mean["p"] ** 2,
            cached_sq=w @ c**2 / mean["c"] ** 2,
            prompt_cached=w @ (p * c) / (mean["p"] * mean["c"]),
            prompt_output=w @ (p * o) / (mean["p"] * mean["o"]),
            output_sq=w @ o**2 / mean["o"] ** 2,
        ),
        long=(LongShare(threshold_tok=32_000, **dict(zip(names, shares, strict=True))),),
        tokens=(TokenOutlook(field="prompt", tok=np.ones((4, days, 5))),),
        hour_of_week=np.ones(168),
    )


def same(one: Demand, other: Demand) -> None:
    assert other.sums() == pytest.approx(one.sums())
    assert [s.requests for s in other.long] == pytest.approx([s.requests for s in one.long])
    assert [s.prompt_tok for s in other.long] == pytest.approx([s.prompt_tok for s in one.long])


@given(share=st.floats(0.001, 0.4), factor=st.floats(0.1, 2.4))
@settings(max_examples=60, deadline=None)
def test_another_share_of_long_prompts_is_the_demand_of_that_mix(share, factor):
    # Two kinds of requests, alike within: the least squares are the very ones, so all nine sums must be right.
    same(mix(min(share * factor, 1.0)), times_long(mix(share), factor))


def test_a_doubled_share_by_hand():
    # Of 1,000 requests 100 are long: 900 x 1,000 + 100 x 100,000 = 10.9 M tokens; 200: 0.8 M + 20 M.
    doubled = times_long(mix(0.1), 2.0)

    assert mix(0.1).sums()[0, 0, 1] == pytest.approx(10_900_000)
    assert doubled.sums()[0, 0, 1] == pytest.approx(20_800_000)
    assert doubled.requests.tolist() == mix(0.1).requests.tolist()
    assert doubled.tokens == ()


def test_no_more_than_all_requests_are_long():
    same(mix(1.0), times_long(mix(0.6), 5.0))


def test_a_share_between_kept_lengths_grows_by_its_long_part():
    demand = mix(0.1)
    below = replace(demand.long[0], threshold_tok=500, requests=1.0, prompt_tok=1.0, cached_prompt_tok=1.0)
    below = replace(below, output_tok=1.0)

    found = times_long(replace(demand, long=(below, *demand.long)), 2.0)

    assert [s.requests for s in found.long] == pytest.approx([1.0, 0.2])
    assert found.long[0].prompt_tok == pytest.approx(1.0)


def test_least_squares_are_least():
    # Long prompts that differ among themselves have larger squares than their mean's.
    demand = mix(0.1)
    found = least_squares(demand.long[0], demand.moments)

    assert found.prompt_sq == pytest.approx(0.1 * 100_000**2 / (0.1 * 100_000**2 + 0.9 * 1_000**2))
    known = LongSquares(prompt_sq=1.0, cached_sq=1.0, prompt_cached=1.0, prompt_output=1.0, output_sq=1.0)
    assert (times_long(demand, 2.0, squares=known).sums() >= times_long(demand, 2.0).sums() - 1e-6).all()


def test_a_share_that_nothing_tells_cannot_be_changed():
    unknown = replace(mix(0.1).long[0], requests=float("nan"))

    with pytest.raises(UserError, match="not known"):
        times_long(replace(mix(0.1), long=(unknown,)), 2.0)
    with pytest.raises(UserError, match="not known"):
        times_long(replace(mix(0.1), long=()), 2.0)


@given(factor=st.floats(0.0, 20.0))
@settings(max_examples=30, deadline=None)
def test_more_traffic_is_the_same_requests_more_often(factor):
    before, after = mix(0.1), times_requests(mix(0.1), factor)

    assert after.sums() == pytest.approx(factor * before.sums())
    assert after.long == before.long


@given(prompt=st.floats(0.1, 10), cached=st.floats(0.1, 10), output=st.floats(0.1, 10))
@settings(max_examples=40, deadline=None)
def test_longer_requests_are_as_many_and_never_more_cached_than_there_is(prompt, cached, output):
    before = mix(0.1)
    after = times_tokens(before, prompt=prompt, cached=cached, output=output)

    assert after.requests.tolist() == before.requests.tolist()
    assert after.sums()[..., 3] == pytest.approx(output * before.sums()[..., 3])
    assert after.sums()[..., 8] == pytest.approx(output**2 * before.sums()[..., 8])
    assert (after.cached_prompt_tok <= after.prompt_tok + 1e-9).all()


def test_cached_tokens_follow_the_prompt_and_thresholds_move_with_it():
    after = times_tokens(mix(0.1), prompt=3.0)

    assert after.cached_prompt_tok == pytest.approx(3 * mix(0.1).cached_prompt_tok)
    assert after.long[0].threshold_tok == 96_000
    assert after.long[0].requests == pytest.approx(0.1)
    assert after.tokens[0].tok == pytest.approx(3.0)


@pytest.mark.parametrize("change", [lambda d: times_requests(d, 1), times_tokens, lambda d: times_long(d, 1)])
def test_a_change_by_1_changes_nothing(change):
    same(mix(0.1), change(mix(0.1)))


def test_the_order_of_traffic_and_lengths_does_not_matter():
    same(
        times_tokens(times_requests(mix(0.1), 1.5), output=3.0),
        times_requests(times_tokens(mix(0.1), output=3.0), 1.5),
    )


@pytest.mark.parametrize("factor", [-1.0, float("nan"), float("inf")])
def test_a_multiplier_that_is_none_is_refused(factor):
    with pytest.raises(UserError, match="multiplier"):
        times_requests(mix(0.1), factor)


def test_the_gains_of_one_request_by_hand():
    # Prompts twice, answers three times as long: P, C by 2, O by 3, squares by the products.
    before, after = mix(0.1), times_tokens(mix(0.1), prompt=2.0, output=3.0)

    assert per_request_gains(before, after) == pytest.approx([1, 2, 2, 3, 4, 4, 4, 6, 9])
    assert per_request_gains(before, times_requests(before, 7.0)) == pytest.approx(np.ones(9))


def test_some_paths_and_later_days_are_cuts_of_the_same_paths():
    demand = replace(mix(0.1, 5, 6), requests=np.arange(30.0).reshape(5, 6))

    cut = since(some_paths(demand, np.array([0, 3])), 4)

    assert cut.requests.tolist() == [[4.0, 5.0], [22.0, 23.0]]
    assert cut.prompt_tok.shape == cut.busiest_10s_factor.shape == (2, 2)
    assert cut.days.tolist() == demand.days[4:].tolist()
    same(mix(0.1), since(some_paths(mix(0.1), np.arange(2)), 0))


def test_windows_and_squares_of_seen_traffic(make_traffic):
    traffic = make_traffic(days=40)
    found = long_squares(traffic, 100_000)

    # The fixture's long prompts make up 1,000 / threshold of every sum.
    assert found is not None
    assert found.prompt_sq == pytest.approx(0.01)
    assert found.output_sq == pytest.approx(0.01)
    daily = traffic.daily.drop(columns=[c for c in traffic.daily if c.startswith("long_")])
    assert long_squares(replace(traffic, daily=daily), 100_000) is None

    windows = traffic.daily[list(SUMS)]
    grown = windows_times(replace(traffic, windows=windows), np.arange(1.0, 10.0))
    assert grown.windows["output_tok_sum"].tolist() == pytest.approx((4 * windows["output_tok_sum"]).tolist())
    assert traffic.windows.empty  # what was seen stays as it was
