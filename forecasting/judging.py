"""Candidates judged at past origins of the series itself: loss against the naive, coverage, shares."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forecasting.calendar import History
from forecasting.intervals import half_widths, log_predictive
from forecasting.models import SHORT_HISTORY_DAYS
from forecasting.scores import SCORED, coverage, naive_quantiles, pinball

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

JUDGED_ORIGINS = 6
"""Origins at which the candidates are compared, spread over the newest 13 months (JUDGED_DAYS)."""
JUDGED_DAYS = 393
USUAL_LOSS, USUAL_ORIGINS = 0.7, 2.0
"""What the pipeline scores against the naive on other series, counted as this many origins of this one."""
SHARE_POWER = 6.0
"""Sharpness of the second model's share in the loss of both."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Past origins at which candidates are compared, with the interval and the naive's loss known there."""

    history: History
    origins: Ints
    half_width: tuple[Floats, ...]
    naive_loss: tuple[float, ...]

    @classmethod
    def of(cls, history: History, origins: Ints, errors: Floats, at: Ints, horizon: int) -> "Judged":
        """Intervals use only errors whose outcome lies before the origin."""
        widths, losses = [], []
        for t in origins[at]:
            ahead = min(horizon, len(history.y) - int(t))
            dated = origins[:, None] + np.arange(ahead)[None]
            past = np.where(dated < t, errors[:, :ahead], np.nan)[origins < t]
            widths.append(half_widths(past, ahead))
            actual = history.y[int(t) : int(t) + ahead]
            known = np.isfinite(actual)
            naive = naive_quantiles(np.expm1(history.x[: int(t)]), ahead)
            losses.append(pinball(actual[known], naive[:, known]) if known.any() else np.nan)
        return cls(history, origins[at], tuple(widths), tuple(losses))

    def loss(self, rows: Floats) -> float:
        """Geometric mean over the origins of the quantile loss of centres (J, H) over the naive's; NaN = none."""
        each = [self._one(i, row) for i, row in enumerate(rows)]
        logs = [
            np.log(np.clip(mine / max(theirs, 1e-9), 0.05, 20.0)) for mine, theirs, _ in each if theirs == theirs
        ]
        return float(np.exp(np.mean(logs))) if logs else float("nan")

    def coverage(self, rows: Floats) -> float:
        """Share of days inside the 80% interval around centres (J, H)."""
        inside = [share for i, row in enumerate(rows) if (share := self._one(i, row)[2]) == share]
        return float(np.mean(inside)) if inside else float("nan")

    def _one(self, i: int, row: Floats) -> tuple[float, float, float]:
        """Loss of one centre, loss of the naive, and coverage, at origin i; NaN where no day is known."""
        t, width = int(self.origins[i]), self.half_width[i]
        actual = self.history.y[t : t + len(width)]
        known = np.isfinite(actual)
        if not known.any():
            return float("nan"), float("nan"), float("nan")
        predictive = log_predictive(self.history.x[:t], row[: len(width)], width)
        q = predictive.ppf(np.array(SCORED))[:, known]
        return pinball(actual[known], q), self.naive_loss[i], coverage(actual[known], q[0], q[2])


def model_share(robust: float, other: float) -> float:
    """How much of the forecast the other model gives: half where both lost the same, towards the better one."""
    if np.isnan(robust) or np.isnan(other):
        return 0.5
    return float(1 / (1 + (other / robust) ** SHARE_POWER))


def expected_loss(loss: float, origins: int) -> float:
    """The loss to expect: a few origins of one series, shrunk towards what the pipeline does on others."""
    if np.isnan(loss):
        return USUAL_LOSS
    logs = origins * np.log(loss) + USUAL_ORIGINS * np.log(USUAL_LOSS)
    return float(np.exp(logs / (origins + USUAL_ORIGINS)))


def judged_positions(origins: Ints, n: int, horizon: int) -> Ints:
    """Positions in `origins` at which candidates are compared: spread over the newest 13 months, with at least
    four weeks of outcomes and, where history allows, a horizon's worth."""
    last = n - min(horizon, max(28, (n - SHORT_HISTORY_DAYS) // 3))
    fit = np.flatnonzero((origins <= last) & (origins >= n - JUDGED_DAYS))
    if not fit.size:
        return np.empty(0, dtype=np.int64)
    return fit[np.unique(np.round(np.linspace(0, fit.size - 1, JUDGED_ORIGINS)).astype(np.int64))]
