"""One choice for each of several workloads under bounds that they share: the least dollars in all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds, LinearConstraint, milp

from sizing.choice.limits import Limits

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One way to serve a workload. gpu: None = no GPU of ours (an API). usd: over the horizon.

    gpus: GPUs at once at the planned peak. tdp_w: of one, None = unknown, and then it fits no bound on power.
    """

    gpu: str | None
    gpus: int
    usd: float
    tdp_w: float | None = None

    @property
    def power_kw(self) -> float | None:
        """TDP of its GPUs."""
        if not self.gpus:
            return 0.0
        return None if self.tdp_w is None else self.gpus * self.tdp_w / 1_000


def choose_together(workloads: Sequence[Sequence[Candidate]], limits: Limits) -> tuple[int, ...] | None:
    """Return the index of the candidate to take for each workload, None where no choice keeps to the limits.

        min  sum of usd_wc x_wc;   sum_c x_wc = 1;   GPUs by kind and kW within the limits;   x in {0, 1}

    Without a limit it is the cheapest of each; with one, whoever gains least by the scarce GPU gives way.
    """
    allowed = [[not _alone_breaks(c, limits) for c in each] for each in workloads]
    if not all(any(row) for row in allowed):
        return None
    every = [candidate for each in workloads for candidate in each]
    open_ = np.array([flag for row in allowed for flag in row], dtype=np.float64)
    starts = np.cumsum([0, *(len(each) for each in workloads)])
    one = np.zeros((len(workloads), len(every)))
    for w in range(len(workloads)):
        one[w, starts[w] : starts[w + 1]] = 1.0
    found = milp(
        np.array([candidate.usd for candidate in every]),
        integrality=np.ones(len(every), dtype=np.int64),
        bounds=Bounds(0.0, open_),
        constraints=[LinearConstraint(one, 1.0, 1.0), *_within(every, limits)],
        options={"mip_rel_gap": 1e-9},
    )
    if found.x is None:
        return None
    return tuple(int(np.argmax(found.x[starts[w] : starts[w + 1]])) for w in range(len(workloads)))


def in_all(candidates: Sequence[Candidate]) -> Mapping[str, int]:
    """Return the GPUs by kind that candidates take together."""
    found: dict[str, int] = {}
    for each in candidates:
        if each.gpu is not None:
            found[each.gpu] = found.get(each.gpu, 0) + each.gpus
    return found


def _alone_breaks(candidate: Candidate, limits: Limits) -> bool:
    return candidate.gpu is not None and bool(limits.why_not({candidate.gpu: candidate.gpus}, candidate.power_kw))


def _within(every: Sequence[Candidate], limits: Limits) -> list[LinearConstraint]:
    bounds = [
        (np.array([float(c.gpu == gpu) * c.gpus for c in every]), float(most))
        for gpu, most in limits.max_gpus.items()
    ]
    if limits.max_power_kw is not None:
        bounds.append((np.array([c.power_kw or 0.0 for c in every]), limits.max_power_kw))
    return [LinearConstraint(each[None, :], -np.inf, most) for each, most in bounds]
