"""What a fleet has beyond what its load takes: for failures, maintenance, and replicas that start late."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from data.units import HOUR_S

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """What may be out of a fleet while it still holds its SLO. Replicas of one node fail together.

    spare_replicas: replicas that may be down at any time (N+1 is 1). node_failures: whole nodes that may fail at
    once. maintenance_nodes: nodes that are taken out at a time for planned work, on top of what fails.
    node_mtbf_h, node_repair_h: mean hours between failures of a node and until it is back; with both, so many
    spares that the fleet is whole for the share `available_share` of the time. None = not reckoned with.
    scaling_lag_s: until an autoscaler asks for another replica. cold_start_s: until that serves.
    """

    spare_replicas: int = 1
    node_failures: int = 0
    maintenance_nodes: int = 0
    node_mtbf_h: float | None = None
    node_repair_h: float | None = None
    available_share: float = 0.999
    scaling_lag_s: float = 0.0
    cold_start_s: float = 0.0

    @property
    def late_s(self) -> float:
        """Seconds from a need to the replica that serves it."""
        return self.scaling_lag_s + self.cold_start_s

    def spares(self, needed: Ints, *, replica_gpus: int, gpus_per_node: int) -> Ints:
        """Return how many replicas more than `needed` (...,) a fleet has; none where nothing is needed.

            max(spare replicas, failing nodes x p, until P(N - p x down >= needed) >= share) + maintained nodes x p

        p: replicas of one node, at most all that are needed (a small fleet then stands twice, on two nodes).
        """
        values, where = np.unique(needed, return_inverse=True)
        found = [self._spares_of(int(n), replica_gpus, gpus_per_node) for n in values]
        return np.asarray(np.array(found, dtype=np.int64)[where].reshape(needed.shape))

    def _spares_of(self, needed: int, replica_gpus: int, gpus_per_node: int) -> int:
        if needed <= 0:
            return 0
        of_node = max(1, gpus_per_node // replica_gpus)
        together = min(of_node, needed)
        failing = max(self.spare_replicas, self.node_failures * together)
        nodes_of_replica = max(1, math.ceil(replica_gpus / gpus_per_node))
        failing = self._until_available(needed, failing, of_node, nodes_of_replica)
        return failing + self.maintenance_nodes * together

    def _until_available(self, needed: int, spares: int, of_node: int, nodes_of_replica: int) -> int:
        if self.node_mtbf_h is None or self.node_repair_h is None:
            return spares
        down = self.node_repair_h / (self.node_mtbf_h + self.node_repair_h)
        if nodes_of_replica > 1:  # a replica over several nodes is down with any of them
            down = 1 - (1 - down) ** nodes_of_replica
        while True:
            groups = math.ceil((needed + spares) / of_node)
            bearable = spares // of_node
            if float(stats.binom.cdf(bearable, groups, down)) >= self.available_share or bearable >= groups:
                return spares
            spares += 1

    def ahead(self, replicas: Floats) -> Floats:
        """Return the replicas (..., H) that must have been asked for in each hour, since they come `late_s` later.

        A need that rises from hour to hour is met on the way up: max of what is needed until late_s from now, the
        need between two hours taken as a straight line. Without a lag it is the need itself.
        """
        late_h = self.late_s / HOUR_S
        if late_h <= 0:
            return replicas
        hours = replicas.shape[-1]
        ahead = replicas.copy()
        at = np.arange(hours)
        for k in range(1, math.floor(late_h) + 1):
            ahead = np.maximum(ahead, replicas[..., np.minimum(at + k, hours - 1)])
        whole, part = math.floor(late_h), late_h - math.floor(late_h)
        low, high = np.minimum(at + whole, hours - 1), np.minimum(at + whole + 1, hours - 1)
        return np.maximum(ahead, replicas[..., low] * (1 - part) + replicas[..., high] * part)


N_PLUS_1 = Availability()
