import pytest

from data.traffic import SUMS
from data.warehouse import open_store
from flows.demo import AS_OF
from flows.settings import LoadedPlan, SloSettings
from flows.walk import size
from flows.windowed import NO_REQUESTS, planning_traffic, read_requests, requests_of, windowed_work
from sizing.windowed.pools import BUDGET_SHARES


@pytest.fixture(scope="module")
def requests(planned_and_walked, walked):
    return read_requests(walked["plan"], AS_OF)


@pytest.fixture(scope="module")
def found(walked, requests):
    return windows_of(walked, 0, requests[0])


def windows_of(walked, n, requests, **changes):
    w = {name: walked[name] for name in ("plan", "facts", "past", "outlooks", "sized", "priced")}
    workload = w["plan"].settings.workloads[n].model_copy(update=changes)
    gpu = next(each.gpu for each in w["sized"][n] if each.fleet is not None)
    return windowed_work(
        w["plan"],
        w["facts"],
        workload,
        w["past"].traffic[n],
        requests,
        w["outlooks"][n].demand,
        w["sized"][n],
        gpu,
    )


def test_budgets_let_their_share_of_the_requests_through(found):
    for row in found.long:
        assert 0 <= row.requests_share <= row.work_share <= 1  # longer ones cost more than their share
        if row.share is not None:
            assert row.requests_share <= 1 - row.share + 1e-9
    assert {row.share for row in found.long} - {None} == set(BUDGET_SHARES)


def test_refusing_more_never_takes_more_dollars(found):
    rows = [row for row in found.long if row.days == 30]

    assert [row.budget_tok for row in rows] == sorted(row.budget_tok for row in rows)
    assert all(row.usd_saved >= 0 for row in rows)


def test_a_looser_promise_makes_a_pool_of_their_own_possible(walked, requests, found):
    loose = windows_of(walked, 0, requests[0], long_slo=SloSettings(ttft_s=60.0, tpot_s=1.0))

    assert any(row.beyond is None for row in found.long)
    pooled = [row for row in loose.long if row.requests_share > 0]
    assert all(row.beyond is not None for row in pooled)
    for row in pooled:
        assert row.pool_saves_usd == pytest.approx(row.whole.usd - row.within.usd - row.beyond.usd)


def test_work_is_seen_in_windows_of_1_10_and_60_s_and_along_the_paths(found):
    assert {(s.window_s, s.days) for s in found.spreads} == {
        (s, d) for s in (1, 10, 60) for d in (None, 30, 90, 365)
    }
    seen = {s.window_s: s for s in found.spreads if s.days is None}
    assert seen[10].mean_gpu_s * 6 == pytest.approx(seen[60].mean_gpu_s, rel=1e-2)
    assert seen[1].gpus > seen[10].gpus > seen[60].gpus


def test_sums_alone_have_three_plans_and_no_budget(walked):
    found = windows_of(walked, 0, None)

    assert found.long == []
    assert found.long_sentence == NO_REQUESTS
    assert {s.window_s for s in found.spreads} == {10, 60}
    assert len(found.logics) == 9


def test_fleets_can_cover_windows_of_a_second_or_a_minute(walked, requests):
    traffic = walked["past"].traffic[0]

    assert planning_traffic(traffic, requests[0], 10) is traffic
    assert planning_traffic(traffic, requests[0], 60).window_s == 60
    assert planning_traffic(traffic, None, 1) is traffic
    plan = walked["plan"]
    match = plan.settings.workloads[0].match.to_match()
    with open_store(plan.store_path) as store:
        seconds = requests_of(store, match, None, AS_OF, window_s=1)
    second = planning_traffic(traffic, seconds, 1)
    assert second.window_s == 1
    assert list(second.windows.columns) == list(SUMS)


def test_settings_of_windows_reach_the_page(planned):
    _, outcome = planned
    windowed = outcome.report.workloads[0].windowed

    assert (windowed.window_s, windowed.percentile) == (10, 0.99)
    assert windowed.usd_per_gpu_hour is not None


def test_a_higher_percentile_never_takes_fewer_gpus(walked):
    plan, facts = walked["plan"], walked["facts"]
    traffic, demand = walked["past"].traffic[0], walked["outlooks"][0].demand

    def gpus(percentile):
        windows = plan.settings.windows.model_copy(update={"percentile": percentile})
        settings = plan.settings.model_copy(update={"windows": windows})
        asked = LoadedPlan(settings=settings, path=plan.path, sha256=plan.sha256)
        return [
            each.fleet.need_gpus
            for each in size(asked, facts, settings.workloads[0], traffic, demand)
            if each.fleet
        ]

    for low, high in zip(gpus(0.9), gpus(0.999), strict=True):
        assert (high >= low).all()
