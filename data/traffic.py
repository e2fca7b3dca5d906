"""What one workload asked for in the past, as every later room reads it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

FIELDS = ("prompt", "cached", "output")
"""Token-length fields: prompt_tok, cached_prompt_tok, output_tok of the canonical request."""

PERCENTILES = (0.5, 0.9, 0.95, 0.99)
"""Token-length percentiles that are read, forecast and printed."""

LONG_PROMPT_TOK = (32_000, 100_000, 128_000, 200_000, 256_000, 272_000)
"""Prompt lengths above which sums are kept apart: where API prices step, and 32K for the long-context share."""

SUMS = (
    "requests",
    "prompt_tok_sum",
    "cached_prompt_tok_sum",
    "output_tok_sum",
    "prompt_tok_sq_sum",
    "cached_prompt_tok_sq_sum",
    "prompt_cached_sum",
    "prompt_output_sum",
    "output_tok_sq_sum",
)
"""The sufficient statistics of work, in the order of every array whose last axis is called sums.

The compute of a request is bilinear in its lengths, so the work of any set of requests on any GPU is the dot
product of these nine sums with that GPU's coefficients (`sizing.profile.ReplicaProfile.work_s`).
"""

Basis = Literal["history", "short history", "no history"]
Category = Literal["online", "batch", "scheduled"]
PercentileBasis = Literal["requests", "stated", "histogram", "none"]
"""Where percentiles of lengths come from: every request, figures or histograms of the source, or nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumed:
    """What is taken for granted where a source of sums does not say it; the page prints what was used.

    prompt_tok, output_tok: tokens of a request, for sources that do not count requests or do not state tokens;
    None assumes nothing. prompt_cv, output_cv: standard deviation of a length over its mean, where no percentiles
    are stated. The defaults are near those of public traces: Azure 2023 conversation 0.96 and 0.77, Mooncake
    conversation 1.31 and 0.73, ServeGen m-large prompts 1.19 (docs/store.md; measured 2026-11-24).
    """

    prompt_tok: float | None = None
    output_tok: float | None = None
    prompt_cv: float = 1.2
    output_cv: float = 1.0


NOTHING_ASSUMED = Assumed()


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Which stored requests belong to a workload; a key left out matches everything.

    Applied when the store is read, so that a changed mapping never ingests again.
    """

    label: str | None = None
    model: str | None = None
    region: str | None = None
    team: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """One workload's past, by UTC day and by its finest window.

    daily: one row per calendar day from the first to the last day seen, indexed by naive UTC midnight
        (datetime64[ns], name `day_utc`). Columns:
        - `requests`: served + throttled requests (failed ones are counted in `failed_requests`). NaN = no data.
        - `observed_share`: share of the day that lies between the source's first and last record (0..1); a
          first or last day that is cut off has < 1.
        - the other eight SUMS, scaled up to `requests` where some requests had no token counts;
          NaN = unknown (a source that does not state them).
        - `{field}_p{50,90,95,99}_tok` for FIELDS: percentiles of the length, NaN = unknown.
        - `peak_10s_requests`, `peak_minute_requests`, `peak_hour_requests`: busiest window of the day.
        - `long_{threshold}_{sum}` for LONG_PROMPT_TOK and SUMS: what the requests with a longer prompt add up to.
        - `throttled_requests` (among `requests`), `failed_requests`, `missing_tok_requests`, `cached_known_share`.
    windows: sums per finest window of the newest (at most) 35 days, one column per SUMS, indexed by naive UTC
        window start (name `window_utc`); windows without a request are present as zeros inside observed time,
        absent in gaps.
    window_s: length of those windows: 10 for request logs, 600 for 10-minute aggregates, and so on.
    hour_of_week: (168,) share of traffic by UTC hour, Monday 00:00 first, mean 1.
    hours: requests of each whole hour of the newest (at most) 112 days, indexed by naive UTC hour (name
        `hour_utc`); hours without a request are present as zeros inside observed time, absent in gaps. Empty where
        windows are longer than an hour.
    joint: prompt_tok, output_tok, cached_share, weight: representative lengths of the newest 35 days, weights
        adding up to 1; fitted (see notes) where the source gives only statistics.
    percentile_basis: what the percentiles of `daily` rest on. percentile_widths: field -> (P, 2), by which ratios
        a percentile from a histogram may lie below and above what is given; empty where percentiles are exact.
    arrival_cv: coefficient of variation of the gaps between one client's requests within a window (Poisson: 1),
        where an aggregated source states it.
    source_kind: `requests` where each request was logged, `aggregates` where only sums were.
    notes: sentences that the page must print about this source.
    """

    workload: str
    match: Match
    source_kind: Literal["requests", "aggregates"]
    daily: pd.DataFrame
    windows: pd.DataFrame
    window_s: int
    hour_of_week: npt.NDArray[np.float64]
    joint: pd.DataFrame
    first_utc: pd.Timestamp
    last_utc: pd.Timestamp
    notes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    hours: "pd.Series[float]" = field(default_factory=lambda: no_hours())
    percentile_basis: PercentileBasis = "requests"
    percentile_widths: Mapping[str, npt.NDArray[np.float64]] = field(default_factory=dict)
    arrival_cv: float | None = None

    @property
    def full_days(self) -> int:
        """Number of days observed from end to end."""
        return int((self.daily["observed_share"] >= 1.0).sum())


def no_hours() -> "pd.Series[float]":
    """Return the empty `Traffic.hours` of a source that does not tell hours apart."""
    return pd.Series(np.zeros(0), index=pd.DatetimeIndex([], name="hour_utc"), name="requests")


@dataclass(frozen=True, slots=True, kw_only=True)
class DataQuality:
    """What was read and what was not, for one workload or the whole store."""

    since: date
    until: date
    files: int
    rows_read: int
    rows_duplicate: int
    rows_rejected: int
    requests: float
    failed_requests: float
    missing_tok_requests: float
    gap_days: int
    throttled_requests: float = 0.0
    """429s among `requests`: demand that was not served."""
    rejected_by_reason: Mapping[str, int] = field(default_factory=dict)
