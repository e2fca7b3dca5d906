"""The whole forecast of one workload: shapes, laws, scenarios, and what it says where little is known."""

from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from data.errors import UserError
from data.traffic import PERCENTILES
from forecasting.holiday import HolidayCalendar
from forecasting.outlook import SHOWN, expected_requests, forecast_traffic
from forecasting.scenarios import Event, Factor, Growth

AS_OF = date(2026, 11, 5)


def outlook(traffic, **options):
    return forecast_traffic(traffic, **{"as_of": AS_OF, "seed": 1, "days": 60, "paths": 100, **options})


def test_every_array_has_the_shape_that_the_contract_states(make_traffic):
    found = outlook(make_traffic())

    demand = found.demand
    for paths in (demand.requests, demand.prompt_tok, demand.cached_prompt_tok, demand.output_tok):
        assert paths.shape == (100, 60)
        assert np.isfinite(paths).all()
        assert (paths >= 0).all()
    assert demand.days[0] == np.datetime64(AS_OF)
    assert [t.field for t in demand.tokens] == ["prompt", "cached", "output"]
    assert demand.tokens[0].tok.shape == (len(PERCENTILES), 60, 5)
    assert (demand.busiest_10s_factor >= 1).all()
    assert (demand.cached_prompt_tok <= demand.prompt_tok).all()
    assert demand.sums().shape == (100, 60, 9)
    assert list(found.daily_requests) == ["mean", *SHOWN]
    assert found.daily_requests.index.name == "day_utc"


def test_same_seed_same_output_and_another_seed_another(make_traffic):
    one, two, other = (outlook(make_traffic(), seed=seed) for seed in (1, 1, 2))

    assert one.demand.requests.tobytes() == two.demand.requests.tobytes()
    assert one.daily_requests.equals(two.daily_requests)
    assert one.demand.requests.tobytes() != other.demand.requests.tobytes()


def test_the_daily_means_are_those_of_the_paths_and_so_is_their_sum(make_traffic):
    found = outlook(make_traffic())

    assert found.daily_requests["mean"].sum() == pytest.approx(found.demand.requests.sum(axis=1).mean())


def test_quantiles_come_in_order_and_percentiles_never_cross(make_traffic):
    found = outlook(make_traffic())

    assert (np.diff(found.daily_requests[list(SHOWN)].to_numpy(), axis=1) >= 0).all()
    for tokens in found.token_percentiles:
        assert (np.diff(tokens.tok, axis=0) >= 0).all()
        assert (np.diff(tokens.tok, axis=2) >= 0).all()


def test_a_steady_workload_is_forecast_where_it_was(make_traffic):
    found = outlook(make_traffic(noise=0.02))

    assert found.daily_requests["q50"].mean() == pytest.approx(95_700, rel=0.03)  # (5 x 1.1 + 2 x 0.6) / 7
    assert found.demand.prompt_tok.mean() == pytest.approx(1000, rel=0.03)
    # busiest minute 2.2 times the mean, busiest 10 s of it 1.5 times that
    assert np.median(found.demand.busiest_10s_factor) == pytest.approx(3.3, rel=0.1)
    assert np.median(found.token_percentiles[0].tok[3, :, 2]) == pytest.approx(6000, rel=0.05)


def test_nothing_on_or_after_as_of_is_seen(make_traffic):
    traffic = make_traffic()
    later = pd.concat([traffic.daily, traffic.daily.tail(5).set_axis(pd.date_range(AS_OF, periods=5)) * 50])

    one, two = outlook(traffic), outlook(replace(traffic, daily=later.rename_axis("day_utc")))

    assert one.demand.requests.tolist() == two.demand.requests.tolist()


def test_a_gap_before_as_of_is_bridged_and_said(make_traffic):
    late = outlook(make_traffic(), as_of=date(2026, 11, 15))

    assert late.demand.days[0] == np.datetime64("2026-11-15")
    assert late.demand.requests.shape == (100, 60)
    assert any("the 10 days up to 2026-11-15 are bridged" in note for note in late.notes)


def test_data_that_ends_over_a_year_before_is_refused(make_traffic):
    with pytest.raises(UserError, match="at most 365 can be bridged"):
        outlook(make_traffic(), as_of=date(2027, 12, 1))


def test_an_as_of_before_the_data_is_refused(make_traffic):
    with pytest.raises(UserError, match="no traffic before 2020-01-01"):
        outlook(make_traffic(), as_of=date(2020, 1, 1))


def test_negative_requests_are_refused(make_traffic):
    traffic = make_traffic()
    daily = traffic.daily.copy()
    daily.iloc[3, daily.columns.get_loc("requests")] = -5.0

    with pytest.raises(UserError, match="requests of chat: day 4"):
        outlook(replace(traffic, daily=daily))


