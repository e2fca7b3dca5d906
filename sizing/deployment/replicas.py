"""Bounds for an autoscaler by UTC hour of the week, from every path's hourly fleet."""

from dataclasses import dataclass

import numpy as np

from data.units import WEEK_HOURS
from forecasting.demand import Demand
from sizing.fleet import FleetPlan

LOW, HIGH = 0.1, 0.95
"""Quantiles over paths and weeks between which an autoscaler may move."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaBounds:
    """Replicas, spares included, in each of the 168 UTC hours of a week, Monday 00:00 first.

    minimum, expected, maximum: 10%, 50% and 95% over the paths and the weeks of the horizon.
    """

    days: int
    minimum: tuple[int, ...]
    expected: tuple[int, ...]
    maximum: tuple[int, ...]


def replica_bounds(fleet: FleetPlan, demand: Demand, days: int) -> ReplicaBounds:
    """Return the bounds over the first `days` days; hours of the week that these do not reach take the same hour's
    of all days.
    """
    replicas = fleet.hourly_gpus()[:, :days] // fleet.profile.gpus
    weekday = (demand.days[:days].astype("datetime64[D]").astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday
    low, middle, high = (np.zeros(WEEK_HOURS, dtype=np.int64) for _ in range(3))
    for day in range(7):
        seen = weekday == day
        its = replicas[:, seen if seen.any() else slice(None)].reshape(-1, 24)
        slots = slice(24 * day, 24 * day + 24)
        low[slots], middle[slots], high[slots] = (
            np.quantile(its, q, axis=0, method="higher") for q in (LOW, 0.5, HIGH)
        )
    return ReplicaBounds(
        days=days,
        minimum=tuple(int(n) for n in low),
        expected=tuple(int(n) for n in middle),
        maximum=tuple(int(n) for n in high),
    )
