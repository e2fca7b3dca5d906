"""`simulate`: requests through replicas that batch continuously, iteration by iteration."""

import math
from dataclasses import dataclass, replace

import numpy as np

from data.errors import UserError
from sizing.kv_space import KvSpace
from sizing.profile import ReplicaProfile
from sizing.simulate.limits import EngineLimits
from sizing.simulate.requests import Requests
from sizing.simulate.result import ReplicaSums, SimResult
from sizing.simulate.schedule import Schedule, always
from sizing.simulate.state import DONE, REFUSED, State, Table, new_state
from sizing.simulate.steps import StepTable, step_table

UNBOUNDED_TOK = 10**12
"""Tokens of KV where nothing bounds them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """One kind of replica, ready to be simulated: its settings, its times, its memory."""

    limits: EngineLimits
    steps: StepTable
    kv: KvSpace | None

    @classmethod
    def of(cls, replica: ReplicaProfile, limits: EngineLimits, longest_tok: int) -> "Engine":
        """Return the engine of a replica for requests of up to longest_tok tokens."""
        steps = step_table(replica, sequences=limits.max_num_seqs, longest_tok=longest_tok)
        return cls(limits=limits, steps=steps, kv=replica.kv)


def simulate(
    requests: Requests,
    replica: ReplicaProfile,
    *,
    replicas: int | Schedule = 1,
    limits: EngineLimits | None = None,
    until_s: float = math.inf,
) -> SimResult:
    """Return what happens to these requests on so many replicas, or on a fleet that changes over time.

    until_s: when to stop; what is not finished then counts as unfinished. Deterministic: chance is in the arrivals
    alone (sizing/simulate/arrivals.py, seeded). Raises UserError on settings that no engine starts with.
    """
    limits = limits or EngineLimits()
    engine = Engine.of(replica, limits, requests.longest_tok)
    return run_engine(requests, engine, replicas=replicas, until_s=until_s)


def run_engine(
    requests: Requests,
    engine: Engine,
    *,
    replicas: int | Schedule = 1,
    until_s: float = math.inf,
    clients: int = 0,
) -> SimResult:
    """Return the same for an engine that was made before, so that its table is made once for many simulations.

    clients: 0 for arrivals at their own times; else a fixed number of clients of one replica, each of which sends
    the next request when its last one is answered, and arrival_s is not read.
    """
    from sizing.simulate.loop import run  # here, so that --help and tests without a simulation never load numba

    schedule = always(replicas) if isinstance(replicas, int) else replicas
    _check(requests, schedule, clients, until_s)
    table, state = _table(engine, clients), _state(requests, engine, schedule.replicas)
    if clients:
        state.arrival_s[:] = np.where(np.arange(len(requests)) < clients, 0.0, np.inf)
        state.held[3] = clients
        if (state.requests["state"] == REFUSED).any():
            raise UserError("A request is longer than a replica holds, and its client would wait for ever.")
    run(state, table, schedule.time_s, schedule.replica, schedule.what, until_s)
    return _result(requests, engine, state, table, until_s, clients)


def _check(requests: Requests, schedule: Schedule, clients: int, until_s: float) -> None:
    if schedule.replicas < 1:
        raise UserError("No replica is ever up; give 1 or more.")
    if clients and schedule.replicas != 1:
        raise UserError(
            f"{clients} clients are simulated on one replica, not {schedule.replicas}; share them out."
        )
    if clients < 0 or not until_s > 0:
        raise UserError(f"clients {clients} and until_s {until_s:g} cannot be; give 0 or more, and above 0 s.")
    if len(requests) >= 2**31:
        raise UserError(f"{len(requests):,} requests are too many for one simulation; take a part of the time.")


def _table(engine: Engine, clients: int) -> Table:
    limits, steps = engine.limits, engine.steps
    if steps.sequences < limits.max_num_seqs:
        raise UserError(
            f"The step table knows {steps.sequences:,} sequences and max_num_seqs is {limits.max_num_seqs:,}."
        )
    block, total, _ = _bytes(engine)
    return Table(
        decode_s=np.ascontiguousarray(steps.decode_s, dtype=np.float64),
        context_tok=steps.context_tok,
        rate_s=steps.rate_s,
        middle_tok=steps.middle_tok,
        read_s=steps.read_s,
        fresh_tok=steps.fresh_tok,
        prompt_s=float(steps.prompt_s),
        max_seqs=limits.max_num_seqs,
        max_tokens=limits.max_num_batched_tokens,
        block_tok=limits.block_tok,
        block_bytes=block,
        total_bytes=total,
        prefix_cache=limits.prefix_cache,
        preempt_batch=limits.preempt_batch,
        in_turn=limits.routing == "round-robin",
        clients=clients,
    )


def _bytes(engine: Engine) -> tuple[int, int, KvSpace]:
    """Return whole bytes of a block, bytes for KV, and what a sequence takes besides.

    kv_blocks counts blocks of full attention; without a memory to speak of a token is one byte.
    """
    limits = engine.limits
    kv = engine.kv or KvSpace(room_bytes=float(UNBOUNDED_TOK), tok_bytes=1.0)
    block = math.ceil(kv.tok_bytes * limits.block_tok)
    total = math.floor(kv.room_bytes)
    if limits.kv_blocks is not None:
        total = limits.kv_blocks * (block or math.ceil(kv.window_tok_bytes * limits.block_tok) or 1)
    return block, total, kv


def _state(requests: Requests, engine: Engine, replicas: int) -> State:
    block, total, kv = _bytes(engine)
    block_tok = engine.limits.block_tok
    state = new_state(len(requests), replicas, block_tok=block_tok, total_bytes=total)
    reqs = state.requests
    prompt = np.maximum(requests.prompt_tok, 1)
    reqs["prompt"] = reqs["target"] = prompt
    reqs["cached"], reqs["output"], reqs["kind"] = requests.cached_prompt_tok, requests.output_tok, requests.batch
    longest = -(-(prompt + np.maximum(requests.output_tok - 1, 0)) // block_tok)
    in_window = np.minimum(longest, -(-kv.window_tok // block_tok)) if kv.window_tok else 0 * longest
    fixed = math.ceil(kv.state_bytes) + in_window * math.ceil(kv.window_tok_bytes * block_tok)
    reqs["fixed"] = fixed
    most = engine.limits.max_model_tok or kv.max_context_tok or UNBOUNDED_TOK
    too_long = (longest * block + fixed > total) | (prompt + requests.output_tok > most)
    reqs["state"][too_long] = REFUSED
    state.arrival_s[:] = requests.arrival_s
    return state


def _result(
    requests: Requests, engine: Engine, state: State, table: Table, until_s: float, clients: int
) -> SimResult:
    reqs = state.requests
    arrival = state.arrival_s
    if clients:
        sent = np.isfinite(arrival)
        requests = replace(requests.take(sent), arrival_s=arrival[sent])
        reqs, arrival = reqs[sent], arrival[sent]
    finished = reqs["state"] == DONE
    cached = np.minimum(requests.cached_prompt_tok if engine.limits.prefix_cache else 0, reqs["prompt"] - 1)
    beside = engine.steps.first_token_wait_s(reqs["prompt"].astype(np.float64), cached.astype(np.float64))
    first, done = reqs["first_s"].copy(), reqs["done_s"].copy()
    later = requests.output_tok - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        tpot = np.where(later > 0, (done - first) / later, np.nan)
    end = float(state.replicas["seen_s"].max()) if until_s == math.inf else until_s
    return SimResult(
        requests=requests,
        first_s=first,
        done_s=done,
        ttft_s=np.where(np.isnan(first), np.inf, first - arrival + beside),
        tpot_s=np.where(finished, tpot, np.inf),
        e2e_s=np.where(finished, done - arrival + beside, np.inf),
        finished=finished,
        refused=reqs["state"] == REFUSED,
        preempted=reqs["preempted"].astype(np.int64),
        retried=reqs["retried"].astype(np.int64),
        replica=reqs["where"].astype(np.int64),
        replicas=_sums(state, table),
        end_s=end,
    )


def _sums(state: State, table: Table) -> ReplicaSums:
    reps = state.replicas
    busy = np.maximum(reps["busy_s"], 1e-300)
    total = max(table.total_bytes, 1)
    names = ("prefill_tok", "cached_tok", "decode_tok", "preemptions", "recomputed_tok")
    return ReplicaSums(
        iterations=reps["iteration"].copy(),
        busy_s=reps["busy_s"].copy(),
        up_s=reps["up_s"].copy(),
        **{name: reps[name].copy() for name in names},
        kv_share=reps["used_s"] / busy / total,
        kv_share_most=reps["most_used"] / total,
        running=reps["running_s"] / busy,
        running_most=reps["most_running"].copy(),
        in_system_s=reps["load_s"].copy(),
    )
