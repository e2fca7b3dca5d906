"""Events and growth: three points become a distribution, the past is learned around, the future is multiplied."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from forecasting.scenarios import (
    Event,
    Factor,
    Growth,
    draw,
    event_multipliers,
    growth_multipliers,
    learn_around,
)

AS_OF = date(2026, 11, 1)
AHEAD = np.datetime64(AS_OF) + np.arange(60)
PAST = np.datetime64("2026-10-01") + np.arange(31)


def rng():
    return np.random.default_rng(7)


def test_the_three_points_are_the_10th_50th_and_90th_percentiles():
    found = draw(Factor(1.1, 1.5, 2.5), 4001, rng())

    assert np.quantile(found, (0.1, 0.5, 0.9)) == pytest.approx([1.1, 1.5, 2.5], rel=0.01)


def test_a_factor_that_may_be_zero_is_drawn_on_the_plain_scale():
    found = draw(Factor(0.0, 0.5, 1.0), 2001, rng())

    assert found.min() == 0.0
    assert np.median(found) == pytest.approx(0.5, abs=0.01)


@given(st.floats(0.01, 10), st.floats(1, 5), st.floats(1, 5))
def test_draws_are_never_negative_and_centred_on_likely(likely, down, up):
    found = draw(Factor(likely / down, likely, likely * up), 101, rng())

    assert (found > 0).all()
    assert np.median(found) == pytest.approx(likely)


@pytest.mark.parametrize("three", [(2, 1, 3), (1, 3, 2), (-1, 1, 2), (0, 0, 0), (1, 1, float("inf"))])
def test_points_out_of_order_are_refused(three):
    with pytest.raises(ValueError, match="give 0 <= low <= likely <= high"):
        Factor(*three)


def test_pydantic_reads_an_event_from_plain_values():
    text = {
        "name": "sale",
        "start": "2026-12-01",
        "end": "2026-12-05",
        "requests": {"low": 1, "likely": 2, "high": 3},
    }

    event = TypeAdapter(Event).validate_python(text)

    assert event.requests == Factor(1, 2, 3)
    assert event.workload is None


def test_an_event_that_ends_before_it_starts_is_refused():
    with pytest.raises(ValueError, match="before its start"):
        Event(name="sale", start=date(2026, 12, 5), end=date(2026, 12, 1))


def test_a_campaign_multiplies_its_own_days_only():
    sale = Event(name="sale", start=date(2026, 11, 10), end=date(2026, 11, 12), requests=Factor(2, 2, 2))

    found = event_multipliers([sale], "chat", AHEAD, AS_OF, 5, rng())

    assert (found["requests"][:, 9:12] == 2).all()
    assert np.delete(found["requests"], [9, 10, 11], axis=1).max() == 1
    assert (found["prompt_tok"] == 1).all()


def test_a_launch_without_an_end_lasts():
    launch = Event(name="launch", start=date(2026, 11, 10), prompt_tok=Factor(3, 3, 3))

    found = event_multipliers([launch], "chat", AHEAD, AS_OF, 5, rng())["prompt_tok"]

    assert (found[:, :9] == 1).all()
    assert (found[:, 9:] == 3).all()


def test_one_draw_holds_for_all_days_of_a_path():
    sale = Event(name="sale", start=date(2026, 11, 10), end=date(2026, 11, 20), requests=Factor(1, 2, 3))

    found = event_multipliers([sale], "chat", AHEAD, AS_OF, 50, rng())["requests"][:, 9:20]

    assert (found == found[:, :1]).all()
    assert len(set(found[:, 0])) == 50


def test_an_event_of_another_workload_changes_nothing():
    sale = Event(name="sale", workload="code", start=date(2026, 11, 10), requests=Factor(2, 2, 2))

    assert (event_multipliers([sale], "chat", AHEAD, AS_OF, 5, rng())["requests"] == 1).all()


def test_the_days_of_a_finished_campaign_are_left_out_of_the_past():
    sale = Event(name="sale", start=date(2026, 10, 5), end=date(2026, 10, 7), requests=Factor(2, 2, 2))

    y, notes = learn_around([sale], "chat", PAST, np.ones(31), AS_OF, "requests")

    assert np.isnan(y[4:7]).all()
    assert np.isfinite(y).sum() == 28
    assert notes == ("3 days of 'sale' left out",)


def test_days_before_a_past_launch_are_brought_to_its_level_and_the_future_is_not_multiplied_again():
    launch = Event(name="launch", start=date(2026, 10, 20), requests=Factor(2, 2, 2))

    y, _ = learn_around([launch], "chat", PAST, np.where(np.arange(31) < 19, 1.0, 2.0), AS_OF, "requests")

    assert (y == 2).all()
    assert (event_multipliers([launch], "chat", AHEAD, AS_OF, 5, rng())["requests"] == 1).all()


def test_a_campaign_under_way_is_divided_out_and_goes_on():
    sale = Event(name="sale", start=date(2026, 10, 30), end=date(2026, 11, 3), requests=Factor(2, 2, 2))

    y, _ = learn_around([sale], "chat", PAST, np.where(np.arange(31) < 29, 1.0, 2.0), AS_OF, "requests")
    ahead = event_multipliers([sale], "chat", AHEAD, AS_OF, 5, rng())["requests"]

    assert (y == 1).all()
    assert (ahead[:, :3] == 2).all()
    assert (ahead[:, 3:] == 1).all()


def test_growth_reaches_its_factor_after_a_year():
    found = growth_multipliers(Growth(1.5, 1.5, 1.5), 365, 3, rng())

    assert found[:, 364] == pytest.approx(1.5)
    assert found[:, 181] == pytest.approx(1.5 ** (182 / 365))


def test_growth_levels_off_at_its_saturation_and_starts_as_steeply():
    found = growth_multipliers(Growth(4, 4, 4, saturation=2), 3650, 2, rng())

    assert found.max() < 2
    assert found[0, -1] == pytest.approx(2, abs=0.01)
    assert np.log(found[0, 0]) == pytest.approx(np.log(4) / 365, rel=0.01)


def test_a_shrinking_workload_ignores_saturation():
    found = growth_multipliers(Growth(0.5, 0.5, 0.5, saturation=2), 365, 2, rng())

    assert found[0, -1] == pytest.approx(0.5)


def test_growth_that_ends_the_workload_or_saturates_below_today_is_refused():
    with pytest.raises(ValueError, match="above 0"):
        Growth(0, 1, 2)
    with pytest.raises(ValueError, match="above 1"):
        Growth(1, 1, 2, saturation=0.9)


def test_cached_tokens_follow_the_prompt_on_every_path_unless_they_have_a_factor_of_their_own():
    days = np.arange("2026-11-05", "2026-11-15", dtype="datetime64[D]")
    longer = Event(name="rag", start=date(2026, 11, 7), prompt_tok=Factor(1.5, 2.0, 3.0))
    apart = replace(longer, cached_prompt_tok=Factor(1.0, 1.0, 1.0))

    def factors(event):
        return event_multipliers([event], "chat", days, date(2026, 11, 5), 50, np.random.default_rng(0))

    follows, own = factors(longer), factors(apart)
    assert (follows["cached_prompt_tok"] == follows["prompt_tok"]).all()
    assert (own["cached_prompt_tok"] == 1).all()
    assert (own["prompt_tok"] == follows["prompt_tok"]).all()
    assert longer.unstated is False
    assert Event(name="x", start=date(2026, 11, 7)).unstated is True
