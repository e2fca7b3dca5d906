"""Time per output token: decode steps at the batch of the moment, and prompts of others that come between."""

import numpy as np
import numpy.typing as npt
from scipy import stats

from sizing.profile import ReplicaProfile
from sizing.queueing.lengths import Lengths
from sizing.queueing.states import Server, States

Floats = npt.NDArray[np.float64]

KINDS = 24
"""Kinds of answers by length that are told apart."""


def tpot_met(
    profile: ReplicaProfile,
    lengths: Lengths,
    server: Server,
    states: States,
    within_s: Floats,
    *,
    replicas: float,
) -> Floats:
    """Return the share of requests whose mean time per output token is at most within_s (M,).

    An answer of g tokens takes g - 1 steps, and each of the B - 1 others has one prompt S prefilled while it
    decodes its own G, which holds the answer up:

        TPOT = t_step(B) + Y / (g - 1),  Y: nothing with probability exp(-m), else gamma,  m = (g - 1) (B - 1) / G
        E[Y]   = m E[S]
        Var[Y] = m ((1 - 1/R) (Var[S] + c^2 E[S]^2) + (1/R) E[S^2] / (1 - rho)^2),  c^2 = min(Var[G] / E[G]^2, 1)

    On one replica prompts come as a Poisson process, and more of them the longer the answer takes (delay cycle of
    M/G/1, rho the prompts' share of the time). In a large fleet the router sends a request where another was
    finished, so that they come as regularly as answers end: the counts of renewals of variation c^2.

    The batch wanders while an answer lasts: over x mean answers only the share f(x) = 2 (x - 1 + e^-x) / x^2 of
    its variance is left. Answers of one token have no time between tokens and do not count.
    """
    tokens, weight = _kinds(lengths)
    work = lengths.prompt_s(profile)
    mean_s, square_s2 = float(lengths.weight @ work), float(lengths.weight @ work**2)
    answer = max(lengths.mean_output_tok, 1.0)
    answer_cv2 = min(float(lengths.weight @ lengths.output_tok**2) / answer**2 - 1, 1.0)
    regular_s2 = square_s2 - (1 - answer_cv2) * mean_s**2
    one = 1 / max(replicas, 1.0)
    middle = float(states.weight @ states.batch)
    met = np.zeros_like(within_s)
    if not weight.sum() > 0:
        return np.ones_like(within_s)
    for g, share in zip(tokens, weight, strict=True):
        steady = np.sqrt(_left(g / answer))
        batch = np.clip(middle + steady * (states.batch - middle), 1.0, server.batch[-1])
        step = np.interp(batch, server.batch, server.step_s)
        prompts = (g - 1) * (batch - 1) / answer
        load = np.minimum((batch - 1) * mean_s / (answer * step + batch * mean_s), 0.98)
        spread = prompts * ((1 - one) * regular_s2 + one * square_s2 / (1 - load) ** 2)
        decode = (g - 1) * step
        at = within_s[:, None] * (g - 1) - decode[None, :]
        met += share * (_held_up(at, np.exp(-prompts), prompts * mean_s, spread) @ states.weight)
    return np.minimum(met, 1.0)


def _held_up(at_s: Floats, never: Floats, mean_s: Floats, var_s2: Floats) -> Floats:
    """Return P(Y <= at) of a delay that is nothing with probability `never`, else gamma of the moments left."""
    some = np.maximum(1 - never, 1e-12)
    mean = np.maximum(mean_s / some, 1e-12)
    var = np.maximum((var_s2 + mean_s**2) / some - mean**2, 1e-6 * mean**2)
    below = stats.gamma.cdf(np.maximum(at_s, 0.0), mean**2 / var, scale=var / mean)
    return np.where(at_s >= -1e-12, never + (1 - never) * below, 0.0)


def _left(x: float) -> float:
    """Return the share of a process's variance left in its mean over x of its correlation times."""
    return float(2 * (x - 1 + np.exp(-x)) / x**2) if x > 1e-3 else 1.0


def _kinds(lengths: Lengths) -> tuple[Floats, Floats]:
    """Return at most KINDS answer lengths with their weights: short ones, whose mean is easily held up, apart."""
    several = np.flatnonzero(lengths.output_tok > 1)
    order = several[np.argsort(lengths.output_tok[several])]
    tokens, weight = lengths.output_tok[order], lengths.weight[order]
    weight = weight / max(float(weight.sum()), 1e-300)
    if len(tokens) <= KINDS:
        return tokens, weight
    reached = np.cumsum(weight) - weight / 2
    edges = np.concatenate([[0.0, 0.0025, 0.005, 0.01, 0.02, 0.04, 0.07], np.linspace(0.1, 1.0, KINDS - 6)])
    part = np.clip(np.searchsorted(edges, reached, side="right") - 1, 0, KINDS - 1)
    total = np.bincount(part, weight, KINDS)
    mean = np.bincount(part, weight * tokens, KINDS) / np.maximum(total, 1e-300)
    kept = total > 0
    return mean[kept], np.asarray(total[kept], dtype=np.float64)
