"""Events and holidays of plan.toml: places that are known, and events that say or can be taught what they do."""

import pytest
from pydantic import ValidationError


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"country": "Germany"}, "holidays: country 'GERMANY' is not one of the"),
        (
            {"country": "DE", "subdivision": "Bayern"},
            "subdivision 'Bayern' is not one of those of DE; known: BB, BE",
        ),
    ],
)
def test_a_place_whose_holidays_nobody_knows_is_refused_with_the_way_to_find_it(plan_of, keys, said):
    with pytest.raises(ValidationError, match=said.split(": ", 1)[-1]):
        plan_of(holidays=keys)


def test_holidays_and_their_clocks_are_the_workloads_own_or_else_the_plans(plan_of):
    plan = plan_of(
        {"name": "us", "time_zone": "America/New_York", "holidays": {"country": "us"}},
        {"name": "other"},
        holidays={"country": "DE", "subdivision": "BY"},
        time_zone="Europe/Berlin",
    )
    own, other = (plan.settings.holidays_of(w) for w in plan.settings.workloads)

    assert (own.country, own.subdivision, own.zone.key) == ("US", None, "America/New_York")
    assert (other.country, other.subdivision, other.zone.key) == ("DE", "BY", "Europe/Berlin")
    assert plan_of().settings.holidays_of(plan_of().settings.workloads[0]) is None


def test_an_event_without_multipliers_must_end_so_that_it_can_be_learned(plan_of):
    sale = {"name": "Sale", "kind": "campaign", "start": "2026-12-01"}

    with pytest.raises(ValidationError, match=r"needs at least one of requests, .* or an `end`"):
        plan_of(events=[sale])
    event = plan_of(events=[{**sale, "end": "2026-12-05"}]).settings.events[0].to_event()
    assert event.unstated
    assert event.kind == "campaign"
