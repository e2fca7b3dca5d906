"""How many requests a fleet holds: the stationary batch of replicas whose step time grows with it."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sizing.profile import ENGINE_BATCH, ReplicaProfile
from sizing.queueing.lengths import Lengths

Floats = npt.NDArray[np.float64]

LEFT_OUT = 1e-9
"""Probability of the states beyond the last that is reckoned with."""

MOST_STATES = 400_000

CUTS = np.array(
    [0.0, 0.1, 0.25, 0.4, 0.55, 0.7, 0.8, 0.875, 0.925, 0.95, 0.97, 0.98, 0.987, 0.992, 0.996, 0.9985, 1.0]
)
"""Where the distribution is cut into nodes, finer towards the tail that percentiles live in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One replica as a queue sees it.

    batch: (C,) 1..C sequences at once, C the ceiling of memory and engine; step_s: (C,) seconds of a decode step
    of so many; rate_per_s: (C,) requests finished a second with so many, prompts included:

        mu(B) = B / ((G - 1) t_step(B) + B t_prompt)
    """

    batch: Floats
    step_s: Floats
    rate_per_s: Floats

    @classmethod
    def of(cls, profile: ReplicaProfile, lengths: Lengths) -> "Server":
        """Return the replica at these lengths; a ceiling below one sequence is one."""
        ceiling = int(max(1, min(profile.memory_batch, ENGINE_BATCH)))
        batch = np.arange(1, ceiling + 1, dtype=np.float64)
        context = np.full_like(batch, lengths.context_tok)
        physics = profile.physics
        step = profile.step_s(batch, context) if physics is None else physics.step_at_s(batch, context)
        prompt = float(lengths.weight @ lengths.prompt_s(profile))
        decode = max(lengths.mean_output_tok - 1, 0.0)
        rate = batch / np.maximum(decode * step + batch * prompt, 1e-12)
        return cls(batch=batch, step_s=step, rate_per_s=np.maximum.accumulate(rate))

    @property
    def most_per_s(self) -> float:
        """Requests a second that the replica finishes at most."""
        return float(self.rate_per_s[-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class States:
    """What an arriving request finds, in nodes of falling probability, (K,) each; weights add up to 1.

    batch: sequences on its replica, itself among them; waiting_s: seconds until it is admitted, where all
    sequences that memory allows are taken; rank: the node's place in the distribution, 0..1.
    """

    batch: Floats
    waiting_s: Floats
    weight: Floats
    rank: Floats
    mean_batch: float


def stationary(requests_per_s: float, fleet_per_s: Floats) -> Floats:
    """Return the probabilities of 0, z, 2z, ... requests in a fleet that finishes fleet_per_s (n,) a second then.

        pi(n) ~ prod over k = z..n of lambda / rate(k)

    A processor-sharing queue whose rate depends on its state: for Poisson arrivals (z = 1) this holds whatever the
    lengths are distributed like (insensitivity; J. W. Cohen 1979, The multiple phase service network with
    generalized processor sharing, Acta Informatica 12). With rate(n) = min(n, c) mu it is M/M/c. Arrivals of
    peakedness z are taken as whole groups of z in a system scaled by z (Hayward's approximation; Fredericks 1980,
    Congestion in blocking systems, Bell System Technical Journal 59).
    """
    logs = np.concatenate([[0.0], np.cumsum(np.log(requests_per_s / fleet_per_s[1:]))])
    raw = np.exp(logs - logs.max())
    return np.asarray(raw / raw.sum())


def states(server: Server, *, replicas: float, requests_per_s: float, peakedness: float = 1.0) -> States | None:
    """Return what requests find in a fleet whose router sends each to the emptiest replica; None where it never
    catches up.

    The replicas then hold alike, and the fleet is one queue: of n requests each replica holds n / R, and the fleet
    finishes R mu(n / R) a second (n mu(1) where some replicas are empty).
    """
    load = requests_per_s / (replicas * server.most_per_s)
    if load >= 1:
        return None
    ceiling = float(server.batch[-1])
    z = max(peakedness, 1.0)
    tail = math.log(LEFT_OUT) / math.log(load) * z if load > 0 else 0.0
    count = int(min((replicas * ceiling + tail) / z + 2, MOST_STATES))
    n = np.asarray(np.arange(count + 1) * z, dtype=np.float64)
    each = np.maximum(n / replicas, 1.0)
    rate = np.interp(each, server.batch, server.rate_per_s) * np.minimum(n, replicas)
    probability = stationary(requests_per_s, rate)
    nodes = _nodes(np.asarray(n + z), probability)  # whoever comes last of a group finds the group there
    batch = np.clip(nodes / replicas, 1.0, ceiling)
    waiting = np.maximum(nodes - replicas * ceiling, 0.0) / (replicas * server.most_per_s)
    return States(
        batch=batch,
        waiting_s=waiting,
        weight=np.diff(CUTS),
        rank=(CUTS[1:] + CUTS[:-1]) / 2,
        mean_batch=float(probability @ np.minimum(n / replicas, ceiling)),
    )


def _nodes(values: Floats, probability: Floats) -> Floats:
    """Return the mean of each part that CUTS makes of a distribution on rising values."""
    below = np.concatenate([[0.0], np.cumsum(probability)])
    summed = np.concatenate([[0.0], np.cumsum(probability * values)])
    below[-1] = 1.0
    at = np.interp(CUTS, below, summed)
    return np.asarray(np.diff(at) / np.diff(CUTS))
