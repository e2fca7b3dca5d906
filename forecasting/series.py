"""One daily series from its history to its forecast: the pipeline that plans use and backtests score."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from data.traffic import Basis
from forecasting.calendar import WEEK_DAYS, History
from forecasting.counts import count_forecast
from forecasting.dates import date_effects
from forecasting.intervals import (
    OWN_LEVEL,
    SHAPE,
    LogPredictive,
    Predictive,
    half_widths,
    log_predictive,
    persistence_share,
)
from forecasting.judging import USUAL_LOSS, Judged, expected_loss, judged_positions, model_share
from forecasting.levels import level_shifts
from forecasting.models import (
    SHORT_HISTORY_DAYS,
    SHORT_WINDOW,
    DampedSmoothing,
    Model,
    RobustLevels,
    SeasonalNaive,
    ShortHistory,
)

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

ORIGIN_STEP_DAYS = 7
ERROR_ORIGINS = 104
"""Errors come from weekly origins over at most two years."""
COUNT_PERSISTENCE = 0.3
FLAT_DAYS = (1, 7, 30, 90, 365)
FLAT_DAY = (0.42, 0.42, 0.66, 0.72, 0.89)
"""How far a day lies from one h days before it: 80th percentile of |log ratio|, median of 16 real series.

Measured on the shared regular series before their scored windows (docs/forecasting.md): all that a forecast
from a single day can rest on.
"""
FLAT_CEILING = 3.0
"""No quantile of a flat plan goes above this multiple of the observed rate.

Assumed. Without it the mean, which budgets add up, would lie 1.6 times above the rate that was seen; with it, 1.2.
"""
FLAT_PERSISTENCE = 0.95
"""Assumed: where only an hour was seen, nearly all that is not known is the level of every day to come."""
FLAT_HOUR = 0.87
"""The same between an hour and its day: median of 8 hourly series of human traffic (docs/forecasting.md)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodSummary:
    """Why the forecast deserves trust, or does not.

    loss_vs_naive: quantile loss (0.1, 0.5, 0.9) of the winner over the seasonal naive's, in the series' own
    rolling-origin backtest; coverage_80: share of days inside the 80% interval there. None = not enough history.
    origins: past days at which candidates were judged; interval_origins: those whose errors give the interval.
    """

    model: str
    basis: Basis
    history_days: int
    origins: int
    loss_vs_naive: float | None
    coverage_80: float | None
    cleaned: tuple[str, ...]
    sentence: str
    interval_origins: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesForecast:
    """The marginal distribution of each day, what its days share, and why.

    persistence: (H,) share of a day's variance that is the level's; level_sd: (H,) how the level's standard
    deviation grows, non-decreasing, in any unit. Sample paths follow both (`intervals.normal_scores`).
    """

    predictive: Predictive
    persistence: Floats
    level_sd: Floats
    method: MethodSummary


def forecast_series(history: History, horizon: int, *, trend: bool = True, light: bool = False) -> SeriesForecast:
    """Forecast the `horizon` days after the history.

    `trend=False` leaves growth to a scenario; `light` takes robust levels alone (for the many token series
    of a workload). Deterministic.
    """
    if history.low_count:
        return _count_series(history, horizon)
    if history.known_days < SHORT_HISTORY_DAYS or len(history.x) < SHORT_HISTORY_DAYS:
        return short_series(history, horizon)
    return _long_series(
        history, horizon, RobustLevels(trend=trend), None if light else DampedSmoothing(trend=trend)
    )


