"""The example's deployment."""

from example.common import HORIZONS, spread
from reports.values.capacity import FleetRow
from reports.values.deployment import DeployedHorizon, Deployment
from sizing.deployment.bill import Bill, nodes_for
from sizing.deployment.energy import EnergyUse, PowerRules
from sizing.deployment.engine import EngineCommand
from sizing.deployment.replicas import ReplicaBounds


def deployment_of(fleet: FleetRow, *, chosen: bool, rules: PowerRules) -> Deployment:
    """Return three horizons of one fleet, its line for vLLM, and bounds that follow the day."""
    low = [max(1, (fleet.gpus_p50 or 0) // fleet.tp - (12 if h % 24 < 6 else 3)) for h in range(168)]
    return Deployment(
        gpu=fleet.gpu,
        layout=f"TP {fleet.tp}",
        chosen=chosen,
        horizons=[_horizon(fleet, days, rules) for days in HORIZONS],
        engine=EngineCommand(
            engine="vllm",
            command="vllm serve 'someone/a model; with $(words)' --tensor-parallel-size 2 --max-num-seqs 64",
            max_context_tok=131_072,
            notes=("64 sequences at once are what the SLO allows; memory would hold 118.",),
        ),
        bounds=ReplicaBounds(
            days=HORIZONS[0],
            minimum=tuple(low),
            expected=tuple(n + 2 for n in low),
            maximum=tuple(n + 6 for n in low),
        ),
        power=rules,
    )


def _horizon(fleet: FleetRow, days: int, rules: PowerRules) -> DeployedHorizon:
    gpus = fleet.gpus_p80 or 0
    kwh = gpus * 0.41 * days * 24
    facility = None if rules.pue is None else kwh * 1.3 * rules.pue
    return DeployedHorizon(
        days=days,
        bill=Bill(
            gpu=fleet.gpu,
            gpus=gpus,
            replicas=gpus // fleet.tp,
            gpus_per_replica=fleet.tp,
            tp_groups=gpus // fleet.tp,
            tp=fleet.tp,
            spare_replicas=1,
            spare_gpus=fleet.tp,
            nodes=nodes_for(gpus // fleet.tp, fleet.tp),
            gpus_per_node=8,
        ),
        energy=EnergyUse(
            peak_kw=gpus * 0.7,
            gpu_kwh=spread(kwh, 0.03),
            always_on_kwh=kwh * 1.2,
            it_kwh=kwh * 1.3 if rules.host_w_per_gpu is not None else None,
            facility_kwh=facility,
            carbon_kg=None
            if facility is None or rules.carbon_g_per_kwh is None
            else facility * rules.carbon_g_per_kwh / 1e3,
        ),
    )
