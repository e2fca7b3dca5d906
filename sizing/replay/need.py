"""A past need for GPUs by calendar month: in how many hours of each month the k-th GPU was busy."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data.errors import UserError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

HISTORY_DAYS = 365
"""Days that are known before the first decision: a series of two years has a year of decisions."""
PEAK_GPUS = 40
DAY_HOURS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class PastNeed:
    """One demand and the whole GPUs that each of its days took.

    y: (D,) the demand of each day from `first` on, NaN = unknown; gpus_per_y: GPUs of one unit of it. gpus: (D, H)
    the need, H = 24 hours or 1 value a day, NaN = unknown. starts: (M + 1,) days on which the months of decisions
    begin, with the end of the data. Days before starts[0] are history only.
    """

    name: str
    first: np.datetime64
    y: Floats
    gpus_per_y: float
    gpus: Floats
    starts: Ints

    @property
    def months(self) -> int:
        """Months that are decided."""
        return len(self.starts) - 1

    @property
    def most_gpus(self) -> int:
        """The largest need of all, history and future."""
        return int(np.nanmax(self.gpus))

    def month_names(self) -> list[str]:
        """Return the decided months as YYYY-MM."""
        return [str((self.first + int(day)).astype("datetime64[M]")) for day in self.starts[:-1]]

    def hours(self) -> Floats:
        """Return (M,): hours of each month whose need is known; no others are served, paid or counted."""
        known = np.isfinite(self.gpus).mean(axis=1) * DAY_HOURS
        return np.array([known[a:b].sum() for a, b in self._spans()])

    def busy(self) -> Floats:
        """Return (M, K): hours of each month in which the k-th GPU was needed, K the largest need of them."""
        most = int(np.nanmax(self.gpus[self.starts[0] :], initial=0))
        return np.array([busy_hours(self.gpus[a:b], max(most, 1)) for a, b in self._spans()])

    def unknown_days(self) -> int:
        """Return how many days of the decided months have no known need."""
        return int((~np.isfinite(self.gpus[self.starts[0] :])).any(axis=1).sum())

    def _spans(self) -> list[tuple[int, int]]:
        return list(zip(self.starts[:-1].tolist(), self.starts[1:].tolist(), strict=True))


def scaled_need(name: str, first: np.datetime64, y: Floats, *, peak_gpus: float = PEAK_GPUS) -> PastNeed:
    """Return the need of a daily series: its largest value before the first decision takes `peak_gpus`.

    y: (D,) from the day `first` on, NaN = unknown. GPUs are whole, so every day takes what it needs rounded up.
    Raises UserError where the series has no month of decisions, or nothing but zeros before the first.
    """
    starts = month_starts(first, len(y), history_days=HISTORY_DAYS)
    if len(starts) < 2:
        raise UserError(
            f"Series {name} has {len(y)} days; the first decision falls on the first of a month with"
            f" {HISTORY_DAYS} days before it, so give it at least {HISTORY_DAYS + 31}."
        )
    seen = y[: starts[0]]
    top = float(np.nanmax(seen)) if np.isfinite(seen).any() else 0.0
    if top <= 0:
        day = first.astype("datetime64[D]") + int(starts[0])
        raise UserError(
            f"Series {name} is never above 0 before {day}, the first decision, so nothing sets its scale."
        )
    scale = peak_gpus / top
    return PastNeed(
        name=name, first=first.astype("datetime64[D]"), y=y, gpus_per_y=scale, gpus=whole_gpus(y * scale)[:, None],
        starts=starts,
    )  # fmt: skip


def whole_gpus(need: Floats) -> Floats:
    """Return a need rounded up to whole GPUs; NaN stays NaN.

    >>> whole_gpus(np.array([0.2, 3.0, 3.0000000001]))
    array([1., 3., 3.])
    """
    return np.asarray(np.ceil(need - 1e-6 * np.maximum(need, 1.0)))


def month_starts(first: np.datetime64, days: int, *, history_days: int) -> Ints:
    """Return (M + 1,) day numbers at which the calendar months after the history begin, and the end of the data.

    >>> month_starts(np.datetime64("2025-01-01"), 430, history_days=365)
    array([365, 396, 424, 430])
    """
    day = first.astype("datetime64[D]")
    months = np.arange(
        (day + history_days + 30).astype("datetime64[M]") - 1, (day + days).astype("datetime64[M]") + 1
    )
    at = (months.astype("datetime64[D]") - day).astype(np.int64)
    inside = at[(at >= history_days) & (at < days)]
    return np.append(inside, days) if inside.size else np.array([], dtype=np.int64)


def busy_hours(gpus: Floats, most: int) -> Floats:
    """Return (most,): hours of these days (D, H) in which the need reaches k = 1 .. most; unknown ones left out.

    >>> busy_hours(np.array([[2.0], [1.0], [np.nan]]), 3)
    array([48., 24.,  0.])
    """
    known = gpus[np.isfinite(gpus)].astype(np.int64)
    count = np.bincount(np.minimum(known, most), minlength=most + 1)
    return np.asarray(np.cumsum(count[::-1])[::-1][1:] * (DAY_HOURS / gpus.shape[1]))
