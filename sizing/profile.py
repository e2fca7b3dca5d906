"""The one capacity function: what a replica takes for a request, and how fast it answers."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Binds = Literal["memory", "decode", "prefill", "TTFT", "TPOT"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slo:
    """What a user must see: time to first token and time per output token, at a percentile of requests."""

    ttft_s: float | None = None
    tpot_s: float | None = None
    percentile: float = 0.99


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaProfile:
    """One replica of a model on one kind of GPU, at the largest batch that memory and SLO allow.

    Fleets, breakeven, commitments and (later) the simulator use this and nothing else.

    work_coefficients: (9,) replica-seconds for each unit of `data.traffic.SUMS`, linear at this operating point:
        prefill (linear + quadratic in the uncached prompt), decode share of weights, growing KV, overheads.
    prefill_coefficients: (4,) seconds of one request's prefill alone on the replica:
        t = c0 + c1 (P - C) + c2 (P^2 - C^2) + c3 P.
    step_coefficients: (3,) seconds of one decode step around this operating point:
        t = s0 + s1 B + s2 B T, B sequences at mean context T.
    batch: sequences decoding together; memory_batch: the ceiling that KV memory sets at the mean length.
    ttft_s, tpot_s: mean latency of the mean request at this batch.
    error_p10, error_p90: measured / predicted throughput of this kind of point, 80% band.
    measured_points: how many measured points of this (model, GPU) stand behind the calibration.
    """

    model: str
    gpu: str
    tp: int
    precision: str
    kv_precision: str
    batch: int
    memory_batch: int
    binds: Binds
    prompt_tok: float
    cached_prompt_tok: float
    output_tok: float
    work_coefficients: Floats
    prefill_coefficients: Floats
    step_coefficients: Floats
    ttft_s: float
    tpot_s: float
    error_p10: float
    error_p90: float
    measured_points: int

    def work_s(self, sums: Floats) -> Floats:
        """Return replica-seconds for sums of shape (..., 9), in the order of `data.traffic.SUMS`."""
        return np.asarray(sums @ self.work_coefficients)

    def gpu_work_s(self, sums: Floats) -> Floats:
        """Return GPU-seconds: replica-seconds times the GPUs of a replica."""
        return self.work_s(sums) * self.tp

    def prefill_s(self, prompt_tok: Floats, cached_prompt_tok: Floats) -> Floats:
        """Return seconds to prefill requests of these lengths, alone on the replica."""
        c0, c1, c2, c3 = self.prefill_coefficients
        fresh = prompt_tok - cached_prompt_tok
        return np.asarray(c0 + c1 * fresh + c2 * (prompt_tok**2 - cached_prompt_tok**2) + c3 * prompt_tok)

    def step_s(self, batch: Floats, context_tok: Floats) -> Floats:
        """Return seconds of one decode step of `batch` sequences at mean context `context_tok`."""
        s0, s1, s2 = self.step_coefficients
        return np.asarray(s0 + s1 * batch + s2 * batch * context_tok)
