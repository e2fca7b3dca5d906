"""A part of a planned fleet as a fleet of its own: its bursts are larger than its share of the whole's."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from sizing.fleet import PLANNED_QUANTILE, FleetPlan
from sizing.profile import ReplicaProfile

Floats = npt.NDArray[np.float64]


def planned_replicas(fleet: FleetPlan, days: int, quantile: float = PLANNED_QUANTILE) -> float:
    """Return the unrounded replicas of the planned fleet, headroom included, spares not.

    At a quantile over paths of the largest day. Where only whole ones are known (work that waits) they are it.
    """
    largest = np.quantile(fleet.need_gpus[:, :days].max(axis=1), quantile, method="higher")
    whole = max(0.0, (float(largest) - fleet.spare_gpus) / fleet.profile.gpus)
    if fleet.category != "online":
        return whole
    exact = float(np.quantile(_busy(fleet, fleet.load)[:, :days].max(axis=1), quantile, method="higher"))
    # Whatever else a plan rounds up for stays in: never less than the replicas that it has.
    return min(max(exact, whole - 1 + 1e-6), whole)


def part_of(fleet: FleetPlan, profile: ReplicaProfile, ratio: float) -> FleetPlan:
    """Return the fleet of a pool that does part of the work, on a replica of its own.

    ratio: replicas that the pool's work takes over those that all work takes on the planned fleet. Bursts about
    the hours shrink with the square root of the load only, so the pool keeps relatively more room for them than
    the whole; it has a spare replica of its own where the whole has one.
    """
    load = fleet.load * ratio
    spare = profile.gpus if fleet.spare_gpus else 0
    if fleet.category == "online":
        need = _busy(fleet, load)
    else:
        need = (fleet.need_gpus - fleet.spare_gpus) / fleet.profile.gpus * ratio
    whole = np.asarray(np.ceil(np.round(need, 9)), dtype=np.int64) * profile.gpus
    return replace(
        fleet,
        profile=profile,
        load=load,
        need_gpus=np.where(whole > 0, whole + spare, 0),
        spare_gpus=spare,
        horizons=(),
    )


def _busy(fleet: FleetPlan, load: Floats) -> Floats:
    """Return (S, D) replicas that each day's busiest windows take, headroom included."""
    return (load if fleet.busy is None else np.maximum(fleet.busy.p99_load(load), load)) / fleet.filled
