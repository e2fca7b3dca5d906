"""A planned fleet held against the simulator, as the page prints it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedFleet:
    """What so many replicas gave in the simulation. ttft_s, tpot_s: at the SLO's percentile, None where they never
    came. within: share of the requests within both bounds. goodput_per_s: of those, a second.
    """

    replicas: int
    gpus: int
    holds: bool
    ttft_s: float | None
    tpot_s: float | None
    within: float
    goodput_per_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SloCheck:
    """The fleet of the first horizon, spares left out, in its busy hour, on the GPU that hosts the workload.

    ttft_s, tpot_s, percentile: the promise. requests: that were replayed and counted. alone: share of them whose
    first token comes in time on an idle replica. fewest: the fewest replicas that hold, None where none were found
    up to `tried`. fewer: one (above 64: 2%) fewer than those, None where a single replica is the fleet. sized_by:
    `utilisation`, where the fleet stays as planned, or `percentile`, where it has been corrected.
    """

    gpu: str
    layout: str
    days: int
    sized_by: str
    percentile: float
    ttft_s: float | None
    tpot_s: float | None
    requests_per_s: float
    requests: int
    alone: float
    planned: SimulatedFleet
    fewest: SimulatedFleet | None
    fewer: SimulatedFleet | None
    tried: int
