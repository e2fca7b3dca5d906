"""The calendar that past traffic is laid on: which days and hours were observed, and how a week looks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.frames import frame
from data.traffic import FIELDS, NOTHING_ASSUMED, PERCENTILES, Assumed, Match, PercentileBasis, no_hours
from data.units import DAY_S, HOUR_S, MINUTE_S, WEEK_HOURS
from data.warehouse import Store, query

Floats = npt.NDArray[np.float64]

WINDOW_DAYS = 35
"""Days of windows and of the joint distribution: what stands for the present."""

PROFILE_DAYS = 56
"""Days behind the hour-of-week profile: eight weeks, so that growth does not tilt it."""

HOURS_DAYS = 112
"""Days of hours that are kept for the forecast of the profile, which weighs the newest most."""

_EDGE_GAPS = 10.0
"""A day's first record may come this many mean gaps after midnight, and the day still counts as whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Which traffic is asked for: a match and a half-open span of UTC days."""

    match: Match
    since: date | None
    until: date
    assumed: Assumed = NOTHING_ASSUMED

    def parameters(self, since: date | None = None) -> dict[str, Any]:
        """Return the $parameters of the traffic queries; `since` narrows the span."""
        begin = since or self.since or date(1970, 1, 1)
        return {
            "label": self.match.label,
            "model": self.match.model,
            "region": self.match.region,
            "team": self.match.team,
            "since": datetime.combine(begin, time(), UTC),
            "until": datetime.combine(self.until, time(), UTC),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """When the sources of a workload were watched. first, last: naive UTC; days: midnights with any record."""

    first: pd.Timestamp
    last: pd.Timestamp
    days: pd.DatetimeIndex
    fine_since: pd.Timestamp | None
    """First day from which the store still has 10-s rows of every one of the sources."""
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What a reader of one kind of source finds; `data.read_traffic` makes a Traffic of it."""

    daily: pd.DataFrame
    windows: pd.DataFrame
    window_s: int
    hour_of_week: Floats
    joint: pd.DataFrame
    notes: tuple[str, ...] = field(default=())
    hours: "pd.Series[float]" = field(default_factory=no_hours)
    percentile_basis: PercentileBasis = "requests"
    percentile_widths: Mapping[str, Floats] = field(default_factory=dict)
    arrival_cv: float | None = None


def observe(store: Store, ask: Ask, labels: list[str]) -> Observed:
    """Return when these sources were watched within the asked span."""
    files = frame(
        store.con,
        """SELECT path, sha256, first_utc, last_utc FROM file_manifest
        WHERE status = 'done' AND list_contains($labels, source_label) ORDER BY path, sha256""",
        {"labels": labels},
    )
    span = ask.parameters()
    days = frame(
        store.con, query("observed_days"), {"labels": labels, "since": span["since"], "until": span["until"]}
    )
    fine = frame(
        store.con,
        """SELECT max(first_utc) AS since FROM (SELECT min(window_utc) AS first_utc FROM rollup_10s
        WHERE list_contains($labels, source_label) GROUP BY source_label)""",
        {"labels": labels},
    )["since"]
    first, last = files["first_utc"].min(), files["last_utc"].max()
    names = tuple(
        f"{path.rpartition('/')[2]} sha256:{sha256[:12]}" for path, sha256 in files[["path", "sha256"]].values
    )
    begin, end = (pd.Timestamp(span[key]).tz_convert(None) for key in ("since", "until"))
    return Observed(
        first=max(first, begin).as_unit("ns"),
        last=min(last, end).as_unit("ns"),
        days=pd.DatetimeIndex(days["day_utc"]),
        fine_since=fine.iloc[0].floor("D") if fine.notna().all() else None,
        files=names,
    )


def by_day(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows with a `day_utc` column indexed by it."""
    return rows.set_index("day_utc")


def calendar(first_day: pd.Timestamp, observed: Observed) -> pd.DatetimeIndex:
    """Return every day from the first one to the last one on which the sources had a record."""
    return pd.date_range(first_day, observed.days.max(), freq="D", name="day_utc", unit="ns")


def observed_share(days: pd.DatetimeIndex, observed: Observed, requests: pd.Series) -> pd.Series:
    """Return the share of each day between the sources' first and last record; 0 on days without any record.

    The first and last day count as whole where what is missing is no longer than some gaps between requests of
    that day (at least a minute, at most an hour): midnight itself rarely sees a request.
    """
    late_s = np.clip((observed.first - days).total_seconds().to_numpy(), 0.0, DAY_S)
    early_s = np.clip((days + pd.Timedelta(days=1) - observed.last).total_seconds().to_numpy(), 0.0, DAY_S)
    seen_s = np.clip(DAY_S - late_s - early_s, 0.0, DAY_S)
    mean_gap_s = seen_s / np.maximum(requests.reindex(days).fillna(1.0).to_numpy(dtype=np.float64), 1.0)
    slack_s = np.clip(_EDGE_GAPS * mean_gap_s, MINUTE_S, HOUR_S)
    share = np.where(np.maximum(late_s, early_s) <= slack_s, 1.0, seen_s / DAY_S)
    return pd.Series(np.where(days.isin(observed.days), share, 0.0), index=days)


def percentile_columns(lengths: Mapping[Any, Floats], days: pd.DatetimeIndex) -> dict[str, pd.Series]:
    """Return `{field}_p{50,90,95,99}_tok` by day from {(field, day): (P,) lengths}; NaN where none is known."""
    index = pd.MultiIndex.from_product([FIELDS, days])
    rows = np.array([lengths.get(key, np.full(len(PERCENTILES), np.nan)) for key in index])
    by_field = rows.reshape(len(FIELDS), len(days), len(PERCENTILES))
    return {
        f"{field}_p{round(100 * p)}_tok": pd.Series(by_field[i, :, j], index=days)
        for i, field in enumerate(FIELDS)
        for j, p in enumerate(PERCENTILES)
    }


def window_grid(observed: Observed, window_s: int, since: pd.Timestamp | None = None) -> pd.DatetimeIndex:
    """Return the start of every window of the newest WINDOW_DAYS days inside observed time; gaps are left out."""
    newest = observed.days[observed.days > observed.days.max() - pd.Timedelta(days=WINDOW_DAYS)]
    newest = newest[newest >= since] if since is not None else newest
    per_day = DAY_S // window_s
    step = pd.to_timedelta(np.arange(per_day) * window_s, unit="s")
    grid = pd.DatetimeIndex((newest.to_numpy()[:, None] + step.to_numpy()[None, :]).ravel(), name="window_utc")
    first = observed.first.floor(f"{window_s}s")
    return grid[(grid >= first) & (grid <= observed.last)].as_unit("ns")


def hour_of_week(hours: pd.Series, observed: Observed) -> Floats:
    """Return (168,) traffic by UTC hour from Monday 00:00, mean 1, from hours that were observed from end to end.

    hours: requests by naive UTC hour; hours inside observed time that are not there had none. A slot that was
    never observed takes the mean of its hour of day; below one full day the profile is flat.
    """
    values = whole_hours(hours, observed, PROFILE_DAYS)
    grid = pd.DatetimeIndex(values.index)
    flat = np.ones(WEEK_HOURS)
    if len(grid) < DAY_S // HOUR_S:
        return flat
    slot = values.groupby(grid.day_of_week * 24 + grid.hour).mean().reindex(range(WEEK_HOURS)).to_numpy()
    hour = values.groupby(grid.hour).mean().reindex(range(24)).to_numpy()
    profile = np.where(np.isnan(slot), np.tile(hour, 7), slot)
    profile = np.where(np.isnan(profile), np.nanmean(profile), profile)
    return profile / profile.mean() if profile.mean() > 0 else flat


def whole_hours(
    hours: pd.Series, observed: Observed, days: int = HOURS_DAYS, *, whole_days: pd.DatetimeIndex | None = None
) -> "pd.Series[float]":
    """Return the requests of each hour of the newest `days` days that was observed from end to end.

    hours: requests by naive UTC hour. Hours of observed days that are not there had none; other days are absent.
    whole_days: days that count as whole (`observed_share`), though their first or last record is not at midnight.
    """
    begin = observed.days.max() - pd.Timedelta(days=days - 1)
    stop = observed.days.max() + pd.Timedelta(days=1)
    grid = pd.date_range(begin, stop, freq="h", inclusive="left", unit="ns", name="hour_utc")
    uncut = (grid >= observed.first.ceil("h")) & (grid < observed.last.floor("h"))
    if whole_days is not None:
        uncut |= grid.floor("D").isin(whole_days)
    grid = grid[uncut & grid.floor("D").isin(observed.days)]
    return hours.reindex(grid).fillna(0.0).astype(np.float64).rename("requests")
