from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from data.catalog.gpus import load_gpus
from data.catalog.models import load_models
from data.traffic import SUMS
from sizing.profile import Slo, replica_profile
from sizing.windows import busy_windows, window_work_s, work_share_above


@pytest.fixture(scope="module")
def profile():
    return replica_profile(
        load_models()["llama-3.1-8b"],
        load_gpus()["h100"],
        tp=1,
        precision="fp8",
        kv_precision="fp8",
        slo=Slo(),
        prompt_tok=1_500,
        cached_prompt_tok=0,
        output_tok=300,
    )


def test_ratio_of_busy_windows_is_that_of_their_work_to_the_day(worlds, profile):
    demand, traffic = worlds()
    busy = busy_windows(traffic, profile, demand.moments)
    work = window_work_s(traffic.windows, profile, demand.moments)
    ratio = work / work.groupby(work.index.floor("D")).transform("mean")

    assert busy.by_day
    assert busy.p99 == pytest.approx(np.quantile(ratio, 0.99))
    assert 1 < busy.p95 < busy.p99
    assert 1 < busy.hour_planned < busy.p99


def test_steady_traffic_has_no_busy_windows(worlds, profile):
    demand, traffic = worlds()
    windows = traffic.windows.copy()
    windows.loc[:, :] = windows.mean().to_numpy()
    steady = busy_windows(replace(traffic, windows=windows), profile, demand.moments)

    assert (steady.p95, steady.p99, steady.hour_planned) == pytest.approx((1, 1, 1))
    assert steady.p99_load(np.array([3.0])) == pytest.approx(3.0)


def test_long_answers_are_decoded_over_the_time_that_they_take(worlds, profile):
    demand, traffic = worlds(burst=1.0)
    slow = replace(profile, tpot_s=100 / profile.output_tok)  # ten windows of 10 s
    quick = replace(profile, tpot_s=1 / profile.output_tok)
    spread, at_once = (window_work_s(traffic.windows, p, demand.moments) for p in (slow, quick))

    assert spread.sum() == pytest.approx(at_once.sum(), rel=1e-3)
    assert spread.quantile(0.99) < at_once.quantile(0.99)
    assert at_once.to_numpy() == pytest.approx(profile.work_s(traffic.windows[list(SUMS)].to_numpy()))


def test_load_that_was_seen_is_planned_on_as_it_was_seen(worlds, profile):
    demand, traffic = worlds()
    busy = busy_windows(traffic, profile, demand.moments)

    assert busy.p99_load(np.array(busy.mean_load)) == pytest.approx(busy.p99 * busy.mean_load)


def test_bursts_of_a_hundred_times_the_users_are_ten_times_as_large(worlds, profile):
    # Poisson arrivals of rate 100 r: the standard deviation of a window's count is 10 times that of rate r.
    demand, traffic = worlds()
    busy = busy_windows(traffic, profile, demand.moments)
    burst = busy.p99_load(np.array(busy.mean_load)) - busy.hours_p99 * busy.mean_load
    larger = busy.p99_load(np.array(100 * busy.mean_load)) - busy.hours_p99 * 100 * busy.mean_load

    assert larger == pytest.approx(10 * burst)


def test_rescaled_windows_are_those_of_larger_poisson_traffic(worlds, profile):
    demand, small = worlds(requests_per_day=50_000.0, burst=0.0)
    _, large = worlds(requests_per_day=1_250_000.0, burst=0.0)
    rng = np.random.default_rng(2)
    shape = small.windows["requests"] / small.windows["requests"].mean()
    found = []
    for traffic in (small, large):
        rate = 10 * traffic.windows["requests"].sum() / len(shape) / 10
        drawn = pd.Series(rng.poisson(rate * shape.clip(lower=0.2)), index=shape.index)
        windows = traffic.windows.div(traffic.windows["requests"], axis=0).ffill().bfill().mul(drawn, axis=0)
        found.append(busy_windows(replace(traffic, windows=windows), profile, demand.moments))
    rescaled = found[0].p99_load(np.array(found[1].mean_load))

    assert rescaled == pytest.approx(found[1].p99 * found[1].mean_load, rel=0.1)
    assert found[0].p99 * found[1].mean_load > 1.3 * rescaled  # what keeping the ratio would ask


def test_long_prompts_in_one_window_are_work_that_requests_do_not_show(worlds, profile):
    demand, traffic = worlds(burst=0.0)
    windows = traffic.windows.copy()
    busy = windows.index[::50]
    windows.loc[busy, ["prompt_tok_sum", "prompt_tok_sq_sum"]] *= [20.0, 400.0]
    long = busy_windows(replace(traffic, windows=windows), profile, demand.moments)

    assert long.p99 > 3 * busy_windows(traffic, profile, demand.moments).p99


def test_outage_day_does_not_make_the_others_look_calm(worlds, profile):
    demand, traffic = worlds()
    windows = traffic.windows.copy()
    outage = windows.index.floor("D") == windows.index[0].floor("D")
    windows.loc[outage] = 0.0
    windows.loc[windows.index[:3]] = traffic.windows.iloc[:3]
    cut = busy_windows(replace(traffic, windows=windows), profile, demand.moments)

    assert cut.p99 == pytest.approx(busy_windows(traffic, profile, demand.moments).p99, rel=0.05)


def test_less_than_a_day_is_measured_against_all_of_it(worlds, profile):
    demand, traffic = worlds(seen_days=0.25)
    busy = busy_windows(traffic, profile, demand.moments)

    assert not busy.by_day
    assert busy.p99 > 1


def test_windows_without_traffic_say_nothing(worlds, profile):
    demand, traffic = worlds()

    assert busy_windows(replace(traffic, windows=traffic.windows.iloc[:0]), profile, demand.moments) is None
    assert busy_windows(replace(traffic, windows=traffic.windows * 0), profile, demand.moments) is None


def test_squares_that_an_aggregate_does_not_state_come_from_moments(worlds, profile):
    demand, known = worlds(window_s=600)
    _, unknown = worlds(window_s=600, known_squares=False)

    assert window_work_s(unknown.windows, profile, demand.moments).to_numpy() == pytest.approx(
        window_work_s(known.windows, profile, demand.moments).to_numpy()
    )


def test_work_share_of_long_prompts_exceeds_their_share_of_requests(worlds, profile):
    demand, traffic = worlds()
    daily = traffic.daily.copy()
    for name in SUMS:
        daily[f"long_32000_{name}"] = 0.0
    daily["long_32000_requests"] = daily["requests"] * 0.01
    daily["long_32000_prompt_tok_sum"] = daily["prompt_tok_sum"] * 0.2
    daily["long_32000_prompt_tok_sq_sum"] = daily["prompt_tok_sq_sum"] * 0.6
    share = work_share_above(replace(traffic, daily=daily), profile, 32_000, demand.moments)

    assert 0.05 < share < 1


def test_work_share_that_nobody_counted_is_unknown(worlds, profile):
    demand, traffic = worlds()

    assert work_share_above(traffic, profile, 32_000, demand.moments) is None
