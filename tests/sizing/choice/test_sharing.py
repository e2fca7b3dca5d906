from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.catalog.gpus import load_gpus
from data.catalog.models import load_models
from data.errors import UserError
from sizing.choice.sharing import Member, share_fleet, split_usd, strictest
from sizing.fleet import plan_fleet
from sizing.profile import Slo, replica_profile


def profiled(**more):
    return replica_profile(
        load_models()["llama-3.1-70b"],
        load_gpus()["h100"],
        **{"tp": 2, "precision": "fp8", "kv_precision": "fp8", "slo": Slo(tpot_s=0.06)} | more,
        prompt_tok=1_500,
        cached_prompt_tok=0,
        output_tok=300,
    )


PROFILE = profiled()


def member(worlds, *, hours_later=0, category="online", seen_later=0, deadline_h=None, **world):
    """A workload whose day is that of `worlds`, so many hours later."""
    demand, traffic = worlds(**world)
    demand = replace(demand, hour_of_week=np.roll(demand.hour_of_week, hours_later))
    windows = traffic.windows.copy()
    windows[:] = np.roll(windows.to_numpy(), hours_later * 360, axis=0)
    windows.index = windows.index + pd.Timedelta(seen_later, "D")
    traffic = replace(traffic, windows=windows)
    fleet = plan_fleet(demand, traffic, PROFILE, category=category, deadline_h=deadline_h)
    return Member(fleet=fleet, alone=fleet, traffic=traffic, moments=demand.moments, deadline_h=deadline_h)


def test_peaks_that_fill_each_others_gaps_take_fewer_gpus(worlds):
    """Twelve hours apart the sum is flat; at the same hour it is twice as high."""
    day = member(worlds)
    apart = share_fleet([day, member(worlds, hours_later=12)])
    together = share_fleet([day, day])

    assert apart.largest(40, 0.8)[0] < 0.75 * apart.largest(40, 0.8)[1]
    assert together.largest(40, 0.8)[0] > apart.largest(40, 0.8)[0]
    assert (together.need_gpus <= together.alone_gpus).all()


def test_one_spare_serves_all(worlds):
    """Two workloads of less than a replica each: two and two spares apart, at most two and one together."""
    small = {"requests_per_day": 4_000.0, "burst": 0.1}
    shared = share_fleet([member(worlds, **small), member(worlds, **small)])

    assert shared.spare_gpus == 2
    assert shared.largest(40, 0.8)[1] == 8
    assert shared.largest(40, 0.8)[0] <= 6


def test_a_lone_member_is_its_own_fleet(worlds):
    one = member(worlds)
    shared = share_fleet([one])

    assert (shared.need_gpus == one.fleet.need_gpus).all()
    assert (shared.hourly_gpus == one.fleet.hourly_gpus()).all()
    batch = member(worlds, category="batch", deadline_h=8)
    assert (share_fleet([batch]).need_gpus == batch.fleet.need_gpus).all()


def test_every_hour_is_split_whole_and_nobody_pays_more_than_alone(worlds):
    members = [member(worlds), member(worlds, hours_later=12, requests_per_day=300_000.0)]
    shared = share_fleet(members)
    smaller = shared.hourly_gpus <= sum(m.alone.hourly_gpus() for m in members)

    assert shared.member_gpus.sum(axis=0) == pytest.approx(shared.hourly_gpus)
    assert (shared.hourly_gpus <= shared.need_gpus[:, :, None]).all()
    for part, each in zip(shared.member_gpus, members, strict=True):
        assert (part <= each.alone.hourly_gpus() + 1e-9)[smaller].all()


def test_work_that_waits_fits_into_the_valleys_of_online_work(worlds):
    """A tenth as much batch work, due within 24 h, hardly raises an online fleet whose nights are empty."""
    online = member(worlds)
    batch = member(worlds, category="batch", requests_per_day=100_000.0, deadline_h=24)
    shared = share_fleet([online, batch])

    assert (shared.need_gpus >= online.fleet.need_gpus).all()
    assert shared.largest(40, 0.8)[0] == pytest.approx(online.fleet.horizons[0].gpus_p80, abs=2)
    assert shared.largest(40, 0.8)[0] < shared.largest(40, 0.8)[1]


def test_all_waiting_work_is_done(worlds):
    """Within the horizon the replica-hours that run hold the work of both, headroom included."""
    online, batch = member(worlds), member(worlds, category="batch", requests_per_day=500_000.0, deadline_h=12)
    shared = share_fleet([online, batch])
    running = (shared.hourly_gpus - shared.spare_gpus) / PROFILE.gpus
    work = online.fleet.load / online.fleet.filled + batch.fleet.load / batch.fleet.filled

    assert (running.sum(axis=(1, 2)) >= 0.97 * work.sum(axis=1) * 24).all()


def test_windows_that_never_met_keep_their_own_bursts(worlds):
    day = member(worlds)
    apart = share_fleet([day, member(worlds, seen_later=10)])

    assert (apart.need_gpus >= share_fleet([day, day]).need_gpus).all()
    assert (apart.need_gpus <= apart.alone_gpus).all()


def test_different_replicas_do_not_share(worlds):
    one = member(worlds)
    other = replace(one, fleet=replace(one.fleet, profile=profiled(tp=4)))
    with pytest.raises(UserError, match="one kind of replica, not h100 TP 2 fp8, h100 TP 4 fp8"):
        share_fleet([one, other])


def test_the_strictest_bounds_hold_for_all():
    assert strictest([Slo(ttft_s=1.0), Slo(ttft_s=2.0, tpot_s=0.05, percentile=0.9)]) == Slo(
        ttft_s=1.0, tpot_s=0.05
    )


@given(st.floats(0, 1e7), st.lists(st.floats(0, 1e6), min_size=1, max_size=6).filter(lambda w: sum(w) > 1e-3))
def test_a_bill_is_split_to_the_cent(usd, weights):
    parts = split_usd(usd, weights)

    assert sum(round(part * 100) for part in parts) == round(usd * 100)
    for part, weight in zip(parts, weights, strict=True):
        assert part == pytest.approx(usd * weight / sum(weights), abs=0.0151)


@pytest.mark.parametrize("weights", [[0.0, 0.0], [1.0, -1.0], [2.0, -1.0]])
def test_a_bill_of_nobody_is_refused(weights):
    with pytest.raises(UserError, match="cannot be split"):
        split_usd(1.0, weights)
