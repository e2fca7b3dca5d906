"""The state that the compiled engine works on: records of requests and replicas, and lists of them."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

ONLINE, BATCH = 0, 1
WAITS_FIRST, WAITS_LAST, RUNS_LAST, PARTIAL = 0, 1, 2, 3
"""Columns of `lists`: ends of the queue, the newest running one, and the one whose prompt is half prefilled."""

AWAY, WAITING, PREFILLING, DECODING, DONE, REFUSED = 0, 1, 2, 3, 4, 5
"""States of a request. AWAY: not here yet, or held back because no replica is up."""

DOWN, IS_UP, DRAINING = 0, 1, 2

NOBODY = -1

WHEEL = 1_024
"""Slots of the wheel of ends: a sequence stands in the slot of the iteration that gives its last token."""

REQUEST = np.dtype(
    [
        *((name, np.int32) for name in ("prompt", "cached", "output", "emitted", "computed", "target")),
        *((name, np.int32) for name in ("kind", "where", "state", "preempted", "retried")),
        *((name, np.int32) for name in ("after", "before", "wheel_after", "wheel_before")),
        *((name, np.int64) for name in ("began", "finishes", "fixed")),
        *((name, np.float64) for name in ("first_s", "done_s")),
    ]
)
"""A request. emitted: tokens given to the client. computed: of `target` tokens to prefill, how many are in KV.
began, finishes: iterations of its first and last decode step. fixed: bytes that it holds whatever its length.
after, before: neighbours in its queue or among the running; wheel_*: in its slot."""

REPLICA = np.dtype(
    [
        *(
            (name, np.int64)
            for name in ("status", "busy", "iteration", "stepped", "running", "decoding", "context")
        ),
        *((name, np.int64) for name in ("free", "load", "fresh", "prefill_tok", "decode_tok", "preemptions")),
        *((name, np.int64) for name in ("recomputed_tok", "cached_tok", "most_running", "most_used")),
        *((name, np.float64) for name in ("ends_s", "busy_s", "used_s", "running_s", "load_s", "seen_s", "up_s")),
    ]
)
"""A replica. iteration: number of the one that runs, or is next. stepped: last iteration for which decoding ones
hold their block. context: tokens in KV of all decoding ones. load: requests here, waiting or running. fresh: first
of those whose prompt ends in this iteration. *_s: integrals over time."""


class Table(NamedTuple):
    """A StepTable, and the settings of the engine as whole numbers. clients: 0 = requests come at their times."""

    decode_s: Floats
    context_tok: Floats
    rate_s: Floats
    middle_tok: Floats
    read_s: Floats
    fresh_tok: Floats
    prompt_s: float
    max_seqs: int
    max_tokens: int
    block_tok: int
    block_bytes: int
    total_bytes: int
    prefix_cache: bool
    preempt_batch: bool
    in_turn: bool
    clients: int


class State(NamedTuple):
    """All that changes. lists: (R, 2, 4); phases: (R, block_tok) sequences that need a block in every such
    iteration; wheel: (R, WHEEL) first request of each slot; held: (4,) ends of the queue of those that no replica
    takes, the replica whose turn is next, and the next request of a fixed number of clients.
    """

    requests: npt.NDArray[np.void]
    arrival_s: Floats
    replicas: npt.NDArray[np.void]
    lists: npt.NDArray[np.int64]
    phases: npt.NDArray[np.int64]
    wheel: npt.NDArray[np.int32]
    held: npt.NDArray[np.int64]


def new_state(requests: int, replicas: int, *, block_tok: int, total_bytes: int) -> State:
    """Return the state in which every request is away and every replica down and empty."""
    reqs = np.zeros(requests, dtype=REQUEST)
    for name in ("where", "after", "before", "wheel_after", "wheel_before"):
        reqs[name] = NOBODY
    reqs["first_s"] = reqs["done_s"] = np.nan
    reps = np.zeros(replicas, dtype=REPLICA)
    reps["free"], reps["fresh"], reps["stepped"] = total_bytes, NOBODY, -1
    return State(
        requests=reqs,
        arrival_s=np.zeros(requests),
        replicas=reps,
        lists=np.full((replicas, 2, 4), NOBODY, dtype=np.int64),
        phases=np.zeros((replicas, block_tok), dtype=np.int64),
        wheel=np.full((replicas, WHEEL), NOBODY, dtype=np.int32),
        held=np.array([NOBODY, NOBODY, 0, 0], dtype=np.int64),
    )
