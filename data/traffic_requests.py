"""The past of a workload whose requests were logged one by one, read from the rollups alone."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from data.buckets import COARSE, FINE, middles, quantiles
from data.frames import frame
from data.traffic import LONG_PROMPT_TOK, PERCENTILES, SUMS
from data.traffic_shape import (
    WINDOW_DAYS,
    Ask,
    Observed,
    Past,
    by_day,
    calendar,
    hour_of_week,
    observed_share,
    percentile_columns,
    whole_hours,
    window_grid,
)
from data.units import MINUTE_S
from data.warehouse import Store, query

_CACHED = ("cached_prompt_tok_sum", "cached_prompt_tok_sq_sum", "prompt_cached_sum")
_PLAIN = tuple(name for name in SUMS if name != "requests" and name not in _CACHED)

_LEAST_FINE_DAYS = 7
"""With fewer days of 10-s rows than this (a plan made for a past date), five weeks of minutes say more."""

UNKNOWN_CACHED = (
    "This source does not state cached prompt tokens: its windows and lengths count none as cached, so that every"
    " prompt token is computed."
)
"""Why a plan on this source is on the safe side."""


def read_requests_past(store: Store, ask: Ask, observed: Observed) -> Past:
    """Return the past of the matching requests; failed ones are counted apart and add nothing to the sums."""
    sums = daily_sums(store, ask)
    days = calendar(sums.index.min(), observed)
    daily = _daily(store, ask, observed, days, sums)
    windows, window_s = _windows(store, ask, observed, sums)
    counted = frame(store.con, query("traffic_hours"))
    hours = counted.set_index("hour_utc")["requests"]
    return Past(
        daily=daily,
        windows=windows,
        window_s=window_s,
        hour_of_week=hour_of_week(hours, observed),
        joint=_joint(store, ask, observed, windows),
        notes=_notes(daily, window_s),
        hours=whole_hours(hours, observed, whole_days=days[daily["observed_share"] >= 1.0]),
    )


def daily_sums(store: Store, ask: Ask) -> pd.DataFrame:
    """Return the sums, failures and peaks of each day with matching requests; leaves the table matched_minute."""
    store.con.execute(query("matched_minutes"), ask.parameters())
    return frame(store.con, query("traffic_daily")).set_index("day_utc")


def _daily(store: Store, ask: Ask, observed: Observed, days: pd.DatetimeIndex, sums: pd.DataFrame) -> pd.DataFrame:
    asked = sums["requests"].reindex(days).fillna(0.0).where(days.isin(observed.days))
    counted = sums.reindex(days)
    columns = {"requests": asked, "observed_share": observed_share(days, observed, asked)}
    columns |= {name: _scaled(counted[name], counted["token_requests"], asked) for name in _PLAIN}
    columns |= {name: _scaled(counted[name], counted["cached_known_requests"], asked) for name in _CACHED}
    columns |= _percentiles(store, ask, days)
    columns |= _peaks(store, ask, observed, counted, asked)
    columns |= _long(store, ask, days, counted, asked)
    failed = counted["failed_requests"].fillna(0.0).where(asked.notna())
    columns["throttled_requests"] = counted["throttled_requests"].fillna(0.0).where(asked.notna())
    columns["failed_requests"] = failed
    columns["missing_tok_requests"] = asked - counted["token_requests"].fillna(0.0)
    columns["cached_known_share"] = counted["cached_known_requests"] / counted["token_requests"].where(
        lambda n: n > 0
    )
    return pd.DataFrame(columns, index=days)


def _scaled(total: pd.Series, known: pd.Series, asked: pd.Series) -> pd.Series:
    """Return a sum over `known` requests scaled up to all; NaN where none is known, 0 on days without requests."""
    return (total * (asked / known.where(known > 0))).mask(asked == 0, 0.0)


def _percentiles(store: Store, ask: Ask, days: pd.DatetimeIndex) -> dict[str, pd.Series]:
    counts = frame(store.con, query("traffic_histograms"), ask.parameters())
    quantile_of = {
        key: quantiles(FINE, rows["bucket"], rows["requests"], PERCENTILES)
        for key, rows in counts.groupby(["field", "day_utc"], sort=True)
    }
    return percentile_columns(quantile_of, days)


def _peaks(
    store: Store, ask: Ask, observed: Observed, counted: pd.DataFrame, asked: pd.Series
) -> dict[str, pd.Series]:
    """Return the busiest windows of each day; 10-s peaks are known only where 10-s rows are kept."""
    days = counted.index
    fine = frame(store.con, query("traffic_10s"), ask.parameters())
    busiest = fine.groupby(fine["window_utc"].dt.floor("D"))["requests"].max().reindex(days)
    kept = days >= (observed.fine_since if observed.fine_since is not None else pd.Timestamp.max)
    return {
        "peak_10s_requests": busiest.where(kept).mask(kept & (asked == 0), 0.0),
        "peak_minute_requests": counted["peak_minute_requests"].mask(asked == 0, 0.0),
        "peak_hour_requests": counted["peak_hour_requests"].mask(asked == 0, 0.0),
    }


def _long(
    store: Store, ask: Ask, days: pd.DatetimeIndex, counted: pd.DataFrame, asked: pd.Series
) -> dict[str, pd.Series]:
    """Return what the longer prompts add up to, scaled like the whole; a day without any has zeros."""
    rows = frame(store.con, query("traffic_long"), ask.parameters())
    found = {}
    for threshold in LONG_PROMPT_TOK:
        sums = (
            by_day(rows[rows["threshold_tok"] == threshold].drop(columns="threshold_tok"))
            .reindex(days)
            .fillna(0.0)
        )
        for name in SUMS:
            known = counted["cached_known_requests" if name in _CACHED else "token_requests"]
            found[f"long_{threshold}_{name}"] = _scaled(sums[name], known, asked)
    return found


def _windows(store: Store, ask: Ask, observed: Observed, sums: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Return the windows of the newest days and their length: 10 s where enough of such rows are kept, else 60."""
    newest = _newest(ask, observed)
    fine_since = max(observed.fine_since, newest) if observed.fine_since is not None else None
    recent = observed.days[observed.days >= newest]
    fine_days = recent[recent >= fine_since] if fine_since is not None else recent[:0]
    if len(fine_days) >= min(_LEAST_FINE_DAYS, len(recent)):
        window_s, begin = 10, fine_days.min()
        rows = frame(store.con, query("traffic_10s"), ask.parameters(begin.date()))
    else:
        window_s, begin = MINUTE_S, recent.min()
        rows = frame(store.con, query("traffic_minutes"), {"since": begin.to_pydatetime()})
    grid = window_grid(observed, window_s, begin)
    rows = rows.set_index("window_utc").reindex(grid).fillna(0.0)
    return _filled(rows, sums.reindex(grid.floor("D"))), window_s


