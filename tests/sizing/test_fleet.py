from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.catalog.gpus import load_gpus
from data.catalog.models import load_models
from data.errors import UserError
from data.units import DAY_S
from forecasting.demand import TokenOutlook
from sizing.fleet import WINDOW_UTILISATION, plan_fleet
from sizing.profile import Slo, replica_profile
from sizing.windows import busy_windows


def profiled(tp=2, prompt_tok=1_500):
    return replica_profile(
        load_models()["llama-3.1-70b"],
        load_gpus()["h100"],
        tp=tp,
        precision="fp8",
        kv_precision="fp8",
        slo=Slo(tpot_s=0.06),
        prompt_tok=prompt_tok,
        cached_prompt_tok=0,
        output_tok=300,
    )


PROFILE = profiled()


def quantiles(plan):
    return [(h.gpus_p50, h.gpus_p80, h.gpus_p95) for h in plan.horizons]


def test_online_fleet_is_the_busiest_windows_work_in_whole_replicas_plus_one(worlds):
    demand, traffic = worlds()
    plan = plan_fleet(demand, traffic, PROFILE, category="online")
    busy = busy_windows(traffic, PROFILE, demand.moments)
    load = PROFILE.work_s(demand.sums()) / DAY_S

    assert (plan.need_gpus == (np.ceil(busy.p99_load(load) / WINDOW_UTILISATION) + 1) * 2).all()
    assert plan.need_gpus.dtype == np.int64
    assert plan.horizons[0].spare_gpus == plan.spare_gpus == 2


