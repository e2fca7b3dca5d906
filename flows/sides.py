"""What stands beside a workload's plan: its work in windows, other fleets, and how the fleet is deployed."""

from collections.abc import Sequence
from dataclasses import dataclass

from data.traffic import Traffic
from flows.deployment import deployment_of
from flows.pricing import Priced, hosting_gpu
from flows.settings import LoadedPlan, WorkloadSettings
from flows.slo_check import slo_check_of
from flows.walk import Facts, SizedGpu
from flows.windowed import RequestPast, windowed_work
from forecasting.demand import Demand
from reports.values.choice import FleetWays
from reports.values.deployment import Deployment
from reports.values.slo import SloCheck
from reports.values.windows import WindowedWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """One workload's; None where there is none."""

    windowed: WindowedWork | None = None
    deployment: Deployment | None = None
    choice: FleetWays | None = None
    slo_check: SloCheck | None = None


NO_SIDES = Sides()


def weigh(
    plan: LoadedPlan,
    facts: Facts,
    workload: WorkloadSettings,
    traffic: Traffic,
    requests: RequestPast | None,
    demand: Demand,
    sized: Sequence[SizedGpu],
    priced: Priced,
) -> Sides:
    """Weigh one workload that is planned and priced."""
    first = plan.settings.horizons_days[0]
    gpu = hosting_gpu(priced, first)
    chosen = priced.choices[first].gpu is not None
    return Sides(
        windowed=windowed_work(plan, facts, workload, traffic, requests, demand, sized, gpu),
        deployment=deployment_of(plan, facts, workload, demand, sized, gpu, chosen=chosen),
        slo_check=slo_check_of(plan, workload, traffic, demand, sized, gpu),
    )
