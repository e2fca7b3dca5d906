from datetime import date

import pytest
from pydantic import ValidationError

from flows.scenario_settings import LeverSettings, ScenarioSettings, StressSettings, check_scenarios


def test_a_scenario_reads_what_it_changes():
    found = ScenarioSettings(name="To B200", gpu=" B200 ", start=date(2027, 1, 1), cost_usd=5_000)

    assert found.gpu == "b200"
    assert found.changes_something
    assert not LeverSettings(cost_usd=3.0, start=date(2027, 1, 1)).changes_something


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({}, "changes nothing"),
        ({"cost_usd": 5}, "changes nothing"),
        ({"requests": 0}, "requests"),
        ({"gpu": "b200", "precision": "fp8"}, "name the model"),
        ({"region_lost": 1.5}, "region_lost"),
        ({"trafic": 2}, "trafic"),
    ],
)
def test_what_says_nothing_or_cannot_be_is_refused(wrong, says):
    with pytest.raises(ValidationError, match=says):
        ScenarioSettings.model_validate({"name": "x", **wrong})


TWICE = ScenarioSettings(name="Twice", requests=2.0)
BOTH = ScenarioSettings(name="Both", combines=["Twice"])


@pytest.mark.parametrize(
    ("scenarios", "stress", "says"),
    [
        ([TWICE, TWICE], {}, "stands twice"),
        ([BOTH], {}, "no plain scenario; known: none"),
        ([TWICE, BOTH, ScenarioSettings(name="All", combines=["Both"])], {}, "known: Twice"),
        ([ScenarioSettings(name="x", requests=2, workloads=["chap"])], {}, "known: chat"),
        ([], {"upgrades": [{"workload": "chap", "model": "llama-3.1-8b"}]}, "known: chat"),
    ],
)
def test_names_must_be_the_plans(scenarios, stress, says):
    with pytest.raises(ValueError, match=says):
        check_scenarios(scenarios, StressSettings.model_validate(stress), ["chat"])


def test_names_that_are_known_pass():
    check_scenarios([TWICE, BOTH], StressSettings(), ["chat"])


def test_an_upgrade_names_what_to():
    with pytest.raises(ValidationError, match="neither model nor api"):
        StressSettings.model_validate({"upgrades": [{"workload": "chat"}]})
