"""Events without multipliers: estimated from earlier ones of their kind, or refused."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from data.errors import UserError
from forecasting.recurrence import event_effect, resolve_events
from forecasting.scenarios import Event, Factor

START = date(2026, 1, 1)
DAYS = np.datetime64(START) + np.arange(300)
AS_OF = START + timedelta(days=300)


def campaign(first, days=10, name="Sale", **changes):
    return Event(name=name, start=_day(first), end=_day(first + days - 1), **changes)


def _day(n):
    return START + timedelta(days=n)


def series(*lifts, noise=0.03, trend=0.0, seed=0):
    """A weekly series lifted (log) over ten days from each (first, lift)."""
    rng = np.random.default_rng(seed)
    week = np.array([0.1, 0.1, 0.0, 0.0, 0.0, -0.3, -0.3])
    x = 8 + np.tile(week, 43)[:300] + trend * np.arange(300) + noise * rng.standard_normal(300)
    for first, lift in lifts:
        x[first : first + 10] += lift
    return np.exp(x)


NONE = np.zeros(300, dtype=bool)


def test_the_effect_is_the_ratio_to_the_days_around_whatever_the_weekday_and_the_trend():
    for first in (100, 103, 105):
        found = event_effect(campaign(first, 4), DAYS, series((first, 0.5), trend=0.003, noise=0.01), NONE)
        assert found.log == pytest.approx(0.5, abs=0.03)
        assert 0 < found.variance < 0.05


def test_an_effect_at_the_end_of_the_data_rests_on_the_days_before_and_is_less_sure():
    y = series((290, 0.5), (100, 0.5))
    inside, edge = (event_effect(campaign(first), DAYS, y, NONE) for first in (100, 290))

    assert edge.log == pytest.approx(0.5, abs=0.05)
    assert edge.variance > inside.variance


def test_nothing_is_said_of_days_that_were_not_seen():
    y = series()
    assert event_effect(campaign(400), DAYS, y, NONE) is None
    y[100:110] = np.nan
    assert event_effect(campaign(100), DAYS, y, NONE) is None


def test_an_event_to_come_takes_after_its_earlier_ones():
    events = [campaign(60), campaign(150), campaign(310)]
    y = {"requests": series((60, 0.4), (150, 0.5)), "output_tok": series(noise=0.01, seed=3)}

    resolved, notes = resolve_events(events, "chat", DAYS, y, AS_OF)

    ahead = resolved[-1]
    assert ahead.requests.likely == pytest.approx(np.exp(0.45), rel=0.05)
    assert ahead.requests.low < ahead.requests.likely < ahead.requests.high
    assert ahead.requests.high < 3
    assert ahead.output_tok.likely == pytest.approx(1.0, abs=0.03)
    assert ahead.prompt_tok is None
    assert notes == (notes[0],)
    assert notes[0].startswith("'Sale' states no multipliers; 2 earlier ones of its kind: requests x1.")


def test_many_that_agree_are_surer_than_one_and_many_that_differ_are_not():
    firsts = (40, 80, 120, 160, 200)
    events = [*(campaign(f) for f in firsts), campaign(310)]

    def width(*lifts):
        y = {"requests": series(*zip(firsts, lifts, strict=True))}
        factor = resolve_events(events, "chat", DAYS, y, AS_OF)[0][-1].requests
        return np.log(factor.high / factor.low)

    alone = resolve_events(events[4:], "chat", DAYS, {"requests": series((200, 0.4))}, AS_OF)[0][-1].requests
    one = np.log(alone.high / alone.low)
    assert width(0.4, 0.4, 0.4, 0.4, 0.4) < one
    assert width(0.0, 0.4, 0.8, 0.2, 0.9) > one


def test_a_kind_joins_events_of_other_names_and_a_name_alone_joins_its_own():
    earlier = campaign(60, name="Spring", kind="campaign")
    y = {"requests": series((60, 0.4))}

    by_kind, _ = resolve_events([earlier, campaign(310, name="Autumn", kind="campaign")], "chat", DAYS, y, AS_OF)
    assert by_kind[-1].requests.likely == pytest.approx(np.exp(0.4), rel=0.06)
    with pytest.raises(UserError, match=r"no earlier event of that name with an end lies in the data of chat"):
        resolve_events([earlier, campaign(310, name="Autumn")], "chat", DAYS, y, AS_OF)


def test_what_is_stated_stays_as_it_is_and_other_workloads_have_none_of_it():
    stated = campaign(310, requests=Factor(low=1.0, likely=2.0, high=3.0))
    elsewhere = replace(campaign(320), workload="code")

    assert resolve_events([stated, elsewhere], "chat", DAYS, {"requests": series()}, AS_OF) == ((stated,), ())


def test_an_event_under_way_does_not_teach_itself():
    events = [campaign(60), campaign(295)]
    y = {"requests": series((60, 0.4), (295, 0.9))}

    assert resolve_events(events, "chat", DAYS, y, AS_OF)[0][-1].requests.likely == pytest.approx(1.5, rel=0.06)


def test_one_that_is_over_is_left_out_of_the_past_by_its_own_effect():
    (over,), notes = resolve_events([campaign(60)], "chat", DAYS, {"requests": series((60, 0.4))}, AS_OF)

    assert not over.unstated
    assert notes == ()
    assert resolve_events([campaign(-90)], "chat", DAYS, {"requests": series()}, AS_OF) == ((), ())
