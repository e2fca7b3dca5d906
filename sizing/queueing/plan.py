"""From a forecast and an SLO to the curve that a fleet is sized on, and to the GPUs that a candidate takes."""

import math

import numpy as np
import numpy.typing as npt

from data.traffic import Traffic
from data.units import DAY_S, HOUR_S
from forecasting.demand import Demand
from sizing.availability import Availability
from sizing.profile import ReplicaProfile, Slo, SloCannotBeMet, gpu_s_per_request
from sizing.queueing.curve import SloCurve, out_of_reach, queue_of, slo_curve
from sizing.queueing.percentiles import alone_met

Floats = npt.NDArray[np.float64]

PLANNED_QUANTILE = 0.8
"""Quantile over paths of the busiest hour that candidates are compared at."""


def busiest_hour(demand: Demand) -> Floats:
    """Return (S, D): the rate of each day's busiest hour over its mean, at least that of the hour of the week."""
    hours = demand.hourly()
    total = hours.sum(axis=2)
    usual = np.divide(hours.max(axis=2) * 24, total, out=np.ones_like(total), where=total > 0)
    seen = [each.factor for each in demand.busiest if each.window_s == HOUR_S]
    return np.asarray(np.maximum(usual, seen[0]) if seen else usual)


def planned_per_s(demand: Demand, days: int) -> float:
    """Return requests a second in the busiest hour of the first `days`, at the planned quantile over paths."""
    rate = demand.requests[:, :days] / DAY_S * busiest_hour(demand)[:, :days]
    return float(np.quantile(rate.max(axis=1), PLANNED_QUANTILE, method="higher"))


def slo_gpus(
    profile: ReplicaProfile,
    traffic: Traffic,
    slo: Slo,
    requests_per_s: float,
    *,
    availability: Availability,
    gpus_per_node: int,
) -> float:
    """Return the GPUs, spares included, with which the SLO's percentile holds at this rate.

    Raises SloCannotBeMet where no number of such replicas holds it.
    """
    queue = queue_of(traffic, profile, slo)
    fewest = queue.fewest(requests_per_s)
    if not math.isfinite(fewest):
        raise SloCannotBeMet(out_of_reach(queue, alone_met(profile, queue.lengths, slo)))
    whole = np.array([math.ceil(round(fewest, 6))])
    spares = availability.spares(whole, replica_gpus=profile.gpus, gpus_per_node=gpus_per_node)
    return float((whole + spares)[0] * profile.gpus)


def demand_curve(profile: ReplicaProfile, traffic: Traffic, demand: Demand, slo: Slo) -> SloCurve:
    """Return the replicas that hold the SLO over all loads of this demand, from its quietest hour to its busiest.

    Raises SloCannotBeMet where no number of replicas does.
    """
    request_s = gpu_s_per_request(profile, demand.moments) / profile.gpus
    rates = np.concatenate(
        [np.ravel(demand.hourly()) / HOUR_S, np.ravel(demand.requests / DAY_S * busiest_hour(demand))]
    )
    queue = queue_of(traffic, profile, slo)
    curve = slo_curve(queue, rates * request_s, request_s)
    if curve is None:
        raise SloCannotBeMet(out_of_reach(queue, alone_met(profile, queue.lengths, slo)))
    return curve


def reached_curve(
    known: SloCurve | None, profile: ReplicaProfile, traffic: Traffic, demand: Demand, slo: Slo
) -> SloCurve:
    """Return the curve known of the same replicas and lengths as far as it reaches this demand, else a new one.

    Beyond its last load a curve goes on with the replicas for a unit of load that a smaller fleet takes, and a
    large fleet takes fewer.
    """
    if known is not None:
        busiest = float((demand.requests * busiest_hour(demand)).max()) / DAY_S * known.request_s
        if busiest <= known.loads[-1] * 1.001:
            return known
    return demand_curve(profile, traffic, demand, slo)
