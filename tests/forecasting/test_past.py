"""What a forecast may see: whole days before as_of, events taken out, and nothing later."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd

from forecasting.past import read_past
from forecasting.scenarios import Event, Factor

AS_OF = date(2026, 11, 5)


def test_every_calendar_day_is_there_and_a_missing_one_is_unknown(make_traffic):
    traffic = make_traffic(days=50)
    holes = traffic.daily.drop(traffic.daily.index[[10, 11]])

    past = read_past(replace(traffic, daily=holes), AS_OF, ())

    assert len(past.days) == 50
    assert np.flatnonzero(np.isnan(past.series["requests"])).tolist() == [10, 11]
    assert past.full_days == 48
    assert past.gap == 0


def test_later_days_and_windows_are_gone(make_traffic):
    past = read_past(make_traffic(days=50), date(2026, 10, 30), ())

    assert past.days[-1] == np.datetime64("2026-10-29")
    assert past.traffic.daily.index.max() == pd.Timestamp("2026-10-29")
    assert len(past.series["peak"]) == len(past.days) == 44


def test_a_day_cut_off_counts_for_lengths_but_not_for_volume(make_traffic):
    traffic = make_traffic(days=50)
    daily = traffic.daily.copy()
    daily.iloc[-1, daily.columns.get_loc("observed_share")] = 0.5

    past = read_past(replace(traffic, daily=daily), AS_OF, ())

    assert np.isnan(past.series["requests"][-1])
    assert np.isnan(past.series["peak"][-1])
    assert np.isfinite(past.series["prompt"][-1])
    assert past.learned == ("1 day cut off at the edge of the data left out",)


def test_where_no_day_is_whole_the_parts_are_all_there_is(make_traffic):
    traffic = make_traffic(days=1)

    past = read_past(replace(traffic, daily=traffic.daily.assign(observed_share=0.25)), AS_OF, ())

    assert past.full_days == 0
    assert past.seen_days == 0.25
    assert np.isfinite(past.series["requests"]).all()


def test_an_event_that_moved_lengths_is_taken_out_of_means_and_percentiles_alike(make_traffic):
    trial = Event(name="trial", start=date(2026, 10, 10), end=date(2026, 10, 12), output_tok=Factor(2, 2, 2))

    past = read_past(make_traffic(days=50), AS_OF, [trial])

    assert np.isnan(past.series["output"]).sum() == 3
    assert [np.isnan(past.series[f"output_p{p}"]).sum() for p in (50, 90, 95, 99)] == [3] * 4
    assert np.isfinite(past.series["requests"]).all()
    assert past.learned == ("output: 3 days of 'trial' left out",)


def test_a_series_that_is_never_stated_is_not_among_the_known(make_traffic):
    traffic = make_traffic(days=50)

    past = read_past(replace(traffic, daily=traffic.daily.assign(cached_prompt_tok_sum=np.nan)), AS_OF, ())

    assert past.known[:6] == ["requests", "peak", "peak_hour", "peak_minute", "prompt", "output"]
    assert len(past.known) == 6 + 12, "percentiles of cached tokens are stated all the same"
