"""The contract between what will be asked and what it takes: joint sample paths of one workload's demand."""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import numpy.typing as npt

from data.traffic import Basis
from data.units import DAY_S, WEEK_HOURS

Floats = npt.NDArray[np.float64]

HORIZONS_DAYS = (30, 90, 365)
QUANTILES = (0.1, 0.5, 0.8, 0.9, 0.95)
"""Quantiles over paths that are reported everywhere."""
BAND = (0.025, 0.1, 0.5, 0.9, 0.975)
"""Quantiles of each token percentile: the median with its 80% and 95% interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Second moments of a workload's lengths, as ratios that stay put when traffic grows.

    prompt_sq = E[P^2]/E[P]^2, cached_sq = E[C^2]/E[C]^2, prompt_cached = E[PC]/(E[P]E[C]),
    prompt_output = E[PO]/(E[P]E[O]), output_sq = E[O^2]/E[O]^2. A ratio whose mean is 0 is 1.
    """

    prompt_sq: float
    cached_sq: float
    prompt_cached: float
    prompt_output: float
    output_sq: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LongShare:
    """Share of the requests, and of each token sum, that prompts above a length make up (0..1)."""

    threshold_tok: int
    requests: float
    prompt_tok: float
    cached_prompt_tok: float
    output_tok: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenOutlook:
    """Percentiles of one length field, day by day.

    tok: (P, D, 5) forecast of each percentile of PERCENTILES on each day: its q2.5, q10, median, q90 and q97.5
    over the paths. paths: (P, S, D), each percentile on the same paths as the mean, None where only tok is known.
    Percentiles never cross: both are non-decreasing along the first axis.
    """

    field: str
    tok: Floats
    paths: npt.NDArray[np.float32] | None = None

    @classmethod
    def of(cls, field: str, paths: npt.ArrayLike) -> "TokenOutlook":
        """Return the outlook of paths (P, S, D), tokens; single precision is finer than any length is known."""
        kept = np.asarray(paths, dtype=np.float32)
        tok = np.quantile(kept.astype(np.float64), BAND, axis=1).transpose(1, 2, 0)
        return cls(field=field, tok=np.maximum.accumulate(tok, axis=0), paths=kept)  # rounding, at most

    def times(self, factor: float | Floats) -> "TokenOutlook":
        """Return the outlook with every length multiplied by a factor: one number, or (S, D) by path and day."""
        by = np.asarray(factor, dtype=np.float64)
        if (by == 1.0).all():
            return self
        if self.paths is not None:
            return TokenOutlook.of(self.field, self.paths * by.astype(np.float32))
        return replace(self, tok=self.tok * (by if by.ndim == 0 else by.mean(axis=0)[None, :, None]))

    def first(self, days: int) -> "TokenOutlook":
        """Return the first `days` days."""
        paths = None if self.paths is None else self.paths[:, :, :days]
        return replace(self, tok=self.tok[:, :days], paths=paths)


@dataclass(frozen=True, slots=True, kw_only=True)
class Busiest:
    """The busiest window of `window_s` seconds of each day.

    factor: (S, D) its rate over the day's mean, at least 1. estimated: never seen, but worked out from longer
    windows and the workload's index of dispersion.
    """

    window_s: int
    factor: Floats
    estimated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """Joint sample paths of one workload's demand, S paths over D UTC days.

    days: (D,) datetime64[D]; the first is the plan's as_of, the first day that is not known.
    requests: (S, D) requests a day. prompt_tok, cached_prompt_tok, output_tok: (S, D) mean tokens a request.
    busiest_10s_factor: (S, D) rate in the day's busiest 10 s over its mean rate, at least 1. (For sources
        whose windows are longer it is the busiest window's; `window_s` says which.)
    hour_of_week: (168,) traffic by UTC hour, Monday 00:00 first, mean 1, as the clocks stand on as_of.
    clock_shift_h: (D,) hours by which the workload's local clock is ahead of where it stood on as_of (daylight
        saving): people keep their local hours, so the profile moves in UTC. None = it never does.
    busiest: the same for the busiest hour, minute and 10 s, longest first, where anything tells; on no path does a
        shorter window have a lower factor than a longer one.
    long: shares above LONG_PROMPT_TOK, constant over the horizon.

    A horizon is a prefix of the same paths, so `first(30)` of `first(90)` is `first(30)`.
    """

    workload: str
    as_of: date
    basis: Basis
    days: npt.NDArray[np.datetime64]
    requests: Floats
    prompt_tok: Floats
    cached_prompt_tok: Floats
    output_tok: Floats
    busiest_10s_factor: Floats
    window_s: int
    moments: Moments
    long: tuple[LongShare, ...]
    tokens: tuple[TokenOutlook, ...]
    hour_of_week: Floats
    clock_shift_h: npt.NDArray[np.int64] | None = None
    busiest: tuple[Busiest, ...] = ()

    def first(self, days: int) -> "Demand":
        """Return the same paths over their first `days` days."""
        return replace(
            self,
            days=self.days[:days],
            requests=self.requests[:, :days],
            prompt_tok=self.prompt_tok[:, :days],
            cached_prompt_tok=self.cached_prompt_tok[:, :days],
            output_tok=self.output_tok[:, :days],
            busiest_10s_factor=self.busiest_10s_factor[:, :days],
            busiest=tuple(replace(b, factor=b.factor[:, :days]) for b in self.busiest),
            tokens=tuple(t.first(days) for t in self.tokens),
            clock_shift_h=None if self.clock_shift_h is None else self.clock_shift_h[:days],
        )

    def sums(self) -> Floats:
        """Return (S, D, 9): the SUMS of each path and day."""
        r, p, c, o, m = self.requests, self.prompt_tok, self.cached_prompt_tok, self.output_tok, self.moments
        one = (np.ones_like(p), p, c, o)
        two = (m.prompt_sq * p * p, m.cached_sq * c * c, m.prompt_cached * p * c, m.prompt_output * p * o)
        return np.stack([r * x for x in (*one, *two, m.output_sq * o * o)], axis=-1)

    def hourly(self) -> Floats:
        """Return (S, D, 24): requests in each UTC hour; hours of a day add up to its requests.

        The only route from days to hours: the hour-of-week profile, moved with the local clock and renormalised
        within each day.
        """
        weekday = (self.days.astype("datetime64[D]").astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday
        shift = np.zeros_like(weekday) if self.clock_shift_h is None else self.clock_shift_h
        slot = (weekday * 24 + shift)[:, None] + np.arange(24)
        profile = self.hour_of_week[slot % WEEK_HOURS]
        total = profile.sum(axis=1, keepdims=True)
        share = np.divide(profile, total, out=np.full_like(profile, 1 / 24), where=total > 0)
        return np.asarray(self.requests[:, :, None] * share[None])

    def peak_qps(self) -> Floats:
        """Return (S, D): requests a second in each day's busiest window."""
        return np.asarray(self.requests / DAY_S * self.busiest_10s_factor)
