"""The walk's side step: a planned fleet replayed in its busy hour, where plan.toml asks for it."""

from collections.abc import Sequence

from data.traffic import Traffic
from flows.settings import LoadedPlan, WorkloadSettings
from flows.walk import SizedGpu, on_percentiles
from forecasting.demand import Demand
from reports.values.slo import SimulatedFleet, SloCheck
from sizing.profile import ReplicaProfile
from sizing.queueing.check import FleetCheck, check_planned, shown_s
from sizing.queueing.lengths import Lengths
from sizing.queueing.percentiles import alone_met
from sizing.queueing.simulated import Attained


def slo_check_of(
    plan: LoadedPlan,
    workload: WorkloadSettings,
    traffic: Traffic,
    demand: Demand,
    sized: Sequence[SizedGpu],
    gpu: str | None,
) -> SloCheck | None:
    """Return what the fleet on `gpu` attains; None where there is none, no SLO, or nothing was asked.

    A fleet that the percentile sized was replayed when it was sized, and is shown without being asked for.
    """
    candidate = next((each for each in sized if each.gpu == gpu), None)
    if candidate is None or candidate.fleet is None or workload.category != "online":
        return None
    fleet, slo = candidate.fleet, workload.slo.to_slo()
    first = plan.settings.horizons_days[0]
    if on_percentiles(workload) and candidate.checks:
        alone = alone_met(fleet.profile, Lengths.of_joint(traffic.joint, fleet.profile), slo)
        found = FleetCheck.of_checked(candidate.checks[0], slo, alone)
    elif plan.settings.slo.check:
        checked = check_planned(fleet, traffic, slo, demand.moments, days=first, seed=plan.settings.seed)
        if checked is None:
            return None
        found = checked
    else:
        return None
    return _row(found, fleet.profile, workload.sized_by)


def _row(found: FleetCheck, profile: ReplicaProfile, sized_by: str) -> SloCheck:
    return SloCheck(
        gpu=profile.gpu,
        layout=profile.layout.text,
        days=found.days,
        sized_by=sized_by,
        percentile=found.percentile,
        ttft_s=found.ttft_s,
        tpot_s=found.tpot_s,
        requests_per_s=found.requests_per_s,
        requests=found.planned.requests,
        alone=found.alone,
        planned=_fleet(found.planned, profile),
        fewest=None if found.fewest is None else _fleet(found.fewest, profile),
        fewer=None if found.fewer is None else _fleet(found.fewer, profile),
        tried=found.tried,
    )


def _fleet(attained: Attained, profile: ReplicaProfile) -> SimulatedFleet:
    return SimulatedFleet(
        replicas=attained.replicas,
        gpus=attained.replicas * profile.gpus,
        holds=attained.holds,
        ttft_s=shown_s(attained.ttft_s),
        tpot_s=shown_s(attained.tpot_s),
        within=attained.within,
        goodput_per_s=attained.goodput_per_s,
    )
