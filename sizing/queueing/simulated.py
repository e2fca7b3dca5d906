"""Plan = simulation: a planned fleet is replayed in its busy hour, and what the simulator says wins."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from sizing.profile import ReplicaProfile, Slo
from sizing.simulate.engine import Engine, run_engine
from sizing.simulate.limits import EngineLimits
from sizing.simulate.requests import Requests

WARM_S = 60.0
"""Seconds after the start whose requests do not count: the fleet is empty when it begins."""

LATE_S = 600.0
"""Seconds after the last arrival at which a simulation ends; what is not finished by then missed the SLO."""

MOST_TIMES = 4.0
"""Times the queueing model's replicas beyond which the search gives up."""

EXACT_BELOW = 64
"""Replicas up to which the fewest are found to the last one; above, to 2% of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attained:
    """What so many replicas gave in a simulation. ttft_s, tpot_s: at the SLO's percentile, infinite where they
    never came. within: share of the requests within both bounds; goodput_per_s: of those, a second. busy: share
    of the time that replicas worked.
    """

    replicas: int
    holds: bool
    ttft_s: float
    tpot_s: float
    within: float
    goodput_per_s: float
    requests: int
    unfinished: int
    preemptions: int
    busy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A planned fleet held against simulations. days: the horizon; load: replicas' worth of work in its busy hour.

    analytic_replicas: what the model asked. attained: at the fewest replicas with which the SLO holds.
    fewer: at one (or 2%) fewer, None where one replica is the fleet. analytic: what its own fleet attained.
    """

    days: int
    load: float
    requests_per_s: float
    percentile: float
    analytic_replicas: int
    analytic: Attained
    attained: Attained
    fewer: Attained | None
    runs: int

    @property
    def corrected_by(self) -> int:
        """Replicas that the simulation added (or took away, below 0)."""
        return self.attained.replicas - self.analytic_replicas

    @property
    def factor(self) -> float:
        """By how much the queueing model's replicas are multiplied; 1 where both agree."""
        return 1.0 if not self.corrected_by else (self.attained.replicas - 0.5) / self.analytic_replicas


def simulate_fleets(
    requests: Requests, profile: ReplicaProfile, slo: Slo, *, limits: EngineLimits | None = None
) -> Callable[[int], Attained]:
    """Return a function that replays these requests on any number of replicas; its table of steps is made once."""
    engine = Engine.of(profile, limits or EngineLimits(), requests.longest_tok)
    end_s = float(requests.arrival_s[-1]) + LATE_S if len(requests) else LATE_S
    warm_s = min(WARM_S, requests.span_s / 4)

    def attained(replicas: int) -> Attained:
        result = run_engine(requests, engine, replicas=replicas, until_s=end_s)
        counted = result.after(warm_s)
        at = [slo.percentile]
        within = result.attainment(slo, counted)
        span_s = max(requests.span_s - warm_s, 1e-9)
        return Attained(
            replicas=replicas,
            holds=result.holds(slo, counted),
            ttft_s=float(result.percentiles("ttft_s", at, counted)[0]),
            tpot_s=float(result.percentiles("tpot_s", at, counted)[0]),
            within=within,
            goodput_per_s=within * float(counted.sum()) / span_s,
            requests=int(counted.sum()),
            unfinished=int((~result.finished[counted]).sum()),
            preemptions=int(result.replicas.preemptions.sum()),
            busy=float(result.replicas.busy_s.sum() / max(result.replicas.up_s.sum(), 1e-9)),
        )

    return attained


def fewest_that_hold(start: int, attained: Callable[[int], Attained]) -> tuple[Attained, Attained | None, int]:
    """Return (the fewest replicas that hold, one fewer that does not, simulations run), searched from `start`.

    Steps of 5% (one replica at least), doubled until the answer changes, then halved to one replica (2% above
    EXACT_BELOW). fewer is None where one replica holds. Where not even MOST_TIMES the start holds, the last that
    was tried is returned with holds = False.
    """
    tried: dict[int, Attained] = {}

    def at(replicas: int) -> Attained:
        if replicas not in tried:
            tried[replicas] = attained(replicas)
        return tried[replicas]

    start = max(start, 1)
    step = max(1, round(0.05 * start))
    most = math.ceil(MOST_TIMES * start) + 2
    held, missed = start, 0
    if at(start).holds:
        while held > 1 and at(max(held - step, 1)).holds:
            held, step = max(held - step, 1), 2 * step
        missed = max(held - step, 1) if held > 1 else 0
    else:
        missed = start
        held = min(start + step, most)
        while not at(held).holds and held < most:
            missed, step = held, 2 * step
            held = min(held + step, most)
    while held - missed > max(1, held // 50 if held > EXACT_BELOW else 1) and at(held).holds:
        middle = (held + missed) // 2
        held, missed = (middle, missed) if at(middle).holds else (held, middle)
    return at(held), at(missed) if missed else None, len(tried)
