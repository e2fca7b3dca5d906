"""Where the two bills meet: by hand, at the point itself, and around it with whole GPUs."""

from datetime import UTC, date, datetime
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from data.catalog.prices import GpuOffer
from data.errors import UserError
from sizing.api_cost import api_price, request_usd
from sizing.breakeven import (
    Replica,
    breakeven,
    breakeven_qps,
    breakeven_qps_for_good,
    fleet_usd_per_month,
    gpu_request_usd,
    mean_gpu_s,
)

MONTH_S = 365.25 / 12 * 86_400
LLAMA_TOK = 7_744 + 256
LLAMA_API_USD = LLAMA_TOK * 0.18e-6
LLAMA = Replica(gpus=1, gpu_s_per_request=0.36, utilisation=0.7, error_p10=0.8, error_p90=1.25)

gpu_seconds = st.floats(0.01, 50)
api_usd = st.floats(1e-5, 1.0)
hourly_usd = st.floats(0.5, 15)


def h100(low=2.0, high=4.0):
    return GpuOffer(
        gpu="h100",
        term="on-demand",
        usd_per_gpu_hour_low=low,
        usd_per_gpu_hour_high=high,
        provider="example",
        source="planning table",
        checked=date(2026, 11, 23),
        price_source="planning-table",
    )


def llama(**changed):
    asked = {"api_usd_per_request": LLAMA_API_USD, "tok_per_request": LLAMA_TOK, "now_qps": 50.0}
    return breakeven(LLAMA, h100(), **(asked | changed))


def test_llama_8b_on_an_h100_against_18_cents_a_million():
    """8,000 tokens at $0.18/M are $0.00144. An H100 at $3 buys 3 / 0.00144 = 2,083 an hour: 0.579 a second.

    At 0.36 GPU-seconds a request (7,744 tokens x 16.06 GFLOP at 45% of 989 TFLOP/s is 0.28 s of prefill, the rest
    decode) that is 21% of one GPU's time, and a fleet at 70% pays 0.36 x 3 / 3600 / 0.7 = $0.000429 a request.
    """
    point = llama()

    assert pytest.approx(0.00144) == LLAMA_API_USD
    assert point.qps == pytest.approx(3 / (3_600 * 0.00144))
    assert point.qps == pytest.approx(0.5787, abs=1e-4)
    assert point.utilisation == pytest.approx(0.5787 * 0.36, abs=1e-4)
    assert point.gpu_usd_per_request == pytest.approx(0.000429, abs=1e-6)
    assert point.mtok_per_month == pytest.approx(0.5787 * 8_000 * MONTH_S / 1e6, rel=1e-3)
    assert (point.qps_low, point.qps_high) == pytest.approx((point.qps * 2 / 3, point.qps * 4 / 3))
    assert point.api_usd_per_mtok == pytest.approx(0.18)
    assert "at 0.579 requests a second" in point.sentence
    assert "busy 21% of the time" in point.sentence


def test_18_cents_a_million_is_a_price_that_the_list_has():
    price = api_price(
        "together", "meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo", at=datetime(2026, 11, 23, tzinfo=UTC)
    )

    assert request_usd(price, 7_744, 0, 256) == pytest.approx(LLAMA_API_USD)


def test_below_the_gpus_marginal_cost_no_volume_breaks_even():
    """At $0.04/M a request brings $0.00032, less than the $0.000429 of GPU time that it takes."""
    point = llama(api_usd_per_request=LLAMA_TOK * 0.04e-6)

    assert (point.qps, point.qps_for_good, point.utilisation, point.mtok_per_month) == (None, None, None, None)
    assert point.sentence.startswith("No breakeven exists on h100 at $3.00 an hour: at 70% utilisation")
    assert "more than the $0.00032 that the API charges, at any volume as bursty" in point.sentence
    assert point.qps_low is not None
    assert "At the low end of the price range it exists" in point.sentence


def test_the_bad_end_of_the_throughput_band_can_lose_the_breakeven():
    """At 0.8 of the predicted throughput and $4 a request takes 0.45 x 4 / 3600 / 0.7 = $0.000714."""
    point = llama(api_usd_per_request=0.0006)

    assert point.qps is not None
    assert point.qps_high is None
    assert "none at the high end" in point.sentence


