"""Point models behind one interface: what each would have forecast on the log scale, from any day of the past."""

import warnings
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from forecasting.calendar import WEEK_DAYS, History
from forecasting.levels import MIXTURES, predict_levels, without_trend, yearly_move

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SHORT_HISTORY_DAYS = 60
SHORT_WINDOW = 28
BANDS = (1, 4, 10, 20, 40, 75, 140, 230, 365)
"""Horizons at which the mixtures are weighed; in between the weights are linear in log h."""
SHARPNESS = 8.0
"""Power of the mean error in a mixture's weight, where the history is long."""
CARRIED_STRETCHES = 4.0
"""Weight of the next shorter horizon's weights, in independent stretches of outcomes."""


class Model(Protocol):
    """A way to forecast the median of a daily series."""

    @property
    def name(self) -> str:
        """What the report calls it."""

    def predict(self, history: History, origins: Ints, horizon: int) -> Floats:
        """Return (O, H) log1p forecasts: row i sees history.x[:origins[i]] and starts on that day.

        origins: ascending. Rows may learn from the outcomes of earlier ones where those lie before them.
        """


@dataclass(frozen=True, slots=True)
class SeasonalNaive:
    """Repeat the last week."""

    name: str = "seasonal naive"

    def predict(self, history: History, origins: Ints, horizon: int) -> Floats:
        """Return the value of the same weekday in the last week before each origin."""
        steps = np.arange(horizon) % WEEK_DAYS
        index = origins[:, None] - WEEK_DAYS + steps[None]
        return np.asarray(history.x[np.maximum(index, 0)])


@dataclass(frozen=True, slots=True)
class ShortHistory:
    """28-day median times a shrunk weekday profile, no trend: the rule below 60 days of history.

    season: length of the profile; 7 for days, 4 for windows of 6 hours.
    """

    season: int = WEEK_DAYS
    name: str = "28-day median and weekday profile"

    def predict(self, history: History, origins: Ints, horizon: int) -> Floats:
        """Return level + weekday effect; effects are shrunk by n / (n + 2) for n weeks seen."""
        return np.array([_short_row(history.x[: int(t)], horizon, self.season) for t in origins])

    def fitted(self, history: History) -> Floats:
        """Return (n,) what the level and slots found at the end of the history give on each of its days."""
        ahead = _short_row(history.x, self.season, self.season)
        return np.asarray(ahead[(np.arange(len(history.x)) - len(history.x)) % self.season])


@dataclass(frozen=True, slots=True)
class RobustLevels:
    """Four mixtures of levels (`levels.MIXTURES`), weighed at each horizon by their own past errors.

        log weight_v(h) = (4 log weight_v(shorter h) - n 8 log error_v(h)) / (4 + n)

    error_v: mean |log error| of mixture v around horizon h over the outcomes known at the origin; n: how many
    independent stretches they span. The shortest horizon starts from equal weights, so that where nothing is
    known of a horizon yet, the next shorter one speaks for it.
    """

    trend: bool = True
    name: str = "robust levels"

    def predict(self, history: History, origins: Ints, horizon: int) -> Floats:
        """Return the forecasts from each origin; those with under 60 days before them take the short rule."""
        early = origins < SHORT_HISTORY_DAYS
        out = np.empty((len(origins), horizon))
        if early.any():
            out[early] = ShortHistory().predict(history, origins[early], horizon)
        late = origins[~early]
        if late.size:
            each = predict_levels(history, late, horizon, MIXTURES if self.trend else without_trend(MIXTURES))
            out[~early] = (_weights(history, late, each) * each).sum(axis=0)
        return np.maximum(out, 0.0)


@dataclass(frozen=True, slots=True)
class DampedEts:
    """Exponential smoothing on log1p with damped trend and weekly season (statsmodels), plus the yearly shape.

    Smoothing parameters are fitted once, on what the earliest origin sees, and kept for the later ones.
    Source: Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., ch. 8.
    """

    trend: bool = True
    fit_days: int = 400
    year_share: float = 0.7
    name: str = "damped ETS"

    def predict(self, history: History, origins: Ints, horizon: int) -> Floats:
        """Return the forecasts from each origin (none without origins), with the earliest one's parameters."""
        params: dict[str, float] | None = None
        rows = np.empty((len(origins), horizon))
        for i, t in enumerate(origins):
            seen = history.x[max(0, int(t) - self.fit_days) : int(t)]
            if np.ptp(seen) == 0:
                rows[i] = seen[-1]
                continue
            smoothing = _smoothing(seen, self.trend)
            params = _fitted(smoothing, self.trend) if params is None else params
            rows[i] = smoothing.fit(optimized=False, **params).forecast(horizon)
        return np.maximum(rows + self.year_share * yearly_move(history.x, origins, horizon), 0.0)


