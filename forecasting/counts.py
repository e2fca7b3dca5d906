"""Low counts: a mean model with a negative binomial around it, for workloads of a few requests a day."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from forecasting.calendar import WEEK_DAYS, History

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class CountPredictive:
    """Negative binomial of each day: mean (H,), dispersion (H,); variance = mean + mean^2 / dispersion."""

    mean: Floats
    dispersion: Floats

    def ppf(self, p: Floats) -> Floats:
        """Return (K, H) quantiles: whole counts."""
        mean = np.maximum(self.mean, 1e-9)[None]
        found = stats.nbinom.ppf(
            p[:, None], self.dispersion[None], self.dispersion[None] / (self.dispersion[None] + mean)
        )
        return np.asarray(np.where(self.mean[None] > 0, np.maximum(found, 0.0), 0.0))


def count_forecast(history: History, horizon: int) -> CountPredictive:
    """Return the count forecast: mean of the newest 28 days fading into that of 180, times a shrunk weekday ratio.

    The dispersion is fitted by moments to the newest 180 days and falls with the horizon, because the level
    itself may move (docs/forecasting.md).
    """
    y = np.where(np.isfinite(history.y), history.y, np.nan)[-180:]
    near, far = float(np.nanmean(y[-28:])) if np.isfinite(y[-28:]).any() else 0.0, float(np.nanmean(y))
    h = np.arange(1, horizon + 1)
    level = far + (near - far) * np.exp(-h / 90.0)
    weekday = history.weekday[-180:][-len(y) :]
    ratio = np.ones(WEEK_DAYS)
    for day in range(WEEK_DAYS):
        own = y[weekday == day]
        own = own[np.isfinite(own)]
        ratio[day] = (own.sum() + 20.0 * far) / ((own.size + 20.0) * far) if far > 0 else 1.0
    ahead = (int(history.weekday[-1]) + h) % WEEK_DAYS
    excess = max(float(np.nanvar(y)) - far, 0.05 * far)
    dispersion = np.clip(far**2 / excess, 0.05, 50.0) if far > 0 else 1.0
    moving = 1 / dispersion + 0.25 * np.log1p(h / 30.0)
    return CountPredictive(mean=level * ratio[ahead] / ratio.mean(), dispersion=1 / moving)
