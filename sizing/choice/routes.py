"""The shortest table for a router that a mixed fleet allows: which lengths go to which pool."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, lil_array

from sizing.choice.options import FleetOption

Floats = npt.NDArray[np.float64]

LEAST_SHARE = 1e-6
"""A share of a bucket below it is a solver's rounding, not a route."""

SOLVED_DIGITS = 5
"""Digits of a pool's work that the solver's tolerance leaves sure: a work of 4.000001 replicas is 4."""

TIME_LIMIT_S = 5.0


def takes_mix(option: FleetOption) -> bool:
    """Return whether the mix as a whole may go there: not where it is but the sum of its buckets."""
    if not np.isfinite(option.replicas):
        return False
    return not (len(option.bucket_replicas) and np.isclose(option.replicas, option.bucket_replicas.sum()))


def fewest_routes(options: Sequence[FleetOption], shares: Floats, mix: Floats) -> tuple[Floats, Floats]:
    """Return shares (B, O) and of the mix (O,) in the same whole replicas, by as few routes as there can be.

    Many routings fill the same replicas. Only pools that are used take part, so the program is small; where the
    solver finds no answer in TIME_LIMIT_S, the shares stay as they are.
    """
    each = _replicas(options)
    routed = np.vstack([shares, mix])
    work = np.where(routed > LEAST_SHARE, routed * np.where(np.isfinite(each), each, 0.0), 0.0).sum(axis=0)
    used = np.flatnonzero(work > LEAST_SHARE)
    if len(shares) == 0 or len(used) == 0:
        return shares, mix
    found = _shortest(each[:, used], np.ceil(np.round(work[used], SOLVED_DIGITS)))
    if found is None:
        return shares, mix
    routed = np.zeros_like(routed)
    routed[:, used] = found
    return routed[:-1], routed[-1]


def _replicas(options: Sequence[FleetOption]) -> Floats:
    """Return (B + 1, O): replicas for each bucket and for the mix on each option, inf where it cannot go there."""
    rows = [[*o.bucket_replicas, o.replicas if takes_mix(o) else np.inf] for o in options]
    return np.array(rows, dtype=np.float64).T


def _shortest(each: Floats, room: Floats) -> Floats | None:
    """Return shares (B + 1, U) within the room of each pool, with the fewest that are not 0."""
    buckets, pools = each.shape[0] - 1, each.shape[1]
    size = each.size
    whole, worked = lil_array((buckets, 2 * size)), lil_array((pools, 2 * size))
    for r, u in np.ndindex(each.shape):
        worked[u, r * pools + u] = each[r, u] if np.isfinite(each[r, u]) else 0.0
        for b in range(buckets) if r == buckets else (r,):
            whole[b, r * pools + u] = 1.0
    routes = np.concatenate([np.zeros(size), np.ones(size)])
    found = milp(
        routes,
        integrality=routes,
        bounds=Bounds(0.0, np.tile(np.isfinite(each).ravel().astype(np.float64), 2)),
        constraints=[
            LinearConstraint(csr_array(whole), 1.0, 1.0),
            LinearConstraint(csr_array(worked), -np.inf, room),
            LinearConstraint(csr_array(np.hstack([np.eye(size), -np.eye(size)])), -np.inf, 0.0),
        ],
        options={"time_limit": TIME_LIMIT_S},
    )
    return None if found.x is None else np.clip(found.x[:size].reshape(each.shape), 0.0, 1.0)
