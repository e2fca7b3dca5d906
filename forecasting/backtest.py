"""Forecast past windows of many series as the plan would have, seeing nothing after each cutoff."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.errors import UserError
from forecasting.calendar import make_history
from forecasting.series import forecast_series

Floats = npt.NDArray[np.float64]
Progress = Callable[[int, int], None]

SERIES_COLUMNS = ("unique_id", "ds", "y")
WINDOW_COLUMNS = ("unique_id", "cutoff", "horizon")
QUANTILES = (0.025, 0.1, 0.5, 0.9, 0.975)
OUT_COLUMNS = ("unique_id", "cutoff", "ds", "mean", *(f"q{q}" for q in QUANTILES), "fit_s")
MOST_DAYS = 20_000
"""A series longer than this (54 years) or a horizon beyond it has a mistaken date."""
MOST_PER_BATCH = 16
WAITING_PER_WORKER = 3
MEAN_LEVELS = (np.arange(200) + 0.5) / 200
"""The mean is that of 200 evenly spaced quantiles: what 200 sample paths carry."""


Known = dict[str, tuple[npt.NDArray[np.datetime64], Floats]]
Window = tuple[str, np.datetime64, int]
Job = tuple[str, np.datetime64, Floats, int]
"""Name, first day, values (n,) up to the cutoff with NaN = missing day, horizon: `forecast_window`'s arguments."""


@dataclass(frozen=True, slots=True)
class Backtest:
    """Windows that were checked, and the series (days, values) that they are cut from."""

    known: Known
    windows: list[Window]

    def batches(self, size: int) -> Iterator[list[Job]]:
        """Yield the windows in order, cut at their cutoffs only when asked for: memory stays with the series."""
        for start in range(0, len(self.windows), size):
            yield [_job(self.known, window) for window in self.windows[start : start + size]]


def run_backtest(
    series: pd.DataFrame, windows: pd.DataFrame, *, workers: int = 1, progress: Progress | None = None
) -> pd.DataFrame:
    """Forecast each window (unique_id, cutoff, horizon) of daily series (unique_id, ds, y; missing days absent).

    Returns OUT_COLUMNS, one row per window and day from cutoff + 1, in the order of the windows; fit_s is the
    wall time of the window. `cutoff` is the last day that the forecast sees; no window learns from another
    series. `workers` > 1 spreads the windows over processes, with the same result. `progress` is called with
    (done, total). Raises UserError on missing columns, unreadable, duplicate or not daily dates, NaN, negative or
    infinite y, unknown series and windows without a day of history.
    """
    done = list(stream_backtest(check_backtest(series, windows), workers=workers, progress=progress))
    return pd.concat(done, ignore_index=True) if done else pd.DataFrame(columns=list(OUT_COLUMNS))


def check_backtest(series: pd.DataFrame, windows: pd.DataFrame) -> Backtest:
    """Return the windows ready to be forecast; raises what `run_backtest` does, before anything is forecast."""
    known = by_series(series)
    return Backtest(known, [_checked(known, window) for window in _read_windows(windows)])


def stream_backtest(
    backtest: Backtest, *, workers: int = 1, progress: Progress | None = None
) -> Iterator[pd.DataFrame]:
    """Yield the forecasts of `run_backtest` batch by batch, in the order of the windows.

    At most three batches a worker are under way or wait to be taken, so memory does not grow with the windows.
    """
    total, done = len(backtest.windows), 0
    batches = backtest.batches(batch_size(total, workers))
    for found, count in _spread(batches, workers if total > 1 else 1):
        done += count
        if progress:
            progress(done, total)
        yield found


