"""Token lengths: means, moments, long shares and percentiles that never cross."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from data.traffic import SUMS
from forecasting.outlook import forecast_traffic
from forecasting.tokens import long_shares, mean_tokens, percentile_tokens, second_moments, token_outlook

AS_OF = date(2026, 11, 5)


def test_mean_tokens_are_the_sum_over_the_requests_and_unknown_without_any():
    daily = pd.DataFrame({"requests": [10.0, 0.0, 5.0], "prompt_tok_sum": [1000.0, 0.0, np.nan]})

    found = mean_tokens(daily, "prompt")

    assert found[0] == 100.0
    assert np.isnan(found[1:]).all()


def test_moments_come_back_from_the_sums(make_traffic):
    found = second_moments(make_traffic())

    ratios = (found.prompt_sq, found.cached_sq, found.prompt_cached, found.prompt_output, found.output_sq)
    # the fixture's E[P^2] is 2 E[P]^2 on each day; days differ by 3%, which adds 0.1%
    assert ratios == pytest.approx((2, 3, 2, 1.2, 2), rel=0.005)


def test_moments_fall_back_on_the_joint_lengths(make_traffic):
    traffic = make_traffic()
    joint = {
        "prompt_tok": [100.0, 300.0],
        "output_tok": [10.0, 30.0],
        "cached_share": [0.0, 0.5],
        "weight": [0.5, 0.5],
    }
    unknown = traffic.daily.assign(prompt_tok_sq_sum=np.nan)

    found = second_moments(replace(traffic, daily=unknown, joint=pd.DataFrame(joint)))

    assert found.prompt_sq == pytest.approx((100**2 + 300**2) / 2 / 200**2)
    assert found.prompt_output == pytest.approx((100 * 10 + 300 * 30) / 2 / (200 * 20))
    assert found.cached_sq == pytest.approx(150**2 / 2 / 75**2)


def test_moments_that_nothing_tells_stay_unknown(make_traffic):
    traffic = make_traffic()
    bare = replace(traffic, daily=traffic.daily.assign(prompt_tok_sq_sum=np.nan), joint=traffic.joint.iloc[:0])

    assert np.isnan(second_moments(bare).prompt_sq)


def test_a_ratio_whose_mean_is_zero_is_one(make_traffic):
    traffic = make_traffic()
    none = {name: 0.0 for name in SUMS if "cached" in name}

    assert second_moments(replace(traffic, daily=traffic.daily.assign(**none))).cached_sq == 1.0


def test_long_shares_come_from_the_sums_kept_apart(make_traffic):
    found = {share.threshold_tok: share for share in long_shares(make_traffic())}

    assert found[100_000].requests == pytest.approx(0.01)
    assert found[200_000].prompt_tok == pytest.approx(0.005)


def test_long_shares_fall_back_on_the_joint_lengths(make_traffic):
    traffic = make_traffic()
    daily = traffic.daily.drop(columns=[c for c in traffic.daily if c.startswith("long_")])
    joint = pd.DataFrame(
        {
            "prompt_tok": [1000.0, 150_000.0],
            "output_tok": [10.0, 30.0],
            "cached_share": np.nan,
            "weight": [3.0, 1.0],
        }
    )

    found = {share.threshold_tok: share for share in long_shares(replace(traffic, daily=daily, joint=joint))}

    assert found[128_000].requests == 0.25
    assert found[128_000].prompt_tok == pytest.approx(150_000 / 153_000)
    assert found[200_000].requests == 0.0


LENGTHS = arrays(np.float64, (4, 5, 3), elements=st.floats(0, 1e9))


@given(paths=LENGTHS, mean=arrays(np.float64, (5, 3), elements=st.floats(0, 1e9)))
def test_percentiles_never_cross_and_never_imply_more_than_the_mean(paths, mean):
    found = token_outlook("prompt", paths, mean)

    assert found.paths.shape == (4, 5, 3)
    assert found.tok.shape == (4, 3, 5)
    assert (np.diff(found.paths, axis=0) >= 0).all(), "on every path and day"
    assert (np.diff(found.tok, axis=0) >= 0).all(), "in every quantile of every day"
    assert (np.diff(found.tok, axis=2) >= 0).all()
    p50, p90, p95, p99 = found.paths.astype(np.float64)
    assert (0.4 * p50 + 0.05 * p90 + 0.04 * p95 + 0.01 * p99 <= mean * (1 + 1e-6) + 1e-30).all()


def test_lengths_that_the_mean_allows_stay_as_they_were_forecast():
    paths = np.array([100.0, 400.0, 600.0, 1000.0])[:, None, None] * np.ones((4, 3, 2))  # at least 94 in the mean

    kept = token_outlook("prompt", paths, np.full((3, 2), 94.0))
    shrunk = token_outlook("prompt", paths, np.full((3, 2), 47.0))

    assert kept.tok[:, 0, 2].tolist() == [100.0, 400.0, 600.0, 1000.0]
    assert shrunk.tok[:, 0, 2].tolist() == [50.0, 200.0, 300.0, 500.0]


def test_unknown_means_leave_percentiles_alone():
    found = token_outlook("output", np.ones((4, 3, 2)), np.full((3, 2), np.nan))

    assert (found.tok == 1.0).all()


def test_a_small_cached_share_is_uncertain_in_proportion(make_traffic):
    traffic = make_traffic()
    daily = traffic.daily.assign(cached_prompt_tok_sum=0.02 * traffic.daily["prompt_tok_sum"])

    demand = forecast_traffic(replace(traffic, daily=daily), as_of=AS_OF, seed=1, days=90, paths=100).demand

    share = demand.cached_prompt_tok / demand.prompt_tok
    assert (share > 0.005).all(), "2% may halve, not vanish"
    assert (share < 0.08).all()


def test_percentiles_are_read_by_field(make_traffic):
    assert percentile_tokens(make_traffic(days=5).daily, "output").shape == (4, 5)