def _newest(ask: Ask, observed: Observed) -> pd.Timestamp:
    """Return the first of the newest WINDOW_DAYS days that were asked for."""
    newest = observed.days.max() - pd.Timedelta(days=WINDOW_DAYS - 1)
    return max(newest, pd.Timestamp(ask.since)) if ask.since else newest


def _filled(rows: pd.DataFrame, day: pd.DataFrame) -> pd.DataFrame:
    """Return the windows' SUMS, each request of unknown length counted as the mean request of its day.

    rows: (W,) windows; day: (W,) the sums of each window's day. Cached tokens nobody stated count as none.
    """
    filled = {"requests": rows["requests"]}
    for name in SUMS[1:]:
        known = "cached_known_requests" if name in _CACHED else "token_requests"
        known_of_day = day[known].to_numpy()
        mean = np.divide(day[name].to_numpy(), known_of_day, out=np.zeros(len(day)), where=known_of_day > 0)
        filled[name] = rows[name] + (rows["requests"] - rows[known]) * mean
    return pd.DataFrame(filled, index=rows.index).loc[:, list(SUMS)]


def _joint(store: Store, ask: Ask, observed: Observed, windows: pd.DataFrame) -> pd.DataFrame:
    """Return representative lengths, moved a little so that their means are those of the windows."""
    cells = frame(store.con, query("traffic_joint"), ask.parameters(_newest(ask, observed).date()))
    totals = windows.sum()
    weight = cells["requests"].to_numpy(dtype=np.float64)
    if not len(cells) or totals["requests"] <= 0:
        return pd.DataFrame(
            {name: [] for name in ("prompt_tok", "output_tok", "cached_share", "weight")}, dtype=float
        )
    weight = weight / weight.sum()
    cached = totals["cached_prompt_tok_sum"] / totals["prompt_tok_sum"] if totals["prompt_tok_sum"] > 0 else 0.0
    return pd.DataFrame(
        {
            "prompt_tok": _with_mean(middles(COARSE, cells["prompt_bucket"]), weight, totals, "prompt_tok_sum"),
            "output_tok": _with_mean(middles(COARSE, cells["output_bucket"]), weight, totals, "output_tok_sum"),
            "cached_share": np.full(len(cells), cached),
            "weight": weight,
        }
    )


def _with_mean(lengths: np.ndarray, weight: np.ndarray, totals: pd.Series, name: str) -> np.ndarray:
    mean = float(lengths @ weight)
    return lengths * (totals[name] / totals["requests"] / mean) if mean > 0 else lengths


def _notes(daily: pd.DataFrame, window_s: int) -> tuple[str, ...]:
    missing = daily["missing_tok_requests"].sum()
    notes: Sequence[str | None] = (
        UNKNOWN_CACHED if not (daily["cached_known_share"] > 0).any() else None,
        (
            f"{missing / daily['requests'].sum():.1%} of the requests state no lengths;"
            " they count as the mean request of their day."
            if missing > 0
            else None
        ),
        (
            "The 10-second rows of these days are no longer kept: windows are minutes."
            if window_s == MINUTE_S
            else None
        ),
    )
    return tuple(note for note in notes if note)
