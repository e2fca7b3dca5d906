"""Events that state no multipliers: what earlier ones of their kind did says what they will do."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import numpy.typing as npt

from data.errors import UserError
from forecasting.calendar import WEEK_DAYS
from forecasting.scenarios import QUANTITIES, Z90, Days, Event, Factor, Quantity

Floats = npt.NDArray[np.float64]

AROUND_DAYS = 28
"""Days before and after an event that say what would have been without it."""
LEAST_AROUND = 7
"""Known days that one side needs before it says anything."""
APART: dict[Quantity, float] = {
    "requests": 0.2,
    "prompt_tok": 0.05,
    "cached_prompt_tok": 0.1,
    "output_tok": 0.05,
}
"""Assumed standard deviation (log) of events of one kind around their mean, before several of them tell."""
APART_WEIGHT = 3.0
"""How many events that assumption counts for."""
MAD = 1.4826


@dataclass(frozen=True, slots=True)
class Effect:
    """What one event did to a quantity: mean log ratio to the days around it, with its variance."""

    log: float
    variance: float


def resolve_events(
    events: Sequence[Event], workload: str, days: Days, series: dict[Quantity, Floats], as_of: date
) -> tuple[tuple[Event, ...], tuple[str, ...]]:
    """Return the workload's events, with multipliers for those that state none, and a sentence for each of these.

    series: daily values (n,) by quantity, as seen. An event without multipliers takes those of the earlier
    finished events of its kind (of its name, where it has no kind) that lie in the data:

        log likely = sum w b / sum w, w = 1 / (tau^2 + variance of b),  sd^2 = tau^2 + 1 / sum w

    b: effect of each, tau: how far events of a kind lie apart. low and high are 1.28 sd below and above. One that
    is over takes its own effect: its days are left out. Raises UserError where one to come has no earlier one.
    """
    own = [event for event in events if event.workload in (None, workload)]
    busy = np.zeros(len(days), dtype=np.bool_)
    for event in own:
        busy |= event.covers(days) if event.end is not None else False
    out, notes = [], []
    for event in own:
        if not event.unstated:
            out.append(event)
            continue
        over = event.end is not None and event.end < as_of
        like = [event] if over else [e for e in own if e is not event and _recurs(e, event, as_of)]
        factors = {
            q: found for q in QUANTITIES if (found := _factor(like, q, days, series.get(q), busy)) is not None
        }
        if not factors and not over:
            raise UserError(_unknown(event, workload, days))
        if not factors:  # its days were not seen, or nothing around them: there is nothing to leave out
            continue
        out.append(_with(event, factors))
        notes += [] if over else [_learned(event, factors, len(like))]
    return tuple(out), tuple(notes)


def event_effect(event: Event, days: Days, y: Floats, busy: npt.NDArray[np.bool_]) -> Effect | None:
    """Return what an event did to a daily series y (n,), from up to 28 days on either side; None where unknown.

    busy: (n,) days of any event, which never count as ordinary. The level is that of the two sides' medians
    without weekday effects, and half of what they differ by is its uncertainty.
    """
    inside = event.covers(days)
    x = np.log(np.where(y > 0, y, np.nan))
    at = np.flatnonzero(inside)
    if not at.size:
        return None
    near = np.zeros(len(y), dtype=np.bool_)
    near[max(at[0] - AROUND_DAYS, 0) : at[-1] + 1 + AROUND_DAYS] = True
    plain = near & ~busy & ~inside & np.isfinite(x)
    before, after = plain.copy(), plain.copy()
    before[at[0] :], after[: at[-1] + 1] = False, False
    weekday = (days.astype("datetime64[D]").astype(np.int64) + 3) % WEEK_DAYS
    sides = [x[side] - _weekdays(x, plain, weekday)[weekday[side]] for side in (before, after)]
    sides = [side for side in sides if len(side) >= LEAST_AROUND]
    seen = inside & np.isfinite(x)
    if not sides or not seen.any():
        return None
    medians = np.array([np.median(side) for side in sides])
    noise = max(float(np.mean([np.median(np.abs(s - np.median(s))) for s in sides])) * MAD, 1e-3) ** 2
    gap = x[seen] - _weekdays(x, plain, weekday)[weekday[seen]] - medians.mean()
    unsure = (np.ptp(medians) / 2) ** 2 if len(medians) > 1 else noise
    ordinary = sum(len(side) for side in sides)
    return Effect(float(gap.mean()), float(noise / seen.sum() + 1.57 * noise / ordinary + unsure))


def _with(event: Event, factors: dict[Quantity, Factor]) -> Event:
    return replace(
        event,
        requests=factors.get("requests"),
        prompt_tok=factors.get("prompt_tok"),
        cached_prompt_tok=factors.get("cached_prompt_tok"),
        output_tok=factors.get("output_tok"),
    )


def _recurs(earlier: Event, event: Event, as_of: date) -> bool:
    """Whether an earlier event is over and of the same kind, or of the same name where no kind is given."""
    if earlier.end is None or earlier.end >= as_of or earlier.start >= event.start:
        return False
    return earlier.kind == event.kind if event.kind is not None else earlier.name == event.name


def _factor(
    like: Sequence[Event], quantity: Quantity, days: Days, y: Floats | None, busy: npt.NDArray[np.bool_]
) -> Factor | None:
    """The multiplier that events of a kind had on one quantity, None where nothing tells."""
    if y is None:
        return None
    effects = [found for event in like if (found := event_effect(event, days, y, busy)) is not None]
    if not effects:
        return None
    logs, variances = np.array([e.log for e in effects]), np.array([e.variance for e in effects])
    apart = _apart(logs, variances, APART[quantity])
    weights = 1 / (apart**2 + variances)
    middle = float(weights @ logs / weights.sum())
    sd = float(np.sqrt(apart**2 + 1 / weights.sum()))
    low, likely, high = (float(np.exp(middle + k * Z90 * sd)) for k in (-1, 0, 1))
    return Factor(low, likely, high)


def _apart(logs: Floats, variances: Floats, assumed: float) -> float:
    """How far events of a kind lie apart: what was seen beyond their own uncertainty, with the assumption."""
    if len(logs) < 2:
        return assumed
    seen = max(float(np.var(logs, ddof=1)) - float(variances.mean()), 0.0)
    freedom = len(logs) - 1
    return float(np.sqrt((freedom * seen + APART_WEIGHT * assumed**2) / (freedom + APART_WEIGHT)))


def _weekdays(x: Floats, plain: npt.NDArray[np.bool_], weekday: npt.NDArray[np.int64]) -> Floats:
    """(7,) weekday effects of the ordinary days around, adding up to 0."""
    level = float(np.median(x[plain])) if plain.any() else 0.0
    effects = np.zeros(WEEK_DAYS)
    for day in range(WEEK_DAYS):
        own = x[plain & (weekday == day)] - level
        effects[day] = np.median(own) * own.size / (own.size + 0.3) if own.size else 0.0
    return np.asarray(effects - effects.mean())


def _learned(event: Event, factors: dict[Quantity, Factor], count: int) -> str:
    said = ", ".join(f"{q} x{f.likely:.2f} ({f.low:.2f} to {f.high:.2f})" for q, f in factors.items())
    return (
        f"{event.name!r} states no multipliers; {count} earlier one{'s' if count > 1 else ''} of its kind: {said}."
    )


def _unknown(event: Event, workload: str, days: Days) -> str:
    kind = f"of kind {event.kind!r}" if event.kind is not None else "of that name"
    return (
        f"Event {event.name!r} states no multipliers, and no earlier event {kind} with an end lies in the data of"
        f" {workload} ({days[0]} to {days[-1]}); give requests = {{ low, likely, high }}, or declare that one."
    )
