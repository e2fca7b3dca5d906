"""Queues, running lists and the wheel of ends: linked lists through the records of requests, O(1) each."""

from sizing.simulate.compiled import compiled
from sizing.simulate.state import (
    NOBODY,
    PARTIAL,
    RUNS_LAST,
    WAITING,
    WAITS_FIRST,
    WAITS_LAST,
    WHEEL,
    State,
)


@compiled
def join_queue(s: State, k: int, i: int) -> None:
    """Put request i at the end of its queue on replica k."""
    r, ends = s.requests[i], s.lists[k, s.requests[i]["kind"]]
    r["state"], r["after"] = WAITING, NOBODY
    if ends[WAITS_LAST] == NOBODY:
        ends[WAITS_FIRST] = i
    else:
        s.requests[ends[WAITS_LAST]]["after"] = i
    ends[WAITS_LAST] = i


@compiled
def jump_queue(s: State, k: int, i: int) -> None:
    """Put request i at the front of its queue, where a preempted one goes on waiting."""
    r, ends = s.requests[i], s.lists[k, s.requests[i]["kind"]]
    r["state"], r["after"] = WAITING, ends[WAITS_FIRST]
    ends[WAITS_FIRST] = i
    if ends[WAITS_LAST] == NOBODY:
        ends[WAITS_LAST] = i


@compiled
def leave_queue(s: State, k: int, kind: int) -> int:
    """Take the first of a queue out of it and return it."""
    ends = s.lists[k, kind]
    i = ends[WAITS_FIRST]
    ends[WAITS_FIRST] = s.requests[i]["after"]
    if ends[WAITS_FIRST] == NOBODY:
        ends[WAITS_LAST] = NOBODY
    s.requests[i]["after"] = NOBODY
    return int(i)


@compiled
def join_running(s: State, k: int, i: int) -> None:
    """Make request i the newest of those that run on replica k."""
    r, ends = s.requests[i], s.lists[k, s.requests[i]["kind"]]
    r["before"], r["after"] = ends[RUNS_LAST], NOBODY
    if ends[RUNS_LAST] != NOBODY:
        s.requests[ends[RUNS_LAST]]["after"] = i
    ends[RUNS_LAST] = i
    s.replicas[k]["running"] += 1


@compiled
def leave_running(s: State, k: int, i: int) -> None:
    """Take request i out of those that run."""
    r, ends = s.requests[i], s.lists[k, s.requests[i]["kind"]]
    before, after = r["before"], r["after"]
    if before != NOBODY:
        s.requests[before]["after"] = after
    if after != NOBODY:
        s.requests[after]["before"] = before
    else:
        ends[RUNS_LAST] = before
    if ends[PARTIAL] == i:
        ends[PARTIAL] = NOBODY
    r["before"], r["after"] = NOBODY, NOBODY
    s.replicas[k]["running"] -= 1


@compiled
def join_wheel(s: State, k: int, i: int) -> None:
    """Stand in the slot of the iteration that gives the last token."""
    r = s.requests[i]
    slot = r["finishes"] % WHEEL
    first = s.wheel[k, slot]
    r["wheel_before"], r["wheel_after"] = NOBODY, first
    if first != NOBODY:
        s.requests[first]["wheel_before"] = i
    s.wheel[k, slot] = i


@compiled
def leave_wheel(s: State, k: int, i: int) -> None:
    """Leave that slot."""
    r = s.requests[i]
    before, after = r["wheel_before"], r["wheel_after"]
    if before != NOBODY:
        s.requests[before]["wheel_after"] = after
    else:
        s.wheel[k, r["finishes"] % WHEEL] = after
    if after != NOBODY:
        s.requests[after]["wheel_before"] = before
    r["wheel_before"], r["wheel_after"] = NOBODY, NOBODY
