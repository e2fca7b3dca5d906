"""The compiled engine's loop over arrivals and events, and the router between replicas."""

from typing import Any

import numpy as np

from sizing.simulate.compiled import compiled, compiled_apart
from sizing.simulate.queues import join_queue
from sizing.simulate.replica import complete, observe, start
from sizing.simulate.schedule import DRAIN, FAIL, UP
from sizing.simulate.state import AWAY, DOWN, DRAINING, IS_UP, NOBODY, REFUSED, State, Table


@compiled_apart
def run(s: State, t: Table, event_s: Any, event_replica: Any, event_what: Any, until_s: float) -> None:
    """Carry every request and event out in order of time, until nothing is left or until_s has come."""
    i, e = 0, 0
    asked = min(t.clients, len(s.requests)) if t.clients > 0 else len(s.requests)
    while True:
        arrival_s = s.arrival_s[i] if i < asked else np.inf
        change_s = event_s[e] if e < len(event_s) else np.inf
        now_s = min(arrival_s, change_s)
        if now_s > until_s or now_s == np.inf:
            break
        for k in range(len(s.replicas)):
            advance(s, t, k, now_s)
        last = e
        while last < len(event_s) and event_s[last] == now_s:
            if event_what[last] == FAIL:  # all of them first, so that none sends its requests to another
                observe(s, event_replica[last], now_s)
                s.replicas[event_replica[last]]["status"] = DOWN
            last += 1
        while e < last:
            change(s, t, event_replica[e], event_what[e], now_s)
            e += 1
        while i < asked and s.arrival_s[i] == now_s:
            route(s, t, i, now_s)
            i += 1
        for k in range(len(s.replicas)):  # only now, so that those who come together start together
            if s.replicas[k]["busy"] == 0 and s.replicas[k]["load"] > 0:
                start(s, t, k, now_s)
    for k in range(len(s.replicas)):
        advance(s, t, k, until_s)
        if until_s < np.inf:
            observe(s, k, until_s)


@compiled
def advance(s: State, t: Table, k: int, now_s: float) -> None:
    """End all iterations of replica k that end by now_s; each is followed by the next at once."""
    rep = s.replicas[k]
    while rep["busy"] == 1 and rep["ends_s"] <= now_s:
        complete(s, t, k)
        start(s, t, k, rep["ends_s"])


@compiled_apart
def route(s: State, t: Table, i: int, now_s: float) -> None:
    """Send request i to a replica that is up, or hold it back until one is."""
    if s.requests[i]["state"] == REFUSED:
        return
    k = choose(s, t)
    if k == NOBODY:
        hold(s, i)
        return
    observe(s, k, now_s)
    s.requests[i]["where"] = k
    s.replicas[k]["load"] += 1
    join_queue(s, k, i)


@compiled
def choose(s: State, t: Table) -> int:
    """Return the replica that is up and has the fewest requests, or whose turn it is; ties go round."""
    count = len(s.replicas)
    best, least = NOBODY, 0
    for step in range(count):
        k = (s.held[2] + step) % count
        rep = s.replicas[k]
        if rep["status"] == IS_UP and (best == NOBODY or rep["load"] < least):
            best, least = k, rep["load"]
            if least == 0 or t.in_turn:
                break
    if best != NOBODY:
        s.held[2] = (best + 1) % count
    return int(best)


@compiled
def hold(s: State, i: int) -> None:
    """Put request i at the end of those that no replica takes."""
    s.requests[i]["state"], s.requests[i]["after"], s.requests[i]["where"] = AWAY, NOBODY, NOBODY
    if s.held[1] == NOBODY:
        s.held[0] = i
    else:
        s.requests[s.held[1]]["after"] = i
    s.held[1] = i


@compiled_apart
def change(s: State, t: Table, k: int, what: int, now_s: float) -> None:
    """Start, drain or fail replica k."""
    observe(s, k, now_s)
    rep = s.replicas[k]
    if what == UP:
        rep["status"] = IS_UP
        release_held(s, t, now_s)
    elif what == DRAIN and rep["status"] != DOWN:
        rep["status"] = DRAINING if rep["load"] > 0 else DOWN
    elif what == FAIL:
        fail(s, t, k, now_s)


@compiled_apart
def release_held(s: State, t: Table, now_s: float) -> None:
    """Send those that were held back on their way, oldest first."""
    i = s.held[0]
    s.held[0], s.held[1] = NOBODY, NOBODY
    while i != NOBODY:
        after = s.requests[i]["after"]
        route(s, t, i, now_s)
        i = after


@compiled_apart
def fail(s: State, t: Table, k: int, now_s: float) -> None:
    """Take replica k away with all it holds in memory; its requests begin again elsewhere, in order of arrival."""
    rep = s.replicas[k]
    rep["status"], rep["busy"] = DOWN, 0
    rep["running"] = rep["decoding"] = rep["context"] = rep["load"] = 0
    rep["free"], rep["fresh"] = t.total_bytes, NOBODY
    s.lists[k] = NOBODY
    s.phases[k] = 0
    s.wheel[k] = NOBODY
    for i in range(len(s.requests)):
        r = s.requests[i]
        if r["where"] == k and np.isnan(r["done_s"]) and r["state"] != REFUSED and s.arrival_s[i] <= now_s:
            r["emitted"], r["computed"], r["target"] = 0, 0, r["prompt"]
            r["before"], r["wheel_after"], r["wheel_before"] = NOBODY, NOBODY, NOBODY
            r["first_s"] = np.nan
            r["retried"] += 1
            route(s, t, i, now_s)
