"""Workloads of one model on one fleet: their peaks fill each other's gaps, and each pays its part."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.errors import UserError
from data.traffic import Traffic
from data.units import DAY_S
from forecasting.demand import Moments
from sizing.fleet import BACKLOG_HOURS, DEADLINE_H, FleetPlan
from sizing.profile import Slo
from sizing.windows import BusyWindows, gathered, window_work_s

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_DAY_HOURS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One workload that could share: its fleet on the common replica, sized under the common SLO.

    alone: its own fleet as it would be by itself, under its own SLO; what it pays is measured by it.
    """

    fleet: FleetPlan
    alone: FleetPlan
    traffic: Traffic
    moments: Moments
    deadline_h: float | None = None

    @property
    def waits(self) -> bool:
        """Whether its work may wait for its deadline."""
        return self.fleet.category != "online"


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedFleet:
    """One fleet for several workloads, along every path.

    need_gpus: (S, D) GPUs of each path and day, spares included; hourly_gpus: (S, D, 24) what each hour takes.
    member_gpus: (M, S, D, 24) the same, split: adds up to hourly_gpus in every hour. alone_gpus: (S, D) of the
    members' own fleets added up. spare_gpus: of the shared fleet.
    """

    workloads: tuple[str, ...]
    need_gpus: Ints
    hourly_gpus: Ints
    member_gpus: Floats
    alone_gpus: Ints
    spare_gpus: int

    def largest(self, days: int, quantile: float) -> tuple[int, int]:
        """Return GPUs at a quantile over paths of the largest day: shared, and of the members apart."""
        shared, apart = (
            int(np.quantile(gpus[:, :days].max(axis=1), quantile, method="higher"))
            for gpus in (self.need_gpus, self.alone_gpus)
        )
        return shared, apart


def strictest(slos: Sequence[Slo]) -> Slo:
    """Return the SLO that holds them all: a shared replica cannot tell whose request it decodes."""

    def least(values: list[float | None]) -> float | None:
        return min((v for v in values if v is not None), default=None)

    return Slo(
        ttft_s=least([s.ttft_s for s in slos]),
        tpot_s=least([s.tpot_s for s in slos]),
        percentile=max(s.percentile for s in slos),
    )


def share_fleet(members: Sequence[Member]) -> SharedFleet:
    """Return the fleet that does the work of all members in the same windows and hours.

    Online work: the 99% busiest windows of the *sum* of the members' windows, one spare replica for all. Work that
    waits: done within its deadline in what online work leaves. Work is replica-seconds on the same replica, so
    that it adds up: bound by memory or TPOT, replica-seconds are linear in a request's lengths (docs/sizing.md).

    An hour's GPUs are split in proportion to those that each member would take alone in that hour, so that nobody
    pays for an hour in which it asks nothing, and nobody pays more than alone while the shared fleet is smaller.

    Raises UserError where replicas differ.
    """
    first = members[0].fleet.profile
    kinds = {(m.fleet.profile.gpu, m.fleet.profile.layout, m.fleet.profile.precision) for m in members}
    if len(kinds) > 1:
        names = ", ".join(sorted(f"{gpu} {layout.text} {precision}" for gpu, layout, precision in kinds))
        raise UserError(f"A shared fleet has one kind of replica, not {names}; choose one of them for all.")
    online, waiting = [m for m in members if not m.waits], [m for m in members if m.waits]
    now = _online(online)
    shape = (*members[0].fleet.load.shape, _DAY_HOURS)
    busy = now.hours if now else np.zeros(shape)
    arrived = sum((_hours(m.fleet) / m.fleet.filled for m in waiting), np.zeros(shape))
    deadline_h = min((m.deadline_h or DEADLINE_H for m in waiting), default=DEADLINE_H)
    need = _backlog_need(arrived, busy, deadline_h) if waiting else np.zeros(shape[:2])
    need = np.maximum(need, now.days if now else 0.0)
    spare = max(m.fleet.spare_gpus for m in members)
    need_gpus = _gpus(need, first.gpus, spare)
    room = (need_gpus - np.where(need_gpus > 0, spare, 0)) / first.gpus
    done = _worked_off(arrived, np.maximum(room[:, :, None] - busy, 0.0)) if waiting else 0.0
    hourly = np.minimum(_gpus(busy + done, first.gpus, spare), need_gpus[:, :, None])
    alone = np.array([m.alone.hourly_gpus() for m in members], dtype=np.float64)
    return SharedFleet(
        workloads=tuple(m.fleet.workload for m in members),
        need_gpus=need_gpus,
        hourly_gpus=hourly,
        member_gpus=hourly[None] * _parts(alone),
        alone_gpus=np.sum([m.alone.need_gpus for m in members], axis=0),
        spare_gpus=spare,
    )


def split_usd(usd: float, weights: Sequence[float]) -> tuple[float, ...]:
    """Return a bill in dollars split by weights, whole cents that add up to the bill rounded to the cent.

    Largest remainder: each part is rounded down, and the cents that are left go to the largest rests, the first of
    equal ones. Raises UserError where no weight is above 0.

    >>> split_usd(100.0, [1, 1, 1])
    (33.34, 33.33, 33.33)
    """
    total = sum(weights)
    if not total > 0 or min(weights) < 0:
        raise UserError(
            f"A bill cannot be split by the weights {list(weights)}; give some above 0 and none below."
        )
    cents = round(usd * 100)
    exact = [cents * weight / total for weight in weights]
    parts = [int(np.floor(each)) for each in exact]
    rests = sorted(range(len(parts)), key=lambda i: (parts[i] - exact[i], i))
    for i in rests[: cents - sum(parts)]:
        parts[i] += 1
    return tuple(part / 100 for part in parts)


