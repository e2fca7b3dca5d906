"""What the user knows and the data does not: campaigns, launches, upgrades and growth, with their uncertainty."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]
Days = npt.NDArray[np.datetime64]
Quantity = Literal["requests", "prompt_tok", "cached_prompt_tok", "output_tok"]
QUANTITIES: tuple[Quantity, ...] = ("requests", "prompt_tok", "cached_prompt_tok", "output_tok")

YEAR_DAYS = 365
Z90 = 1.2815515655446004
"""Normal score of the 90th percentile."""


@dataclass(frozen=True, slots=True)
class Factor:
    """A multiplier that is not known exactly: low is its 10th percentile, likely its median, high its 90th.

    Raises ValueError unless 0 <= low <= likely <= high and high > 0.
    """

    low: float
    likely: float
    high: float

    def __post_init__(self) -> None:
        _check_three(self.low, self.likely, self.high, "a factor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something dated that moves demand: a campaign (with an end) or a launch or upgrade (without one).

    workload: the one it moves, None = all. end: its last day, None = for good. A quantity without a factor
    does not move, but for cached tokens, which follow the prompt's. An event without any factor is learned from
    earlier ones of its kind, or of its name where kind is None (`recurrence.resolve_events`).
    """

    name: str
    kind: str | None = None
    workload: str | None = None
    start: date
    end: date | None = None
    requests: Factor | None = None
    prompt_tok: Factor | None = None
    cached_prompt_tok: Factor | None = None
    output_tok: Factor | None = None

    @property
    def unstated(self) -> bool:
        """Whether the event states no multiplier at all."""
        return all(self.factor(quantity) is None for quantity in QUANTITIES)

    def __post_init__(self) -> None:
        if self.end is not None and self.end < self.start:
            raise ValueError(f"event {self.name!r} ends on {self.end}, before its start {self.start}: swap them.")

    def factor(self, quantity: Quantity) -> Factor | None:
        """Return how much the event moves one quantity, None = not at all. Cached tokens follow the prompt's."""
        found: Factor | None = getattr(self, quantity)
        return self.prompt_tok if found is None and quantity == "cached_prompt_tok" else found

    def covers(self, days: Days) -> npt.NDArray[np.bool_]:
        """Return (D,) whether each day lies in the event, its last day included."""
        inside = days >= np.datetime64(self.start)
        return inside if self.end is None else inside & (days <= np.datetime64(self.end))


@dataclass(frozen=True, slots=True)
class Growth:
    """Growth that the user expects: requests after a year over requests now (1.5 = half as much again).

    It takes the place of the trend that the data shows. saturation: the multiple of today's level that growth
    levels off at, None = none. Raises ValueError unless 0 < low <= likely <= high and saturation > 1.
    """

    low: float
    likely: float
    high: float
    saturation: float | None = None

    def __post_init__(self) -> None:
        _check_three(self.low, self.likely, self.high, "growth")
        if self.low == 0:
            raise ValueError("growth per year has low = 0, which ends the workload; give a value above 0.")
        if self.saturation is not None and self.saturation <= 1:
            raise ValueError(f"growth saturates at {self.saturation} times today's level; give a value above 1.")


def draw(factor: Factor | Growth, paths: int, rng: np.random.Generator) -> Floats:
    """Return (S,) draws, one a path: normal in two halves through the three points.

    On the log scale, likely x exp(z ln(high / likely) / 1.28) above the median and the same with low below it;
    on the plain scale, cut at 0, where low is 0. The draws are evenly spaced quantiles in random order.
    """
    z = stats.norm.ppf((rng.permutation(paths) + 0.5) / paths) / Z90
    low, likely, high = factor.low, factor.likely, factor.high
    if low > 0:
        return np.asarray(likely * np.where(z > 0, high / likely, likely / low) ** z)
    return np.asarray(np.maximum(likely + z * np.where(z > 0, high - likely, likely - low), 0.0))


def event_multipliers(
    events: Sequence[Event], workload: str, days: Days, as_of: date, paths: int, rng: np.random.Generator
) -> dict[Quantity, Floats]:
    """Return, for each quantity, (S, D) what events to come and events under way multiply the paths by.

    A past event without an end is in the level already and multiplies nothing; one under way with an end had
    its days divided out of the past (`learn_around`) and multiplies the rest of its days.
    """
    out: dict[Quantity, Floats] = {quantity: np.ones((paths, len(days))) for quantity in QUANTITIES}
    for event in _of(events, workload):
        stated = {q: found for q in QUANTITIES if (found := event.factor(q)) is not None}
        follows = event.cached_prompt_tok is None and stated.pop("cached_prompt_tok", None) is not None
        draws = {q: draw(factor, paths, rng) for q, factor in stated.items()}
        if follows:  # the same share of a longer prompt, on every path
            draws["cached_prompt_tok"] = draws["prompt_tok"]
        if event.start < as_of and event.end is None:
            continue
        inside = event.covers(days)
        for quantity, drawn in draws.items():
            out[quantity][:, inside] *= drawn[:, None]
    return out


def learn_around(
    events: Sequence[Event], workload: str, days: Days, y: Floats, as_of: date, quantity: Quantity
) -> tuple[Floats, tuple[str, ...]]:
    """Return y (n,) without the past events, and a sentence for each of them.

    A finished event's days are masked (NaN); the days of one under way are divided by its likely factor; the
    days before one without an end are multiplied by it, so that old and new level line up.
    """
    out, notes = y.copy(), []
    for event in _of(events, workload):
        factor = event.factor(quantity)
        if event.start >= as_of or factor is None:
            continue
        inside = event.covers(days)
        if event.end is None:
            out[~inside] *= factor.likely
            notes.append(f"days before {event.name!r} scaled by {factor.likely:g}")
        elif event.end < as_of:
            out[inside] = np.nan
            notes.append(f"{int(inside.sum())} days of {event.name!r} left out")
        elif factor.likely > 0:
            out[inside] /= factor.likely
            notes.append(f"{int(inside.sum())} days of {event.name!r} divided by {factor.likely:g}")
    return out, tuple(notes)


def growth_multipliers(growth: Growth, days: int, paths: int, rng: np.random.Generator) -> Floats:
    """Return (S, D) what growth multiplies each path by, 1 on the day before the first.

        m(t) = g^t, or with saturation K and g > 1: K / (1 + (K - 1) e^(-r t)), r = ln g K / (K - 1)

    t in years. The logistic starts with the same slope ln g and levels off at K (Verhulst 1838).
    """
    rate = np.log(draw(growth, paths, rng))[:, None]
    t = (np.arange(1, days + 1) / YEAR_DAYS)[None]
    free = np.exp(rate * t)
    if growth.saturation is None:
        return np.asarray(free)
    most = growth.saturation
    logistic = most / (1 + (most - 1) * np.exp(-rate * most / (most - 1) * t))
    return np.asarray(np.where(rate > 0, logistic, free))


def _of(events: Sequence[Event], workload: str) -> list[Event]:
    return [event for event in events if event.workload in (None, workload)]


def _check_three(low: float, likely: float, high: float, what: str) -> None:
    if not (0 <= low <= likely <= high < float("inf") and high > 0):
        raise ValueError(
            f"{what} has low {low:g}, likely {likely:g}, high {high:g}; give 0 <= low <= likely <= high, high > 0."
        )