def _short_row(seen: Floats, horizon: int, season: int) -> Floats:
    first = max(0, len(seen) - SHORT_WINDOW)
    x = seen[first:]
    level = float(np.median(x))
    if len(x) < 2 * season:
        return np.full(horizon, level)
    slot = np.arange(first, len(seen)) % season
    effects = np.zeros(season)
    for each in range(season):
        own = x[slot == each] - level
        effects[each] = np.median(own) * own.size / (own.size + 2.0)
    ahead = (len(seen) + np.arange(horizon)) % season
    return np.asarray(np.maximum(level + effects[ahead] - effects.mean(), 0.0))


def _weights(history: History, origins: Ints, each: Floats) -> Floats:
    """(M, O, H) weights that add up to 1 over the mixtures, from outcomes that end before each origin."""
    horizon = each.shape[2]
    bands = [h for h in BANDS if h <= horizon]
    logs, by_band = np.zeros(each.shape[:2]), []
    for h in bands:
        error, stretches = _past_errors(history, origins, each, h)
        logs = (CARRIED_STRETCHES * logs - stretches * SHARPNESS * error) / (CARRIED_STRETCHES + stretches)
        weight = np.exp(logs - logs.max(axis=0))
        by_band.append(weight / weight.sum(axis=0))
    table = np.stack(by_band, axis=2)
    place = np.interp(np.log(np.arange(1, horizon + 1)), np.log(bands), np.arange(len(bands)))
    low = np.minimum(place.astype(np.int64), max(len(bands) - 2, 0))
    high = np.minimum(low + 1, len(bands) - 1)
    return np.asarray(table[:, :, low] * (1 - (place - low)) + table[:, :, high] * (place - low))


def _past_errors(history: History, origins: Ints, each: Floats, h: int) -> tuple[Floats, Floats]:
    """(M, O) mean log |error| within a factor 1.5 of h, centred over the mixtures; (O,) stretches behind it."""
    first, stop = max(0, int(h / 1.5) - 1), min(each.shape[2], int(np.ceil(h * 1.5)))
    index = np.minimum(origins[:, None] + np.arange(first, stop)[None], len(history.y))
    error = np.abs(np.append(np.log1p(history.y), np.nan)[index][None] - each[:, :, first:stop])
    known = np.isfinite(error[0]).sum(axis=1)
    whole = (origins + stop <= len(history.y)) & (known > 0)
    mean = np.where(whole, np.nansum(error, axis=2) / np.maximum(known, 1), 0.0)
    total = np.concatenate([np.zeros((len(each), 1)), np.cumsum(mean, axis=1)], axis=1)
    count = np.concatenate([[0], np.cumsum(whole)])
    ended = np.searchsorted(origins + stop, origins, side="right")
    average = total[:, ended] / np.maximum(count[ended], 1)
    logs = np.where(count[ended] > 0, np.log(np.maximum(average, 1e-6)), 0.0)
    return logs - logs.mean(axis=0), count[ended] * WEEK_DAYS / max(stop, WEEK_DAYS)


def _smoothing(seen: Floats, trend: bool) -> Any:
    from statsmodels.tsa.holtwinters import ExponentialSmoothing  # 2.5 s to import: only where it is used

    return ExponentialSmoothing(
        seen,
        trend="add" if trend else None,
        damped_trend=trend,
        seasonal="add",
        seasonal_periods=WEEK_DAYS,
        initialization_method="heuristic",
    )


def _fitted(smoothing: Any, trend: bool) -> dict[str, float]:
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # a fit that stops early still gives usable parameters; the backtest judges
        found = smoothing.fit(minimize_kwargs={"options": {"maxiter": 60}}).params
    names = ["smoothing_level", "smoothing_seasonal"] + (["smoothing_trend", "damping_trend"] if trend else [])
    params = {name: float(np.clip(found[name], 0.0, 1.0)) for name in names}
    if trend:
        params["damping_trend"] = float(np.clip(params["damping_trend"], 0.8, 0.98))
    return params
