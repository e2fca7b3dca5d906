"""The bill of materials of one fleet: GPUs, replicas, tensor-parallel groups, nodes and spares."""

from dataclasses import dataclass

from sizing.fleet import GPUS_PER_NODE, FleetHorizon
from sizing.profile import ReplicaProfile


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What to buy or rent for one horizon, at the 80% path. Spares are among the replicas and GPUs.

    tp_groups: sets of GPUs that split a layer, one a pipeline stage; none lies across two nodes where it fits into
    one. nodes: that hold them.
    """

    gpu: str
    gpus: int
    replicas: int
    gpus_per_replica: int
    tp_groups: int
    tp: int
    spare_replicas: int
    spare_gpus: int
    nodes: int
    gpus_per_node: int


def bill_of(profile: ReplicaProfile, horizon: FleetHorizon, *, gpus_per_node: int = GPUS_PER_NODE) -> Bill:
    """Return the bill of a horizon's fleet.

    A node of 8 holds two groups of TP 3 and leaves two GPUs empty; a group of TP 16 takes two nodes.
    """
    replicas = horizon.gpus_p80 // profile.gpus
    groups = replicas * profile.layout.pp
    return Bill(
        gpu=profile.gpu,
        gpus=horizon.gpus_p80,
        replicas=replicas,
        gpus_per_replica=profile.gpus,
        tp_groups=groups,
        tp=profile.tp,
        spare_replicas=horizon.spare_gpus // profile.gpus,
        spare_gpus=horizon.spare_gpus,
        nodes=nodes_for(groups, profile.tp, gpus_per_node),
        gpus_per_node=gpus_per_node,
    )


def nodes_for(groups: int, tp: int, gpus_per_node: int = GPUS_PER_NODE) -> int:
    """Return the nodes that hold so many groups of `tp` GPUs.

    >>> nodes_for(5, 3), nodes_for(5, 2), nodes_for(2, 16), nodes_for(0, 8)
    (3, 2, 4, 0)
    """
    if tp > gpus_per_node:
        return groups * -(-tp // gpus_per_node)
    return -(-groups // (gpus_per_node // tp))
