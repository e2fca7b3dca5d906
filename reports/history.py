"""What the page says about earlier plans: how they did, and why the number moved since the last one."""

from collections.abc import Sequence

from reports.budget import Moved, MovedPart, Scored, TrackRow
from reports.format import MINUS, count, day, percent, plain, short

CAUSES = {
    "calendar": "later days (as foreseen)",
    "method": "the method, settings or late data",
    "level": "the level of newer data",
    "trend": "the course that newer data takes on",
    "growth": "another growth stated",
    "events": "events and holidays",
    "lengths": "tokens a request",
    "length events": "events that change lengths",
}
"""Each cause of a move in the reader's words."""
SHOWN_CAUSES = 3
GRADES = {"good": "good", "fair": "fair", "poor": "poor", "none": "too few days to grade"}
QUANTITY_WORDS = {
    "requests": "requests a day",
    "prompt_tok": "prompt tokens a request",
    "cached_prompt_tok": "cached tokens a request",
    "output_tok": "output tokens a request",
}


def moved_sentence(moved: Moved, events: Sequence[str] = ()) -> str:
    """Say in one sentence what moved the number since the last plan; events: names that entered or left."""
    if moved.since is None or moved.requests_before is None:
        return "This is the first plan of this workload that the store keeps, so there is none to compare it with."
    change = moved.requests_now - moved.requests_before
    share = change / moved.requests_before if moved.requests_before > 0 else None
    head = (
        f"Since the plan of {day(moved.since)}, {moved.days}-day requests went from {short(moved.requests_before)}"
        f" to {short(moved.requests_now)} ({_signed_percent(share)}{_tokens(moved)})"
    )
    causes = [_cause(part, events) for part in top_parts(moved)]
    came = ""
    if moved.came_over_forecast is not None:
        came = f"; what came since was {_signed_percent(moved.came_over_forecast - 1)} against that forecast"
    return f"{head}: {', '.join(causes) or 'nothing moved it'}{came}."


def top_parts(moved: Moved) -> list[MovedPart]:
    """Return the parts that matter, largest first: at most three, none below a tenth of the largest."""
    ranked = sorted(moved.parts, key=lambda p: -abs(size(p)))
    return [p for p in ranked[:SHOWN_CAUSES] if abs(size(p)) >= max(0.1 * abs(size(ranked[0])), 0.5)]


def size(part: MovedPart) -> float:
    """Return what ranks a part: its tokens, which count lengths too, or its requests where lengths are unknown."""
    return part.requests if part.tokens is None else part.tokens


def signed(value: float | None) -> str:
    """Return a difference of requests or tokens with its sign; less than half of one is none.

    >>> signed(12_345.0), signed(-2.5e6), signed(-1e-6), signed(None)
    ('+12.3K', '−2.50M', '0', '–')
    """
    if value is not None and abs(value) < 0.5:
        return "0"
    text = short(value)
    return text if value is None or value <= 0 else f"+{text}"


def signed_count(value: float | None) -> str:
    """Return a whole difference with its sign.

    >>> signed_count(1234.0), signed_count(-0.2)
    ('+1,234', '0')
    """
    text = count(value)
    return text if value is None or value <= 0 or text == "0" else f"+{text}"


def cause(part: MovedPart) -> str:
    """Return the cause of a part in words."""
    return CAUSES[part.cause]


def quantity_word(row: TrackRow) -> str:
    """Return what was scored, in words; a peak says how long its window is."""
    if row.quantity.startswith("peak_"):
        return f"requests a second in the busiest {row.quantity.split('_')[1].removesuffix('s')} s"
    return QUANTITY_WORDS.get(row.quantity, row.quantity)


def grade_word(row: TrackRow) -> str:
    """Return the grade in words."""
    return GRADES[row.grade]


def last_plan_sentence(scored: Scored) -> str:
    """Say how what came compares with what the last plan forecast for a workload."""
    pairs = [
        (a, m, lo <= a <= hi)
        for a, m, lo, hi in zip(scored.actual, scored.mean, scored.q10, scored.q90, strict=True)
        if a is not None
    ]
    name, plan = plain(scored.workload, 40), f"the plan of {day(scored.as_of)}"
    if not pairs or sum(m for _, m, _ in pairs) <= 0:
        return f"{name}: no day since {plan} can be scored"
    came = sum(a for a, _, _ in pairs) / sum(m for _, m, _ in pairs) - 1
    inside = sum(ok for _, _, ok in pairs)
    days = f"{count(inside)} of {count(len(pairs))} days"
    return f"{name}: what came was {_signed_percent(came)} against {plan}; {days} fell into its 80% range"


def track_sentence(rows: Sequence[TrackRow], plans: int) -> str:
    """Say in one sentence how earlier plans did on requests, by how far ahead they looked."""
    scored = [r for r in rows if r.quantity == "requests" and r.error is not None]
    if not scored:
        return "No earlier forecast can be scored yet: the record begins with the next plan."
    nearest = min(r.from_day for r in scored)
    near = [r for r in scored if r.from_day == nearest]
    worst = max(near, key=lambda r: r.error or 0.0)
    days = sum(r.days for r in near)
    covered = sum(r.days * r.coverage_80 for r in near) / days
    names = f"{plans} earlier plan{'s' if plans > 1 else ''}"
    span = f"{nearest} to {max(r.to_day for r in near)} days ahead"
    if len(near) == 1:
        how = f"requests were off by {percent(worst.error)} ({GRADES[worst.grade]})"
    else:
        best = min(r.error or 0.0 for r in near)
        how = (
            f"requests were off by {percent(best)} to {percent(worst.error)}, most for"
            f" {plain(worst.workload, 24)} ({GRADES[worst.grade]})"
        )
    return f"{names}, {span}: {how}; {percent(covered)} of days fell into their 80% range."


def _cause(part: MovedPart, events: Sequence[str]) -> str:
    text = CAUSES[part.cause]
    if part.cause == "events" and events:
        text = " and ".join(plain(name, 32) for name in events[:2]) + (" and others" if len(events) > 2 else "")
    if part.tokens is not None and part.cause in ("lengths", "length events"):
        return f"{text} {signed(part.tokens)} tokens"
    return f"{text} {signed(part.requests)}"


def _tokens(moved: Moved) -> str:
    if moved.tokens_before is None or moved.tokens_now is None or moved.tokens_before <= 0:
        return ""
    return f", tokens {_signed_percent(moved.tokens_now / moved.tokens_before - 1)}"


def _signed_percent(share: float | None) -> str:
    text = percent(share)
    return text if share is None or share <= 0 or text.startswith(MINUS) else f"+{text}"
