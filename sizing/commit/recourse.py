"""What holding one more unit is worth, by path and period: the exact cost of everything that is decided later.

Between two dates on which what is held may change, an hour's overflow and its batch work follow from the number
of units held alone. So the hours of a period are reduced, once, to the cost F(k) of holding k units, and the plan
decides on differences of F: 200 paths x 8,760 hours x 40 bands become 200 x 13 x 40 numbers. F is the
optimum of a linear program whose right side is k, hence convex, hence the k-th unit is worth less than the one
before it on every path. docs/commit.md has the argument; a test holds the plan to the program over all hours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from data.catalog.commit_offers import WEEKDAYS, BatchOffer, HeldOffer
from data.errors import UserError
from sizing.bands import busy_hours
from sizing.commit.market import Market, Tier

Floats = npt.NDArray[np.float64]

DAY_HOURS = 24
_CHUNK = 4_000_000
"""Hours x units x paths that are worked on at once, for memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is decided on: a need over sample paths, what it can be bought for, and what prices will do.

    need: (S, D, 24) GPUs, its first day `start`. price_index: (D,) or (S, D), every price of that day over
    today's; a term's price is that of the day it starts on.
    """

    need: Floats
    start: date
    market: Market
    price_index: Floats | None = None

    def __post_init__(self) -> None:
        """Refuse a need that is none, or prices of other days."""
        if self.need.ndim != 3 or self.need.shape[2] != DAY_HOURS or 0 in self.need.shape:
            raise UserError(f"The need must be paths x days x 24 hours, not {self.need.shape}.")
        if not np.isfinite(self.need).all() or (self.need < 0).any():
            raise UserError("The need must be 0 or more GPUs in every hour of every path.")
        if self.price_index is not None and self.index.shape != self.need.shape[:2]:
            raise UserError(f"The price index covers {self.price_index.shape}, the need {self.need.shape[:2]}.")

    @property
    def days(self) -> int:
        """Days that the paths cover."""
        return int(self.need.shape[1])

    @property
    def index(self) -> Floats:
        """(S, D) prices of the day over today's."""
        if self.price_index is None:
            return np.ones(self.need.shape[:2])
        wide = np.atleast_2d(self.price_index)
        return np.array(np.broadcast_to(wide, (self.need.shape[0], wide.shape[1])))

    def held(self) -> Floats:
        """Return (D,): GPUs that commitments in force hold on each day."""
        return held_gpus(self.market.held, self.start, self.days)

    def held_usd(self) -> float:
        """Return USD that commitments in force cost over the days, used or not."""
        return float(sum(h.usd_per_gpu_hour * held_gpus([h], self.start, self.days).sum() * DAY_HOURS
                         for h in self.market.held))  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Recourse:
    """What later decisions cost, by path and period.

    bounds: (P + 1,) days at which periods begin, the last one's end. base_usd: (S, P) with nothing more held than
    is in force. value_usd: (S, P, K) what the k-th further unit saves; it falls with k. left_gpu_hours:
    (S, P, K + 1) work that can wait and does not fit into idle hours beside k further units, None where there is
    none.
    """

    bounds: tuple[int, ...]
    unit_gpus: int
    base_usd: Floats
    value_usd: Floats
    left_gpu_hours: Floats | None = None

    def unit_hours(self, first: int, last: int) -> int:
        """Return GPU-hours that a unit held from day `first` until before day `last` is paid for."""
        return self.unit_gpus * DAY_HOURS * (min(last, self.bounds[-1]) - first)

    def between(self, first: int, last: int) -> list[int]:
        """Return the periods from day `first` until before day `last`."""
        return [p for p, day in enumerate(self.bounds[:-1]) if first <= day < last]

    def cost_usd(self, units: npt.NDArray[np.int64]) -> Floats:
        """Return (S, P): what is bought beside (S, P) or (P,) units held."""
        total = np.concatenate([np.zeros((*self.base_usd.shape, 1)), np.cumsum(self.value_usd, axis=2)], axis=2)
        wide = np.broadcast_to(np.minimum(units, self.value_usd.shape[2]), self.base_usd.shape)
        return np.asarray(self.base_usd - np.take_along_axis(total, wide[:, :, None], axis=2)[:, :, 0])


