"""What a policy holds on each path as it is played, and what it may know of the future at each turn.

What comes next is read off the paths that have been nearest over the last 30 days. With few paths all of them
count, and with one there is nobody else to ask, so every figure is as if the need were known.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sizing.bands import busy_hours
from sizing.commit.grid import Start
from sizing.commit.market import MarketTerm
from sizing.commit.recourse import DAY_HOURS, Case, Recourse

Floats = npt.NDArray[np.float64]
Units = npt.NDArray[np.int64]

LOOK_BACK_DAYS = 30
SEEN_DAYS = 7
"""Days of a path that must have passed before it is told from others."""
NEAR_SHARE = 0.1
LEAST_NEAR = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """What every policy is played on. first: the day of its first turn. past: (H, 24) need of the days before.

    The first turn is signed today, so a turn `n` days later knows the first n days of its path and no more.
    """

    case: Case
    worth: Recourse
    starts: tuple[Start, ...]
    first: int
    past: Floats | None = None


class Foresight:
    """What each path may expect at a turn, kept for all policies that ask."""

    def __init__(self, field: Field) -> None:
        self.field = field
        self._near: dict[int, Units | None] = {}
        self._mean: dict[int, Floats] = {}

    def mean(self, day: int) -> Floats:
        """Return (S, P, K): the expected value of each unit, in the mean over the paths near each one."""
        if day not in self._mean:
            near, value = self.near(day), self.field.worth.value_usd
            if near is None:
                self._mean[day] = np.broadcast_to(value.mean(axis=0), value.shape)
            else:
                share = np.zeros((len(value), len(value)))
                np.put_along_axis(share, near, 1.0 / near.shape[1], axis=1)
                self._mean[day] = (share @ value.reshape(len(value), -1)).reshape(value.shape)
        return self._mean[day]

    def low(self, day: int) -> Floats:
        """Return (S, P, K): the 10th percentile instead of the mean."""
        near, value = self.near(day), self.field.worth.value_usd
        if near is None:
            return np.broadcast_to(np.quantile(value, 0.1, axis=0), value.shape)
        return np.stack([np.quantile(value[each], 0.1, axis=0) for each in near])

    def near(self, day: int) -> Units | None:
        """Return (S, M): the paths nearest to each over the last 30 days; None = all of them are alike."""
        if day not in self._near:
            self._near[day] = self._find_near(day)
        return self._near[day]

    def _find_near(self, day: int) -> Units | None:
        need, known = self.field.case.need, day - self.field.first
        if known < SEEN_DAYS or len(need) <= LEAST_NEAR:
            return None
        level = need[:, max(known - LOOK_BACK_DAYS, 0) : known].mean(axis=(1, 2))
        apart = np.abs(level[:, None] - level[None, :])
        np.fill_diagonal(apart, np.inf)
        count = min(max(LEAST_NEAR, round(NEAR_SHARE * len(need))), len(need) - 1)
        return np.asarray(np.argsort(apart, axis=1, kind="stable")[:, :count])


class Book:
    """What is held on each path and period, and what it costs; written in as a policy is played."""

    def __init__(self, field: Field, seen: Foresight) -> None:
        self.field, self.seen = field, seen
        self.held: Units = np.zeros(field.worth.base_usd.shape, dtype=np.int64)
        self.paid_usd = np.zeros(len(field.case.need))
        self.in_force: dict[str, Units] = {}
        self.now: dict[str, int] = {}

    def usd(self) -> Floats:
        """Return (S,): the bill, with what is bought beside the terms."""
        return np.asarray(self.paid_usd + self.field.worth.cost_usd(self.held).sum(axis=1))

    def buy(self, term: MarketTerm, day: int, units: Units) -> None:
        """Write in so many units of a term from a day, (S,), as far as they are to be had."""
        periods = self.field.worth.between(day, day + term.days)
        mine = self.in_force.setdefault(term.name, np.zeros_like(self.held))
        if term.max_gpus is not None:
            units = np.clip(units, 0, term.max_gpus // term.unit_gpus - mine[:, periods].max(axis=1))
        mine[:, periods] += units[:, None]
        self.held[:, periods] += units[:, None] * self._ratio(term)
        self.paid_usd += units * self._price(term, day)
        if day == self.field.first:
            self.now[term.name] = self.now.get(term.name, 0) + int(units[0]) * term.unit_gpus

    def top_up(self, term: MarketTerm, day: int, *, firm: bool = False, unless: Sequence[MarketTerm] = ()) -> None:
        """Buy what is expected to pay above what is held: on nine paths in ten if `firm`.

        unless: shorter terms; a unit that saves more on one of them, bought turn by turn, is left to it.
        """
        value = self._marginal(term, day, firm=firm)
        saving = value - self._price(term, day)[:, None]
        least = -1e-12 * np.abs(value)
        for other in unless:
            least = np.maximum(least, self._rolled(term, other, day, saving.shape[1]))
        self.buy(term, day, np.asarray(np.cumprod(saving >= least, axis=1).sum(axis=1), dtype=np.int64))

    def look_back(self, term: MarketTerm, day: int) -> None:
        """Buy what the last 30 days would have filled above what is held."""
        past = _past(self.field, day)
        if past is None:
            return
        over = np.maximum(past - float(self.field.case.held()[day]), 0.0)
        asked = term.usd_per_gpu_hour / self.field.case.market.on_demand_usd_per_gpu_hour
        share = busy_hours(over, unit_gpus=term.unit_gpus) / (past.shape[1] * DAY_HOURS)
        wanted = (share >= asked).sum(axis=1)
        holds = self.held[:, self.field.worth.between(day, day + term.days)[0]] // self._ratio(term)
        self.buy(term, day, np.maximum(wanted - holds, 0))

    def _rolled(self, term: MarketTerm, other: MarketTerm, day: int, units: int) -> Floats:
        """Return (S, N): what each unit of `term` would save on a shorter term, bought while it pays."""
        times, least = term.unit_gpus / other.unit_gpus, np.zeros((len(self.held), units))
        for turn in range(day, min(day + term.days, self.field.case.days), other.days):
            span = min(turn + other.days, day + term.days)
            value = self._values(self.seen.mean(day), turn, span, term)[:, :units]
            price = self._price(other, turn, until=span, known=day)[:, None] * times
            least += np.maximum(value - price, 0.0)
        return least

    def _marginal(self, term: MarketTerm, day: int, *, firm: bool) -> Floats:
        expected = self.seen.low(day) if firm else self.seen.mean(day)
        return self._values(expected, day, day + term.days, term)

    def _values(self, expected: Floats, first: int, last: int, term: MarketTerm) -> Floats:
        """Return (S, N): what each further unit of a term is expected to be worth between two days."""
        periods = self.field.worth.between(first, last)
        value = np.sum([_shifted(expected[:, p], self.held[:, p]) for p in periods], axis=0)
        ratio = self._ratio(term)
        short = -value.shape[1] % ratio
        return np.asarray(np.pad(value, ((0, 0), (0, short))).reshape(len(value), -1, ratio).sum(axis=2))

    def _price(self, term: MarketTerm, day: int, *, until: int | None = None, known: int | None = None) -> Floats:
        """Return (S,): USD of a unit from a day, for its days within the plan.

        known: the day on which the price is guessed; None = the day itself. Prices are expected to go the way of
        all paths' mean, from where each path stands.
        """
        index = self.field.case.index
        at = index[:, day]
        if known is not None and known != day:
            at = index[:, known] * (at.mean() / index[:, known].mean())
        hours = self.field.worth.unit_hours(day, until or day + term.days) // self.field.worth.unit_gpus
        return np.asarray(term.usd_per_gpu_hour * term.unit_gpus * hours * at)

    def _ratio(self, term: MarketTerm) -> int:
        return term.unit_gpus // self.field.worth.unit_gpus


def _shifted(value: Floats, held: Units) -> Floats:
    """Return (S, K): the value of the units above those held on each path."""
    bands = value.shape[1]
    at = held[:, None] + np.arange(bands)[None, :]
    found = np.take_along_axis(value, np.minimum(at, bands - 1), axis=1)
    return np.where(at < bands, found, 0.0)


def _past(field: Field, day: int) -> Floats | None:
    """Return (S, days, 24): the last 30 days as each path lived them; None where under a week is known."""
    known = day - field.first
    lived = field.case.need[:, max(known - LOOK_BACK_DAYS, 0) : known]
    missing = LOOK_BACK_DAYS - lived.shape[1]
    if field.past is not None and missing:
        before = field.past[max(len(field.past) - missing, 0) :]
        lived = np.concatenate([np.broadcast_to(before, (len(lived), *before.shape)), lived], axis=1)
    return lived if lived.shape[1] >= SEEN_DAYS else None
