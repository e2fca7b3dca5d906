"""What earlier forecasts were worth: each is scored, day by day, against what came."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.errors import UserError
from data.traffic import Traffic
from forecasting.calendar import fill_by_week, make_history
from forecasting.peaks import daily_peaks
from forecasting.scenarios import Days, Event
from forecasting.scores import naive_quantiles, pinball
from forecasting.tokens import mean_tokens

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

BUCKETS = ((1, 30), (31, 90), (91, 365))
"""Days ahead that are scored together: the horizons of the plan, without what a shorter one holds already."""
GOOD_ERROR, FAIR_ERROR = 0.12, 0.20
"""Up to 12% a forecast's error is graded good (green), up to 20% fair (amber), above it poor (red)."""
LEAST_DAYS = 7
"""Below a week of scored days an error says more about the weekday than about the forecast: no grade."""

Grade = Literal["good", "fair", "poor", "none"]


def peak_quantity(window_s: int) -> str:
    """Return the name under which the busiest window is recorded: peaks of other windows are not compared.

    >>> peak_quantity(10)
    'peak_10s_qps'
    """
    return f"peak_{window_s}s_qps"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actuals:
    """What came, by UTC day: values by quantity (n,), NaN where the day is unknown or was not seen whole.

    Quantities: requests a day, requests a second in the busiest window (`peak_quantity`), and mean tokens a
    request as logged: prompt_tok, cached_prompt_tok, output_tok.
    outage: days whose zero is an outage of the source, not demand; they are left out of every score.
    event: days of a declared event that ended; they are scored, and counted apart.
    """

    first: np.datetime64
    values: Mapping[str, Floats]
    outage: Bools
    event: Bools

    @property
    def days(self) -> Days:
        """The days (n,)."""
        return np.asarray(self.first + np.arange(len(self.outage)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How one quantity of one forecast did over the days from_day..to_day ahead that have come.

    days: scored days; event_days of them lie in a declared event; outage_days were left out. actual_mean: of the
    scored days. error: sum |actual - mean| over the sum of actuals; bias: sum (mean - actual) over it, above 0 =
    forecast too much; None where nothing came. coverage_80: share of days inside q10..q90. pinball: mean quantile
    loss (`scores.pinball`), naive_pinball that of repeating the week before the forecast, None = no such week.
    through: the newest scored day.
    """

    from_day: int
    to_day: int
    days: int
    event_days: int
    outage_days: int
    actual_mean: float
    error: float | None
    bias: float | None
    coverage_80: float
    pinball: float
    naive_pinball: float | None
    through: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """Scores of several forecasts together: sums over all their days, so that a long one weighs more."""

    plans: int
    days: int
    event_days: int
    outage_days: int
    error: float | None
    bias: float | None
    coverage_80: float
    loss_vs_naive: float | None


def read_actuals(traffic: Traffic, events: Sequence[Event], as_of: date) -> Actuals:
    """Return what came before as_of; days that were not seen from end to end are unknown."""
    daily = traffic.daily[traffic.daily.index < pd.Timestamp(as_of)]
    daily = daily.reindex(pd.date_range(daily.index.min(), daily.index.max(), name="day_utc"))
    whole = daily["observed_share"].fillna(0.0).to_numpy(dtype=np.float64) >= 1.0
    values = {
        "requests": daily["requests"].to_numpy(dtype=np.float64),
        **_peaks(traffic, daily),
        "prompt_tok": mean_tokens(daily, "prompt"),
        "cached_prompt_tok": mean_tokens(daily, "cached"),
        "output_tok": mean_tokens(daily, "output"),
    }
    values = {name: np.where(whole, y, np.nan) for name, y in values.items()}
    first = daily.index.to_numpy().astype("datetime64[D]")[0]
    days = first + np.arange(len(daily))
    in_event = np.zeros(len(daily), dtype=np.bool_)
    for event in events:
        if event.workload in (None, traffic.workload) and event.end is not None:
            in_event |= event.covers(days)
    outage = _outages(first, values["requests"], traffic.workload)
    return Actuals(first=first, values=values, outage=outage, event=in_event)


def score_forecast(as_of: date, bands: Floats, actuals: Actuals, quantity: str) -> tuple[Score, ...]:
    """Score one recorded forecast, bands (4, D): mean, q10, q50, q90 of the days from as_of on.

    One score for each of BUCKETS in which a day has come; NaN days of the bands are not scored, nor is a quantity
    whose actuals nobody states.
    """
    if quantity not in actuals.values:
        return ()
    ahead = bands.shape[1]
    start = int((np.datetime64(as_of, "D") - actuals.first).astype(np.int64))
    index = start + np.arange(ahead)
    inside = (index >= 0) & (index < len(actuals.outage))
    at = np.where(inside, index, 0)
    seen = np.where(inside, actuals.values[quantity][at], np.nan)
    outage = inside & actuals.outage[at]
    scored = np.isfinite(seen) & np.isfinite(bands).all(axis=0) & ~outage
    naive = _naive(actuals.values[quantity][: max(start, 0)], ahead)
    out = []
    for low, high in BUCKETS:
        pick = np.zeros(ahead, dtype=np.bool_)
        pick[low - 1 : high] = True
        use = pick & scored
        if use.any():
            out.append(
                _score(
                    (low, high),
                    seen[use],
                    bands[:, use],
                    None if naive is None else naive[:, use],
                    event_days=int(actuals.event[at[use]].sum()),
                    outage_days=int((outage & pick).sum()),
                    through=as_of + timedelta(days=int(np.flatnonzero(use)[-1])),
                )
            )
    return tuple(out)


def pool(scores: Sequence[Score]) -> Pooled:
    """Return the scores together, weighted by days and, for error and bias, by what came on them.

    Raises ValueError without a score. The loss over the naive's counts only scores that know the naive.
    """
    days = sum(s.days for s in scores)
    if not days:
        raise ValueError("there is no score to pool; give at least one")
    both = [(s, s.naive_pinball) for s in scores if s.naive_pinball is not None]
    naive = sum(s.days * loss for s, loss in both)
    return Pooled(
        plans=len(scores),
        days=days,
        event_days=sum(s.event_days for s in scores),
        outage_days=sum(s.outage_days for s in scores),
        error=_weighted([(s, s.error) for s in scores]),
        bias=_weighted([(s, s.bias) for s in scores]),
        coverage_80=sum(s.days * s.coverage_80 for s in scores) / days,
        loss_vs_naive=sum(s.days * s.pinball for s, _ in both) / naive if naive > 0 else None,
    )


def grade(error: float | None, days: int) -> Grade:
    """Return what an error is worth; `none` where it is unknown or rests on less than a week.

    >>> grade(0.12, 30), grade(0.2, 30), grade(0.21, 30), grade(0.01, 6)
    ('good', 'fair', 'poor', 'none')
    """
    if error is None or days < LEAST_DAYS:
        return "none"
    return "good" if error <= GOOD_ERROR else "fair" if error <= FAIR_ERROR else "poor"


def _peaks(traffic: Traffic, daily: pd.DataFrame) -> dict[str, Floats]:
    """Requests a second in the busiest window of the day, for each length of window that is known."""
    longer = {60: "peak_minute_requests", 3600: "peak_hour_requests"}
    found = {peak_quantity(s): daily[column].to_numpy(dtype=np.float64) / s for s, column in longer.items()}
    finest = daily_peaks(replace(traffic, daily=daily)) / traffic.window_s
    return {**found, peak_quantity(traffic.window_s): finest}


def _outages(first: np.datetime64, requests: Floats, workload: str) -> Bools:
    """Known days that the forecast itself would take for an outage."""
    try:
        history = make_history(first, requests, where=f"requests of {workload}")
    except UserError:  # nothing is known, so nothing is scored
        return np.zeros(len(requests), dtype=np.bool_)
    return np.asarray(np.isfinite(requests) & ~np.isfinite(history.y))


def _naive(before: Floats, ahead: int) -> Floats | None:
    """(3, D) quantiles of repeating the last week before the forecast, None where no whole week was known."""
    if np.isfinite(before).sum() < 7:
        return None
    return naive_quantiles(fill_by_week(before), ahead)


def _score(
    bucket: tuple[int, int], seen: Floats, bands: Floats, naive: Floats | None,
    *, event_days: int, outage_days: int, through: date,
) -> Score:  # fmt: skip
    total = float(seen.sum())
    return Score(
        from_day=bucket[0],
        to_day=bucket[1],
        days=len(seen),
        event_days=event_days,
        outage_days=outage_days,
        actual_mean=float(seen.mean()),
        error=float(np.abs(seen - bands[0]).sum()) / total if total > 0 else None,
        bias=float((bands[0] - seen).sum()) / total if total > 0 else None,
        coverage_80=float(np.mean((seen >= bands[1]) & (seen <= bands[3]))),
        pinball=pinball(seen, bands[1:]),
        naive_pinball=None if naive is None else pinball(seen, naive),
        through=through,
    )


def _weighted(rows: Sequence[tuple[Score, float | None]]) -> float | None:
    """Mean of a share over scores, weighted by what came: the share of all days together."""
    known = [(s.days * s.actual_mean, value) for s, value in rows if value is not None]
    weight = sum(w for w, _ in known)
    return sum(w * value for w, value in known) / weight if weight > 0 else None