def recourse(case: Case, bounds: Sequence[int]) -> Recourse:
    """Return what each further unit is worth in each period between the bounds: days, from 0 to the end."""
    market, unit = case.market, case.market.unit_gpus
    net = case.need - case.held()[None, :, None]
    units = _units(net, market, unit)
    levels = np.arange(units + 1) * unit
    cost = np.empty((len(net), len(bounds) - 1, units + 1))
    left = np.zeros_like(cost) if market.batch else None
    for p, (first, last) in enumerate(pairwise(bounds)):
        hours, index = net[:, first:last], case.index[:, first:last]
        if market.batch:  # one price a period, so that hours and runs are weighed alike
            index = np.broadcast_to(index.mean(axis=1, keepdims=True), index.shape)
        cost[:, p] = _overflow_usd(np.maximum(hours, 0.0), index, levels, market.tiers)
        if left is not None:
            left[:, p] = _batch_left(hours, market.batch, case.start + timedelta(days=first), levels)
            cost[:, p] += left[:, p] * market.batch_usd_per_gpu_hour * index[:, :1]
    return Recourse(
        bounds=tuple(bounds),
        unit_gpus=unit,
        base_usd=cost[:, :, 0],
        value_usd=np.minimum.accumulate(-np.diff(cost, axis=2), axis=2),
        left_gpu_hours=left,
    )


def held_gpus(held: Sequence[HeldOffer], start: date, days: int) -> Floats:
    """Return (D,): GPUs of commitments in force on each day from `start`."""
    gpus = np.zeros(days)
    for each in held:
        first = max((each.start - start).days, 0)
        last = (each.end - start).days + 1
        gpus[first : max(last, 0)] += each.gpus
    return gpus


def _units(net: Floats, market: Market, unit: int) -> int:
    """Units beyond which nothing more is saved: the largest need, and what the work that can wait can use."""
    most = max(float(net.max()), 0.0)
    for run in market.batch:
        most += min(run.gpu_hours / run.deadline_h, run.max_gpus or np.inf)
    return max(int(np.ceil(most / unit)), 1)


def _overflow_usd(over: Floats, index: Floats, levels: npt.NDArray[np.int64], tiers: tuple[Tier, ...]) -> Floats:
    """Return (S, K + 1): USD of the need above each level, in the merit order of the tiers.

    E(H), the GPU-hours above H, is the sum of the busy hours of the GPUs above H. A tier serves what lies above
    the ones before it, so that the bill is sum_i (p_i - p_(i-1)) E(level + what the tiers before i take).
    """
    weight = np.broadcast_to(index[:, :, None], over.shape)
    busy = busy_hours(over, weight=weight)
    above = np.concatenate([np.cumsum(busy[:, ::-1], axis=1)[:, ::-1], np.zeros((len(over), 1))], axis=1)
    usd, before, taken = np.zeros((len(over), len(levels))), 0.0, 0
    for tier in tiers:
        usd += (tier.usd_per_gpu_hour - before) * above[:, np.minimum(levels + taken, above.shape[1] - 1)]
        before, taken = tier.usd_per_gpu_hour, taken + (tier.max_gpus or 0)
    return usd


def _batch_left(
    net: Floats, batch: Sequence[BatchOffer], first_day: date, levels: npt.NDArray[np.int64]
) -> Floats:
    """Return (S, K + 1): GPU-hours of the runs that do not fit into idle hours at each level.

    A run that is ready in the period is done in it. Runs take turns by deadline, each in its earliest idle hours,
    which does as much in all as can be done, unless runs share hours and are limited in GPUs. Then it may do less,
    and `recourse` counts a unit as worth no more than the one before it: the bill is an upper bound.
    """
    hours = net.reshape(len(net), -1)
    runs = batch_runs(batch, first_day, hours.shape[1])
    left = np.zeros((len(net), len(levels)))
    step = max(1, _CHUNK // (hours.shape[1] * len(levels)))
    for at in range(0, len(net) if runs else 0, step):
        idle = np.maximum(levels[None, None, :] - hours[at : at + step, :, None], 0.0)
        for ready, due, work, most in runs:
            room = idle[:, ready:due] if most is None else np.minimum(idle[:, ready:due], most)
            taken = np.clip(work - (np.cumsum(room, axis=1) - room), 0.0, room)
            idle[:, ready:due] -= taken
            left[at : at + step] += work - taken.sum(axis=1)
    return left


def batch_runs(
    batch: Sequence[BatchOffer], first_day: date, hours: int
) -> list[tuple[int, int, float, int | None]]:
    """Return (ready hour, due hour, GPU-hours, most GPUs at once) of the runs within so many hours, due first."""
    runs = []
    for offer in batch:
        for day in range(hours // DAY_HOURS):
            ready = day * DAY_HOURS + offer.start_hour_utc
            if WEEKDAYS[(first_day + timedelta(days=day)).weekday()] in offer.weekdays:
                due = min(ready + offer.deadline_h, hours)
                runs.append((ready, due, offer.gpu_hours, offer.max_gpus))
    return sorted(runs, key=lambda run: (run[1], run[0]))
