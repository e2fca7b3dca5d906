"""Levers change what they name and leave the rest, and what they leave is not worked out again."""

from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from data.catalog.models import load_models
from data.traffic import SUMS, Match, Traffic
from flows.cases import Case, changed, changed_moves, later, levers_of, next_larger, stress_tests, upgrades
from flows.scenario_settings import LeverSettings, ScenarioSettings
from forecasting.demand import Demand, LongShare, Moments
from sizing.scenarios.prices import PriceItem

FLEET = SimpleNamespace()
H100, API = PriceItem("gpu", "h100"), PriceItem("api", "together/x")


def demand(long_share: float = 0.1) -> Demand:
    shape = (2, 5)
    return Demand(
        workload="chat",
        as_of=date(2026, 11, 23),
        basis="history",
        days=np.datetime64("2026-11-23") + np.arange(5),
        requests=np.full(shape, 100.0),
        prompt_tok=np.full(shape, 5_000.0),
        cached_prompt_tok=np.full(shape, 500.0),
        output_tok=np.full(shape, 200.0),
        busiest_10s_factor=np.full(shape, 2.0),
        window_s=10,
        moments=Moments(prompt_sq=2.0, cached_sq=2.0, prompt_cached=1.0, prompt_output=1.0, output_sq=2.0),
        long=(
            LongShare(
                threshold_tok=32_000, requests=long_share, prompt_tok=0.6, cached_prompt_tok=0.5, output_tok=0.2
            ),
        ),
        tokens=(),
        hour_of_week=np.ones(168),
    )


def case(plan_of, **parts) -> Case:
    windows = pd.DataFrame(1.0, index=pd.date_range("2026-11-01", periods=3, freq="10s"), columns=list(SUMS))
    traffic = Traffic(
        workload="chat",
        match=Match(),
        source_kind="requests",
        daily=pd.DataFrame(),
        windows=windows,
        window_s=10,
        hour_of_week=np.ones(168),
        joint=pd.DataFrame(),
        first_utc=pd.Timestamp("2026-11-01", tz="UTC"),
        last_utc=pd.Timestamp("2026-11-02", tz="UTC"),
    )
    settings = plan_of().settings.workloads[0]
    known = dict.fromkeys(settings.gpus, FLEET)
    return Case(**{"settings": settings, "traffic": traffic, "demand": demand(), "known": known, **parts})


def test_more_traffic_keeps_replicas_windows_and_lengths(plan_of):
    before = case(plan_of)
    after = changed(before, LeverSettings(requests=3.0))

    assert after.demand.requests[0, 0] == 300.0
    assert after.known is before.known
    assert after.traffic is before.traffic


def test_longer_answers_find_replicas_anew_and_windows_follow(plan_of):
    after = changed(case(plan_of), LeverSettings(output_tok=3.0))

    assert after.known is None
    assert after.traffic.windows.iloc[0].tolist() == pytest.approx([1, 1, 1, 3, 1, 1, 1, 3, 9])


def test_whoever_is_not_named_stays(plan_of):
    before = case(plan_of)

    assert changed(before, LeverSettings(requests=3.0, workloads=["someone else"])) is before


def test_another_gpu_is_known_or_found_anew_and_the_api_is_left(plan_of):
    before = case(plan_of)
    known = before.settings.gpus[-1]

    there = changed(before, LeverSettings(gpu=known))
    elsewhere = changed(before, LeverSettings(gpu="gh200"))

    assert (there.settings.gpus, there.settings.api, list(there.known)) == ([known], None, [known])
    assert (elsewhere.settings.gpus, elsewhere.known) == (["gh200"], None)


def test_an_upgrade_leaves_the_old_models_api_and_says_so(plan_of):
    before = case(plan_of)
    after = changed(before, LeverSettings(model="llama-3.1-405b"))
    with_api = changed(
        before, LeverSettings.model_validate({"model": "llama-3.1-405b", "api": {"provider": "a", "model": "b"}})
    )

    assert (after.settings.model, after.settings.api, after.known) == ("llama-3.1-405b", None, None)
    assert before.settings.api is None or "no API of llama-3.1-405b is stated" in after.notes[0]
    assert (with_api.settings.api.provider, with_api.notes) == ("a", ())


def test_long_prompts_that_are_unknown_or_absent_are_said(plan_of):
    lever = LeverSettings(long_share=2.0)
    absent = changed(case(plan_of, demand=demand(0.0)), lever)
    unknown = changed(case(plan_of, demand=replace(demand(), long=())), lever)

    assert "no prompt is longer than 32,000" in absent.notes[0]
    assert "is not known" in unknown.notes[0]
    assert changed(case(plan_of), lever).demand.prompt_tok[0, 0] > 5_000


def test_later_days_are_the_same_days(plan_of):
    assert later(case(plan_of), 0).demand.requests.shape == (2, 5)
    assert later(case(plan_of), 3).demand.days.tolist() == demand().days[3:].tolist()


def test_prices_of_a_lever_are_on_the_paths():
    moves = {H100: np.full((2, 5), 1.1), API: np.ones((2, 5))}
    lever = LeverSettings.model_validate({"prices": [{"what": "api", "factor": 2.0}]})
    falls = changed_moves(moves, LeverSettings(yearly_fall=0.5), demand().days)

    assert changed_moves(moves, lever, demand().days)[API].tolist() == [[2.0] * 5] * 2
    assert changed_moves(moves, lever, demand().days)[H100].tolist() == moves[H100].tolist()
    assert falls[H100][0] == pytest.approx(1.1 * 0.5 ** (np.arange(5) / 365))


def test_the_stress_tests_are_those_that_are_wanted(plan_of):
    models = load_models()
    names = [name for name, _ in stress_tests(plan_of().settings, models)]

    assert [n.split()[0].rstrip(":") for n in names if "upgrade" not in n] == [
        "Long-context", "Agent", "Prices", "Traffic", "A",
    ]  # fmt: skip
    settings = plan_of().settings
    off = settings.model_copy(update={"stress": settings.stress.model_copy(update={"run": False})})
    assert stress_tests(off, models) == []
    one = settings.stress.model_copy(update={"traffic": 1.0, "region_lost": 0.0})
    left = stress_tests(settings.model_copy(update={"stress": one}), models)
    assert len(left) == len(names) - 2


def test_an_upgrade_is_stated_or_the_next_of_the_family_where_no_api_serves(plan_of):
    models = load_models()
    settings = plan_of({"api": None}).settings

    assert next_larger(models, "llama-3.1-8b") == "llama-3.1-70b"
    assert next_larger(models, "llama-3.1-405b") is None
    assert [lever.model for lever in upgrades(settings, models)] == [
        next_larger(models, settings.workloads[0].model)
    ]


def test_a_combination_is_all_of_its_parts_from_their_own_starts():
    one = ScenarioSettings(name="a", requests=2.0, start=date(2027, 1, 1))
    two = ScenarioSettings(name="b", output_tok=3.0)
    both = ScenarioSettings(name="c", combines=["b", "a"])

    assert levers_of(both, [one, two, both]) == (two, one)
    assert levers_of(one, [one, two, both]) == (one,)
