"""Point models behind one interface: what each would have forecast on the log scale, from any day of the past."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecasting.calendar import WEEK_DAYS, History

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

YEAR_DAYS = 364
"""52 whole weeks: the same weekday a year before."""
SHORT_HISTORY_DAYS = 60


class Model(Protocol):
    """A way to forecast the median of a daily series."""

    @property
    def name(self) -> str:
        """What the report calls it."""

    def predict(self, history: History, origins: Ints, horizon: int) -> Floats:
        """Return (O, H) log1p forecasts: row i sees history.x[:origins[i]] and starts on that day."""


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
    """28-day median times a shrunk weekday profile, no trend: the rule below 60 days of history."""

    name: str = "28-day median and weekday profile"

    def predict(self, history: History, origins: Ints, horizon: int) -> Floats:
        """Return level + weekday effect; effects are shrunk by n / (n + 2) for n weeks seen."""
        rows = [_short_row(history, int(t), horizon) for t in origins]
        return np.array(rows)


@dataclass(frozen=True, slots=True)
class Robust:
    """Medians for level and weekday, a damped slope, and the shape of past years where two are known.

        m(h) = far + (near - far) e^(-h / fade) + w[weekday]
               + slope_share b (phi + ... + phi^h) + year_share Y(h) + growth_share (h / 364) G

    near, far: medians of the newest 7 and 21 days without weekday effects w; b: difference of the newest two
    28-day medians, per day; Y(h): how the level moved from the same point of past years; G: growth over a year.
    `trend=False` leaves b and G out, for a growth scenario that the user states.
    """

    trend: bool = True
    fade_days: float = 14.0
    phi: float = 0.98
    slope_share: float = 0.3
    year_share: float = 0.7
    growth_share: float = 0.3
    name: str = "robust levels"

    def predict(self, history: History, origins: Ints, horizon: int) -> Floats:
        """Return the forecasts from each origin; those with under 60 days before them take the short rule."""
        early = origins < SHORT_HISTORY_DAYS
        out = np.empty((len(origins), horizon))
        if early.any():
            out[early] = ShortHistory().predict(history, origins[early], horizon)
        if (~early).any():
            out[~early] = self._predict(history, origins[~early], horizon)
        return out

    def _predict(self, history: History, origins: Ints, horizon: int) -> Floats:
        effects = weekday_effects(history.x)[origins]
        recent = _window(history.x, origins, 56) - _by_day(effects, history.weekday[0], origins - 56, 56)
        h = np.arange(1, horizon + 1)
        out = _levels(recent, h, self.fade_days) + _by_day(effects, history.weekday[0], origins, horizon)
        if self.trend:
            out += self.slope_share * np.clip(_slope(recent), -0.01, 0.01)[:, None] * _damped(h, self.phi)[None]
        season, growth = yearly_move(history.x, origins, horizon)
        out += self.year_share * season
        if self.trend:
            out += self.growth_share * (h / YEAR_DAYS)[None] * np.clip(growth, -0.7, 0.7)[:, None]
        return np.asarray(np.maximum(out, 0.0))


@dataclass(frozen=True, slots=True)
class DampedEts:
    """Additive damped trend and weekly season by exponential smoothing on log1p (statsmodels).

    Smoothing parameters are fitted once, on what the earliest origin sees, and kept for the later ones.
    Source: Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., ch. 8.
    """

    trend: bool = True
    fit_days: int = 400
    name: str = "damped ETS"

    def predict(self, history: History, origins: Ints, horizon: int) -> Floats:
        """Return the forecasts from each origin; parameters never see a day after the earliest origin."""
        from statsmodels.tsa.holtwinters import ExponentialSmoothing  # 2.5 s to import: only where it is used

        params: dict[str, float] | None = None
        rows = np.empty((len(origins), horizon))
        for i in np.argsort(origins, kind="stable"):
            seen = history.x[max(0, int(origins[i]) - self.fit_days) : int(origins[i])]
            if np.ptp(seen) == 0:
                rows[i] = seen[-1]
                continue
            model = ExponentialSmoothing(
                seen, trend="add" if self.trend else None, damped_trend=self.trend, seasonal="add",
                seasonal_periods=WEEK_DAYS, initialization_method="heuristic",
            )  # fmt: skip
            if params is None:
                params = _fitted(model, self.trend)
            rows[i] = model.fit(optimized=False, **params).forecast(horizon)
        return np.maximum(rows, 0.0)


def _fitted(model: object, trend: bool) -> dict[str, float]:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # a fit that stops early still gives usable parameters; the backtest judges
        found = model.fit(minimize_kwargs={"options": {"maxiter": 60}}).params  # type: ignore[attr-defined]  # untyped library
    names = ["smoothing_level", "smoothing_seasonal"] + (["smoothing_trend", "damping_trend"] if trend else [])
    params = {name: float(np.clip(found[name], 0.0, 1.0)) for name in names}
    if trend:
        params["damping_trend"] = float(np.clip(params["damping_trend"], 0.8, 0.98))
    return params


def weekday_effects(x: Floats, weeks: int = 10, shrink: float = 1.0) -> Floats:
    """Return (n + 1, 7): row t holds the weekday effects that x[:t] gives, column = position modulo 7.

    Median residual from the centred 7-day median over the newest `weeks` weeks, times n / (n + shrink).
    """
    n = len(x)
    centre = pd.Series(x).rolling(WEEK_DAYS, center=True, min_periods=WEEK_DAYS).mean().to_numpy()
    rows = -(-n // WEEK_DAYS)
    padded = np.full(rows * WEEK_DAYS, np.nan)
    padded[:n] = x - centre
    table = pd.DataFrame(padded.reshape(rows, WEEK_DAYS)).rolling(weeks, min_periods=1)
    median, count = table.median().to_numpy(), table.count().to_numpy()
    shrunk = np.nan_to_num(median * count / (count + shrink))
    out = np.zeros((n + 1, WEEK_DAYS))
    for column in range(WEEK_DAYS):
        last = (np.arange(n + 1) - 4 - column) // WEEK_DAYS  # row of the newest residual whose window has ended
        known = last >= 0
        out[known, column] = shrunk[last[known], column]
    return np.asarray(out - out.mean(axis=1, keepdims=True))


def yearly_move(x: Floats, origins: Ints, horizon: int) -> tuple[Floats, Floats]:
    """Return (O, H) how the level moved from this point of past years, and (O,) growth over the last year.

    Zero where less than two years are known: one year cannot tell a season from a trend.
    """
    smooth = (
        pd.Series(x).rolling(15, center=True, min_periods=1).median().rolling(7, center=True, min_periods=1).mean()
    )
    level = smooth.to_numpy(dtype=np.float64)
    season, growth = np.zeros((len(origins), horizon)), np.zeros(len(origins))
    h = np.arange(horizon)
    for i, t in enumerate(origins):
        years = min((int(t) - 21) // YEAR_DAYS, 4)
        if t < 2 * 365:
            continue
        safe = level[: int(t) - 10]
        now = float(np.median(x[int(t) - 21 : int(t)]))
        growth[i] = now - float(np.median(x[int(t) - 21 - YEAR_DAYS : int(t) - YEAR_DAYS]))
        moves = np.empty((years, horizon))
        for k in range(1, years + 1):
            before = int(t) - k * YEAR_DAYS
            start = float(np.median(x[before - 21 : before]))
            back = before + h % YEAR_DAYS
            whole = float(np.median(x[before + YEAR_DAYS - 21 : before + YEAR_DAYS])) - start
            moves[k - 1] = safe[np.minimum(back, len(safe) - 1)] - start - whole * (h % YEAR_DAYS) / YEAR_DAYS
        season[i] = moves.mean(axis=0)
    return season, growth


def _short_row(history: History, t: int, horizon: int) -> Floats:
    x = history.x[max(0, t - 28) : t]
    level = float(np.median(x))
    weekday = history.weekday[max(0, t - 28) : t]
    ahead = (history.weekday[0] + t + np.arange(horizon)) % WEEK_DAYS
    if len(x) < 2 * WEEK_DAYS:
        return np.full(horizon, level)
    effects = np.zeros(WEEK_DAYS)
    for day in range(WEEK_DAYS):
        own = x[weekday == day] - level
        effects[day] = np.median(own) * own.size / (own.size + 2.0)
    return np.asarray(np.maximum(level + effects[ahead] - effects.mean(), 0.0))


def _window(x: Floats, origins: Ints, days: int) -> Floats:
    return np.asarray(x[origins[:, None] - days + np.arange(days)[None]])


def _by_day(effects: Floats, _first_weekday: int, start: Ints, days: int) -> Floats:
    """Effects (O, 7) by position modulo 7, spread over `days` days from each start."""
    position = (start[:, None] + np.arange(days)[None]) % WEEK_DAYS
    return np.take_along_axis(effects, position, axis=1)


def _levels(recent: Floats, h: Ints, fade_days: float) -> Floats:
    """Near level fading into the far one; after a level shift the near one alone."""
    near = np.median(recent[:, -7:], axis=1)
    far = np.median(recent[:, -21:], axis=1)
    before = np.median(recent[:, -35:-7], axis=1)
    noise = 1.4826 * np.median(np.abs(recent[:, -35:-7] - before[:, None]), axis=1)
    jump = near - before
    beyond = np.abs(recent[:, -7:] - before[:, None]).min(axis=1) > 0.5 * np.abs(jump)
    shifted = (np.abs(jump) > np.maximum(6 * noise, np.log(1.5))) & beyond
    far = np.where(shifted, near, far)
    return np.asarray(far[:, None] + (near - far)[:, None] * np.exp(-h / fade_days)[None])


def _slope(recent: Floats) -> Floats:
    return np.asarray((np.median(recent[:, -28:], axis=1) - np.median(recent[:, :28], axis=1)) / 28.0)


def _damped(h: Ints, phi: float) -> Floats:
    return np.asarray(phi * (1 - phi**h) / (1 - phi))
