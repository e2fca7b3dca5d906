"""The cheapest fleet of several kinds of replicas: which lengths go where, in whole replicas."""

import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, lil_array

from sizing.choice.fleets import Fleet, Pool, best_single, cheaper
from sizing.choice.limits import Limits
from sizing.choice.options import FleetOption, Options
from sizing.choice.routes import LEAST_SHARE, SOLVED_DIGITS, fewest_routes, takes_mix

Floats = npt.NDArray[np.float64]


class _Columns:
    """Where each variable of the program stands: shares of (bucket, option), shares of the whole mix, n, used."""

    def __init__(self, options: int, buckets: int) -> None:
        self.options, self.buckets = options, buckets
        self.mix = options * buckets
        self.count = self.mix + options
        self.used = self.count + options
        self.size = self.used + options

    def share(self, bucket: int, option: int) -> int:
        return bucket * self.options + option


def best_mixed(options: Options, limits: Limits, *, time_limit_s: float = 30.0) -> Fleet | None:
    """Return the cheapest fleet of one or several kinds under the limits, None where no fleet keeps to them.

    An integer program (HiGHS): shares f of each length bucket and g of the whole mix go to options in whole
    replicas n, of which one pool's spares come on top:

        min  sum_o usd_o (n_o + spare_o z_o)
        sum_o f_bo + sum_o g_o = 1                       for each bucket b
        sum_b f_bo R_bo + g_o R_o <= n_o                 for each option o
        n_o <= N_o z_o,  GPUs by kind and kW within the limits

    R_bo: replicas for all of bucket b at its own batch, R_o for the whole mix, both from ReplicaProfile. With
    g_o = 1 it is the single fleet, so the result is never dearer than the best one. Options without a price are
    left out. Of an option of which no bucket is served by itself only the whole mix can go there.
    """
    priced = [option for option in options.options if option.usd_per_gpu_hour is not None]
    if limits.max_power_kw is not None:
        priced = [option for option in priced if option.tdp_w is not None]
    if not priced:
        return None
    single = best_single(options, limits)
    shares = _solve(priced, len(options.buckets), limits, time_limit_s)
    mixed = None if shares is None else _fleet(priced, options, *fewest_routes(priced, *shares))
    # The solver stops within its gap and tolerances; what it returns is never worse than what is known already.
    return cheaper(single, None if mixed is None or limits.why_not(mixed.gpus, mixed.power_kw) else mixed)


def _solve(
    options: list[FleetOption], buckets: int, limits: Limits, time_limit_s: float
) -> tuple[Floats, Floats] | None:
    """Return (B, O) shares of buckets and (O,) of the whole mix; None where nothing is feasible."""
    at = _Columns(len(options), buckets)
    most = np.array([_most_replicas(option, limits) for option in options])
    upper = np.concatenate([np.ones(at.mix + at.options), most, np.ones(at.options)])
    for o, option in enumerate(options):
        upper[at.mix + o] = float(takes_mix(option))
        for b in range(buckets):
            if not np.isfinite(option.bucket_replicas[b]):
                upper[at.share(b, o)] = 0.0
    usd = np.array([option.usd_per_replica_hour for option in options], dtype=np.float64)
    spare = np.array([option.spare_replicas for option in options])
    cost = np.concatenate([np.zeros(at.count), usd, usd * spare])
    integral = np.concatenate([np.zeros(at.count), np.ones(2 * at.options)])
    found = milp(
        cost,
        integrality=integral,
        bounds=Bounds(np.zeros(at.size), upper),
        constraints=[_served(at), _worked(at, options), _used(at, most), *_within(at, options, limits)],
        options={"time_limit": time_limit_s, "mip_rel_gap": 1e-9},
    )
    if found.x is None:
        return None
    shares = np.clip(found.x[: at.mix].reshape(buckets, at.options), 0.0, 1.0)
    return shares, np.clip(found.x[at.mix : at.count], 0.0, 1.0)


def _most_replicas(option: FleetOption, limits: Limits) -> float:
    """Return replicas that are surely enough for everything, within what can be had."""
    known = np.append(option.bucket_replicas, option.replicas)
    enough = np.ceil(known[np.isfinite(known)].sum()) + 1
    allowed = limits.max_gpus.get(option.profile.gpu)
    return float(enough if allowed is None else min(enough, allowed // option.profile.gpus))


def _served(at: _Columns) -> LinearConstraint:
    """Every bucket is served whole; without buckets the mix is."""
    rows = lil_array((max(at.buckets, 1), at.size))
    for b in range(max(at.buckets, 1)):
        rows[b, at.mix : at.count] = 1.0
        if at.buckets:
            rows[b, at.share(b, 0) : at.share(b, at.options - 1) + 1] = 1.0
    return LinearConstraint(csr_array(rows), 1.0, 1.0)


def _worked(at: _Columns, options: list[FleetOption]) -> LinearConstraint:
    rows = lil_array((at.options, at.size))
    for o, option in enumerate(options):
        for b in range(at.buckets):
            if np.isfinite(option.bucket_replicas[b]):
                rows[o, at.share(b, o)] = option.bucket_replicas[b]
        rows[o, at.mix + o] = option.replicas if np.isfinite(option.replicas) else 0.0
        rows[o, at.count + o] = -1.0
    return LinearConstraint(csr_array(rows), -np.inf, 0.0)


def _used(at: _Columns, most: Floats) -> LinearConstraint:
    rows = lil_array((at.options, at.size))
    for o in range(at.options):
        rows[o, at.count + o], rows[o, at.used + o] = 1.0, -most[o]
    return LinearConstraint(csr_array(rows), -np.inf, 0.0)


def _within(at: _Columns, options: list[FleetOption], limits: Limits) -> list[LinearConstraint]:
    bounds = [
        (np.array([float(o.profile.gpu == gpu) * o.profile.gpus for o in options]), float(most))
        for gpu, most in limits.max_gpus.items()
    ]
    if limits.max_power_kw is not None:
        each_kw = np.array([o.power_kw(1) or 0.0 for o in options])
        bounds.append((each_kw, limits.max_power_kw))
    spare = np.array([option.spare_replicas for option in options])
    return [
        LinearConstraint(np.concatenate([np.zeros(at.count), each, each * spare])[None, :], -np.inf, most)
        for each, most in bounds
    ]


def _fleet(priced: list[FleetOption], options: Options, shares: Floats, mix: Floats) -> Fleet:
    """Read the fleet off the shares: each pool's work, rounded up, with its spares."""
    pools = []
    for o, option in enumerate(priced):
        routed = [b for b in range(len(options.buckets)) if shares[b, o] > LEAST_SHARE]
        work = float(sum(shares[b, o] * option.bucket_replicas[b] for b in routed))
        work += float(mix[o] * option.replicas) if mix[o] > LEAST_SHARE else 0.0
        replicas = option.whole_replicas(round(work, SOLVED_DIGITS))
        if replicas:
            serves = [_route(options.buckets[b].name, float(shares[b, o])) for b in routed]
            serves += [_route("all lengths", float(mix[o]))] if mix[o] > LEAST_SHARE else []
            pools.append(Pool(option=option, work=work, replicas=replicas, serves=tuple(serves)))
    return Fleet(pools=tuple(pools))


def _route(name: str, share: float) -> str:
    return name if share > 1 - LEAST_SHARE else f"{share:.0%} of {name}"