def short_series(history: History, horizon: int, *, season: int = WEEK_DAYS) -> SeriesForecast:
    """Forecast by the short-history rule, with errors of its own from origins two seasons in or later.

    `season` other than 7 is for series of other slots than days: 4 for the percentiles of 6-hour windows.
    """
    model = ShortHistory(season=season)
    n = len(history.x)
    step = ORIGIN_STEP_DAYS if season == WEEK_DAYS else season
    origins = np.arange(n - step, 2 * season - 1, -step)[:ERROR_ORIGINS][::-1]
    rows = model.predict(history, np.append(origins, n), horizon)
    method = MethodSummary(
        model=model.name,
        basis="short history",
        history_days=history.known_days,
        origins=len(origins),
        loss_vs_naive=None,
        coverage_80=None,
        cleaned=history.cleaned,
        sentence=f"{history.known_days} days of history are too few to compare models: {model.name}, no trend.",
    )
    least = _spread_of_fit(history, model.fitted(history))
    return _assemble(history, rows[-1], _errors(history, origins, rows[:-1]), horizon, method, least)


def flat_series(level: float, horizon: int, *, seen_days: float, spread: bool = True) -> SeriesForecast:
    """Plan flat at `level`: the rule where not one full day was seen (`seen_days` of a day).

    The interval rests on what other series do (FLAT_DAY, FLAT_HOUR), not on this one; `spread=False` leaves
    out the hour's part, for quantities that hardly follow the hour (token lengths).
    """
    h = np.arange(1, horizon + 1)
    width = np.interp(np.log(h), np.log(FLAT_DAYS), FLAT_DAY)
    hour = FLAT_HOUR * (1 - min(seen_days, 1.0)) if spread else 0.0
    predictive = LogPredictive(
        centre=np.full(horizon, np.log1p(level)),
        half_width=np.sqrt(width**2 + hour**2) * (1.0 if spread else 0.5),
        shape=np.array(SHAPE),
        ceiling=float(np.log1p(level * FLAT_CEILING)),
    )
    sentence = (
        f"Only {seen_days:.2f} days were seen: planned flat at the observed rate, an assumption for every horizon;"
        " the interval is how far single days and hours of other real series lie from what follows them."
    )
    method = MethodSummary(
        model="flat at the observed rate",
        basis="no history",
        history_days=0,
        origins=0,
        loss_vs_naive=None,
        coverage_80=None,
        cleaned=(),
        sentence=sentence,
    )
    return SeriesForecast(
        predictive=predictive,
        persistence=np.full(horizon, FLAT_PERSISTENCE),
        level_sd=predictive.half_width,
        method=method,
    )


def _long_series(history: History, horizon: int, robust: Model, other: Model | None) -> SeriesForecast:
    """Robust levels and a second model, each with the share that its backtest earns, or else the naive."""
    n = len(history.x)
    origins = _origins(n, SHORT_HISTORY_DAYS)
    every = np.append(origins, n)
    effects = date_effects(history, every, horizon)
    rows = _dated(robust.predict(history, every, horizon), effects)
    at = judged_positions(origins, n, horizon)
    judged = Judged.of(history, origins, _errors(history, origins, rows[:-1]), at, horizon)
    name = robust.name
    if other is not None:
        theirs = _dated(other.predict(history, every, horizon), effects)
        share = model_share(judged.loss(rows[at]), judged.loss(theirs[at]))
        name = f"{(1 - share):.0%} {robust.name} + {share:.0%} {other.name}"
        rows = (1 - share) * rows + share * theirs
    loss = judged.loss(rows[at])
    if expected_loss(loss, len(at)) >= 1.0:
        return _naive_series(history, horizon, origins, name, loss, len(at))
    method = _method(history, name, len(at), loss, judged.coverage(rows[at]))
    return _assemble(history, rows[-1], _errors(history, origins, rows[:-1]), horizon, method)


def _dated(rows: Floats, effects: Floats) -> Floats:
    """Forecasts (O, H) with what the dates are expected to do."""
    return np.maximum(rows + effects, 0.0)