def test_a_last_day_that_is_cut_off_is_left_out(make_traffic):
    traffic = make_traffic()
    daily = traffic.daily.copy()
    daily.iloc[-1, daily.columns.get_loc("requests")] *= 0.1
    daily.iloc[-1, daily.columns.get_loc("observed_share")] = 0.1

    found = outlook(replace(traffic, daily=daily))

    assert found.daily_requests["q50"].iloc[0] == pytest.approx(
        outlook(traffic).daily_requests["q50"].iloc[0], rel=0.1
    )
    assert any("cut off" in sentence for sentence in found.method.cleaned)


def test_under_a_full_day_the_plan_is_flat_at_the_observed_rate_and_says_so(make_traffic):
    traffic = make_traffic(days=1)
    hour = traffic.daily.assign(observed_share=1 / 24)

    found = outlook(replace(traffic, daily=hour))

    rate = 24 * traffic.daily["requests"].iloc[0]
    assert found.demand.basis == "no history"
    assert found.daily_requests["q50"].to_numpy() == pytest.approx(np.full(60, rate), rel=0.02)
    assert found.daily_requests["q90"].iloc[-1] > 2 * rate, "an hour says little about a month"
    assert "assumption for every horizon" in found.method.sentence


def test_a_month_of_history_takes_the_short_rule(make_traffic):
    assert outlook(make_traffic(days=30)).demand.basis == "short history"


def test_a_campaign_lifts_its_days_and_no_others(make_traffic):
    traffic = make_traffic()
    sale = Event(name="sale", start=date(2026, 11, 20), end=date(2026, 11, 22), requests=Factor(2, 2, 2))

    with_sale, without = outlook(traffic, events=[sale]), outlook(traffic)

    ratio = with_sale.demand.requests / without.demand.requests
    assert ratio[:, 15:18] == pytest.approx(2.0)
    assert np.delete(ratio, [15, 16, 17], axis=1) == pytest.approx(1.0)
    peaks = with_sale.daily_peak_qps["mean"] / without.daily_peak_qps["mean"]
    assert peaks.iloc[15] == pytest.approx(2.0), "the busiest window grows with its day"


def test_a_past_campaign_is_learned_around(make_traffic):
    traffic = make_traffic()
    daily = traffic.daily.copy()
    daily.iloc[-10:-3, daily.columns.get_loc("requests")] *= 4
    sale = Event(name="sale", start=date(2026, 10, 26), end=date(2026, 11, 1), requests=Factor(3, 4, 5))

    blind = outlook(replace(traffic, daily=daily)).daily_requests["q50"].mean()
    told = outlook(replace(traffic, daily=daily), events=[sale])

    assert told.daily_requests["q50"].mean() == pytest.approx(
        outlook(traffic).daily_requests["q50"].mean(), rel=0.05
    )
    assert blind > 1.2 * told.daily_requests["q50"].mean()
    assert "requests: 7 days of 'sale' left out" in told.method.cleaned


def test_an_upgrade_that_lengthens_outputs_moves_means_and_percentiles(make_traffic):
    traffic = make_traffic()
    upgrade = Event(name="new model", start=date(2026, 11, 20), output_tok=Factor(1.2, 1.5, 1.8))

    told, plain = outlook(traffic, events=[upgrade]), outlook(traffic)

    assert np.median(told.demand.output_tok[:, 20] / plain.demand.output_tok[:, 20]) == pytest.approx(
        1.5, rel=0.02
    )
    grown = told.demand.output_tok / plain.demand.output_tok
    for before, after in zip(plain.token_percentiles[2].paths, told.token_percentiles[2].paths, strict=True):
        assert after / before == pytest.approx(grown, rel=1e-5), "each percentile moves with its path's mean"
    before, after = (o.token_percentiles[2].tok[3, 20] for o in (plain, told))
    assert after[2] == pytest.approx(1.5 * before[2], rel=0.03)
    assert after[3] / after[2] > before[3] / before[2], "the factor's own doubt widens the band"


def test_growth_takes_the_place_of_the_trend(make_traffic):
    found = outlook(make_traffic(noise=0.01), days=365, growth=Growth(2, 2, 2))
    median = found.daily_requests["q50"].to_numpy()

    assert median[-7:].mean() / median[:7].mean() == pytest.approx(2.0, rel=0.05)


def test_unknown_cached_tokens_count_as_none_and_the_page_is_told(make_traffic):
    traffic = make_traffic()
    found = outlook(replace(traffic, daily=traffic.daily.assign(cached_prompt_tok_sum=np.nan)))

    assert not found.demand.cached_prompt_tok.any()
    assert any("every prompt token is counted as uncached" in note for note in found.notes)


def test_unknown_output_tokens_stay_unknown(make_traffic):
    traffic = make_traffic()
    found = outlook(replace(traffic, daily=traffic.daily.assign(output_tok_sum=np.nan)))

    assert np.isnan(found.demand.output_tok).all()
    assert "The source states no output tokens, so they stay unknown." in found.notes


