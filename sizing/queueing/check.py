"""Any planned fleet held against the simulator, however it was sized: its busy hour, replayed."""

import math
from dataclasses import dataclass

from data.traffic import Traffic
from forecasting.demand import Moments
from sizing.fleet import FleetPlan
from sizing.profile import Slo, gpu_s_per_request
from sizing.queueing.busy import busy_requests
from sizing.queueing.held import planned_load
from sizing.queueing.lengths import Lengths
from sizing.queueing.percentiles import alone_met
from sizing.queueing.simulated import Attained, Checked, fewest_that_hold, simulate_fleets

CHECK_REQUESTS = 6_000
"""Requests that a check draws; a p99 then rests on some 60 of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetCheck:
    """A fleet of one horizon in its busy hour, spares left out.

    percentile, ttft_s, tpot_s: what the SLO promises, None where it does not. alone: share of the requests whose
    first token comes in time on an idle replica; below the percentile no number of replicas holds it.
    planned: what the planned replicas attained. fewest: the fewest that hold; None where none was found, up to
    `tried` replicas. fewer: at one (above 64 replicas: 2%) fewer than those, None where one replica is the fleet.
    """

    days: int
    percentile: float
    ttft_s: float | None
    tpot_s: float | None
    requests_per_s: float
    alone: float
    planned: Attained
    fewest: Attained | None
    fewer: Attained | None
    tried: int

    @property
    def missing(self) -> int | None:
        """Replicas that the simulator asks beyond those planned (below 0: fewer), None where none are enough."""
        return None if self.fewest is None else self.fewest.replicas - self.planned.replicas

    @classmethod
    def of_checked(cls, checked: Checked, slo: Slo, alone: float) -> "FleetCheck":
        """Return what sizing by the percentile has simulated already; its fleet is the corrected one."""
        held = checked.attained
        return cls(
            days=checked.days,
            percentile=slo.percentile,
            ttft_s=slo.ttft_s,
            tpot_s=slo.tpot_s,
            requests_per_s=checked.requests_per_s,
            alone=alone,
            planned=held,
            fewest=held if held.holds else None,
            fewer=checked.fewer if held.holds else None,
            tried=held.replicas,
        )


def check_planned(
    fleet: FleetPlan, traffic: Traffic, slo: Slo, moments: Moments, *, days: int, seed: int
) -> FleetCheck | None:
    """Replay the busy hour of a horizon on the fleet planned for it; None where there is no work or no SLO.

    The hour is that of `planned_load` (the 80% path), its requests those of `busy_requests`. The fewest replicas
    that hold are searched from the planned ones, up to four times as many.
    """
    horizon = next(each for each in fleet.horizons if each.days == days)
    profile, load = fleet.profile, planned_load(fleet, days)
    if load <= 0 or (slo.ttft_s is None and slo.tpot_s is None):
        return None
    rate = load / (gpu_s_per_request(profile, moments) / profile.gpus)
    lengths = Lengths.of_joint(traffic.joint, profile)
    requests = busy_requests(traffic, lengths, rate, seed=seed, most=CHECK_REQUESTS)
    attained = simulate_fleets(requests, profile, slo)
    replicas = max(1, (horizon.gpus_p80 - horizon.spare_gpus) // profile.gpus)
    planned = attained(replicas)
    alone = alone_met(profile, lengths, slo)
    held, fewer = planned, None
    if planned.holds or alone >= slo.percentile:
        held, fewer, _ = fewest_that_hold(replicas, lambda n: planned if n == replicas else attained(n))
    return FleetCheck(
        days=days,
        percentile=slo.percentile,
        ttft_s=slo.ttft_s,
        tpot_s=slo.tpot_s,
        requests_per_s=rate,
        alone=alone,
        planned=planned,
        fewest=held if held.holds else None,
        fewer=fewer if held.holds else None,
        tried=max(held.replicas, replicas),
    )


def shown_s(seconds: float) -> float | None:
    """Return seconds, None where the answer never came."""
    return seconds if math.isfinite(seconds) else None