def test_horizon_is_the_quantile_of_the_largest_day_of_each_path(worlds):
    demand, traffic = worlds()
    plan = plan_fleet(demand, traffic, PROFILE, category="online", horizons=(7, 40))

    for horizon in plan.horizons:
        largest = plan.need_gpus[:, : horizon.days].max(axis=1)
        assert horizon.gpus_p80 == np.quantile(largest, 0.8, method="higher")
        assert horizon.gpus_p50 == np.quantile(largest, 0.5, method="higher")
        assert horizon.nodes == -(-horizon.gpus_p80 // 8)


def test_horizons_beyond_the_paths_are_left_out(worlds):
    demand, traffic = worlds(days=40)

    assert [h.days for h in plan_fleet(demand, traffic, PROFILE, category="online").horizons] == [30]


def test_longer_horizons_never_take_fewer_gpus(worlds):
    demand, traffic = worlds(days=95)
    plan = plan_fleet(demand, traffic, PROFILE, category="online", horizons=(30, 60, 90))

    assert quantiles(plan) == sorted(quantiles(plan))


def test_band_of_throughput_brackets_the_plan(worlds):
    demand, traffic = worlds()
    (horizon,) = plan_fleet(demand, traffic, PROFILE, category="online").horizons

    assert horizon.gpus_low <= horizon.gpus_p80 <= horizon.gpus_high
    assert horizon.gpus_low < horizon.gpus_high


def test_three_ways_of_planning_stand_side_by_side(worlds):
    tok = np.full((4, 40, 3), 4_000.0)
    tokens = tuple(
        TokenOutlook(field=f, tok=tok if f == "prompt" else tok / 5) for f in ("prompt", "cached", "output")
    )
    demand, traffic = worlds(tokens=tokens)
    (horizon,) = plan_fleet(demand, traffic, PROFILE, category="online").horizons

    assert horizon.windowed_p95_gpus <= horizon.windowed_p99_gpus
    assert horizon.p95_lengths_gpus > 2 * horizon.mean_plan_gpus
    assert horizon.windowed_p99_gpus == horizon.gpus_p80 - horizon.spare_gpus


def test_lengths_plan_is_unknown_where_percentiles_are(worlds):
    unknown = tuple(TokenOutlook(field=f, tok=np.full((4, 40, 3), np.nan)) for f in ("prompt", "output"))
    for tokens in ((), unknown):
        demand, traffic = worlds(tokens=tokens)
        assert plan_fleet(demand, traffic, PROFILE, category="online").horizons[0].p95_lengths_gpus is None


def test_aggregates_get_no_10_s_plan_and_say_so(worlds):
    demand, traffic = worlds(window_s=600)
    plan = plan_fleet(demand, traffic, PROFILE, category="online")

    assert plan.horizons[0].windowed_p99_gpus is None
    assert plan.horizons[0].gpus_p80 > plan.horizons[0].mean_plan_gpus
    assert "windows of 600 s" in plan.notes[0]
    assert "no 10-s plan" in plan.notes[0]


def test_traffic_without_windows_falls_back_to_the_mean_plan_and_says_so(worlds):
    demand, traffic = worlds()
    plan = plan_fleet(demand, replace(traffic, windows=traffic.windows.iloc[:0]), PROFILE, category="online")

    assert plan.horizons[0].gpus_p80 == plan.horizons[0].mean_plan_gpus + 2
    assert "mean plan" in plan.notes[0]


def test_hours_never_take_more_than_the_day_and_give_gpus_back_at_night(worlds):
    demand, traffic = worlds(requests_per_day=20_000_000.0)
    plan = plan_fleet(demand, traffic, PROFILE, category="online")
    hourly = plan.hourly_gpus()

    assert hourly.shape == (20, 40, 24)
    assert (hourly <= plan.need_gpus[:, :, None]).all()
    assert (hourly % 2 == 0).all()
    assert hourly.min(axis=2).mean() < 0.6 * hourly.max(axis=2).mean()


def test_day_without_traffic_takes_no_gpu(worlds):
    demand, traffic = worlds()
    demand.requests[:, 3] = 0.0
    plan = plan_fleet(demand, traffic, PROFILE, category="online")

    assert (plan.need_gpus[:, 3] == 0).all()
    assert (plan.need_gpus[:, 4] > 0).all()


def test_path_whose_cached_lengths_overtake_its_prompts_is_all_cached_and_not_less_than_nothing(worlds):
    demand, traffic = worlds()
    over = replace(demand, cached_prompt_tok=demand.prompt_tok * 3.0)
    all_cached = replace(demand, cached_prompt_tok=demand.prompt_tok)
    plan = plan_fleet(over, traffic, PROFILE, category="online")

    assert (plan.load > 0).all()
    assert (plan.need_gpus <= plan_fleet(demand, traffic, PROFILE, category="online").need_gpus).all()
    assert (plan.load <= plan_fleet(all_cached, traffic, PROFILE, category="online").load * (1 + 1e-9)).all()


def test_demand_that_is_not_known_is_refused(worlds):
    demand, traffic = worlds()
    unknown = replace(demand, output_tok=np.full_like(demand.output_tok, np.nan))

    with pytest.raises(UserError, match="Workload 'chat' has days without a known number"):
        plan_fleet(unknown, traffic, PROFILE, category="online")


def test_batch_within_a_day_runs_at_about_the_mean_rate_all_day(worlds):
    demand, traffic = worlds(requests_per_day=20_000_000.0, spread=0.0)
    flat = replace(demand, hour_of_week=np.ones(168))
    plan = plan_fleet(flat, traffic, PROFILE, category="batch", deadline_h=24, mean_utilisation=1.0)
    mean = plan.load.mean() * 2

    assert plan.horizons[0].spare_gpus == 0
    assert 0.6 * mean < plan.horizons[0].gpus_p80 < 1.05 * mean  # arrivals of x hours have x + 24 to be done in
    assert (plan.hourly_gpus() == plan.need_gpus[:, :, None]).all()


def test_batch_that_comes_in_one_hour_is_spread_over_its_deadline(worlds):
    demand, traffic = worlds(requests_per_day=20_000_000.0, spread=0.0)
    nightly = np.zeros(168)
    nightly[2::24] = 24.0
    once = replace(demand, hour_of_week=nightly)
    plan = plan_fleet(once, traffic, PROFILE, category="batch", deadline_h=5, mean_utilisation=1.0)

    # One hour's arrivals of a whole day's work: done within 1 + 5 hours of the first.
    assert plan.need_gpus.max() == pytest.approx(plan.load.max() * 24 / 6 * 2, abs=2)


def test_power_is_unknown_where_tdp_is(worlds):
    demand, traffic = worlds()
    known = plan_fleet(demand, traffic, PROFILE, category="online", tdp_w=700.0).horizons[0]

    assert known.power_kw == pytest.approx(known.gpus_p80 * 0.7)
    assert plan_fleet(demand, traffic, PROFILE, category="online").horizons[0].power_kw is None


@settings(max_examples=25, deadline=None)
@given(
    times=st.floats(1.0, 5.0),
    what=st.sampled_from(("requests", "prompt_tok", "output_tok")),
    category=st.sampled_from(("online", "batch")),
)
def test_more_demand_never_takes_fewer_gpus(worlds, times, what, category):
    demand, traffic = worlds(paths=4, days=31)
    more = replace(demand, **{what: getattr(demand, what) * times})
    before = plan_fleet(demand, traffic, PROFILE, category=category)
    after = plan_fleet(more, traffic, PROFILE, category=category)

    assert (after.need_gpus >= before.need_gpus).all()
    assert quantiles(after) >= quantiles(before)


@settings(max_examples=25, deadline=None)
@given(mean=st.floats(0.3, 0.9), window=st.floats(0.3, 0.9), deadline=st.floats(1, 24), slack=st.floats(1.0, 1.1))
def test_fuller_fleets_and_later_deadlines_never_take_more_gpus(worlds, mean, window, deadline, slack):
    demand, traffic = worlds(paths=3, days=31)

    def need(category, **rules):
        return plan_fleet(demand, traffic, PROFILE, category=category, **rules).need_gpus

    assert (need("online", window_utilisation=window * slack) <= need("online", window_utilisation=window)).all()
    assert (need("batch", deadline_h=deadline * slack) <= need("batch", deadline_h=deadline)).all()
    assert (need("batch", mean_utilisation=mean * slack) <= need("batch", mean_utilisation=mean)).all()
