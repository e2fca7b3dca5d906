"""When replicas start, are drained, and fail."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from data.errors import UserError

UP, DRAIN, FAIL = 0, 1, 2
"""What an event does to a replica: it takes requests; it takes no more, and ends what it has; it is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """E events in order of time, on replicas 0, 1, ...; a replica is down until it is up.

    time_s: (E,); replica: (E,); what: (E,) of UP, DRAIN, FAIL. What a failed replica had is sent to the others
    and done again from the start, its first token included: the client's stream broke.
    """

    time_s: npt.NDArray[np.float64]
    replica: npt.NDArray[np.int64]
    what: npt.NDArray[np.int64]

    @property
    def replicas(self) -> int:
        """Replicas that are ever up."""
        return int(self.replica.max()) + 1 if len(self.replica) else 0

    def failing(self, time_s: float, replica: int, *, back_s: float | None = None) -> "Schedule":
        """Return the same with a failure of one replica, which is up again back_s seconds later (None: never)."""
        return self.failing_together(time_s, [replica], back_s=back_s)

    def failing_together(
        self, time_s: float, replicas: Sequence[int], *, back_s: float | None = None
    ) -> "Schedule":
        """Return the same with a failure of several replicas at once, as of a node that they share."""
        added = [(time_s, k, FAIL) for k in replicas]
        if back_s is not None:
            added += [(time_s + back_s, k, UP) for k in replicas]
        mine = zip(self.time_s.tolist(), self.replica.tolist(), self.what.tolist(), strict=True)
        return _in_order([*mine, *added])


def always(replicas: int) -> Schedule:
    """Return the schedule of so many replicas from the start on.

    >>> always(3).replicas
    3
    """
    return changing([(0.0, replicas)])


def changing(steps: Sequence[tuple[float, int]], *, cold_start_s: float = 0.0) -> Schedule:
    """Return the schedule of a fleet that is asked to have so many replicas from each time on.

    steps: (seconds, replicas), in order. Those of the first step are warm; each later one is up cold_start_s after
    it was asked for. A smaller number drains the last ones at once; one asked back before it was up, or while it
    drains, is the same replica again. Raises UserError on steps that are none.
    """
    if not steps or steps[0][1] < 0 or cold_start_s < 0:
        raise UserError(
            "A schedule needs a first step with a number of replicas from 0, and a cold start from 0 s."
        )
    events: list[tuple[float, int, int]] = [(steps[0][0], k, UP) for k in range(steps[0][1])]
    for (before_s, before), (time_s, after) in pairwise(steps):
        if time_s <= before_s or after < 0:
            raise UserError(
                f"The step to {after} replicas at {time_s:g} s must be later than {before_s:g} s, from 0."
            )
        events = [each for each in events if not (each[1] >= after and each[0] > time_s)]
        events += [(time_s, k, DRAIN) for k in range(after, before)]
        events += [(time_s + cold_start_s, k, UP) for k in range(before, after)]
    return _in_order(events)


def _in_order(events: list[tuple[float, int, int]]) -> Schedule:
    events = sorted(events, key=lambda each: each[0])
    return Schedule(
        time_s=np.array([each[0] for each in events]),
        replica=np.array([each[1] for each in events], dtype=np.int64),
        what=np.array([each[2] for each in events], dtype=np.int64),
    )
