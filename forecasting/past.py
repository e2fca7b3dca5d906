"""What one workload did before as_of, as plain daily series with past events taken out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.errors import UserError
from data.traffic import FIELDS, PERCENTILES, Traffic
from forecasting.holiday import HolidayCalendar, HolidayEffect, holiday_sentences, learn_holidays
from forecasting.peaks import coarse_peaks, daily_peaks
from forecasting.recurrence import resolve_events
from forecasting.scenarios import Days, Event, Quantity, learn_around
from forecasting.tokens import cached_odds, mean_tokens, percentile_name, percentile_tokens

Floats = npt.NDArray[np.float64]

MOVED_BY: dict[str, Quantity] = {
    "requests": "requests",
    "peak": "requests",
    "peak_minute": "requests",
    "peak_hour": "requests",
    "prompt": "prompt_tok",
    "cached": "cached_prompt_tok",
    "output": "output_tok",
}
"""Which factor of an event moves which series."""
FIELD_MOVED_BY: dict[str, Quantity] = {
    "prompt": "prompt_tok",
    "cached": "cached_prompt_tok",
    "output": "output_tok",
}
"""The same for the percentiles of a length."""
MOST_GAP_DAYS = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """The daily series (n,) of one workload before as_of.

    traffic: what was seen before as_of and nothing later. series: requests, peak (busiest window), peak_minute and
    peak_hour where those are longer; the mean tokens prompt and output, and for cached the odds of a prompt token
    being cached (`cached_odds`); the percentiles of each length (`percentile_name`). Days that were cut off are
    masked, past events taken out. seen_days, full_days: how much was observed. gap: unknown days up to as_of.
    events: those of the workload, with the multipliers that were learned. holiday: what public holidays did, which
    is taken out of requests and peaks; None = no calendar given, or too few seen. learned: sentences about events,
    holidays and days left out.
    """

    traffic: Traffic
    days: Days
    series: dict[str, Floats]
    seen_days: float
    full_days: int
    gap: int
    events: tuple[Event, ...]
    holiday: HolidayEffect | None
    learned: tuple[str, ...]

    @property
    def known(self) -> list[str]:
        """Names of the series that are known on at least one day."""
        return [name for name, values in self.series.items() if np.isfinite(values).any()]


def read_past(
    traffic: Traffic, as_of: date, events: Sequence[Event], holidays: HolidayCalendar | None = None
) -> Past:
    """Return the past of a workload as a forecast on as_of may see it.

    Raises UserError where no day before as_of is known, the data ends more than a year before it, or an event to
    come states no multipliers and nothing tells them.
    """
    seen, gap = _before(traffic, as_of)
    days = seen.daily.index.to_numpy().astype("datetime64[D]")
    share = seen.daily["observed_share"].fillna(0.0).to_numpy(dtype=np.float64)
    whole = share >= 1.0
    raw = {"requests": seen.daily["requests"].to_numpy(dtype=np.float64), "peak": daily_peaks(seen)}
    raw |= coarse_peaks(seen)
    if whole.any():
        raw = {name: np.where(whole, values, np.nan) for name, values in raw.items()}
    raw |= {field: mean_tokens(seen.daily, field) for field in FIELDS}
    by_quantity = {quantity: raw[name] for name, quantity in MOVED_BY.items() if not name.startswith("peak")}
    events, said = resolve_events(events, traffic.workload, days, by_quantity, as_of)
    series, learned = {}, list(said)
    for name, values in raw.items():
        series[name], found = _learnt(events, traffic.workload, days, values, as_of, name)
        quiet = name.startswith("peak") or name == "cached"
        learned += [] if quiet else [f"{name}: {sentence}" for sentence in found]
    series["cached"] = cached_odds(series["prompt"], series["cached"])
    holiday = learn_holidays(days[0], series["requests"], holidays) if holidays is not None else None
    if holidays is not None and holiday is not None:
        series |= _without_holidays(series, days, holidays, holiday)
    learned += holiday_sentences(holidays, holiday)
    cut = int(((share > 0) & ~whole).sum()) if whole.any() else 0
    learned += [f"{cut} day{'s' if cut > 1 else ''} cut off at the edge of the data left out"] if cut else []
    for field, moved in FIELD_MOVED_BY.items():
        for p, y in zip(PERCENTILES, percentile_tokens(seen.daily, field), strict=True):
            series[percentile_name(field, p)], _ = learn_around(events, traffic.workload, days, y, as_of, moved)
    return Past(
        traffic=seen,
        days=days,
        series=series,
        seen_days=float(share.sum()),
        full_days=int(whole.sum()),
        gap=gap,
        events=events,
        holiday=holiday,
        learned=tuple(learned),
    )


def _before(traffic: Traffic, as_of: date) -> tuple[Traffic, int]:
    """The traffic before as_of with every calendar day present, and the unknown days between it and as_of."""
    daily = traffic.daily[traffic.daily.index < pd.Timestamp(as_of)]
    if not daily["requests"].notna().any():
        raise UserError(
            f"{traffic.workload} has no traffic before {as_of}; its data begins {traffic.first_utc:%Y-%m-%d}."
            " Choose a later --as-of or ingest older logs."
        )
    last = daily.index.max()
    gap = (pd.Timestamp(as_of) - last).days - 1
    if gap > MOST_GAP_DAYS:
        raise UserError(
            f"The data of {traffic.workload} ends on {last:%Y-%m-%d}, {gap} days before {as_of}; at most"
            f" {MOST_GAP_DAYS} can be bridged. Ingest newer logs or choose an earlier --as-of."
        )
    daily = daily.reindex(pd.date_range(daily.index.min(), last, name="day_utc"))
    windows = traffic.windows[traffic.windows.index < pd.Timestamp(as_of)]
    hours = traffic.hours[traffic.hours.index < pd.Timestamp(as_of)]
    return replace(traffic, daily=daily, windows=windows, hours=hours), gap


def _without_holidays(
    series: dict[str, Floats], days: Days, calendar: HolidayCalendar, effect: HolidayEffect
) -> dict[str, Floats]:
    """Requests and peaks as they would have been without holidays."""
    mean, _ = effect.on(calendar.exposure(days[0], len(days)), len(days))
    return {name: y * np.exp(-mean) for name, y in series.items() if MOVED_BY.get(name) == "requests"}


def _learnt(
    events: Sequence[Event], workload: str, days: Days, y: Floats, as_of: date, name: str
) -> tuple[Floats, tuple[str, ...]]:
    moved = MOVED_BY.get(name)
    return learn_around(events, workload, days, y, as_of, moved) if moved else (y, ())
