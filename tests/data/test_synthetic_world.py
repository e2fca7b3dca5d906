"""The truth of the synthetic world, worked by hand."""

import tomllib
from datetime import date, timedelta
from pathlib import Path

import pytest

from data.synthetic_world import BATCH_FRONT, expected_requests, level_by_start, plan_world

END = date(2026, 11, 23)


def test_chat_doubles_in_400_days():
    world = plan_world(seed=1, days=400, end=END, scale=1.0)
    later = world.start + timedelta(days=399)  # 57 weeks on: the same weekday
    truth = expected_requests(world, "chat", world.start, END)

    assert truth.iloc[399] / truth.iloc[0] == pytest.approx(2 ** (399 / 400))
    assert later.weekday() == world.start.weekday()
    # The first day, 2025-10-19, is a Sunday: 20,000 x 0.80.
    assert truth.iloc[0] == pytest.approx(16_000)


@pytest.mark.parametrize("label", ["chat", "code-agents", "doc-classification"])
def test_weekday_factors_have_a_mean_of_one(label):
    world = plan_world(seed=1, days=400, end=END, scale=1.0)

    assert sum(world.workload(label).weekday) / 7 == pytest.approx(1.0, abs=0.001)


def test_the_truth_goes_on_after_the_end_without_the_planned_campaign():
    world = plan_world(seed=1, days=400, end=END, scale=1.0)
    planned = world.planned
    during = expected_requests(world, "chat", planned.first, planned.last + timedelta(days=1))
    a_week_before = expected_requests(world, "chat", planned.first - timedelta(days=7), planned.first)

    assert planned.first > END
    assert planned.low < planned.likely < planned.high
    assert during.iloc[0] / a_week_before.iloc[0] == pytest.approx(2 ** (7 / 400))


def test_a_night_is_split_at_midnight_by_its_law():
    world = plan_world(seed=1, days=400, end=END, scale=1.0)
    monday = date(2026, 6, 8)
    sunday_night, monday_night = level_by_start(
        world, "doc-classification", monday - timedelta(days=1), date(2026, 6, 9)
    )
    before_midnight = 1 - 0.5**BATCH_FRONT

    (truth,) = expected_requests(world, "doc-classification", monday, monday + timedelta(days=1))

    assert truth == pytest.approx(before_midnight * monday_night + (1 - before_midnight) * sunday_night)


@pytest.mark.parametrize("days", [60, 120, 400, 800])
def test_everything_happens_inside_the_logs_and_nothing_at_the_same_time(days):
    world = plan_world(seed=1, days=days, end=END, scale=1.0)
    chat_days = [*world.gaps["chat"], world.outage.start.date(), world.campaign.first, world.campaign.last]

    assert len(set(chat_days)) == len(chat_days)
    assert all(world.start < day < END for day in [*chat_days, *world.gaps["code-agents"], world.upgrade.first])
    assert not any(world.campaign.first <= day <= world.campaign.last for day in chat_days[:3])


def test_scale_multiplies_every_level():
    full, tenth = (plan_world(seed=1, days=60, end=END, scale=scale) for scale in (1.0, 0.1))

    for label in ("chat", "code-agents", "doc-classification"):
        ratio = expected_requests(tenth, label, full.start, END) / expected_requests(full, label, full.start, END)
        assert ratio.to_numpy() == pytest.approx(0.1)


def test_the_example_plan_declares_the_campaigns_of_the_demo():
    plan = tomllib.loads((Path(__file__).parents[2] / "examples" / "plan.toml").read_text())
    declared = {(e["workload"], e["start"], e["end"]): e["requests"] for e in plan["events"]}
    world = plan_world(seed=1, days=400, end=END, scale=1.0)
    past, planned = world.campaign, world.planned

    assert declared[past.label, past.first, past.last]["likely"] == past.requests
    outlook = declared[planned.label, planned.first, planned.last]
    assert outlook == {"low": planned.low, "likely": planned.likely, "high": planned.high}
    assert {w["match"]["label"]: w["model"] for w in plan["workloads"]} == {
        w.label: w.model for w in world.workloads
    }
