"""Seconds of one iteration, tabulated from the functions that fleets are sized with, for the compiled engine."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sizing.operating import Replica
from sizing.profile import ReplicaProfile
from sizing.throughput import prefill_latency_s, prefill_read_s, prefill_work_s

Floats = npt.NDArray[np.float64]

POINTS = 48
"""Points of a grid of lengths. Between two of them values are taken as linear, which they are but for kinks (which
are points too), experts touched, and a norm other than 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTable:
    """Seconds of an iteration with B decoding sequences and chunks of prompts beside them:

        t = max(decode(B, T), read(n)) + sum over chunks of (n_i rate(middle_i)) + prompt_s x prompts begun

    decode_s: (B + 1, C) of a step of 0..B sequences at mean context context_tok (C,). rate_s: (M,) of one fresh
    token whose place in its prompt is middle_tok (M,), the arithmetic of chunked prefill. read_s: (K,) of an
    iteration that only prefills fresh_tok (K,) tokens, beside their arithmetic: weights read once, overheads.
    prompt_s: of every prompt. physics: what a first token waits beside the engine, see `first_token_wait_s`.
    """

    decode_s: Floats
    context_tok: Floats
    rate_s: Floats
    middle_tok: Floats
    read_s: Floats
    fresh_tok: Floats
    prompt_s: float
    physics: Replica | None = None

    @classmethod
    def constant(cls, step_s: float, prefill_tok_s: float = 0.0, *, sequences: int = 1_024) -> "StepTable":
        """Return a table on which every iteration takes step_s and every fresh token prefill_tok_s."""
        two = np.array([1.0, 2.0])
        return cls(
            decode_s=np.full((sequences + 1, 2), step_s),
            context_tok=two,
            rate_s=np.full(2, prefill_tok_s),
            middle_tok=two,
            read_s=np.full(2, step_s),
            fresh_tok=two,
            prompt_s=0.0,
        )

    @property
    def sequences(self) -> int:
        """Most sequences of a step that the table knows."""
        return len(self.decode_s) - 1

    def first_token_wait_s(self, prompt_tok: Floats, cached_prompt_tok: Floats) -> Floats:
        """Return seconds that a first token takes beside what the engine does, so that alone it takes what sizing
        says, wait x prefill_latency_s: tokeniser and network, stages that a chunk passes, and the multiplier that
        measurements gave (which may be below 1, and the seconds then negative).
        """
        if self.physics is None:
            return np.zeros(prompt_tok.shape)
        work, factors = self.physics.work, self.physics.factors
        alone = prefill_latency_s(work, factors, prompt_tok, cached_prompt_tok)
        fresh = np.maximum(prompt_tok - cached_prompt_tok, 1.0)
        read = prefill_read_s(work, factors, fresh)
        in_engine = prefill_work_s(work, factors, prompt_tok, cached_prompt_tok) + read
        return np.asarray(factors.wait * alone - in_engine)


def step_table(profile: ReplicaProfile, *, sequences: int, longest_tok: int) -> StepTable:
    """Return the table of a replica for up to `sequences` at once and requests of up to `longest_tok` tokens.

    From the roofline itself where the profile carries it; else from its coefficients, the tangent at its batch.
    """
    if profile.physics is None:
        return _of_coefficients(profile, sequences, longest_tok)
    return table_of(profile.physics, sequences=sequences, longest_tok=longest_tok)


def table_of(replica: Replica, *, sequences: int, longest_tok: int) -> StepTable:
    """Return the table of a replica's roofline."""
    kinks = (float(replica.work.window_tok), float(replica.work.sparse_tok))
    context = _grid(longest_tok, kinks)
    batch = np.arange(1.0, sequences + 1)[:, None]
    steps = replica.step_at_s(batch, context[None, :])
    middle, fresh = context, _grid(longest_tok, ())
    none = np.zeros(1)
    prompt = prefill_work_s(replica.work, replica.factors, none, none)
    whole = prefill_work_s(replica.work, replica.factors, 2 * middle, np.zeros(len(middle)))
    return StepTable(
        decode_s=np.vstack([np.zeros(len(context)), steps]),
        context_tok=context,
        rate_s=np.asarray((whole - prompt) / (2 * middle)),
        middle_tok=middle,
        read_s=prefill_read_s(replica.work, replica.factors, fresh),
        fresh_tok=fresh,
        prompt_s=float(prompt[0]),
        physics=replica,
    )


def _of_coefficients(profile: ReplicaProfile, sequences: int, longest_tok: int) -> StepTable:
    context = _grid(longest_tok, ())
    alone, fresh, square, whole = profile.prefill_coefficients
    steps = profile.step_s(np.arange(1.0, sequences + 1)[:, None], context[None, :])
    return StepTable(
        decode_s=np.vstack([np.zeros(len(context)), steps]),
        context_tok=context,
        rate_s=fresh + whole + 2 * square * context,
        middle_tok=context,
        read_s=np.full(len(context), alone),
        fresh_tok=context,
        prompt_s=0.0,
    )


def _grid(longest_tok: int, kinks: tuple[float, ...]) -> Floats:
    """Return token counts from 1/2 to the longest, with every kink among them."""
    most = float(max(longest_tok, 2))
    inside = [kink for kink in kinks if 0.5 < kink < most]
    return np.unique(np.concatenate([np.geomspace(0.5, most, POINTS), inside]))
