"""`[commit]` of plan.toml: what may be said, and what is refused."""

import pytest
from pydantic import ValidationError

from flows.commit_settings import CommitSettings


def test_left_out_it_gives_days_to_decide_in_and_fears_nothing():
    settings = CommitSettings()

    assert (settings.decision_days, settings.risk.weight, settings.risk.level) == (5, 0.0, 0.95)
    assert settings.max_gpus("h100") == {}


def test_what_is_to_be_had_is_found_by_kind_and_term():
    rows = [
        {"gpu": "H100 ", "option": "reserved-30d", "max_gpus": 8},
        {"gpu": "h100", "option": "on-demand", "max_gpus": 0},
        {"gpu": "b200", "option": "on-demand", "max_gpus": 4},
    ]

    assert CommitSettings(availability=rows).max_gpus("h100") == {"reserved-30d": 8, "on-demand": 0}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"risk_weight": 2}, "risk_weight"),
        ({"risk_level": 1}, "risk_level"),
        ({"decision_days": -1}, "decision_days"),
        ({"approvals": True}, "approvals"),
        ({"availability": [{"gpu": "h100", "option": "spot", "max_gpus": 1}]}, "option"),
        ({"availability": [{"gpu": "h100", "option": "on-demand", "max_gpus": n} for n in (1, 2)]}, "twice"),
    ],
)
def test_a_mistake_is_refused(wrong, said):
    with pytest.raises(ValidationError, match=said):
        CommitSettings(**wrong)
