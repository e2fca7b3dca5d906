"""What users see of a fleet: TTFT and TPOT at a percentile, and the fewest replicas with which an SLO holds."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forecasting.dispersion import Dispersion
from sizing.profile import ReplicaProfile, Slo
from sizing.queueing.first_token import GRID, Prompts, first_token_met
from sizing.queueing.lengths import Lengths
from sizing.queueing.states import Server, states
from sizing.queueing.tokens import tpot_met

Floats = npt.NDArray[np.float64]

TPOT_CELLS = 256
SHORTEST_BURST_S = 0.5
PRECISION = 2e-3
"""Replicas are found to this share of themselves."""

NO_BOUND_S = 10.0
"""Bound that the grids are laid out for where an SLO names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """What the requests of a fleet see. Shares are 0..1; a latency that never settles is infinite.

    ttft_s, tpot_s: at the SLO's percentile. ttft_met, tpot_met: shares of the requests within the SLO's bounds (1
    where it names none). utilisation: requests over the most that the fleet finishes at full batch.
    """

    ttft_s: float
    tpot_s: float
    ttft_met: float
    tpot_met: float
    mean_batch: float
    utilisation: float

    def holds(self, percentile: float) -> bool:
        """Say whether both bounds hold for this share of the requests."""
        return min(self.ttft_met, self.tpot_met) >= percentile


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """One kind of replica and the requests that come to it: what stays the same whatever the fleet's size."""

    profile: ReplicaProfile
    lengths: Lengths
    slo: Slo
    dispersion: Dispersion | None
    server: Server
    prompts: Prompts

    @classmethod
    def of(
        cls, profile: ReplicaProfile, lengths: Lengths, slo: Slo, dispersion: Dispersion | None = None
    ) -> "Queue":
        """Return the queue of these requests; without a dispersion they come independently (Poisson)."""
        return cls(
            profile=profile,
            lengths=lengths,
            slo=slo,
            dispersion=dispersion,
            server=Server.of(profile, lengths),
            prompts=Prompts.of(profile, lengths, within_s=slo.ttft_s or NO_BOUND_S),
        )

    def latency(self, requests_per_s: float, replicas: float, *, shares_only: bool = False) -> Latency:
        """Return the percentiles of so many replicas (not necessarily whole) at a mean rate of requests.

        Bursts count twice, by the workload's own index of dispersion I: as peakedness of the batch, at the length
        of an answer, and as a wandering rate of prompts, at the time in which a queue of prompts is worked off.
        """
        load = requests_per_s / (replicas * self.server.most_per_s)
        answer_s = max(self.profile.e2e_s, SHORTEST_BURST_S)
        found = states(
            self.server, replicas=replicas, requests_per_s=requests_per_s, peakedness=self._index(answer_s)
        )
        if found is None:
            return Latency(
                ttft_s=math.inf, tpot_s=math.inf, ttft_met=0.0, tpot_met=0.0, mean_batch=math.inf, utilisation=load
            )
        burst_s = self._burst_s(requests_per_s / replicas, answer_s)
        scatter = (self._index(burst_s) - 1) / max(requests_per_s * burst_s, 1e-9)
        first = first_token_met(
            self.prompts,
            self.server,
            found,
            replicas=replicas,
            requests_per_s=requests_per_s,
            scatter=max(scatter, 0.0),
            burst_s=burst_s,
        )
        first_s = np.linspace(1, GRID, GRID) * self.prompts.cell_s
        bound_s = self.slo.tpot_s
        token_s = np.linspace(0.0, 8.0, TPOT_CELLS)[1:] * self._tpot_scale_s()
        if bound_s is not None:
            token_s = np.union1d(token_s, bound_s)
        if shares_only:
            token_s = np.array([bound_s or math.inf])
        tokens = tpot_met(self.profile, self.lengths, self.server, found, token_s, replicas=replicas)
        slo, q = self.slo, self.slo.percentile
        return Latency(
            ttft_s=_quantile(first_s, first, q),
            tpot_s=_quantile(token_s, tokens, q),
            ttft_met=1.0 if slo.ttft_s is None else float(np.interp(slo.ttft_s, first_s, first)),
            tpot_met=1.0 if slo.tpot_s is None else float(np.interp(slo.tpot_s, token_s, tokens)),
            mean_batch=found.mean_batch,
            utilisation=load,
        )

    def fewest(self, requests_per_s: float, near: float | None = None) -> float:
        """Return the fewest replicas, unrounded, with which the SLO holds at its percentile; inf where none do.

        Latencies fall with every replica, so the number is found by halving. near: where to begin to look.
        """
        if requests_per_s <= 0:
            return 0.0
        if alone_met(self.profile, self.lengths, self.slo) < self.slo.percentile:
            return math.inf
        few = requests_per_s / self.server.most_per_s
        many = max(1.02 * few, 0.0) if near is None else near
        most = max(64.0, requests_per_s * self.profile.e2e_s * 8)  # nearly every request alone on its replica
        while not self._holds(requests_per_s, many):
            few, many = many, 1.5 * many
            if many > most:
                return math.inf
        while many - few > PRECISION * many:
            middle = (few + many) / 2
            held = self._holds(requests_per_s, middle)
            few, many = (few, middle) if held else (middle, many)
        return many

    def _holds(self, requests_per_s: float, replicas: float) -> bool:
        return self.latency(requests_per_s, replicas, shares_only=True).holds(self.slo.percentile)

    def _index(self, window_s: float) -> float:
        return 1.0 if self.dispersion is None else max(self.dispersion.at(window_s), 1.0)

    def _tpot_scale_s(self) -> float:
        return max(self.slo.tpot_s or 0.0, float(self.server.step_s[0]))

    def _burst_s(self, rate_per_s: float, answer_s: float) -> float:
        """Return the seconds in which a replica works a queue of prompts off: E[S^2] / (2 E[S]) / (1 - rho)^2."""
        load = min(rate_per_s * self.prompts.mean_s, 0.9)
        rest = self.prompts.square_s2 / max(2 * self.prompts.mean_s, 1e-9)
        return float(np.clip(rest / (1 - load) ** 2, SHORTEST_BURST_S, answer_s))


def alone_met(profile: ReplicaProfile, lengths: Lengths, slo: Slo) -> float:
    """Return the share of requests whose first token comes in time on an idle replica: more is out of reach."""
    if slo.ttft_s is None:
        return 1.0
    return float(lengths.weight @ (lengths.alone_s(profile) <= slo.ttft_s))


def _quantile(values: Floats, met: Floats, q: float) -> float:
    if met[-1] < q:
        return math.inf
    return float(values[np.searchsorted(met, q)])
