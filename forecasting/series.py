"""One daily series from its history to its forecast: the pipeline that plans use and backtests score."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data.traffic import Basis
from forecasting.calendar import History
from forecasting.counts import count_forecast
from forecasting.intervals import (
    MEDIAN_CAP,
    SHAPE,
    UPPER_CAP,
    LogPredictive,
    Predictive,
    half_widths,
    persistence_share,
)
from forecasting.models import SHORT_HISTORY_DAYS, DampedEts, Model, Robust, SeasonalNaive, ShortHistory
from forecasting.scores import naive_quantiles, pinball

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

ORIGIN_STEP_DAYS = 7
ERROR_ORIGINS = 104
"""Errors come from weekly origins over at most two years."""
JUDGED_ORIGINS = 6
"""Origins at which the candidates are compared, spread over the newest year."""


FLAT_DAYS = (1, 7, 30, 90, 365)
FLAT_DAY = (0.42, 0.42, 0.66, 0.72, 0.89)
"""How far a day lies from one h days before it: 80th percentile of |log ratio|, median of 16 real series.

Measured on the shared regular series before their scored windows (docs/forecasting.md): all that a forecast
from a single day can rest on.
"""
FLAT_CEILING = 30.0
"""No quantile of a flat plan goes above this multiple of the observed rate."""
FLAT_HOUR = 0.87
"""The same between an hour and its day: median of 8 hourly series of human traffic (docs/forecasting.md)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodSummary:
    """Why the forecast deserves trust, or does not.

    loss_vs_naive: quantile loss (0.1, 0.5, 0.9) of the winner over the seasonal naive's, in the series' own
    rolling-origin backtest; coverage_80: share of days inside the 80% interval there. None = not enough history.
    """

    model: str
    basis: Basis
    history_days: int
    origins: int
    loss_vs_naive: float | None
    coverage_80: float | None
    cleaned: tuple[str, ...]
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesForecast:
    """The marginal distribution of each day, what its days share, and why."""

    predictive: Predictive
    persistence: Floats
    method: MethodSummary


def forecast_series(history: History, horizon: int, *, trend: bool = True, light: bool = False) -> SeriesForecast:
    """Forecast the `horizon` days after the history.

    `trend=False` leaves growth to a scenario; `light` compares no statsmodels candidates (for the many token
    series of a workload). Deterministic.
    """
    if history.low_count:
        return _count_series(history, horizon)
    if history.known_days < SHORT_HISTORY_DAYS:
        return _fixed(history, horizon, ShortHistory(), "short history")
    candidates: list[Model] = [Robust(trend=trend)] if light else [Robust(trend=trend), DampedEts(trend=trend)]
    return _judged(history, horizon, candidates)


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
    return SeriesForecast(predictive=predictive, persistence=np.full(horizon, 0.95), method=method)


def _judged(history: History, horizon: int, candidates: Sequence[Model]) -> SeriesForecast:
    n = len(history.x)
    origins = np.arange(n - ORIGIN_STEP_DAYS, SHORT_HISTORY_DAYS - 1, -ORIGIN_STEP_DAYS)[:ERROR_ORIGINS][::-1]
    robust = candidates[0].predict(history, np.append(origins, n), horizon)
    errors = _errors(history, origins, robust[:-1])
    judged = _judged_origins(n, horizon)
    losses = {candidates[0].name: _losses(history, judged, _rows(robust, origins, judged), errors, origins)}
    centres = {candidates[0].name: robust[-1]}
    for model in candidates[1:]:
        found = model.predict(history, np.append(judged, n), horizon)
        for name, rows in (
            (model.name, found),
            (f"{candidates[0].name} + {model.name}", _blend(found, robust, origins, judged)),
        ):
            losses[name] = _losses(history, judged, rows[:-1], errors, origins)
            centres[name] = rows[-1]
    naive = SeasonalNaive()
    scale = {
        name: float(np.exp(np.mean(np.log(loss[:, 0])))) if len(loss) else 1.0 for name, loss in losses.items()
    }
    best = min(scale, key=lambda name: scale[name])
    basis: Basis = "history"
    if len(judged) >= 2 and scale[best] >= 1.0:
        return _fixed(history, horizon, naive, basis, lost=(best, scale[best]))
    predictive = _predictive(history, centres[best], errors, horizon)
    loss = losses[best]
    sentence = (
        f"{best} won with {scale[best]:.2f} times the seasonal naive's quantile loss over {len(judged)} origins."
    )
    method = MethodSummary(
        model=best,
        basis=basis,
        history_days=history.known_days,
        origins=len(judged),
        loss_vs_naive=scale[best] if len(judged) else None,
        coverage_80=float(loss[:, 1].mean()) if len(judged) else None,
        cleaned=history.cleaned,
        sentence=sentence if len(judged) else f"{best}: too little history to compare candidates.",
    )
    return SeriesForecast(
        predictive=predictive, persistence=persistence_share(errors, predictive.half_width), method=method
    )


