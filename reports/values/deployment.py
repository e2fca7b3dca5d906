"""How one workload's fleet is deployed, as the page prints it."""

from dataclasses import dataclass

from sizing.deployment.bill import Bill
from sizing.deployment.energy import EnergyUse, PowerRules
from sizing.deployment.engine import EngineCommand
from sizing.deployment.replicas import ReplicaBounds


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedHorizon:
    """What one horizon takes and draws."""

    days: int
    bill: Bill
    energy: EnergyUse


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """On the GPU that hosts the workload. chosen: False where the plan buys from the API; then it is what an own
    fleet would be. bounds: replicas by UTC hour of the week over the first horizon.
    """

    gpu: str
    layout: str
    chosen: bool
    horizons: list[DeployedHorizon]
    engine: EngineCommand
    bounds: ReplicaBounds
    power: PowerRules
