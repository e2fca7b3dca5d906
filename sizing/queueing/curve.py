"""How many replicas hold an SLO at any load: worked out at some loads, read off between them, and corrected."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.traffic import Traffic
from forecasting.dispersion import Dispersion, dispersion
from sizing.profile import ReplicaProfile, Slo, gpu_s_per_request
from sizing.queueing.lengths import Lengths
from sizing.queueing.percentiles import Latency, Queue

Floats = npt.NDArray[np.float64]

LOADS = 6
"""Loads at which a curve is worked out, evenly in logarithms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What a simulation said at one load: replicas over those that the queueing model asks, both whole."""

    load: float
    factor: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SloCurve:
    """Replicas with which the SLO holds, by load.

    request_s: replica-seconds of the mean request at the profile's own batch, so that load = requests a second x
    request_s, the unit of fleets. loads, fewest: (K,) the curve, unrounded replicas. corrections: from
    simulations, by rising load; between them the factor is interpolated, outside it stays.
    """

    queue: Queue
    request_s: float
    loads: Floats
    fewest: Floats
    corrections: tuple[Correction, ...] = ()

    def replicas(self, load: Floats) -> Floats:
        """Return unrounded replicas for loads (...,); 0 where there is nothing to do.

        Between the loads of the curve, and beyond them, replicas for a unit of load are interpolated in the
        logarithm of the load; the smallest and largest known ones go on outside.
        """
        some = np.maximum(load, 1e-12)
        per_load = np.interp(np.log(some), np.log(self.loads), self.fewest / self.loads)
        return np.where(load > 0, per_load * some * self._factor(some), 0.0)

    def corrected(self, corrections: Sequence[Correction]) -> "SloCurve":
        """Return the curve as simulations correct it."""
        return replace(self, corrections=tuple(sorted(corrections, key=lambda c: c.load)))

    def latency(self, load: float, replicas: float) -> Latency:
        """Return what the queueing model says of so many replicas at a load."""
        return self.queue.latency(load / self.request_s, replicas)

    def _factor(self, load: Floats) -> Floats:
        if not self.corrections:
            return np.ones_like(load)
        at = np.array([c.load for c in self.corrections])
        return np.interp(np.log(load), np.log(at), [c.factor for c in self.corrections])


def slo_curve(queue: Queue, loads: Floats, request_s: float | None = None) -> SloCurve | None:
    """Return the curve over the loads that a fleet will see (...,), None where the SLO is out of reach.

    request_s: replica-seconds of the mean request; None takes requests that are all alike.
    """
    request_s = request_s or gpu_s_per_request(queue.profile) / queue.profile.gpus
    seen = loads[loads > 0]
    low, high = (float(seen.min()), float(seen.max())) if seen.size else (1.0, 1.0)
    low = max(low, high / 1e4)
    at = np.geomspace(low, max(high, low * 1.001), LOADS)
    found: list[float] = []
    for load in at:  # the smaller load's replicas for each unit of load are a little more than this one's
        near = 0.9 * found[-1] / at[len(found) - 1] * load if found else None
        found.append(queue.fewest(float(load) / request_s, near))
        if not math.isfinite(found[-1]):
            return None
    fewest = np.array(found)
    return SloCurve(queue=queue, request_s=request_s, loads=at, fewest=fewest)


def queue_of(traffic: Traffic, profile: ReplicaProfile, slo: Slo) -> Queue:
    """Return the queue of a workload on a replica: its own lengths, and its own index of dispersion."""
    return Queue.of(profile, Lengths.of_joint(traffic.joint, profile), slo, dispersion_of(traffic))


def dispersion_of(traffic: Traffic) -> Dispersion | None:
    """Return how the workload's requests scatter over short windows; None (Poisson) where too few were seen."""
    if "requests" not in traffic.windows or traffic.windows.empty:
        return None
    seen = traffic.windows["requests"]
    index = pd.DatetimeIndex(seen.index)
    grid = pd.date_range(index[0], index[-1], freq=f"{traffic.window_s}s")  # gaps become NaN
    counts = seen.reindex(grid).to_numpy(np.float64)
    return dispersion(counts, traffic.window_s, arrival_cv=traffic.arrival_cv)


def out_of_reach(queue: Queue, alone: float) -> str:
    """Say in one sentence why no number of replicas holds the SLO."""
    slo, profile = queue.slo, queue.profile
    what = f"{profile.model} on {profile.gpus} x {profile.gpu}"
    bounds = [f"{n} {s * 1e3:g} ms" for n, s in (("TTFT", slo.ttft_s), ("TPOT", slo.tpot_s)) if s]
    asked = " and ".join(bounds)
    if slo.ttft_s is not None and alone < slo.percentile:
        return (
            f"{what} cannot hold {asked} at p{slo.percentile * 100:g}: even idle, it gives the first token of only"
            f" {alone:.1%} of the requests in time; use more GPUs per replica, or a looser SLO or percentile."
        )
    return (
        f"{what} cannot hold {asked} at p{slo.percentile * 100:g} with any number of replicas; use more GPUs per"
        " replica, or a looser SLO or percentile."
    )
