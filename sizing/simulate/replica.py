"""One replica of the compiled engine: which tokens an iteration takes, how long it lasts, what it gives.

As vLLM schedules (docs.vllm.ai, "Optimization and Tuning"; read 2026-11-24): decoding sequences first, one token
each; then chunks of prompts until the budget of tokens is full; where blocks run out the newest sequence is put
back to the front of the queue and computed again. Besides, online requests go before batch requests everywhere.
"""

import math

from sizing.simulate.compiled import compiled, compiled_apart
from sizing.simulate.queues import (
    join_queue,
    join_running,
    join_wheel,
    jump_queue,
    leave_queue,
    leave_running,
    leave_wheel,
)
from sizing.simulate.state import (
    BATCH,
    DECODING,
    DONE,
    DOWN,
    DRAINING,
    NOBODY,
    ONLINE,
    PARTIAL,
    PREFILLING,
    RUNS_LAST,
    WAITS_FIRST,
    WHEEL,
    Floats,
    State,
    Table,
)


@compiled_apart
def start(s: State, t: Table, k: int, now_s: float) -> None:
    """Begin the next iteration of replica k at now_s, or fall idle where nobody is here."""
    rep = s.replicas[k]
    if rep["load"] == 0:
        rep["busy"] = 0
        return
    calm = rep["preemptions"]
    grow_decoding(s, t, k)
    budget = t.max_tokens - rep["decoding"]
    work_s, chunk_tok = prefill(s, t, k, ONLINE, budget, calm)
    more_s, more_tok = prefill(s, t, k, BATCH, budget - chunk_tok, calm)
    if rep["decoding"] + chunk_tok + more_tok == 0:  # all that ran was put back: it may come in at once
        work_s, chunk_tok, more_s, more_tok = let_in(s, t, k, budget)
    work_s, chunk_tok = work_s + more_s, chunk_tok + more_tok
    lasts_s = iteration_s(t, rep["decoding"], rep["context"] + rep["decoding"], chunk_tok, work_s)
    rep["busy"], rep["ends_s"] = 1, now_s + lasts_s
    used = t.total_bytes - rep["free"]
    rep["busy_s"] += lasts_s
    rep["used_s"] += lasts_s * used
    rep["running_s"] += lasts_s * rep["running"]
    rep["most_used"] = max(rep["most_used"], used)
    rep["most_running"] = max(rep["most_running"], rep["running"])
    rep["prefill_tok"] += chunk_tok


@compiled_apart
def let_in(s: State, t: Table, k: int, budget: int) -> tuple[float, int, float, int]:
    """Prefill both kinds of request whatever was put back before."""
    calm = s.replicas[k]["preemptions"]
    work_s, chunk_tok = prefill(s, t, k, ONLINE, budget, calm)
    more_s, more_tok = prefill(s, t, k, BATCH, budget - chunk_tok, calm)
    return work_s, chunk_tok, more_s, more_tok


@compiled
def iteration_s(t: Table, decoding: int, context: int, chunk_tok: int, work_s: float) -> float:
    """Return the seconds of an iteration; see StepTable."""
    lasts_s = 0.0
    if decoding > 0:
        lasts_s = between(t.context_tok, t.decode_s[decoding], context / decoding)
    if chunk_tok > 0:
        lasts_s = max(lasts_s, between(t.fresh_tok, t.read_s, float(chunk_tok)))
    return lasts_s + work_s


@compiled
def between(at: Floats, values: Floats, x: float) -> float:
    """Return the value at x, linear between the points of a rising grid and level beyond its ends."""
    low, high = 0, len(at) - 1
    if x <= at[0]:
        return float(values[0])
    if x >= at[high]:
        return float(values[high])
    while high - low > 1:
        middle = (low + high) // 2
        if at[middle] <= x:
            low = middle
        else:
            high = middle
    return float(values[low] + (values[high] - values[low]) * (x - at[low]) / (at[high] - at[low]))


@compiled
def grow_decoding(s: State, t: Table, k: int) -> None:
    """Give every sequence whose block is full the next one, preempting the newest where none is left."""
    rep = s.replicas[k]
    phase = rep["iteration"] % t.block_tok
    while s.phases[k, phase] * t.block_bytes > rep["free"]:
        preempt(s, t, k, newest(s, k))
    rep["free"] -= s.phases[k, phase] * t.block_bytes
    rep["stepped"] = rep["iteration"]


