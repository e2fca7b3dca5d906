"""What a simulation came to: each request's times, what each replica did, and the figures that people ask for."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sizing.profile import Slo
from sizing.simulate.requests import Requests

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

SHOWN = (0.5, 0.95, 0.99)
"""Percentiles that are printed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaSums:
    """What each of R replicas did, (R,) each, over the whole simulation.

    iterations; busy_s: seconds of them; up_s: seconds in which it took requests or ended what it had.
    prefill_tok: prompt tokens computed, those computed again included (recomputed_tok: KV lost to preemption).
    cached_tok: prompt tokens that the prefix cache had. decode_tok: tokens of decode steps (each answer's first
    token comes of its prefill). kv_share, kv_share_most: of the bytes for KV, mean over busy time and highest.
    running, running_most: sequences at once, the same. in_system_s: integral over time of the requests here.
    """

    iterations: Ints
    busy_s: Floats
    up_s: Floats
    prefill_tok: Ints
    cached_tok: Ints
    decode_tok: Ints
    preemptions: Ints
    recomputed_tok: Ints
    kv_share: Floats
    kv_share_most: Floats
    running: Floats
    running_most: Ints
    in_system_s: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class SimResult:
    """N requests, in order of arrival, and R replicas.

    first_s, done_s: (N,) when the engine gave its first and last token, seconds from the start; NaN where never.
    ttft_s, tpot_s, e2e_s: (N,) what clients see: to the first token, between later ones, to the last one.
        Infinite where it never came; tpot_s is NaN for finished answers of one token or none.
    finished: (N,). refused: (N,) requests that no replica could ever hold. preempted, retried: (N,) how often.
    replica: (N,) where it was last, -1 where nowhere. end_s: when the simulation stopped.
    """

    requests: Requests
    first_s: Floats
    done_s: Floats
    ttft_s: Floats
    tpot_s: Floats
    e2e_s: Floats
    finished: Bools
    refused: Bools
    preempted: Ints
    retried: Ints
    replica: Ints
    replicas: ReplicaSums
    end_s: float

    def percentiles(self, which: str, shares: Sequence[float] = SHOWN, among: Bools | None = None) -> Floats:
        """Return percentiles of `ttft_s`, `tpot_s` or `e2e_s`: the smallest value that so many do not exceed.

        Unfinished requests count as infinite; answers without a second token have no tpot_s and do not count. NaN
        where nobody counts. among: (N,) whom to look at, all by default.
        """
        values = getattr(self, which)[self._among(among)]
        known = values[~np.isnan(values)]
        if not len(known):
            return np.full(len(shares), np.nan)
        return np.asarray(np.quantile(known, shares, method="inverted_cdf"))

    def within(self, slo: Slo) -> Bools:
        """Return (N,) whether each request finished with a first token and a pace as the SLO promises."""
        ttft = self.ttft_s <= (np.inf if slo.ttft_s is None else slo.ttft_s)
        tpot = ~(self.tpot_s > (np.inf if slo.tpot_s is None else slo.tpot_s))
        return np.asarray(self.finished & ttft & tpot)

    def attainment(self, slo: Slo, among: Bools | None = None) -> float:
        """Return the share of requests within the SLO, both parts at once; NaN without requests."""
        chosen = self._among(among)
        return float(self.within(slo)[chosen].mean()) if chosen.any() else float("nan")

    def holds(self, slo: Slo, among: Bools | None = None) -> bool:
        """Return whether the SLO's percentile of TTFT is within ttft_s, and that of TPOT within tpot_s.

        Each promise by itself, as it is written; unfinished requests count against both. Without a promise:
        whether that share of requests finished.
        """
        at = [slo.percentile]
        bounds = [("ttft_s", slo.ttft_s), ("tpot_s", slo.tpot_s)]
        asked = [(which, bound) for which, bound in bounds if bound is not None] or [("e2e_s", np.inf)]
        found = [(float(self.percentiles(which, at, among)[0]), bound) for which, bound in asked]
        return all(np.isnan(value) or (value <= bound and value < np.inf) for value, bound in found)

    def goodput_per_s(self, slo: Slo) -> float:
        """Return requests a second that were within the SLO, over the time in which requests arrived."""
        span = max(self.requests.span_s, 1e-9)
        return float(self.within(slo).sum() / span)

    @property
    def unfinished(self) -> int:
        """Requests without a last token at the end, refused ones included."""
        return int((~self.finished).sum())

    def after(self, warm_s: float) -> Bools:
        """Return (N,) the requests that arrived warm_s seconds or more after the start."""
        return np.asarray(self.requests.arrival_s >= warm_s)

    def _among(self, among: Bools | None) -> Bools:
        return np.ones(len(self.requests), dtype=np.bool_) if among is None else among
