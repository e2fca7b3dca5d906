"""Point models behind one interface: what each would have forecast on the log scale, from any day of the past."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from forecasting.calendar import WEEK_DAYS, History
from forecasting.levels import MIXTURES, predict_levels, without_trend, yearly_move
from forecasting.smoothing import smooth
from forecasting.weights import weighted

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SHORT_HISTORY_DAYS = 60
SHORT_WINDOW = 28
WEEK_SHRINK, SLOT_SHRINK = 0.5, 2.0
"""Weeks, and rounds of other slots, that count against an effect: weekdays differ more than hours do."""


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
        """Return level + slot effect from it; effects are shrunk by n / (n + 0.5) (other slots than days: 2)."""
        return np.array([_short_row(history.x[: int(t)], horizon, self.season) for t in origins])

    def fitted(self, history: History) -> Floats:
        """Return (n,) what the level and slots found at the end of the history give on each of its days."""
        ahead = _short_row(history.x, self.season, self.season)
        return np.asarray(ahead[(np.arange(len(history.x)) - len(history.x)) % self.season])


@dataclass(frozen=True, slots=True)
class RobustLevels:
    """Four mixtures of levels (`levels.MIXTURES`), weighed at each horizon by their own past errors."""

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
            out[~early] = weighted(history, late, each)
        return np.maximum(out, 0.0)


@dataclass(frozen=True, slots=True)
class DampedSmoothing:
    """A bank of exponential smoothings (`smoothing.smooth`), weighed like the levels, plus the yearly shape."""

    trend: bool = True
    year_share: float = 0.7
    name: str = "damped smoothing"

    def predict(self, history: History, origins: Ints, horizon: int) -> Floats:
        """Return the forecasts from each origin (at least 14 days in); none without origins."""
        if not len(origins):
            return np.empty((0, horizon))
        each = smooth(history.x, origins, horizon, trend=self.trend)
        each = each + self.year_share * yearly_move(history.x, origins, horizon)
        return np.maximum(weighted(history, origins, each), 0.0)


def _short_row(seen: Floats, horizon: int, season: int) -> Floats:
    first = max(0, len(seen) - SHORT_WINDOW)
    x = seen[first:]
    level = float(np.median(x))
    if len(x) < 2 * season:
        return np.full(horizon, level)
    slot = np.arange(first, len(seen)) % season
    effects = np.zeros(season)
    shrink = WEEK_SHRINK if season == WEEK_DAYS else SLOT_SHRINK
    for each in range(season):
        own = x[slot == each] - level
        effects[each] = np.median(own) * own.size / (own.size + shrink)
    if season != WEEK_DAYS:
        effects -= effects.mean()  # few slots lie evenly around their median; a week's working days do not
    ahead = (len(seen) + np.arange(horizon)) % season
    return np.asarray(np.maximum(level + effects[ahead], 0.0))
