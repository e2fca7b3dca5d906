"""The page's view of earlier plans: the track record, and why each workload's number moved."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from flows.record import Record, Scored
from forecasting.moves import Expected, explain_move
from forecasting.outlook import Outlook
from forecasting.scenarios import Event
from forecasting.track import grade, pool
from reports import budget
from reports.budget import Moved, MovedPart, PlanScore, TrackRecord, TrackRow
from reports.history import moved_sentence, track_sentence

MOVED_DAYS = 30
"""The window that is compared between plans, as long as both reach so far."""


def moved_since(record: Record, outlook: Outlook, events: Sequence[Event]) -> Moved:
    """Return why the number moved since the last plan; `since` is None where there is none."""
    expected = outlook.parts
    before = record.before.get(outlook.workload)
    days = min(MOVED_DAYS, len(expected.base))
    if before is None or len(before.expected.base) < days:
        return _first(expected, days)
    move = explain_move(before.expected, expected, before.refit, days)
    moved = Moved(
        since=before.expected.as_of,
        days=days,
        requests_before=move.requests_before,
        requests_now=move.requests_now,
        tokens_before=move.tokens_before,
        tokens_now=move.tokens_now,
        came_over_forecast=_came(record, outlook.workload),
        parts=[MovedPart(cause=p.cause, requests=p.requests, tokens=p.tokens) for p in move.parts],
        sentence="",
    )
    names = _entered_or_left(events, outlook.workload, before.expected.as_of, expected.as_of, days)
    return replace(moved, sentence=moved_sentence(moved, names))


def track_record(record: Record) -> TrackRecord:
    """Return how earlier plans did, pooled by workload, quantity and range of days ahead."""
    groups: dict[tuple[str, str, int, int], list[Scored]] = defaultdict(list)
    for each in record.scores:
        groups[each.workload, each.quantity, each.score.from_day, each.score.to_day].append(each)
    rows = [_row(key, group) for key, group in groups.items()]
    plans = len({each.as_of for each in record.scores})
    return TrackRecord(
        since=min((each.as_of for each in record.scores), default=None),
        plans=plans,
        sentence=track_sentence(rows, plans),
        rows=rows,
        by_plan=[_plan_score(each) for each in record.scores if each.quantity == "requests"],
        last=[found for name in record.before if (found := _last(record, name)) is not None],
        notes=_notes(record, rows),
    )


def _first(expected: Expected, days: int) -> Moved:
    now = expected.window(expected.as_of, days)
    requests = float(now.requests.sum()) if now is not None else float("nan")
    tokens = float(now.total_tok.sum()) if now is not None else float("nan")
    moved = Moved(
        since=None,
        days=days,
        requests_before=None,
        requests_now=requests,
        tokens_before=None,
        tokens_now=None if np.isnan(tokens) else tokens,
        came_over_forecast=None,
        parts=[],
        sentence="",
    )
    return replace(moved, sentence=moved_sentence(moved))


def _came(record: Record, workload: str) -> float | None:
    """What came since the last plan over what it had forecast for those days."""
    found = _last(record, workload)
    if found is None:
        return None
    pairs = [(a, m) for a, m in zip(found.actual, found.mean, strict=True) if a is not None]
    forecast = sum(m for _, m in pairs)
    return sum(a for a, _ in pairs) / forecast if forecast > 0 else None


def _entered_or_left(events: Sequence[Event], workload: str, before: date, now: date, days: int) -> list[str]:
    """Names of the plan's events that lie in one of the two windows and not, or for other days, in the other."""
    old, new = (np.datetime64(start, "D") + np.arange(days) for start in (before, now))
    return [
        event.name
        for event in events
        if event.workload in (None, workload) and event.covers(old).sum() != event.covers(new).sum()
    ]


def _row(key: tuple[str, str, int, int], group: Sequence[Scored]) -> TrackRow:
    workload, quantity, from_day, to_day = key
    together = pool([each.score for each in group])
    return TrackRow(
        workload=workload,
        quantity=quantity,
        from_day=from_day,
        to_day=to_day,
        plans=together.plans,
        days=together.days,
        event_days=together.event_days,
        outage_days=together.outage_days,
        error=together.error,
        bias=together.bias,
        coverage_80=together.coverage_80,
        loss_vs_naive=together.loss_vs_naive,
        grade=grade(together.error, together.days),
    )


def _plan_score(each: Scored) -> PlanScore:
    score = each.score
    return PlanScore(
        as_of=each.as_of,
        workload=each.workload,
        from_day=score.from_day,
        to_day=score.to_day,
        days=score.days,
        error=score.error,
        bias=score.bias,
        coverage_80=score.coverage_80,
    )


def _last(record: Record, workload: str) -> budget.Scored | None:
    """The last plan's forecast of one workload beside what came, for the days that have come."""
    before, actuals = record.before[workload], record.actuals[workload]
    ahead = before.bands.shape[1]
    if not ahead:
        return None
    as_of = before.expected.as_of
    place = int((np.datetime64(as_of, "D") - actuals.first).astype(np.int64)) + np.arange(ahead)
    inside = (place >= 0) & (place < len(actuals.outage))
    at = np.where(inside, place, 0)
    seen = np.where(inside & ~actuals.outage[at], actuals.values["requests"][at], np.nan)
    mean, q10, q50, q90 = (row.tolist() for row in before.bands)
    return budget.Scored(
        workload=workload,
        as_of=as_of,
        days=[as_of + timedelta(days=k) for k in range(ahead)],
        actual=[None if np.isnan(v) else float(v) for v in seen],
        mean=mean,
        q10=q10,
        q50=q50,
        q90=q90,
    )


def _notes(record: Record, rows: Sequence[TrackRow]) -> list[str]:
    own = [row for row in rows if row.quantity == "requests"]
    events, outages = sum(r.event_days for r in own), sum(r.outage_days for r in own)
    notes = []
    if events:
        notes.append(f"{events} scored days lie in declared events; they count like any other.")
    if outages:
        days = "1 day" if outages == 1 else f"{outages} days"
        notes.append(f"Left out of every score, because the source was out: {days}.")
    notes += [
        f"Earlier plans forecast {name!r}, which this plan does not have, so it is not scored."
        for name in record.unscored
    ]
    return notes