def _fixed(
    history: History, horizon: int, model: Model, basis: Basis, lost: tuple[str, float] | None = None
) -> SeriesForecast:
    """Forecast with one model that no backtest chose, with the errors of that model."""
    n = len(history.x)
    origins = np.arange(n - ORIGIN_STEP_DAYS, 2 * ORIGIN_STEP_DAYS - 1, -ORIGIN_STEP_DAYS)[:ERROR_ORIGINS][::-1]
    rows = model.predict(history, np.append(origins, n), horizon)
    errors = _errors(history, origins, rows[:-1])
    predictive = _predictive(history, rows[-1], errors, horizon)
    if lost:
        sentence = f"Nothing beat the seasonal naive ({lost[0]} lost {lost[1]:.2f} times as much), so it is used."
    else:
        sentence = f"{history.known_days} days of history are too few to compare models: {model.name}, no trend."
    method = MethodSummary(
        model=model.name,
        basis=basis,
        history_days=history.known_days,
        origins=len(origins),
        loss_vs_naive=1.0 if lost else None,
        coverage_80=None,
        cleaned=history.cleaned,
        sentence=sentence,
    )
    return SeriesForecast(
        predictive=predictive, persistence=persistence_share(errors, predictive.half_width), method=method
    )


def _count_series(history: History, horizon: int) -> SeriesForecast:
    basis: Basis = "history" if history.known_days >= SHORT_HISTORY_DAYS else "short history"
    method = MethodSummary(
        model="negative binomial mean",
        basis=basis,
        history_days=history.known_days,
        origins=0,
        loss_vs_naive=None,
        coverage_80=None,
        cleaned=history.cleaned,
        sentence="Too few requests a day for a log-scale model: mean with a negative binomial around it.",
    )
    return SeriesForecast(
        predictive=count_forecast(history, horizon), persistence=np.full(horizon, 0.3), method=method
    )


def _judged_origins(n: int, horizon: int) -> Ints:
    last = n - min(horizon, max(28, (n - SHORT_HISTORY_DAYS) // 3))
    first = max(SHORT_HISTORY_DAYS, n - 365 - 28)
    if last < first:
        return np.empty(0, dtype=np.int64)
    return np.unique(np.round(np.linspace(first, last, JUDGED_ORIGINS)).astype(np.int64))


def _rows(rows: Floats, origins: Ints, wanted: Ints) -> Floats:
    """The rows whose weekly origin is the newest at or before each wanted day, moved along to it."""
    at = np.maximum(np.searchsorted(origins, wanted, side="right") - 1, 0)
    return rows[at]


def _blend(found: Floats, robust: Floats, origins: Ints, judged: Ints) -> Floats:
    return np.asarray((found + np.vstack([_rows(robust, origins, judged), robust[-1:]])) / 2)


def _errors(history: History, origins: Ints, forecast: Floats) -> Floats:
    """Log errors (O, H), actual minus forecast; NaN where the day is unknown or lies after the history."""
    index = origins[:, None] + np.arange(forecast.shape[1])[None]
    actual = np.append(np.log1p(history.y), np.nan)[np.minimum(index, len(history.y))]
    return np.asarray(actual - forecast)


def _losses(history: History, judged: Ints, rows: Floats, errors: Floats, origins: Ints) -> Floats:
    """(J, 2): quantile loss over the naive's and 80% coverage, with intervals known at each judged origin."""
    out = np.empty((len(judged), 2))
    for i, t in enumerate(judged):
        ahead = min(rows.shape[1], len(history.y) - int(t))
        past = _known_before(errors, origins, int(t))
        predictive = _predictive(history, rows[i, :ahead], past[:, :ahead], ahead, until=int(t))
        actual = history.y[int(t) : int(t) + ahead]
        q = predictive.ppf(np.array([0.1, 0.5, 0.9]))
        base = naive_quantiles(np.expm1(history.x[: int(t)]), ahead)
        known = np.isfinite(actual)
        if not known.any():
            out[i] = 1.0, 0.8
            continue
        mine, theirs = pinball(actual[known], q[:, known]), pinball(actual[known], base[:, known])
        inside = (actual[known] >= q[0, known]) & (actual[known] <= q[2, known])
        out[i] = np.clip(mine / max(theirs, 1e-9), 0.05, 20.0), inside.mean()
    return out


def _known_before(errors: Floats, origins: Ints, t: int) -> Floats:
    """Errors whose outcome lies before day t; the rest NaN."""
    dated = origins[:, None] + np.arange(errors.shape[1])[None]
    return np.where(dated < t, errors, np.nan)[origins < t]


def _predictive(
    history: History, centre: Floats, errors: Floats, horizon: int, until: int | None = None
) -> LogPredictive:
    seen = history.x[:until]
    weeks = len(seen) // 28
    levels = np.median(seen[len(seen) - weeks * 28 :].reshape(weeks, 28), axis=1)[-26:] if weeks else np.array([])
    highest = float(np.expm1(levels.max() if weeks else np.median(seen)))
    middle = np.minimum(centre, np.log1p(MEDIAN_CAP * highest))
    return LogPredictive(
        centre=middle,
        half_width=half_widths(errors, horizon),
        shape=np.array(SHAPE),
        ceiling=float(np.log1p(UPPER_CAP * highest)),
    )
