"""Where one replica runs: the largest batch that memory and SLO allow, and the roofline made linear around it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forecasting.demand import Moments
from sizing.speculation import Speculation
from sizing.throughput import (
    Factors,
    Work,
    decode_step_s,
    mixed_step_s,
    prefill_efficiency,
    prefill_latency_s,
    prefill_work_s,
)

Floats = npt.NDArray[np.float64]

NUDGE = 1e-3
"""Relative step of the central differences that make the step time linear."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanRequest:
    """The mean request of a workload, with the moments that say how requests differ."""

    prompt_tok: float
    cached_tok: float
    output_tok: float
    moments: Moments

    @property
    def context_tok(self) -> float:
        """Mean context that a decoded token reads: (E[P G] + E[G^2]/2) / E[G]."""
        return self.moments.prompt_output * self.prompt_tok + self.moments.output_sq * self.output_tok / 2

    @property
    def square_gap(self) -> float:
        """E[P^2 - C^2], twice the pairs of tokens that prefill attends over."""
        return self.moments.prompt_sq * self.prompt_tok**2 - self.cached_square

    @property
    def cached_square(self) -> float:
        """E[C^2], at most E[P^2]: ratios measured at other means need not keep that order by themselves."""
        m = self.moments
        return min(m.cached_sq * self.cached_tok**2, m.prompt_sq * self.prompt_tok**2)

    def sums(self) -> Floats:
        """Return (9,): the SUMS of one request."""
        p, c, o, m = self.prompt_tok, self.cached_tok, self.output_tok, self.moments
        second = (m.prompt_sq * p * p, self.cached_square, m.prompt_cached * p * c, m.prompt_output * p * o)
        return np.array([1.0, p, c, o, *second, m.output_sq * o * o])


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """One replica's physics and the mean request it serves."""

    work: Work
    factors: Factors
    mean: MeanRequest
    speculation: Speculation | None = None

    def prompt_s(self) -> float:
        """Return seconds of replica time that one mean prompt takes among others."""
        fixed, fresh, square = self.prompt_coefficients()
        return float(fixed + fresh * (self.mean.prompt_tok - self.mean.cached_tok) + square * self.mean.square_gap)

    def prompt_coefficients(self) -> tuple[float, float, float]:
        """Return replica-seconds (a request, a fresh token, a unit of P^2 - C^2) of prefill among other prompts.

        Exact for full attention. Layers that look back a window only are linear in fresh tokens beyond it; they
        are taken at their rate for the mean request.
        """
        w, f = self.work, self.factors
        p, c = self.mean.prompt_tok, self.mean.cached_tok
        fixed = self._prompt(0.0, 0.0)
        fresh = max(p - c, 1e-9)
        sparse = bool((p + c) / 2 > w.sparse_tok)
        a_pair = w.attention_flop_per_pair / w.attention_flop_per_s / prefill_efficiency(f)
        square = 0.0 if sparse else float(np.ravel(a_pair)[0]) / 2
        return fixed, (self._prompt(p, c) - fixed - square * (p**2 - c**2)) / fresh, square

    def step_s(self, batch: Floats) -> Floats:
        """Return seconds of one decode step at the workload's mean context, of one token of each sequence."""
        return self.step_at_s(batch, np.asarray(self.mean.context_tok))

    def longest_gap_s(self, batch: float, chunk_tok: float) -> float:
        """Return seconds of a step that also prefills a chunk of at most so many tokens of the mean prompt."""
        at, fresh = np.array([batch]), self.mean.prompt_tok - self.mean.cached_tok
        chunk = min(chunk_tok, fresh)
        return float(mixed_step_s(self.work, self.factors, at, np.array([self.mean.context_tok]), chunk)[0])

    def tpot_s(self, batch: Floats) -> Floats:
        """Return mean time per output token: while G tokens decode, each other sequence has one prompt prefilled.

        TPOT = t_step(B) + (B - 1) t_prompt / G
        """
        return np.asarray(self.step_s(batch) + (batch - 1) * self.prompt_s() / self.mean.output_tok)

    def ttft_s(self, batch: Floats) -> Floats:
        """Return mean time to first token of prompts that come at random to a replica that is fully busy.

        Prompts go before decode steps; prefill fills the share rho of the replica's time, so that the wait is that
        of M/D/1 with load rho:  TTFT = alone + t_prompt rho / (2 (1 - rho)),  rho = B t_p / (B t_p + G t_step).
        """
        prompt = self.prompt_s()
        load = batch * prompt / (batch * prompt + self.mean.output_tok * self.step_s(batch))
        return np.asarray(self.factors.wait * (self.alone_s() + prompt * load / (2 * (1 - load))))

    def alone_s(self) -> float:
        """Return seconds to the first token of the mean request on an idle replica."""
        p, c = np.array([self.mean.prompt_tok]), np.array([self.mean.cached_tok])
        return float(prefill_latency_s(self.work, self.factors, p, c)[0])

    def request_s(self, batch: float) -> float:
        """Return replica-seconds of the mean request at this batch: its prompt, and its share of G steps."""
        return self.prompt_s() + self.mean.output_tok * float(self.step_s(np.array([batch]))[0]) / batch

    def step_coefficients(self, batch: float) -> tuple[float, float, float]:
        """Return (s0, s1, s2) with t = s0 + s1 B + s2 B T, equal in value and slope at this batch and context."""
        held = batch * self.mean.context_tok

        def step(b: float, x: float) -> float:
            return float(self.step_at_s(np.array([b]), np.array([x / b]))[0])

        h = NUDGE * batch
        s1 = (step(batch + h, held) - step(batch - h, held)) / (2 * h)
        k = NUDGE * held
        s2 = (step(batch, held + k) - step(batch, held - k)) / (2 * k)
        return step(batch, held) - s1 * batch - s2 * held, s1, s2

    def step_at_s(self, batch: Floats, context_tok: Floats) -> Floats:
        """Return seconds a token of each sequence: of a step, or with speculation of a checked one over its yield.

        t = (t_step(k + 1 tokens each) + k c t_step(1)) / accepted
        """
        plain = decode_step_s(self.work, self.factors, batch, context_tok)
        s = self.speculation
        if s is None:
            return plain
        checked = decode_step_s(
            self.work, self.factors, batch, context_tok, checked_tok=s.tokens + 1, emitted_tok=s.accepted
        )
        return np.asarray((checked + s.tokens * s.draft_cost * plain) / s.accepted)

    def _prompt(self, prompt_tok: float, cached_tok: float) -> float:
        lengths = np.array([prompt_tok]), np.array([cached_tok])
        return float(prefill_work_s(self.work, self.factors, *lengths)[0])