def test_ten_minute_aggregates_give_the_factor_of_their_window(make_traffic):
    traffic = make_traffic(days=20, window_s=600)
    index = pd.date_range(traffic.daily.index[0], periods=20 * 144, freq="10min", name="window_utc")
    requests = traffic.daily["requests"].reindex(index.normalize()).to_numpy() / 144
    requests[::144] *= 2.5
    windows = pd.DataFrame({"requests": requests}, index=index)
    daily = traffic.daily.assign(peak_10s_requests=np.nan, peak_minute_requests=np.nan, peak_hour_requests=np.nan)

    found = outlook(replace(traffic, windows=windows, daily=daily, source_kind="aggregates"))

    assert found.demand.window_s == 600
    assert np.median(found.demand.busiest_10s_factor) == pytest.approx(2.5, rel=0.15)


def test_volume_and_peak_of_a_path_move_together(make_traffic):
    found = outlook(make_traffic(noise=0.2), days=300)
    peak = found.demand.peak_qps()[:, -1]

    assert np.corrcoef(np.log(found.demand.requests[:, -1]), np.log(peak))[0, 1] > 0.5


def test_the_week_is_forecast_from_the_hours_and_follows_peoples_clocks(make_traffic):
    index = pd.date_range("2026-08-07", "2026-11-05", freq="h", inclusive="left", name="hour_utc")
    berlin = ZoneInfo("Europe/Berlin")
    busy = index.tz_localize("UTC").tz_convert(berlin).hour == 9  # 8:00 UTC in November, 7:00 in summer
    traffic = replace(make_traffic(), hours=pd.Series(np.where(busy, 1900.0, 100.0), index=index))

    found = outlook(traffic, days=180, zone=berlin)

    assert found.demand.hour_of_week[:24].argmax() == 8
    hours = found.demand.hourly()[0].argmax(axis=1)
    assert hours[:10].tolist() == [8] * 10
    assert hours[-10:].tolist() == [7] * 10, "from 28 March on clocks are an hour ahead"
    assert "Europe/Berlin" in found.notes[-1]
    fixed = outlook(
        replace(traffic, hours=pd.Series(np.where(index.hour == 9, 1900.0, 100.0), index=index)), zone=berlin
    )
    assert "did not move" in fixed.notes[-1]


US_HOLIDAYS = HolidayCalendar(country="US", subdivision=None, zone=ZoneInfo("UTC"))


@pytest.fixture
def on_holidays(make_traffic):
    """A forecast with holidays of a workload that halves on them, the same without, and the days they touch."""
    traffic = make_traffic(days=800)
    days = traffic.daily.index.to_numpy().astype("datetime64[D]")
    share = np.sum(list(US_HOLIDAYS.exposure(days[0], len(days)).values()), axis=0)
    traffic.daily["requests"] *= np.where(share > 0, 0.5, 1.0)
    ask = {"as_of": AS_OF, "seed": 1, "days": 90, "paths": 100}
    ahead = np.sum(list(US_HOLIDAYS.exposure(np.datetime64(AS_OF), 90).values()), axis=0) > 0
    return forecast_traffic(traffic, **ask, holidays=US_HOLIDAYS), forecast_traffic(traffic, **ask), ahead


def test_holidays_to_come_do_what_past_ones_did_and_touch_no_other_day(on_holidays):
    with_them, without, ahead = on_holidays
    parts = with_them.parts

    assert ahead.sum() >= 4
    assert (parts.events[~ahead] == 0).all()
    assert (parts.requests / parts.base)[ahead] == pytest.approx(0.5, abs=0.06)
    assert "holidays of US: " in " ".join(with_them.method.cleaned)
    assert without.parts.events.sum() == 0


def test_an_upgrade_that_changes_lengths_changes_only_its_days_and_its_tokens(make_traffic):
    upgrade = Event(
        name="v2",
        start=AS_OF + timedelta(days=10),
        end=AS_OF + timedelta(days=19),
        output_tok=Factor(1.3, 1.3, 1.3),
        cached_prompt_tok=Factor(9.0, 9.0, 9.0),
    )
    traffic = make_traffic(days=100)
    ask = {"as_of": AS_OF, "seed": 1, "days": 30, "paths": 60}
    before, after = (forecast_traffic(traffic, **ask, events=events).demand for events in ((), (upgrade,)))
    inside = np.arange(30) // 10 == 1

    assert (after.requests == before.requests).all()
    assert (after.prompt_tok == before.prompt_tok).all()
    assert after.output_tok[:, inside] == pytest.approx(1.3 * before.output_tok[:, inside])
    assert (after.output_tok[:, ~inside] == before.output_tok[:, ~inside]).all()
    assert (after.cached_prompt_tok <= after.prompt_tok).all(), "never more is cached than there is"
    assert (after.cached_prompt_tok[:, ~inside] == before.cached_prompt_tok[:, ~inside]).all()


def test_the_expected_requests_of_an_earlier_day_are_those_it_had_forecast(make_traffic):
    traffic = make_traffic(days=200)
    then = forecast_traffic(traffic, as_of=date(2026, 10, 1), seed=1, days=60, paths=80)

    again = expected_requests(traffic, as_of=date(2026, 10, 1), days=60, paths=80)

    assert again == pytest.approx(then.parts.base)