@compiled
def prefill(s: State, t: Table, k: int, kind: int, budget: int, calm: int) -> tuple[float, int]:
    """Prefill chunks of one kind of request; return their seconds of arithmetic, and their tokens.

    First the prompt that was left half done, then new ones in order of arrival, which come in only where nobody
    had to go: where replica k has seen no more than `calm` preemptions.
    """
    work_s, tokens = 0.0, 0
    half = s.lists[k, kind, PARTIAL]
    if half != NOBODY and budget > 0:
        work_s, tokens = grow_prompt(s, t, k, half, budget)
    if s.replicas[k]["preemptions"] > calm:
        return work_s, tokens
    while budget > tokens and s.lists[k, kind, WAITS_FIRST] != NOBODY:
        i = s.lists[k, kind, WAITS_FIRST]
        known = min(s.requests[i]["cached"], s.requests[i]["target"] - 1) if t.prefix_cache else 0
        chunk = min(budget - tokens, s.requests[i]["target"] - known)
        if not make_room(s, t, k, i, blocks(t, known + chunk) * t.block_bytes + s.requests[i]["fixed"]):
            break
        work_s += t.prompt_s + admit(s, t, k, i, known, chunk)
        tokens += chunk
    return work_s, tokens


@compiled_apart
def make_room(s: State, t: Table, k: int, i: int, need: int) -> bool:
    """Return whether request i may come in: a seat and `need` bytes are free, or batch requests give them up."""
    rep = s.replicas[k]
    while rep["running"] >= t.max_seqs or need > rep["free"]:
        last = s.lists[k, BATCH, RUNS_LAST]
        if s.requests[i]["kind"] == BATCH or not t.preempt_batch or last == NOBODY:
            return False
        preempt(s, t, k, last)
    return True


@compiled
def admit(s: State, t: Table, k: int, i: int, known: int, chunk: int) -> float:
    """Start request i with `known` cached tokens and its first chunk; return the chunk's seconds."""
    rep, r = s.replicas[k], s.requests[i]
    leave_queue(s, k, r["kind"])
    join_running(s, k, i)
    rep["free"] -= blocks(t, known) * t.block_bytes + r["fixed"]
    rep["cached_tok"] += known
    r["state"], r["computed"] = PREFILLING, known
    return extend(s, t, k, i, chunk)


@compiled
def extend(s: State, t: Table, k: int, i: int, chunk: int) -> float:
    """Prefill the next chunk of request i, for which there is room; return its seconds of arithmetic."""
    rep, r = s.replicas[k], s.requests[i]
    begin, end = r["computed"], r["computed"] + chunk
    rep["free"] -= (blocks(t, end) - blocks(t, begin)) * t.block_bytes
    r["computed"] = end
    if end == r["target"]:
        s.lists[k, r["kind"], PARTIAL] = NOBODY
        r["wheel_after"] = rep["fresh"]
        rep["fresh"] = i
    else:
        s.lists[k, r["kind"], PARTIAL] = i
    return float(chunk * between(t.middle_tok, t.rate_s, (begin + end) / 2))


@compiled_apart
def grow_prompt(s: State, t: Table, k: int, i: int, budget: int) -> tuple[float, int]:
    """Go on with a half done prompt; it gives way itself where nobody else is newer or less urgent."""
    rep, r = s.replicas[k], s.requests[i]
    chunk = min(budget, r["target"] - r["computed"])
    need = (blocks(t, r["computed"] + chunk) - blocks(t, r["computed"])) * t.block_bytes
    while need > rep["free"]:
        last = newest(s, k)
        preempt(s, t, k, last)
        if last == i:
            return 0.0, 0
    return extend(s, t, k, i, chunk), chunk


@compiled
def newest(s: State, k: int) -> int:
    """Return the running request that gives way first: the newest batch one, else the newest."""
    last = s.lists[k, BATCH, RUNS_LAST]
    return int(last if last != NOBODY else s.lists[k, ONLINE, RUNS_LAST])


