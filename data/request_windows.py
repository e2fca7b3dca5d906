"""Windows of any length, and of requests up to a length, from the stored requests themselves.

The store's own rows are 10 s and 60 s long and hold all requests together; the lake's Parquet says the rest: what
happens within a second, and what the longest requests make up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.errors import UserError
from data.frames import frame
from data.traffic import SUMS, Match
from data.traffic_shape import Ask, Observed, observe, window_grid
from data.units import DAY_S
from data.warehouse import Store, query

Floats = npt.NDArray[np.float64]

SECONDS_DAYS = 7
"""Newest days of which windows of one second are made: 604,800 rows."""

_CACHED = ("cached_prompt_tok_sum", "cached_prompt_tok_sq_sum", "prompt_cached_sum")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLengths:
    """How long the matching requests are, prompt and output tokens together.

    tok: (N,) the lengths that occur, rising; requests: (N,) how many have each.
    """

    tok: npt.NDArray[np.int64]
    requests: Floats

    def at(self, share: float) -> int:
        """Return the least length that at least `share` of the requests do not exceed."""
        reached = np.cumsum(self.requests)
        at = int(np.searchsorted(reached, share * reached[-1] * (1 - 1e-12), side="left"))
        return int(self.tok[min(at, len(self.tok) - 1)])

    def share_above(self, tok: float) -> float:
        """Return the share (0..1) of requests that are longer."""
        return float(self.requests[self.tok > tok].sum() / self.requests.sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class BandedWindows:
    """Windows of the newest days, parted by the length of their requests (prompt + output tokens).

    above_tok: (K,) lengths, rising. bands: K + 1 tables of SUMS by naive UTC window start, as `Traffic.windows`:
    requests of up to the first length, of up to the second, ..., beyond the last. They add up to all requests.
    """

    window_s: int
    above_tok: tuple[int, ...]
    bands: tuple[pd.DataFrame, ...]

    @property
    def whole(self) -> pd.DataFrame:
        """All requests together."""
        return sum(self.bands[1:], self.bands[0])

    def within(self, tok: int) -> pd.DataFrame:
        """Return the windows of the requests of up to `tok` tokens, one of above_tok."""
        cut = self.above_tok.index(tok) + 1
        return sum(self.bands[1:cut], self.bands[0])

    def beyond(self, tok: int) -> pd.DataFrame:
        """Return the windows of the longer requests."""
        cut = self.above_tok.index(tok) + 1
        return sum(self.bands[cut + 1 :], self.bands[cut])


def request_lengths(
    store: Store, *, match: Match, since: date | None, until: date, newest_days: int
) -> RequestLengths | None:
    """Return how long the requests of the newest days are, None where the lake has none (sums alone)."""
    found = _span(store, Ask(match=match, since=since, until=until), newest_days)
    if found is None:
        return None
    ask, begin, _ = found
    counts = frame(store.con, query("matched_lengths"), ask.parameters(begin))
    if not len(counts):
        return None
    return RequestLengths(
        tok=counts["request_tok"].to_numpy(dtype=np.int64), requests=counts["requests"].to_numpy(dtype=np.float64)
    )


def request_windows(
    store: Store,
    *,
    match: Match,
    since: date | None,
    until: date,
    window_s: int,
    newest_days: int,
    above_tok: Sequence[int] = (),
) -> BandedWindows | None:
    """Return the windows of the newest days, None where the lake has no such request (sums alone).

    above_tok: lengths (prompt + output) at which the windows are parted; they rise. A request whose log states no
    lengths counts as the mean request of its day, shared among the bands as that day's others are. Cached tokens
    that nobody stated count as none. Raises UserError where a day does not split into such windows.
    """
    if window_s < 1 or DAY_S % window_s:
        raise UserError(f"A day does not split into windows of {window_s} s; use a divisor of 86,400 such as 1.")
    found = _span(store, Ask(match=match, since=since, until=until), newest_days)
    if found is None:
        return None
    ask, begin, observed = found
    asked = {"window_us": window_s * 1_000_000, "above_tok": [int(tok) for tok in above_tok]}
    rows = frame(store.con, query("matched_windows"), {**ask.parameters(begin), **asked})
    if not len(rows):
        return None
    grid = window_grid(observed, window_s, pd.Timestamp(begin))
    bands = _bands(rows, grid, len(above_tok) + 1)
    return BandedWindows(window_s=window_s, above_tok=tuple(int(tok) for tok in above_tok), bands=bands)


def _span(store: Store, ask: Ask, newest_days: int) -> tuple[Ask, date, Observed] | None:
    """Return what is asked, the first of its newest days, and when its sources were watched."""
    found = store.con.execute(query("matched_labels"), ask.parameters()).fetchall()
    labels = sorted({label for label, kind in found if kind == "requests"})
    if not labels:
        return None
    observed = observe(store, ask, labels)
    newest = observed.days.max() - pd.Timedelta(days=newest_days - 1)
    begin = max(newest, pd.Timestamp(ask.since)) if ask.since else newest
    return ask, begin.date(), observed


def _bands(rows: pd.DataFrame, grid: pd.DatetimeIndex, count: int) -> tuple[pd.DataFrame, ...]:
    """Return one table of SUMS a band; requests of unknown length are shared out as their day's known ones are."""
    unknown = rows[rows["band"].isna()].set_index("window_utc")["requests"].reindex(grid).fillna(0.0).to_numpy()
    day = grid.floor("D")
    tables = [_band(rows[rows["band"] == n], grid) for n in range(count)]
    day_sums = [table.groupby(day).transform("sum").to_numpy() for table in tables]
    known = sum(each[:, 0] for each in day_sums)
    share = np.divide(unknown, known, out=np.zeros_like(unknown), where=known > 0)
    for table, sums in zip(tables, day_sums, strict=True):
        table += share[:, None] * sums
    # A day on which nobody states a length has no mean request: its requests still count as requests.
    tables[0]["requests"] += np.where(known > 0, 0.0, unknown)
    return tuple(tables)


def _band(rows: pd.DataFrame, grid: pd.DatetimeIndex) -> pd.DataFrame:
    """Return the SUMS of one band, unknown cached tokens taken as the mean of the band's day."""
    table = rows.set_index("window_utc").reindex(grid).fillna(0.0)
    day = table.groupby(grid.floor("D"))
    known = day["cached_known_requests"].transform("sum")
    silent = table["requests"] - table["cached_known_requests"]
    for name in _CACHED:
        table[name] += silent * (day[name].transform("sum") / known.where(known > 0)).fillna(0.0)
    return table.loc[:, list(SUMS)].astype(np.float64)