@dataclass(frozen=True, slots=True)
class _Online:
    """Replicas that online work takes, headroom included: of each day (S, D), and of each hour (S, D, 24)."""

    days: Floats
    hours: Floats


def _online(members: Sequence[Member]) -> _Online | None:
    if not members:
        return None
    filled = min(m.fleet.filled for m in members)
    load = np.sum([m.fleet.load for m in members], axis=0)
    hours = np.sum([_hours(m.fleet) for m in members], axis=0)
    busy = _pooled_windows(members)
    if busy is None:  # their windows do not meet: each keeps its own bursts
        days = np.sum([_alone_p99(m.fleet) for m in members], axis=0)
        return _Online(
            days / filled, np.minimum(hours * _ratio(days, load)[:, :, None], days[:, :, None]) / filled
        )
    days = np.maximum(busy.p99_load(load), load)
    return _Online(days / filled, np.minimum(np.maximum(busy.hour_load(hours), hours), days[:, :, None]) / filled)


def _pooled_windows(members: Sequence[Member]) -> BusyWindows | None:
    """Return how the sum of the members' work gathers, None where their windows differ or share no whole day."""
    lengths = {m.traffic.window_s for m in members}
    if len(lengths) > 1:
        return None
    works = [window_work_s(m.traffic.windows, m.fleet.profile, m.moments) for m in members]
    both = pd.concat(works, axis=1, join="inner")
    window_s = lengths.pop()
    return gathered(both.sum(axis=1), window_s) if len(both) * window_s >= DAY_S else None


def _alone_p99(fleet: FleetPlan) -> Floats:
    return fleet.load if fleet.busy is None else np.maximum(fleet.busy.p99_load(fleet.load), fleet.load)


def _hours(fleet: FleetPlan) -> Floats:
    """Return (S, D, 24): replicas' worth of mean work in each hour."""
    return np.asarray(fleet.load[:, :, None] * fleet.hour_share[None] * _DAY_HOURS)


def _ratio(over: Floats, under: Floats) -> Floats:
    return np.divide(over, under, out=np.zeros_like(over), where=under > 0)


def _gpus(replicas: Floats, each: int, spare: int) -> Ints:
    whole = np.asarray(np.ceil(np.round(replicas, 9)), dtype=np.int64) * each
    return np.where(whole > 0, whole + spare, 0)


def _parts(alone: Floats) -> Floats:
    """Return (M, S, D, 24) shares that add up to 1 in every hour; equal ones where nobody asks anything."""
    total = alone.sum(axis=0)
    equal = np.full_like(alone, 1 / len(alone))
    return np.asarray(np.divide(alone, total[None], out=equal, where=total[None] > 0))


def _backlog_need(arrived: Floats, busy: Floats, deadline_h: float) -> Floats:
    """Return (S, D) replicas that finish waiting work within its deadline beside the online work.

    What arrives within x hours is done deadline_h after the last of them, in what online work leaves of those
    x + deadline_h hours:  n >= (A(x) + O(x + deadline_h)) / (x + deadline_h)  for the stretches of BACKLOG_HOURS.
    Hours after the last day are taken like the last ones.
    """
    paths, days = arrived.shape[:2]
    ahead = int(np.ceil(deadline_h))
    work = np.cumsum(np.pad(arrived.reshape(paths, -1), ((0, 0), (1, 0))), axis=1)
    online = np.pad(
        busy.reshape(paths, -1), ((0, 0), (0, ahead)), mode="symmetric" if ahead <= days * 24 else "edge"
    )
    online = np.cumsum(np.pad(online, ((0, 0), (1, 0))), axis=1)
    need = np.zeros((paths, days))
    for x in (n for n in BACKLOG_HOURS if n <= days * _DAY_HOURS):
        came = work[:, x:] - work[:, :-x]
        count = came.shape[1]
        beside = online[:, x + ahead : x + ahead + count] - online[:, :count]
        rate = came / (x + deadline_h) + beside / (x + ahead)
        ending = np.concatenate([np.zeros((paths, x - 1)), rate], axis=1)
        need = np.maximum(need, ending.reshape(paths, days, _DAY_HOURS).max(axis=2))
    return need


def _worked_off(arrived: Floats, room: Floats) -> Floats:
    """Return (S, D, 24) waiting work that is done in each hour, first come first served (Lindley's recursion)."""
    shape = arrived.shape
    came, capacity = arrived.reshape(shape[0], -1), room.reshape(shape[0], -1)
    total = np.cumsum(came - capacity, axis=1)
    waits = total - np.minimum(np.minimum.accumulate(total, axis=1), 0.0)
    before = np.concatenate([np.zeros((shape[0], 1)), waits[:, :-1]], axis=1)
    return np.asarray(np.reshape(came + before - waits, shape), dtype=np.float64)
