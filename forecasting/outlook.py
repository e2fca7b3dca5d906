"""From one workload's traffic to its demand: the whole forecast in one call."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from data.traffic import FIELDS, PERCENTILES, Traffic
from data.units import WEEK_HOURS
from forecasting.calendar import History, make_history
from forecasting.demand import Demand, Floats, TokenOutlook
from forecasting.holiday import HolidayCalendar, holiday_multipliers
from forecasting.joint import is_volume, joint_paths
from forecasting.moves import Expected
from forecasting.past import Past, read_past
from forecasting.peaks import busiest_windows, finer_notes, finer_peaks, peak_factor, peak_forecast
from forecasting.profile import clock_shift_h, followed_zone, hour_profile
from forecasting.scenarios import Days, Event, Growth, event_multipliers, growth_multipliers
from forecasting.second_opinion import SecondOpinion, second_opinion
from forecasting.series import MethodSummary, SeriesForecast, flat_series, forecast_series
from forecasting.tokens import cached_tokens, long_shares, percentile_name, second_moments, token_outlook

SHOWN = {"q2.5": 0.025, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q97.5": 0.975}
"""Quantiles of the daily tables: the median with its 80% and 95% interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What one workload will ask, and why that should be believed.

    daily_requests, daily_peak_qps: one row per UTC day (index `day_utc`), columns mean, q2.5, q10, q50, q90,
    q97.5 over the paths of `demand`: requests a day, and requests a second in the busiest window.
    token_percentiles: as in Demand.tokens. parts: one row per UTC day, what its expected requests and tokens are
    made of (`forecasting.moves.Expected`). notes: sentences that the page must print. second_opinion: what a
    library expects; None where nobody asked.
    """

    workload: str
    as_of: date
    demand: Demand
    daily_requests: pd.DataFrame
    daily_peak_qps: pd.DataFrame
    token_percentiles: tuple[TokenOutlook, ...]
    parts: Expected
    method: MethodSummary
    notes: tuple[str, ...]
    second_opinion: SecondOpinion | None = None


def forecast_traffic(
    traffic: Traffic,
    *,
    as_of: date,
    seed: int,
    days: int = 365,
    paths: int = 200,
    events: Sequence[Event] = (),
    growth: Growth | None = None,
    zone: ZoneInfo | None = None,
    holidays: HolidayCalendar | None = None,
) -> Outlook:
    """Forecast one workload from as_of on, seeing only the days before it.

    Returns joint sample paths of requests, mean tokens and the busiest window, with daily quantiles taken from
    those paths, token percentiles and the method. Where the data ends before as_of the gap is forecast too and
    left out. zone: whose clocks the hours of the week follow, None = UTC. holidays: whose public holidays are
    learned and applied, None = none. Same input and seed, same output. Raises UserError where no day before as_of
    is known, where the data ends more than a year before it, on negative values, or where an event to come states
    no multipliers and nothing tells them.
    """
    past = read_past(traffic, as_of, events, holidays)
    clock = followed_zone(past.traffic.hours, as_of, zone)
    ahead = past.gap + days
    forecasts = {name: _forecast(past, name, ahead, growth) for name in past.known}
    if past.full_days:
        forecasts |= {
            name: peak_forecast(each, forecasts["requests"], past.series[name], past.series["requests"])
            for name, each in forecasts.items()
            if name.startswith("peak")
        }
    rng = np.random.default_rng([seed, zlib.crc32(traffic.workload.encode())])
    drawn = joint_paths(past.series, forecasts, gap=past.gap, paths=paths, rng=rng)
    calendar = np.datetime64(as_of, "D") + np.arange(days)
    finer = finer_peaks(past.traffic)
    demand = _demand(past.traffic, as_of, calendar, drawn, forecasts["requests"].method, clock)
    busiest = busiest_windows(past.traffic, drawn, finer, rng)
    finest = next((b.factor for b in busiest if b.window_s == demand.window_s), demand.busiest_10s_factor)
    demand = replace(demand, busiest=busiest, busiest_10s_factor=finest)
    plain = demand.requests
    demand, parts = _with_scenarios(demand, past, growth, holidays, rng)
    method = forecasts["requests"].method
    return Outlook(
        workload=traffic.workload,
        as_of=as_of,
        demand=demand,
        daily_requests=_table(calendar, demand.requests),
        daily_peak_qps=_table(calendar, demand.peak_qps()),
        token_percentiles=demand.tokens,
        parts=parts,
        method=replace(method, cleaned=(*method.cleaned, *past.learned)),
        notes=(*_notes(past, as_of, forecasts), *finer_notes(finer), *_clock_notes(demand, zone, clock)),
        second_opinion=second_opinion(
            _history(past, "requests") if past.full_days else None,
            plain,
            gap=past.gap,
            scenarios=not np.array_equal(plain, demand.requests),
        ),
    )


def expected_requests(
    traffic: Traffic,
    *,
    as_of: date,
    days: int,
    paths: int,
    events: Sequence[Event] = (),
    growth: Growth | None = None,
    holidays: HolidayCalendar | None = None,
) -> Floats:
    """Return (D,) the expected requests a day from the data alone, as `forecast_traffic` on as_of would have them.

    For comparing an earlier plan with what today's method makes of the same past. Raises as `forecast_traffic`.
    """
    past = read_past(traffic, as_of, events, holidays)
    found = _forecast(past, "requests", past.gap + days, growth)
    levels = (np.arange(paths) + 0.5) / paths
    return np.asarray(found.predictive.ppf(levels).mean(axis=0)[past.gap :])


def _forecast(past: Past, name: str, ahead: int, growth: Growth | None) -> SeriesForecast:
    volume = is_volume(name)
    if past.full_days == 0:
        return flat_series(_flat_level(past, name), ahead, seen_days=past.seen_days, spread=volume)
    return forecast_series(_history(past, name), ahead, trend=growth is None and volume, light=name != "requests")


def _history(past: Past, name: str) -> History:
    where = f"{name} of {past.traffic.workload}"
    return make_history(past.days[0], past.series[name], where=where, counts=name == "requests")


def _flat_level(past: Past, name: str) -> float:
    """Requests at their observed rate, the highest peak, the mean of mean tokens."""
    y, volume = past.series[name], is_volume(name)
    if name == "requests":
        return float(np.nansum(y)) / past.seen_days
    return float(np.nanmax(y) if volume else np.nanmean(y))


def _demand(
    traffic: Traffic, as_of: date, calendar: Days,
    drawn: dict[str, Floats], method: MethodSummary, zone: ZoneInfo | None,
) -> Demand:  # fmt: skip
    requests = drawn["requests"]
    unknown = np.full_like(requests, np.nan)
    prompt = drawn.get("prompt", unknown)
    cached = cached_tokens(prompt, drawn["cached"]) if "cached" in drawn else np.zeros_like(requests)
    busiest = peak_factor(drawn["peak"], requests, traffic.window_s) if "peak" in drawn else unknown
    return Demand(
        workload=traffic.workload,
        as_of=as_of,
        basis=method.basis,
        days=calendar,
        requests=requests,
        prompt_tok=prompt,
        cached_prompt_tok=cached,
        output_tok=drawn.get("output", unknown),
        busiest_10s_factor=busiest,
        window_s=traffic.window_s,
        moments=second_moments(traffic),
        long=long_shares(traffic),
        tokens=_percentiles(drawn, {"prompt": prompt, "cached": cached, "output": drawn.get("output", unknown)}),
        hour_of_week=_hours(traffic, as_of, zone),
        clock_shift_h=clock_shift_h(calendar, as_of, zone),
    )


def _percentiles(drawn: dict[str, Floats], means: dict[str, Floats]) -> tuple[TokenOutlook, ...]:
    """The outlook of each field: its percentiles on the paths of its mean; NaN where one was never seen."""
    out = []
    for field in FIELDS:
        unknown = np.full_like(means[field], np.nan)
        rows = [drawn.get(percentile_name(field, p), unknown) for p in PERCENTILES]
        out.append(token_outlook(field, np.array(rows), means[field]))
    return tuple(out)


def _with_scenarios(
    demand: Demand, past: Past, growth: Growth | None, holidays: HolidayCalendar | None, rng: np.random.Generator
) -> tuple[Demand, Expected]:
    """Events, holidays and growth multiply the paths; the busiest window keeps its ratio to the mean rate."""
    paths, days = demand.requests.shape
    factors = event_multipliers(past.events, demand.workload, demand.days, demand.as_of, paths, rng)
    grown = demand.requests
    if growth is not None:
        grown = grown * growth_multipliers(growth, days, paths, rng)
    requests = grown * factors["requests"]
    if holidays is not None and past.holiday is not None:
        requests = requests * holiday_multipliers(past.holiday, holidays, demand.days, paths, rng)
    prompt = demand.prompt_tok * factors["prompt_tok"]
    cached = np.fmin(demand.cached_prompt_tok * factors["cached_prompt_tok"], prompt)
    capped = np.divide(
        cached, demand.cached_prompt_tok, out=np.ones_like(cached), where=demand.cached_prompt_tok > 0
    )
    by_field = {"prompt": factors["prompt_tok"], "cached": capped, "output": factors["output_tok"]}
    moved = replace(
        demand,
        requests=requests,
        prompt_tok=prompt,
        cached_prompt_tok=cached,
        output_tok=demand.output_tok * factors["output_tok"],
        tokens=tuple(each.times(by_field[each.field]) for each in demand.tokens),
    )
    return moved, _parts(demand, grown, moved)


def _parts(plain: Demand, grown: Floats, moved: Demand) -> Expected:
    """What data, growth and events each add to the expected requests, and length events to the tokens."""
    base, with_growth, requests = (r.mean(axis=0) for r in (plain.requests, grown, moved.requests))
    total_tok, same_lengths = (
        (moved.requests * (d.prompt_tok + d.output_tok)).mean(axis=0) for d in (moved, plain)
    )
    return Expected(
        as_of=moved.as_of,
        base=base,
        growth=with_growth - base,
        events=requests - with_growth,
        total_tok=total_tok,
        event_tok=total_tok - same_lengths,
    )


def _table(calendar: Days, samples: Floats) -> pd.DataFrame:
    """One row per day: mean and SHOWN quantiles over the paths (S, D)."""
    quantiles = np.quantile(samples, list(SHOWN.values()), axis=0)
    columns = {"mean": samples.mean(axis=0), **dict(zip(SHOWN, quantiles, strict=True))}
    return pd.DataFrame(columns, index=pd.DatetimeIndex(calendar.astype("datetime64[ns]"), name="day_utc"))


def _hours(traffic: Traffic, as_of: date, zone: ZoneInfo | None) -> Floats:
    """The forecast profile; without one whole day of hours the one that was read, or flat where that is empty."""
    found = hour_profile(traffic.hours, as_of, zone)
    if found is not None:
        return found
    known = np.nan_to_num(np.asarray(traffic.hour_of_week, dtype=np.float64), nan=0.0)
    return known / known.mean() if known.sum() > 0 else np.ones(WEEK_HOURS)


def _clock_notes(demand: Demand, zone: ZoneInfo | None, followed: ZoneInfo | None) -> tuple[str, ...]:
    if zone is not None and followed is None:
        return (
            f"Its hours did not move when the clocks of {zone.key} changed, so its week stays as it is in UTC.",
        )
    if followed is not None and demand.clock_shift_h is not None:
        return (
            f"Its week is shown as of {demand.as_of}; in UTC it moves when the clocks of {followed.key} change.",
        )
    return ()


def _notes(past: Past, as_of: date, forecasts: dict[str, SeriesForecast]) -> tuple[str, ...]:
    notes = []
    if past.gap:
        notes.append(
            f"The data ends on {past.days[-1]}; the {past.gap} days up to {as_of} are bridged by the forecast."
        )
    unknown = [name for name in ("prompt", "output") if name not in forecasts]
    notes += [f"The source states no {name} tokens, so they stay unknown." for name in unknown]
    if "cached" not in forecasts:
        notes.append("The source states no cached tokens: every prompt token is counted as uncached.")
    if "peak" not in forecasts:
        notes.append("No busiest window is known, so no windowed plan rests on it.")
    return tuple(notes)