@compiled_apart
def preempt(s: State, t: Table, k: int, i: int) -> None:
    """Put a running request back to the front of its queue; what was computed is computed again."""
    r, rep = s.requests[i], s.replicas[k]
    rep["recomputed_tok"] += leave(s, t, k, i)
    rep["preemptions"] += 1
    r["preempted"] += 1
    r["computed"], r["target"] = 0, r["prompt"] + r["emitted"]
    jump_queue(s, k, i)


@compiled
def leave(s: State, t: Table, k: int, i: int) -> int:
    """Free all that request i holds on replica k and return how many tokens of KV that was."""
    rep, r = s.replicas[k], s.requests[i]
    held = r["computed"]
    if r["state"] == DECODING:
        decoded = rep["stepped"] - r["began"] + 1
        held = r["target"] + decoded
        r["emitted"] += rep["iteration"] - r["began"]
        rep["decoding"] -= 1
        rep["context"] -= r["target"] + rep["iteration"] - r["began"]
        s.phases[k, (r["began"] - r["target"]) % t.block_tok] -= 1
        leave_wheel(s, k, i)
    rep["free"] += blocks(t, held) * t.block_bytes + r["fixed"]
    leave_running(s, k, i)
    return int(held)


@compiled
def complete(s: State, t: Table, k: int) -> None:
    """End the iteration of replica k: every decoding sequence and every finished prompt has given a token."""
    rep = s.replicas[k]
    now_s = rep["ends_s"]
    observe(s, k, now_s)
    rep["decode_tok"] += rep["decoding"]
    rep["context"] += rep["decoding"]
    this = rep["iteration"]
    rep["iteration"] += 1
    i = s.wheel[k, this % WHEEL]
    while i != NOBODY:
        after = s.requests[i]["wheel_after"]
        if s.requests[i]["finishes"] == this:
            leave(s, t, k, i)
            finish(s, k, i, now_s)
        i = after
    i = rep["fresh"]
    rep["fresh"] = NOBODY
    while i != NOBODY:
        after = s.requests[i]["wheel_after"]
        s.requests[i]["wheel_after"] = NOBODY
        first_token(s, t, k, i, now_s)
        i = after
    if rep["status"] == DRAINING and rep["load"] == 0:
        rep["status"] = DOWN


@compiled
def first_token(s: State, t: Table, k: int, i: int, now_s: float) -> None:
    """Let a prompt that is whole give its token, and decode from the next iteration on."""
    rep, r = s.replicas[k], s.requests[i]
    if math.isnan(r["first_s"]):
        r["first_s"] = now_s
    r["emitted"] += 1
    if r["emitted"] >= r["output"]:
        leave(s, t, k, i)
        finish(s, k, i, now_s)
        return
    r["state"], r["began"] = DECODING, rep["iteration"]
    r["finishes"] = rep["iteration"] + r["output"] - r["emitted"] - 1
    s.phases[k, (r["began"] - r["target"]) % t.block_tok] += 1
    rep["decoding"] += 1
    rep["context"] += r["target"]
    join_wheel(s, k, i)


@compiled
def finish(s: State, k: int, i: int, now_s: float) -> None:
    """Give the last token, and let a client who waited for it send the next request."""
    r, rep = s.requests[i], s.replicas[k]
    r["state"], r["done_s"], r["emitted"] = DONE, now_s, r["output"]
    rep["load"] -= 1
    following = s.held[3]
    if 0 < following < len(s.requests):
        s.held[3] += 1
        s.arrival_s[following] = now_s
        s.requests[following]["where"] = k
        join_queue(s, k, following)
        rep["load"] += 1


@compiled
def observe(s: State, k: int, now_s: float) -> None:
    """Add up requests here, and seconds up, over the time since the last event."""
    rep = s.replicas[k]
    since_s = now_s - rep["seen_s"]
    rep["load_s"] += rep["load"] * since_s
    if rep["status"] != DOWN:
        rep["up_s"] += since_s
    rep["seen_s"] = now_s


@compiled
def blocks(t: Table, tokens: int) -> int:
    """Return the blocks that so many tokens take."""
    return (tokens + t.block_tok - 1) // t.block_tok
