"""The fleet that holds its SLO: sized by the queueing model, replayed in the simulator, and corrected by it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from data.traffic import Traffic
from forecasting.demand import Demand
from sizing.fleet import PLANNED_QUANTILE, FleetPlan, plan_fleet
from sizing.profile import ReplicaProfile, Slo
from sizing.queueing.busy import busy_requests
from sizing.queueing.curve import Correction, SloCurve
from sizing.queueing.plan import demand_curve
from sizing.queueing.simulated import Checked, fewest_that_hold, simulate_fleets

NEAR = 0.02
"""Loads this near to one that was simulated are not simulated again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldFleet:
    """A fleet that was replayed, and what the replays of its horizons gave."""

    fleet: FleetPlan
    checks: tuple[Checked, ...]


def plan_held_fleet(
    demand: Demand,
    traffic: Traffic,
    profile: ReplicaProfile,
    slo: Slo,
    *,
    seed: int,
    horizons: Sequence[int],
    checked_horizons: int = 1,
    **options: Any,
) -> HeldFleet:
    """Return the fleet on which the SLO's percentile holds in each day's busiest hour.

    The queueing model gives replicas at every load; the busy hours of the first `checked_horizons` horizons'
    planned path are then replayed in the simulator, which moves the whole curve, longer horizons with it.
    options: as of `plan_fleet`. Raises SloCannotBeMet where no number of replicas holds it.
    """
    curve = demand_curve(profile, traffic, demand, slo)
    plan = partial(plan_fleet, demand, traffic, profile, category="online", horizons=horizons, **options)
    fleet = plan(curve=curve)
    days = [each for each in horizons if each <= fleet.load.shape[1]][:checked_horizons]
    checks = check_fleet(curve, traffic, {n: planned_load(fleet, n) for n in days}, seed=seed)
    corrections = {c.load: Correction(load=c.load, factor=_factor(c, curve)) for c in checks}
    if any(c.corrected_by for c in checks):
        fleet = plan(curve=curve.corrected(list(corrections.values())))
    return HeldFleet(fleet=fleet, checks=checks)


def planned_load(fleet: FleetPlan, days: int) -> float:
    """Return replicas' worth of work in the busiest hour of a horizon, at the quantile over paths planned on."""
    busiest = (fleet.load * fleet.hour_peak)[:, :days].max(axis=1)
    return float(np.quantile(busiest, PLANNED_QUANTILE, method="higher"))


def check_fleet(curve: SloCurve, traffic: Traffic, loads: dict[int, float], *, seed: int) -> tuple[Checked, ...]:
    """Replay the busy hours of these horizons, {days: load}, each searched from the replicas of the model."""
    done: list[Checked] = []
    for days, load in loads.items():
        near = next((c for c in done if load > 0 and abs(c.load / load - 1) < NEAR), None)
        if load > 0:
            done.append(replace(near, days=days) if near else _checked(curve, traffic, days, load, done, seed))
    return tuple(done)


def _checked(
    curve: SloCurve, traffic: Traffic, days: int, load: float, done: Sequence[Checked], seed: int
) -> Checked:
    queue = curve.queue
    rate = load / curve.request_s
    requests = busy_requests(traffic, queue.lengths, rate, seed=seed)
    attained = simulate_fleets(requests, queue.profile, queue.slo)
    analytic = _whole(float(curve.replicas(np.array(load))))
    # What an earlier horizon taught is where the search begins.
    start = _whole(analytic * done[-1].factor) if done else analytic
    held, fewer, runs = fewest_that_hold(start, attained)
    return Checked(
        days=days,
        load=load,
        requests_per_s=rate,
        percentile=queue.slo.percentile,
        analytic_replicas=analytic,
        analytic=held if held.replicas == analytic else attained(analytic),
        attained=held,
        fewer=fewer,
        runs=runs,
    )


def _factor(check: Checked, curve: SloCurve) -> float:
    """Return the correction of the unrounded curve: 1 where both agree, else to the middle of the last replica."""
    if not check.corrected_by:
        return 1.0
    return (check.attained.replicas - 0.5) / float(curve.replicas(np.array(check.load)))


def _whole(replicas: float) -> int:
    return max(1, math.ceil(round(replicas, 9)))
