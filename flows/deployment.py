"""From a workload's sized fleet to its deployment: bill, energy, engine settings, bounds for an autoscaler."""

from collections.abc import Sequence

from flows.settings import LoadedPlan, WorkloadSettings
from flows.walk import Facts, SizedGpu
from forecasting.demand import Demand
from reports.values.deployment import DeployedHorizon, Deployment
from sizing.deployment.bill import bill_of
from sizing.deployment.energy import fleet_energy
from sizing.deployment.engine import engine_command
from sizing.deployment.replicas import replica_bounds


def deployment_of(
    plan: LoadedPlan,
    facts: Facts,
    workload: WorkloadSettings,
    demand: Demand,
    sized: Sequence[SizedGpu],
    gpu: str | None,
    *,
    chosen: bool,
) -> Deployment | None:
    """Return how the fleet on `gpu` is deployed, None where there is none."""
    fleet = next((each.fleet for each in sized if each.gpu == gpu), None)
    if fleet is None or gpu is None:
        return None
    rules, tdp_w = plan.settings.power.to_rules(), facts.gpus[gpu].tdp_w
    return Deployment(
        gpu=gpu,
        layout=fleet.profile.layout.text,
        chosen=chosen,
        horizons=[
            DeployedHorizon(
                days=horizon.days,
                bill=bill_of(fleet.profile, horizon),
                energy=fleet_energy(fleet, horizon.days, tdp_w=tdp_w, gpus=horizon.gpus_p80, rules=rules),
            )
            for horizon in fleet.horizons
        ],
        engine=engine_command(
            fleet.profile,
            facts.models[workload.model],
            facts.gpus[gpu],
            engine=workload.engine,
            speculation=workload.speculation.to_speculation() if workload.speculation else None,
        ),
        bounds=replica_bounds(fleet, demand, plan.settings.horizons_days[0]),
        power=rules,
    )