@given(w=gpu_seconds, api=api_usd, price=hourly_usd, gpus=st.integers(1, 8))
def test_at_the_breakeven_both_bills_are_equal(w, api, price, gpus):
    replica = Replica(gpus=gpus, gpu_s_per_request=w, utilisation=0.7)
    qps = breakeven_qps(replica, usd_per_gpu_hour=price, api_usd_per_request=api)
    assume(qps is not None)

    assert fleet_usd_per_month(replica, qps, usd_per_gpu_hour=price) == pytest.approx(qps * api * MONTH_S)
    assert qps <= replica.qps * (1 + 1e-9)


@given(w=gpu_seconds, api=api_usd, price=hourly_usd, share=st.floats(0.01, 0.999))
def test_below_the_breakeven_the_api_is_cheaper(w, api, price, share):
    replica = Replica(gpus=1, gpu_s_per_request=w, utilisation=0.7)
    qps = breakeven_qps(replica, usd_per_gpu_hour=price, api_usd_per_request=api)
    assume(qps is not None)

    assert fleet_usd_per_month(replica, qps * share, usd_per_gpu_hour=price) > qps * share * api * MONTH_S


@given(w=gpu_seconds, price=hourly_usd, margin=st.floats(1.01, 20))
def test_past_the_second_breakeven_no_step_loses_again(w, price, margin):
    replica = Replica(gpus=1, gpu_s_per_request=w, utilisation=0.7)
    api = gpu_request_usd(w, price, 0.7) * margin
    qps = breakeven_qps_for_good(replica, usd_per_gpu_hour=price, api_usd_per_request=api)
    assert qps is not None

    rates = [qps * f for f in np.geomspace(1, 30, 200)] + [n * replica.qps * 1.001 for n in range(1, 400)]
    for rate in (r for r in rates if r >= qps):
        assert fleet_usd_per_month(replica, rate, usd_per_gpu_hour=price) <= rate * api * MONTH_S * (1 + 1e-6)


def test_a_step_of_the_staircase_can_lose_it_again():
    """At a 25% margin the second replica breaks even only at 2 / 1.25 of one replica's load: n = 1 / 0.25 = 4."""
    replica = Replica(gpus=1, gpu_s_per_request=0.7, utilisation=0.7)  # one request a second a replica
    api = gpu_request_usd(0.7, 3.6, 0.7) * 1.25  # $0.00125 against $0.001

    first = breakeven_qps(replica, usd_per_gpu_hour=3.6, api_usd_per_request=api)
    good = breakeven_qps_for_good(replica, usd_per_gpu_hour=3.6, api_usd_per_request=api)

    assert first == pytest.approx(0.8)
    assert good == pytest.approx(3.2)
    assert fleet_usd_per_month(replica, 1.1, usd_per_gpu_hour=3.6) > 1.1 * api * MONTH_S


def test_the_mean_request_is_weighed_by_the_traffic_not_by_days():
    """100 requests of 10 tokens, then 300 of 30: (100 x 10 + 300 x 30) / 400 = 25 tokens of 0.01 s."""
    profile = SimpleNamespace(gpu_work_s=lambda sums: sums[1] * 0.01)
    day, tokens = np.array([[100.0, 300.0]]), np.array([[10.0, 30.0]])
    demand = SimpleNamespace(sums=lambda: np.stack([day, day * tokens], axis=-1))

    assert mean_gpu_s(profile, demand) == pytest.approx(0.25)


def test_no_requests_take_an_unknown_time_not_none():
    demand = SimpleNamespace(sums=lambda: np.zeros((1, 2, 9)))

    assert np.isnan(mean_gpu_s(SimpleNamespace(gpu_work_s=lambda sums: 0.0), demand))


def test_the_curve_is_a_staircase_of_whole_replicas():
    point = llama(now_qps=5.0)

    steps = sorted(set(point.curve_gpu_usd_per_month))
    assert steps[0] == pytest.approx(3.0 * 730.5)
    assert np.diff(steps) == pytest.approx(np.full(len(steps) - 1, 3.0 * 730.5))
    assert point.curve_qps[0] == 0.0
    assert point.curve_qps[-1] >= 5.0


@pytest.mark.parametrize(
    "wrong", [{"gpus": 0}, {"gpu_s_per_request": 0.0}, {"utilisation": 0.0}, {"utilisation": 1.2}]
)
def test_a_replica_that_can_do_nothing_is_refused(wrong):
    with pytest.raises(UserError, match="has no price"):
        Replica(**({"gpus": 1, "gpu_s_per_request": 1.0, "utilisation": 0.7} | wrong))


def test_an_api_price_of_nothing_is_refused():
    with pytest.raises(UserError, match="API price"):
        llama(api_usd_per_request=0.0)