def _naive_series(
    history: History, horizon: int, origins: Ints, lost: str, loss: float, judged: int
) -> SeriesForecast:
    naive = SeasonalNaive()
    rows = naive.predict(history, np.append(origins, len(history.x)), horizon)
    why = f"{lost} lost {loss:.2f} times as much over {judged} origins"
    method = MethodSummary(
        model=naive.name,
        basis="history",
        history_days=history.known_days,
        origins=judged,
        loss_vs_naive=1.0,
        coverage_80=None,
        cleaned=history.cleaned,
        sentence=f"Nothing beat the seasonal naive, so it is used: {why}.",
    )
    return _assemble(history, rows[-1], _errors(history, origins, rows[:-1]), horizon, method)


def _method(history: History, name: str, judged: int, loss: float, covered: float) -> MethodSummary:
    if judged:
        over = f"over {judged} past origin{'s' if judged > 1 else ''}"
        less = f"{1 - loss:.0%} less quantile loss than the seasonal naive ({loss:.2f} times)"
        sentence = f"{name} won: {less} {over}."
        if loss >= 1:
            sentence = (
                f"{name} had {loss:.2f} times the seasonal naive's quantile loss {over}, too few to prefer the"
                f" naive, because on other series it has {USUAL_LOSS} times."
            )
    else:
        sentence = f"{name}: {history.known_days} days of history are too few to judge it."
    return MethodSummary(
        model=name,
        basis="history",
        history_days=history.known_days,
        origins=judged,
        loss_vs_naive=loss if judged else None,
        coverage_80=covered if judged else None,
        cleaned=history.cleaned,
        sentence=sentence,
    )


def _count_series(history: History, horizon: int) -> SeriesForecast:
    method = MethodSummary(
        model="negative binomial mean",
        basis="history" if history.known_days >= SHORT_HISTORY_DAYS else "short history",
        history_days=history.known_days,
        origins=0,
        loss_vs_naive=None,
        coverage_80=None,
        cleaned=history.cleaned,
        sentence="Too few requests a day for a log-scale model: mean with a negative binomial around it.",
    )
    return SeriesForecast(
        predictive=count_forecast(history, horizon),
        persistence=np.full(horizon, COUNT_PERSISTENCE),
        level_sd=np.sqrt(np.arange(1.0, horizon + 1)),
        method=method,
    )


def _assemble(
    history: History, centre: Floats, errors: Floats, horizon: int, method: MethodSummary, least: float = 0.0
) -> SeriesForecast:
    method = replace(method, interval_origins=len(errors), cleaned=(*method.cleaned, *level_shifts(history)))
    width = np.maximum(half_widths(errors, horizon), least)
    predictive = log_predictive(history.x, centre, width)
    share = persistence_share(errors, width, history.x)
    level_sd = np.maximum.accumulate(np.sqrt(share) * width)
    return SeriesForecast(predictive=predictive, persistence=share, level_sd=level_sd, method=method)


def _spread_of_fit(history: History, fitted: Floats) -> float:
    """How far the newest days lie from what was fitted through them: the least 80% half-width of a short history.

    The errors of its few origins overlap and so understate what may come; the newest SHORT_WINDOW days say as much
    about single days, and more of them are independent.
    """
    apart = np.abs(np.log1p(history.y) - fitted)[-SHORT_WINDOW:]
    known = apart[np.isfinite(apart)]
    return float(np.quantile(known, OWN_LEVEL)) if known.size else 0.0


def _origins(n: int, first: int) -> Ints:
    """Weekly origins up to a week before the end, oldest first, two years of them at most."""
    return np.arange(n - ORIGIN_STEP_DAYS, first - 1, -ORIGIN_STEP_DAYS)[:ERROR_ORIGINS][::-1]


def _errors(history: History, origins: Ints, forecast: Floats) -> Floats:
    """Log errors (O, H), actual minus forecast; NaN where the day is unknown or lies after the history."""
    index = origins[:, None] + np.arange(forecast.shape[1])[None]
    actual = np.append(np.log1p(history.y), np.nan)[np.minimum(index, len(history.y))]
    return np.asarray(actual - forecast)