def batch_size(windows: int, workers: int) -> int:
    """Windows that a worker takes at once: a few hundred rows each way, and four turns a worker at least."""
    return int(np.clip(windows // (4 * workers), 1, MOST_PER_BATCH))


def forecast_batch(jobs: Sequence[Job]) -> pd.DataFrame:
    """Return OUT_COLUMNS for several windows, one after the other."""
    return pd.concat([forecast_window(*job) for job in jobs], ignore_index=True)


def forecast_window(name: str, first: np.datetime64, y: Floats, horizon: int) -> pd.DataFrame:
    """Return OUT_COLUMNS for the `horizon` days after y (n,), which begins on `first`; NaN = missing day."""
    start = time.perf_counter()
    history = make_history(first, y, where=name)
    found = forecast_series(history, horizon).predictive
    quantiles = found.ppf(np.array(QUANTILES))
    mean = found.ppf(MEAN_LEVELS).mean(axis=0)
    spent = time.perf_counter() - start
    cutoff = first + np.timedelta64(len(y) - 1, "D")
    columns = {
        "unique_id": name,
        "cutoff": pd.Timestamp(cutoff),
        "ds": pd.date_range(pd.Timestamp(cutoff) + pd.Timedelta(days=1), periods=horizon),
        "mean": mean,
        **{f"q{q}": row for q, row in zip(QUANTILES, quantiles, strict=True)},
        "fit_s": spent,
    }
    return pd.DataFrame(columns)


def _spread(batches: Iterator[list[Job]], workers: int) -> Iterator[tuple[pd.DataFrame, int]]:
    """Each batch's forecasts and its number of windows, in order."""
    if workers <= 1:
        for jobs in batches:
            yield forecast_batch(jobs), len(jobs)
        return
    # A fresh interpreter per worker: a forked one would share locks of the parent's threads.
    pool = ProcessPoolExecutor(max_workers=workers, mp_context=get_context("spawn"))
    waiting: deque[tuple[Future[pd.DataFrame], int]] = deque()
    try:
        for jobs in batches:
            waiting.append((pool.submit(forecast_batch, jobs), len(jobs)))
            if len(waiting) >= WAITING_PER_WORKER * workers:
                future, count = waiting.popleft()
                yield future.result(), count
        for future, count in waiting:
            yield future.result(), count
    finally:
        pool.shutdown(cancel_futures=True)


def by_series(frame: pd.DataFrame) -> Known:
    """Return the days and values of each series, by name, days rising; raises UserError as `run_backtest`."""
    _need(frame, SERIES_COLUMNS, "series")
    days = _dates(frame["ds"], "ds of the series").to_numpy().astype("datetime64[D]")
    values = pd.to_numeric(frame["y"], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = ~(np.isfinite(values) & (values >= 0))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        value, name = frame["y"].iloc[row], frame["unique_id"].iloc[row]
        raise UserError(
            f"Row {row + 1} of the series has y = {repr(value) if isinstance(value, str) else value} for {name}"
            f" on {days[row]}; give a number of 0 or more, or leave the day out where it is unknown."
        )
    codes, names = pd.factorize(frame["unique_id"].astype(str))
    order = np.lexsort((days, codes))
    codes, days, values = codes[order], days[order], values[order]
    twice = np.flatnonzero((np.diff(codes) == 0) & (np.diff(days) == np.timedelta64(0, "D")))
    if twice.size:
        raise UserError(f"Series {names[codes[twice[0]]]} has {days[twice[0]]} twice; keep one row a day.")
    ends = np.searchsorted(codes, np.arange(len(names) + 1))
    return {
        str(name): (days[start:stop], values[start:stop])
        for name, start, stop in zip(names, ends[:-1], ends[1:], strict=True)
    }


def _read_windows(frame: pd.DataFrame) -> list[Window]:
    _need(frame, WINDOW_COLUMNS, "windows")
    horizon = pd.to_numeric(frame["horizon"], errors="coerce")
    wrong = ~((horizon >= 1) & (horizon <= MOST_DAYS) & (horizon % 1 == 0))
    if wrong.any():
        value = frame["horizon"][wrong].iloc[0]
        raise UserError(f"A window has horizon {value!r}; give whole days from 1 to {MOST_DAYS}.")
    cutoffs = _dates(frame["cutoff"], "cutoff of the windows").to_numpy().astype("datetime64[D]")
    names = [str(name) for name in frame["unique_id"]]
    return list(zip(names, cutoffs, [int(h) for h in horizon], strict=True))


def _checked(known: Known, window: Window) -> Window:
    name, cutoff, _ = window
    if name not in known:
        raise UserError(
            f"A window asks for series {name!r}, which the series file does not have; correct its name."
        )
    first = known[name][0][0]
    if cutoff < first:
        raise UserError(f"A window of {name} ends on {cutoff}, before the series begins; move it later.")
    days = int((cutoff - first).astype(np.int64)) + 1
    if days > MOST_DAYS:
        raise UserError(f"Series {name} spans {days} days; at most {MOST_DAYS} are allowed. Check its dates.")
    return window


def _job(known: Known, window: Window) -> Job:
    """What the window may see: nothing of the series beyond its cutoff goes in."""
    name, cutoff, horizon = window
    days, values = known[name]
    seen = int(np.searchsorted(days, cutoff, side="right"))
    at = (days[:seen] - days[0]).astype(np.int64)
    y = np.full(int((cutoff - days[0]).astype(np.int64)) + 1, np.nan)
    y[at] = values[:seen]
    return name, days[0], y, horizon


def _need(frame: pd.DataFrame, columns: tuple[str, ...], what: str) -> None:
    missing = [c for c in columns if c not in frame.columns]
    if missing:
        have = ", ".join(map(str, frame.columns))
        raise UserError(f"The {what} lack the column {', '.join(missing)}; they have {have}. Rename or add it.")


def _dates(column: pd.Series, what: str) -> pd.Series:
    try:
        days = pd.to_datetime(column, errors="coerce", format="ISO8601")
    except ValueError:  # some with a time zone and some without, or of several
        days = pd.to_datetime(column, errors="coerce", format="ISO8601", utc=True)
    if days.isna().any():
        value = column[days.isna()].iloc[0]
        raise UserError(f"The {what} has {value!r}, which is no date; write it as YYYY-MM-DD.")
    if days.dt.tz is not None:
        value = next((v for v in column if pd.Timestamp(v).tzinfo is not None), column.iloc[0])
        raise UserError(
            f"The {what} has {str(value)!r} with a time zone; days are UTC, so write it as YYYY-MM-DD."
        )
    if (days != days.dt.normalize()).any():
        value = column[days != days.dt.normalize()].iloc[0]
        raise UserError(f"The {what} has {value!r}, which is not a whole day; write it as YYYY-MM-DD.")
    return days
