"""Forecast past windows of many series as the plan would have, seeing nothing after each cutoff."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from multiprocessing import get_context

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.errors import UserError
from forecasting.calendar import make_history
from forecasting.series import forecast_series

Floats = npt.NDArray[np.float64]

SERIES_COLUMNS = ("unique_id", "ds", "y")
WINDOW_COLUMNS = ("unique_id", "cutoff", "horizon")
QUANTILES = (0.025, 0.1, 0.5, 0.9, 0.975)
OUT_COLUMNS = ("unique_id", "cutoff", "ds", "mean", *(f"q{q}" for q in QUANTILES), "fit_s")
MOST_DAYS = 20_000
"""A series longer than this (54 years) or a horizon beyond it has a mistaken date."""
MEAN_LEVELS = (np.arange(200) + 0.5) / 200
"""The mean is that of 200 evenly spaced quantiles: what 200 sample paths carry."""


def run_backtest(
    series: pd.DataFrame,
    windows: pd.DataFrame,
    *,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Forecast each window (unique_id, cutoff, horizon) of daily series (unique_id, ds, y; missing days absent).

    Returns OUT_COLUMNS, one row per window and day from cutoff + 1, in the order of the windows; fit_s is the
    wall time of the window. `cutoff` is the last day that the forecast sees. `workers` > 1 spreads the windows
    over processes, with the same result. `progress` is called with (done, total). Raises UserError on missing
    columns, unreadable, duplicate or not daily dates, NaN, negative or infinite y, unknown series and windows
    without a day of history.
    """
    known = _by_series(series)
    jobs = [_job(known, window) for window in _checked_windows(windows)]
    done = _run(jobs, workers, progress)
    return pd.concat(done, ignore_index=True) if done else pd.DataFrame(columns=list(OUT_COLUMNS))


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


Window = tuple[str, pd.Timestamp, int]
Job = tuple[str, np.datetime64, Floats, int]


def _run(jobs: list[Job], workers: int, progress: Callable[[int, int], None] | None) -> list[pd.DataFrame]:
    if workers <= 1 or len(jobs) <= 1:
        done = []
        for i, job in enumerate(jobs):
            done.append(forecast_window(*job))
            if progress:
                progress(i + 1, len(jobs))
        return done
    # A fresh interpreter per worker: a forked one would share locks of the parent's threads.
    with ProcessPoolExecutor(max_workers=workers, mp_context=get_context("spawn")) as pool:
        futures: dict[Future[pd.DataFrame], int] = {
            pool.submit(forecast_window, *j): i for i, j in enumerate(jobs)
        }
        for count, _ in enumerate(as_completed(futures), start=1):
            if progress:
                progress(count, len(jobs))
        return [future.result() for future in sorted(futures, key=futures.__getitem__)]


def _by_series(frame: pd.DataFrame) -> dict[str, pd.Series]:
    _need(frame, SERIES_COLUMNS, "series")
    days = _dates(frame["ds"], "ds of the series")
    values = pd.to_numeric(frame["y"], errors="coerce").astype(np.float64)
    if values.isna().any():
        line = int(np.flatnonzero(values.isna())[0])
        raise UserError(
            f"The series have y = {frame['y'].iloc[line]!r} for {frame['unique_id'].iloc[line]} on"
            f" {days.iloc[line]:%Y-%m-%d}; give a number, or leave the day out where it is unknown."
        )
    tidy = pd.DataFrame({"unique_id": frame["unique_id"].astype(str), "ds": days, "y": values})
    if tidy.duplicated(["unique_id", "ds"]).any():
        twice = tidy[tidy.duplicated(["unique_id", "ds"])].iloc[0]
        raise UserError(f"Series {twice.unique_id} has {twice.ds:%Y-%m-%d} twice; keep one row a day.")
    return {str(name): group.set_index("ds")["y"].sort_index() for name, group in tidy.groupby("unique_id")}


def _checked_windows(frame: pd.DataFrame) -> list[Window]:
    _need(frame, WINDOW_COLUMNS, "windows")
    horizon = pd.to_numeric(frame["horizon"], errors="coerce")
    wrong = ~((horizon >= 1) & (horizon <= MOST_DAYS) & (horizon % 1 == 0))
    if wrong.any():
        value = frame["horizon"][wrong].iloc[0]
        raise UserError(f"A window has horizon {value!r}; give whole days from 1 to {MOST_DAYS}.")
    cutoffs = pd.DatetimeIndex(_dates(frame["cutoff"], "cutoff of the windows"))
    names = [str(name) for name in frame["unique_id"]]
    return list(zip(names, cutoffs, [int(h) for h in horizon], strict=True))


def _job(known: dict[str, pd.Series], window: Window) -> Job:
    name, cutoff, horizon = window
    if name not in known:
        raise UserError(
            f"A window asks for series {name!r}, which the series file does not have; correct its name."
        )
    past = known[name][:cutoff]
    if past.empty:
        raise UserError(f"A window of {name} ends on {cutoff:%Y-%m-%d}, before the series begins; move it later.")
    days = pd.date_range(past.index[0], cutoff)
    if len(days) > MOST_DAYS:
        raise UserError(f"Series {name} spans {len(days)} days; at most {MOST_DAYS} are allowed. Check its dates.")
    y = past.reindex(days).to_numpy(dtype=np.float64)
    return name, days.to_numpy().astype("datetime64[D]")[0], y, horizon


def _need(frame: pd.DataFrame, columns: tuple[str, ...], what: str) -> None:
    missing = [c for c in columns if c not in frame.columns]
    if missing:
        have = ", ".join(map(str, frame.columns))
        raise UserError(f"The {what} lack the column {', '.join(missing)}; they have {have}. Rename or add it.")


def _dates(column: pd.Series, what: str) -> pd.Series:
    days = pd.to_datetime(column, errors="coerce", format="ISO8601")
    if days.isna().any():
        value = column[days.isna()].iloc[0]
        raise UserError(f"The {what} has {value!r}, which is no date; write it as YYYY-MM-DD.")
    if (days != days.dt.normalize()).any():
        value = column[days != days.dt.normalize()].iloc[0]
        raise UserError(f"The {what} has {value!r}, which is not a whole day; write it as YYYY-MM-DD.")
    return days
