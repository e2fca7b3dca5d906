"""When synthetic requests arrive: a diurnal stream, bursts of agent sessions, and nightly batches.

Times are whole microseconds since 1970-01-01 UTC, as int64.
"""

from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import numpy.typing as npt
from scipy import stats

from data.synthetic_world import BATCH_FRONT, BATCH_HOURS, BATCH_START_HOUR
from data.units import DAY_S, HOUR_S, MINUTE_S

Floats = npt.NDArray[np.float64]
Micros = npt.NDArray[np.int64]

MICRO = 1_000_000
MINUTES = DAY_S // MINUTE_S

CHAT_OFFSET_HOURS = (1, -6)
"""Local time of the two regions that chat is used in, and their shares of it."""
CHAT_REGION_SHARE = (0.55, 0.45)
CHAT_MINUTE_VARIANCE = 0.04
"""Variance of a minute's rate around its mean of 1: index of dispersion 1 + 0.04 x requests a minute."""

SESSION_MEDIAN, SESSION_SIGMA, SESSION_MOST = 18.0, 0.95, 600
"""Requests of one agent session: 1 + a lognormal, cut at 600. Sessions this uneven are what makes bursts."""
FAST_SHARE, FAST_GAP_S, SLOW_GAP_S = 0.7, 0.6, 10.0
"""Most sessions fan out to many agents and send a request every 0.6 s, the others every 10 s in the mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessions:
    """Agent sessions, request by request: (N,) times, the session of each, and where each session begins."""

    arrived_us: Micros
    session: npt.NDArray[np.int64]
    first: npt.NDArray[np.int64]
    count: int


def midnight_us(day: date) -> int:
    """Return the microsecond at which a UTC day begins."""
    return (day - date(1970, 1, 1)).days * DAY_S * MICRO


def moment_us(moment: datetime) -> int:
    """Return the microsecond of a moment that carries its zone."""
    return int(moment.timestamp()) * MICRO


def chat_arrivals(rng: np.random.Generator, first: date, daily: Floats) -> tuple[Micros, npt.NDArray[np.int8]]:
    """Return (times, region codes) of a diurnal stream with `daily` expected requests on each day, unsorted."""
    share = np.stack(
        [s * _waking_hours(o) for s, o in zip(CHAT_REGION_SHARE, CHAT_OFFSET_HOURS, strict=True)], axis=-1
    )
    shape = 1 / CHAT_MINUTE_VARIANCE
    busy = rng.gamma(shape, 1 / shape, size=(len(daily), MINUTES, 1))
    counts = rng.poisson(daily[:, None, None] * share[None] * busy).reshape(-1)
    slot = np.repeat(np.arange(counts.size, dtype=np.int64), counts)
    minute, region = slot // 2, (slot % 2).astype(np.int8)
    within = rng.integers(0, MINUTE_S * MICRO, size=slot.size)
    return midnight_us(first) + minute * (MINUTE_S * MICRO) + within, region


def session_arrivals(rng: np.random.Generator, first: date, daily: Floats) -> Sessions:
    """Return sessions whose requests add up to `daily` in the mean, in order of session and time within it."""
    expected = daily[:, None] * _office_hours() / mean_session_requests()
    counts = rng.poisson(expected).reshape(-1)
    minute = np.repeat(np.arange(counts.size, dtype=np.int64), counts)
    begin = midnight_us(first) + minute * (MINUTE_S * MICRO) + rng.integers(0, MINUTE_S * MICRO, size=minute.size)
    drawn = SESSION_MEDIAN * np.exp(SESSION_SIGMA * rng.standard_normal(minute.size))
    size = 1 + np.minimum(drawn, SESSION_MOST - 1).astype(np.int64)
    gap_s = np.where(rng.random(minute.size) < FAST_SHARE, FAST_GAP_S, SLOW_GAP_S)
    session = np.repeat(np.arange(minute.size), size)
    first_row = np.cumsum(size) - size
    gaps = rng.standard_exponential(session.size) * gap_s[session]
    elapsed = since_session_start(gaps, session, first_row)
    return Sessions(
        arrived_us=begin[session] + (elapsed * MICRO).astype(np.int64),
        session=session,
        first=first_row,
        count=minute.size,
    )


def since_session_start(steps: Floats, session: npt.NDArray[np.int64], first: npt.NDArray[np.int64]) -> Floats:
    """Return the running sum of steps within each session; a session's first request stands at 0."""
    total = np.cumsum(steps)
    return np.asarray(total - total[first[session]]) if session.size else total


def night_arrivals(rng: np.random.Generator, first: date, nightly: Floats) -> Micros:
    """Return times of batches handed in from 22:00 UTC of each day over four hours, `nightly` in the mean."""
    counts = rng.poisson(nightly)
    night = np.repeat(np.arange(len(nightly), dtype=np.int64), counts)
    share = 1 - (1 - rng.random(night.size)) ** (1 / BATCH_FRONT)
    into_s = BATCH_START_HOUR * HOUR_S + share * (BATCH_HOURS * HOUR_S)
    return np.asarray(midnight_us(first) + night * (DAY_S * MICRO) + (into_s * MICRO).astype(np.int64))


def mean_session_requests() -> float:
    """Return the mean of 1 + floor(min(lognormal, 599)): 1 plus the sum of P(lognormal >= k) for k = 1..599."""
    k = np.arange(1, SESSION_MOST)
    return float(1 + stats.lognorm.sf(k, SESSION_SIGMA, scale=SESSION_MEDIAN).sum())


def _waking_hours(offset_hours: int) -> Floats:
    """(1440,) share of a day's chat in each UTC minute: little at night, a rise at work and one in the evening."""
    local = (np.arange(MINUTES) / 60 + offset_hours) % 24
    shape = 0.25 + _bump(local, 11.0, 3.0) + 0.8 * _bump(local, 20.5, 2.0)
    return np.asarray(shape / shape.sum())


def _office_hours() -> Floats:
    """(1440,) share of a day's sessions in each UTC minute: the working days of Europe and America."""
    hour = np.arange(MINUTES) / 60
    shape = 0.08 + _bump(hour, 9.5, 2.2) + 1.1 * _bump(hour, 17.5, 2.8)
    return np.asarray(shape / shape.sum())


def _bump(hour: Floats, centre: float, width: float) -> Floats:
    distance = np.abs(hour - centre)
    return np.asarray(np.exp(-0.5 * (np.minimum(distance, 24 - distance) / width) ** 2))
