"""The wait for a first token: a queue of prompts behind decode steps, its distribution worked out on a grid."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import stats

from sizing.memory import STEP_TOK
from sizing.profile import ReplicaProfile
from sizing.queueing.lengths import Lengths
from sizing.queueing.states import CUTS, Server, States

Floats = npt.NDArray[np.float64]

GRID = 2_048
"""Cells of the time axis."""

SLICES = (0.0, 0.5, 0.8, 0.95, 0.99, 1.0)
"""Where a wait's distribution is cut: its tail is what percentiles hang on."""

LONGEST = 12.0
"""The axis ends at so many times the time that matters: waits beyond it would come round again."""

TOGETHER = 0.4
"""Share of a replica's prompts that come while it works on others, in a large fleet over that on one replica: the
router sends requests to where others end, and none end during a step that prompts make long. Read off simulations;
`python -m benchmarks.slo model` says how far the percentiles are off with it."""

FULL = 0.97
"""Load above which a burst's queue of prompts is taken as growing while it lasts, not as settled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompts:
    """What prompts ask of a replica, on a grid of `cell_s` seconds.

    work: (GRID,) distribution of the seconds that a prompt takes among others; alone: of the seconds to the first
    token on an idle replica. more_chunks: mean steps of a prompt beyond its first.
    """

    cell_s: float
    work: Floats
    alone: Floats
    mean_s: float
    square_s2: float
    more_chunks: float
    chunk_s: float

    @classmethod
    def of(cls, profile: ReplicaProfile, lengths: Lengths, *, within_s: float) -> "Prompts":
        """Return the prompts of these lengths; within_s: the bound that the first token is held against."""
        work, alone = lengths.prompt_s(profile), lengths.alone_s(profile)
        w = lengths.weight
        mean = float(w @ work)
        far = float(_quantile(alone, w, 0.999))
        cell = LONGEST * max(within_s, far) / GRID
        fresh = lengths.prompt_tok - lengths.cached_prompt_tok
        chunks = np.maximum(np.ceil(fresh / STEP_TOK), 1.0)
        total = float(w @ np.maximum(fresh, 1.0))
        return cls(
            cell_s=cell,
            work=_histogram(work, w, cell),
            alone=_histogram(alone, w, cell),
            mean_s=mean,
            square_s2=float(w @ work**2),
            more_chunks=float(w @ (chunks - 1)),
            chunk_s=mean * STEP_TOK / total,
        )


def first_token_met(
    prompts: Prompts,
    server: Server,
    states: States,
    *,
    replicas: float,
    requests_per_s: float,
    scatter: float,
    burst_s: float,
) -> Floats:
    """Return (GRID,) the share of requests whose first token comes by the end of each cell.

    For every node of the fleet's state, at its batch B and a rate of prompts m x lambda / R (m gamma of variance
    `scatter`: bursts of `burst_s` seconds, largest where the fleet is fullest):

        TTFT = admission + unfinished prompts (M/G/1: Pollaczek-Khinchine, by Fourier transform)
             + rest of the decode step at hand + alone(P, C) + the batch's share of the prompt's own steps

    Whoever finds an empty replica waits for nothing. A prompt's work is stretched by the decode steps that its
    chunks are mixed into. A burst that asks more than FULL leaves a queue that grows while it lasts.
    """
    step = np.interp(states.batch, server.batch, server.step_s)
    one = 1 / max(replicas, 1.0)
    together = one + (1 - one) * TOGETHER
    taken = np.clip((states.batch - 1) * max(replicas, 1.0), 0.0, 1.0)  # 0: an empty replica is found
    taken_share = max(float(states.weight @ taken), 1e-9)
    rate = requests_per_s / replicas * together * _bursts(states.rank, scatter) * taken / taken_share**one
    met = np.zeros(GRID)
    for k, weight in enumerate(states.weight):
        wait = _queue(prompts, float(rate[k]), float(step[k]), burst_s)
        busy = float(taken[k])
        rest = _uniform(busy * float(step[k]), prompts.cell_s)
        beside = busy * max(float(step[k]) - float(server.step_s[0]), 0.0) * (1 + prompts.more_chunks)
        delay = float(states.waiting_s[k]) + beside + float(server.step_s[0]) * prompts.more_chunks
        begun = _convolved(wait, rest)
        density = _convolved(_with_company(begun, prompts, float(rate[k])), prompts.alone)
        met += weight * _later(np.cumsum(density), delay / prompts.cell_s)
    return np.minimum(met, 1.0)


def _queue(prompts: Prompts, rate_per_s: float, step_s: float, burst_s: float) -> Floats:
    """Return (GRID,) the unfinished prompt work that a prompt finds.

    V^(s) = (1 - rho) / (1 - rho S_res^(s))     S_res: what is left of a prompt under way
    """
    stretch = 1 + step_s / max(prompts.chunk_s, 1e-9)
    load = rate_per_s * prompts.mean_s * stretch
    settled = min(load, FULL)
    tail = np.maximum(1 - np.cumsum(prompts.work), 0.0)
    rest = tail / max(tail.sum(), 1e-12)
    rest = _convolved(rest, _uniform((stretch - 1) * prompts.mean_s, prompts.cell_s))
    transform = np.fft.rfft(rest)
    wait = np.fft.irfft((1 - settled) / (1 - settled * transform), GRID)
    wait = np.maximum(wait, 0.0)
    if load > FULL:
        wait = _convolved(wait, _uniform((load - FULL) * burst_s, prompts.cell_s))
    return np.asarray(wait / wait.sum())


def _with_company(wait: Floats, prompts: Prompts, rate_per_s: float) -> Floats:
    """Return a wait and the prompts that came meanwhile: they share the step, which gives all first tokens at its
    end.

    Compound Poisson over the wait, in SLICES of it that are alike.
    """
    below = np.cumsum(wait)
    at = np.arange(GRID) * prompts.cell_s
    work = np.fft.rfft(prompts.work, 2 * GRID)
    total = np.zeros(GRID + 1, dtype=np.complex128)
    for low, high in pairwise(SLICES):
        part = np.clip(below, low, high)
        part = np.diff(part, prepend=low)
        share = part.sum()
        if share > 0:
            meanwhile = rate_per_s * float(part @ at) / share
            total += np.fft.rfft(part, 2 * GRID) * np.exp(meanwhile * (work - 1))
    density = np.maximum(np.fft.irfft(total, 2 * GRID)[:GRID], 0.0)
    density[-1] += max(1.0 - density.sum(), 0.0)
    return np.asarray(density)


def _bursts(rank: Floats, scatter: float) -> Floats:
    """Return the rate over its mean at each node: gamma of mean 1 and variance `scatter`, as arrivals see it."""
    if scatter <= 1e-9:
        return np.ones_like(rank)
    seen = stats.gamma.ppf(rank, 1 / scatter + 1, scale=scatter)
    return np.asarray(seen * (1 + scatter) / (seen @ np.diff(CUTS)))


def _convolved(*parts: Floats) -> Floats:
    """Return the distribution of a sum; what lies beyond the axis is in its last cell."""
    total = parts[0]
    for part in parts[1:]:
        full = np.fft.irfft(np.fft.rfft(total, 2 * GRID) * np.fft.rfft(part, 2 * GRID), 2 * GRID)
        total = np.maximum(full[:GRID], 0.0)
        total[-1] += max(1.0 - total.sum(), 0.0)
    return total


def _uniform(width_s: float, cell_s: float) -> Floats:
    """Return a uniform distribution over 0..width_s."""
    edges = np.arange(GRID + 1) * cell_s
    below = np.clip(edges / width_s, 0.0, 1.0) if width_s > 0 else np.minimum(edges, 1.0) > 0
    cells = np.diff(np.asarray(below, dtype=np.float64))
    cells[-1] += max(1.0 - cells.sum(), 0.0)
    return np.asarray(cells)


def _histogram(values_s: Floats, weight: Floats, cell_s: float) -> Floats:
    """Return weights by cell, each value shared between the two cells beside it so that the mean is kept."""
    at = np.clip(values_s / cell_s, 0, GRID - 2)
    low = np.floor(at).astype(np.int64)
    share = at - low
    cells = np.bincount(low, weight * (1 - share), GRID) + np.bincount(low + 1, weight * share, GRID)
    return np.asarray(cells / cells.sum())


def _later(met: Floats, cells: float) -> Floats:
    """Return a cumulative distribution moved later by so many cells."""
    return np.asarray(np.interp(np.arange(GRID) - cells, np.arange(GRID), met, left=0.0))


def _quantile(values: Floats, weight: Floats, q: float) -> float:
    order = np.argsort(values)
    reached = np.cumsum(weight[order])
    return float(values[order[min(int(np.searchsorted(reached, q)), len(order) - 1)]])
