"""Fleets to choose among: pools of replicas, their dollars and power, and single fleets from the cheapest on."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sizing.choice.limits import Limits
from sizing.choice.options import FleetOption, Options


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Replicas of one option. work: unrounded replicas that its work takes; replicas: those that run, with spares.

    serves: what it is for, such as the lengths that are routed to it; empty = everything.
    """

    option: FleetOption
    work: float
    replicas: int
    serves: tuple[str, ...] = ()

    @property
    def gpus(self) -> int:
        """GPUs of the pool."""
        return self.replicas * self.option.profile.gpus

    @property
    def usd_per_hour(self) -> float | None:
        """Dollars an hour, None where the price is unknown."""
        rate = self.option.usd_per_replica_hour
        return None if rate is None else rate * self.replicas

    @property
    def text(self) -> str:
        """The pool as people write it: `4 x h100 TP 2 fp8`."""
        return f"{self.gpus} x {self.option.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Pools that serve a workload together at its planned peak."""

    pools: tuple[Pool, ...]

    @property
    def usd_per_hour(self) -> float | None:
        """Dollars an hour, None where a price is unknown."""
        return _sum([pool.usd_per_hour for pool in self.pools])

    @property
    def power_kw(self) -> float | None:
        """TDP of all GPUs, without hosts and cooling; None where one is unknown."""
        return _sum([pool.option.power_kw(pool.replicas) for pool in self.pools])

    @property
    def gpus(self) -> Mapping[str, int]:
        """GPUs by kind."""
        found: dict[str, int] = {}
        for pool in self.pools:
            found[pool.option.profile.gpu] = found.get(pool.option.profile.gpu, 0) + pool.gpus
        return found

    @property
    def text(self) -> str:
        """All pools in words."""
        return " + ".join(pool.text for pool in self.pools)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A single fleet in the order of dollars. why_not: why it may not be chosen, empty where it may."""

    fleet: Fleet
    why_not: str


def rank_single(options: Options, limits: Limits) -> tuple[Ranked, ...]:
    """Return the single fleet of every option, those that may be chosen first, each kind cheapest first.

    The integer minimum over GPU, TP, precision and replicas: the replicas of an option follow from its work, so
    that every integer choice is looked at. Equal dollars: fewer GPUs, then by name. An unknown price is not 0:
    such an option is never chosen, and says so.
    """
    ranked = [_ranked(option, limits) for option in options.options]
    return tuple(sorted(ranked, key=_order))


def best_single(options: Options, limits: Limits) -> Fleet | None:
    """Return the cheapest single fleet that keeps to the limits, None where there is none."""
    first = rank_single(options, limits)[0]
    return None if first.why_not else first.fleet


def second_best(ranked: Sequence[Ranked]) -> Ranked | None:
    """Return the next fleet in line on another kind of GPU, None where no other may be chosen."""
    if not ranked or ranked[0].why_not:
        return None
    first = ranked[0].fleet.pools[0].option.profile.gpu
    others = (r for r in ranked[1:] if not r.why_not and r.fleet.pools[0].option.profile.gpu != first)
    return next(others, None)


def cheaper(one: Fleet | None, other: Fleet | None) -> Fleet | None:
    """Return the fleet that costs less, the first where they cost the same; None never wins against a fleet."""
    if one is None or other is None:
        return one or other
    first, second = one.usd_per_hour, other.usd_per_hour
    if first is None or second is None:
        return one if second is None else other
    return other if second < first * (1 - 1e-9) else one


def _ranked(option: FleetOption, limits: Limits) -> Ranked:
    served = math.isfinite(option.replicas)
    replicas = option.whole_replicas(option.replicas) if served else 0
    fleet = Fleet(pools=(Pool(option=option, work=option.replicas, replicas=replicas),))
    if not served:
        return Ranked(fleet=fleet, why_not="It holds the SLO for some lengths only.")
    if option.usd_per_gpu_hour is None:
        return Ranked(fleet=fleet, why_not=f"No price of {option.profile.gpu} is known.")
    return Ranked(fleet=fleet, why_not=limits.why_not(fleet.gpus, fleet.power_kw))


def _order(each: Ranked) -> tuple[bool, float, int, str]:
    usd = each.fleet.usd_per_hour
    return bool(each.why_not), float("inf") if usd is None else usd, sum(each.fleet.gpus.values()), each.fleet.text


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None
