"""What is true in the synthetic world: which workloads, how much each asks for, and what happened when.

Tests and the docs compare forecasts with this, so everything here is stated without noise, for past and future.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.errors import UserError
from data.traffic import Category

Floats = npt.NDArray[np.float64]

YEARISH_DAYS = 400
"""Days over which `growth` multiplies a workload's level."""

BATCH_START_HOUR, BATCH_HOURS, BATCH_FRONT = 22, 4, 1.3
"""Nightly work starts at 22:00 UTC and is handed in over four hours, the first of them busier:
the share handed in after a fraction x of the night is 1 - (1 - x) ** 1.3."""

LEAST_DAYS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticWorkload:
    """One label of the logs. requests_per_day is its level on the first day, before weekday and events."""

    label: str
    model: str
    category: Category
    requests_per_day: float
    growth: float
    """Level after 400 days over level on the first."""
    weekday: tuple[float, ...]
    """(7,) Monday first, mean 1."""
    day_noise: float
    """Standard deviation of the logarithm of a day's level around its truth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that multiplies what a workload asks for, on the days from first to last (both included)."""

    label: str
    first: date
    last: date
    requests: float = 1.0
    prompt_tok: float = 1.0
    output_tok: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """From start to dark most requests fail; from dark to until none arrive at all."""

    label: str
    start: datetime
    dark: datetime
    until: datetime
    failing_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCampaign:
    """A campaign after the end of the logs, as a plan file would declare it; the logs know nothing of it."""

    label: str
    first: date
    last: date
    low: float
    likely: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticWorld:
    """The truth behind one set of synthetic logs. Logs cover the days from start up to, not including, end.

    rows, files: filled by `data.synthetic.write_synthetic_logs`; rows by label, files in the order written.
    gaps: days of a label that are missing from the logs although traffic went on.
    """

    seed: int
    scale: float
    start: date
    end: date
    workloads: tuple[SyntheticWorkload, ...]
    gaps: Mapping[str, tuple[date, ...]]
    outage: Outage
    campaign: Event
    upgrade: Event
    planned: PlannedCampaign
    rows: Mapping[str, int] = field(default_factory=dict)
    files: tuple[Path, ...] = ()

    @property
    def days(self) -> int:
        """Number of UTC days that the logs cover."""
        return (self.end - self.start).days

    def workload(self, label: str) -> SyntheticWorkload:
        """Return the workload of that label."""
        return next(w for w in self.workloads if w.label == label)


def plan_world(*, seed: int, days: int, end: date, scale: float) -> SyntheticWorld:
    """Lay down what happens and when, as fractions of the days, so that any length of history holds all of it."""
    if days < LEAST_DAYS:
        raise UserError(
            f"Synthetic logs of {days} days have no room for their events; ask for {LEAST_DAYS} or more."
        )
    if not 0 < scale <= 100:
        raise UserError(f"The scale of synthetic logs is {scale}; give more than 0 and at most 100.")
    start = end - timedelta(days=days)

    def day(share: float) -> date:
        return start + timedelta(days=int(share * days))

    dawn = datetime.combine(day(0.45), time(9), tzinfo=UTC)
    return SyntheticWorld(
        seed=seed,
        scale=scale,
        start=start,
        end=end,
        workloads=_workloads(scale),
        gaps={"chat": (day(0.22), day(0.61)), "code-agents": (day(0.35),), "doc-classification": ()},
        outage=Outage(
            label="chat",
            start=dawn,
            dark=dawn + timedelta(hours=2),
            until=dawn + timedelta(hours=6),
            failing_share=0.85,
        ),
        campaign=Event(label="chat", first=day(0.70), last=day(0.70) + timedelta(days=9), requests=1.6),
        upgrade=Event(label="code-agents", first=day(0.80), last=date.max, prompt_tok=1.15, output_tok=1.30),
        planned=PlannedCampaign(
            label="chat",
            first=end + timedelta(days=20),
            last=end + timedelta(days=33),
            low=1.2,
            likely=1.5,
            high=1.8,
        ),
    )


def expected_requests(world: SyntheticWorld, label: str, since: date, until: date) -> pd.Series:
    """Return what a workload asks for on each UTC day from since up to, not including, until: no noise, no gaps.

    Days after the world's end follow the same law, without the planned campaign. Index: naive UTC midnight,
    name `day_utc`. The outage's dark hours are left in: they are demand that could not arrive.
    """
    days = pd.date_range(since, until, inclusive="left", name="day_utc", unit="ns")
    workload = world.workload(label)
    if workload.category != "batch":
        return pd.Series(_level(world, workload, days), index=days, name="requests")
    before = 1 - 0.5**BATCH_FRONT  # half of the four hours lie before midnight
    last_night = _level(world, workload, days - pd.Timedelta(days=1))
    tonight = _level(world, workload, days)
    return pd.Series(before * tonight + (1 - before) * last_night, index=days, name="requests")


def level_by_start(world: SyntheticWorld, label: str, since: date, until: date) -> Floats:
    """Return the level of each day or, for batch work, of each night by the day on which it starts."""
    return _level(world, world.workload(label), pd.date_range(since, until, inclusive="left"))


def _level(world: SyntheticWorld, workload: SyntheticWorkload, days: pd.DatetimeIndex) -> Floats:
    age = np.asarray((days - pd.Timestamp(world.start)).days, dtype=np.float64)
    level = workload.requests_per_day * workload.growth ** (age / YEARISH_DAYS)
    level = level * np.asarray(workload.weekday)[days.day_of_week]
    campaign = world.campaign
    if campaign.label == workload.label:
        inside = (days >= pd.Timestamp(campaign.first)) & (days <= pd.Timestamp(campaign.last))
        level = level * np.where(inside, campaign.requests, 1.0)
    return np.asarray(level)


def _workloads(scale: float) -> tuple[SyntheticWorkload, ...]:
    return (
        SyntheticWorkload(
            label="chat",
            model="llama-3.1-70b",
            category="online",
            requests_per_day=20_000 * scale,
            growth=2.0,
            weekday=(1.08, 1.10, 1.10, 1.08, 1.02, 0.82, 0.80),
            day_noise=0.04,
        ),
        SyntheticWorkload(
            label="code-agents",
            model="qwen3-coder-480b-a35b",
            category="online",
            requests_per_day=3_200 * scale,
            growth=1.8,
            weekday=(1.20, 1.30, 1.30, 1.25, 1.10, 0.45, 0.40),
            day_noise=0.06,
        ),
        SyntheticWorkload(
            label="doc-classification",
            model="llama-3.1-8b",
            category="batch",
            requests_per_day=2_500 * scale,
            growth=1.15,
            weekday=(1.15, 1.15, 1.15, 1.15, 1.15, 0.70, 0.55),
            day_noise=0.05,
        ),
    )
