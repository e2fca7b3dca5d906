"""Why a workload's number moved since an earlier plan: parts of the difference that add up to it exactly."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

FIRST_DAYS = 7
"""Days of the window that say how far the level moved; what the later ones moved beyond it is the trend's."""

Cause = Literal["calendar", "method", "level", "trend", "growth", "events", "lengths", "length events"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What one plan expects on each of its days (D,), as means over its paths.

    base: requests from the data alone; growth, events: what the stated growth, and then events and holidays, add.
    total_tok: prompt and output tokens of all requests; event_tok: how many of them come from events that change
    lengths. Both NaN where lengths are unknown.
    """

    as_of: date
    base: Floats
    growth: Floats
    events: Floats
    total_tok: Floats
    event_tok: Floats

    @property
    def requests(self) -> Floats:
        """Expected requests a day: what the page adds up."""
        return self.base + self.growth + self.events

    def window(self, start: date, days: int) -> "Expected | None":
        """Return the days from `start` on, or None where this plan does not reach all of them."""
        first = (start - self.as_of).days
        if first < 0 or first + days > len(self.base):
            return None
        cut = {f.name: getattr(self, f.name)[first : first + days] for f in fields(self) if f.name != "as_of"}
        return Expected(as_of=start, **cut)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One cause and what it moved: requests and tokens (None = lengths unknown) over the window."""

    cause: Cause
    requests: float
    tokens: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """The first `days` of two plans; the parts add up to the difference."""

    days: int
    requests_before: float
    requests_now: float
    tokens_before: float | None
    tokens_now: float | None
    parts: tuple[Part, ...]


def explain_move(before: Expected, now: Expected, refit: Floats | None, days: int) -> Move:
    """Return why the first `days` of two plans differ.

    refit: what today's method would have forecast from the data alone on the earlier plan's day, for the days of
    the earlier plan (D,); None where that cannot be told, and then the method's part is in the level's. With
    W0, W1 the two windows, b, g, e the base, growth and events of the plans 0 and 1, and G = g0 on W1 - g0 on W0
    the stated growth that was to be reached by now:

        calendar   sum_W1 (b0 + g0) - sum_W0 (b0 + g0)     the same forecast, later days
        method     sum_W1 (refit - b0)                     the same past, today's method and settings
        level      days x mean over the first week of (b1 - refit - G)
        trend      sum_W1 (b1 - refit - G) - level
        growth     sum_W1 g1 - sum_W0 g0                   another growth stated
        events     sum_W1 e1 - sum_W0 e0

    An earlier plan that does not reach W1 has one part, `level`, beside the events. In tokens each part counts
    at the earlier plan's tokens a request t0; what is left, requests x (t1 - t0), is `length events` where events
    that change lengths moved it, and `lengths` for the rest. Raises ValueError where a plan has fewer days.
    """
    old, new = before.window(before.as_of, days), now.window(now.as_of, days)
    if old is None or new is None:
        raise ValueError(f"both plans must have {days} days; compare fewer")
    ahead = before.window(now.as_of, days)
    start = (now.as_of - before.as_of).days
    again = None if refit is None or ahead is None else refit[start : start + days]
    parts = _request_parts(old, new, ahead, again, days)
    tokens = _token_parts(parts, old, new)
    return Move(
        days=days,
        requests_before=float(old.requests.sum()),
        requests_now=float(new.requests.sum()),
        tokens_before=_known(old.total_tok),
        tokens_now=_known(new.total_tok),
        parts=tuple(
            Part(cause=cause, requests=requests, tokens=None if tokens is None else tokens[cause])
            for cause, requests in parts.items()
        ),
    )


def _request_parts(
    old: Expected, new: Expected, ahead: Expected | None, again: Floats | None, days: int
) -> dict[Cause, float]:
    events = float(new.events.sum() - old.events.sum())
    if ahead is None:
        rest = float((new.base + new.growth).sum() - (old.base + old.growth).sum())
        return {"level": rest, "events": events, "lengths": 0.0, "length events": 0.0}
    again = ahead.base if again is None else again
    gap = new.base - again - (ahead.growth - old.growth)
    level = days * float(gap[:FIRST_DAYS].mean())
    return {
        "calendar": float((ahead.base + ahead.growth).sum() - (old.base + old.growth).sum()),
        "method": float((again - ahead.base).sum()),
        "level": level,
        "trend": float(gap.sum()) - level,
        "growth": float((new.growth - old.growth).sum()),
        "events": events,
        "lengths": 0.0,
        "length events": 0.0,
    }


def _token_parts(parts: dict[Cause, float], old: Expected, new: Expected) -> dict[Cause, float] | None:
    """Each part in tokens, or None where either plan does not know its lengths."""
    requests, tokens, event_tok = [], [], []
    for plan in (old, new):
        requests.append(float(plan.requests.sum()))
        tokens.append(_known(plan.total_tok))
        event_tok.append(float(plan.event_tok.sum()))
    t0, t1 = tokens
    if t0 is None or t1 is None or requests[0] <= 0 or requests[1] <= 0:
        return None
    each = t0 / requests[0]
    out: dict[Cause, float] = {cause: value * each for cause, value in parts.items()}
    lengths = t1 - requests[1] * each
    out["length events"] = event_tok[1] - requests[1] * event_tok[0] / requests[0]
    out["lengths"] = lengths - out["length events"]
    return out


def _known(y: Floats) -> float | None:
    total = float(y.sum())
    return None if np.isnan(total) else total


def largest(parts: Sequence[Part], share: float = 0.1) -> list[Part]:
    """Return the parts that matter, largest first: those of at least `share` of the largest one's size."""
    ranked = sorted(parts, key=lambda p: -_size(p))
    top = _size(ranked[0]) if ranked else 0.0
    return [p for p in ranked if _size(p) >= share * top and _size(p) > 0]


def _size(part: Part) -> float:
    return abs(part.requests if part.tokens is None else part.tokens)
