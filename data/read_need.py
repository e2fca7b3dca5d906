"""NEED.csv: GPUs needed by hour or by day, over one path or many, of one workload or several."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.errors import UserError

Floats = npt.NDArray[np.float64]
DAY_HOURS = 24

_TIME, _GPUS = ("ds", "hour_utc", "day_utc"), ("gpus", "y")
_KNOWN = (*_TIME, *_GPUS, "path", "workload", "unique_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedFile:
    """What a NEED.csv says. need: (S, D, 24) GPUs by workload, from `start`; past: (H, 24) of all, before it."""

    start: date
    need: Mapping[str, Floats]
    past: Floats | None

    @property
    def total(self) -> Floats:
        """(S, D, 24): the need of all workloads together, which is what is reserved for."""
        return np.asarray(np.sum(list(self.need.values()), axis=0))


def read_need(path: Path, *, as_of: date | None = None) -> NeedFile:
    """Read and check NEED.csv (docs/commit.md); raises UserError naming the file, what is wrong, and the way out.

    as_of: the first day that is not known; rows before it are the past, the same on every path. None = all rows
    are the need to come.
    """
    table = _read(path)
    table = table.assign(ds=_times(path, table), gpus=_gpus(path, table))
    daily = bool((table["ds"].dt.hour == 0).all())
    begins = pd.Timestamp(as_of) if as_of else table["ds"].min()
    to_come = table[table["ds"] >= begins]
    if to_come.empty:
        raise UserError(f"{path}: no row is on or after {begins.date()}; give an earlier --as-of.")
    first, last = to_come["ds"].min().normalize(), to_come["ds"].max().normalize()
    if as_of and first > begins:
        raise UserError(
            f"{path}: the need to come starts on {first.date()}, after --as-of {as_of}; no day may lack."
        )
    need = _cube(path, to_come, first, last, daily)
    return NeedFile(start=first.date(), need=need, past=_past(path, table[table["ds"] < begins], begins, daily))


def _read(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, dtype={"path": str, "workload": str, "unique_id": str}, keep_default_na=False)
    except OSError as error:
        raise UserError(f"Cannot read the need {path}: {error.strerror or error}; check its path.") from error
    except (ValueError, pd.errors.ParserError) as error:
        raise UserError(f"{path} is not a CSV file with a head: {error}.") from error
    unknown = [str(name) for name in table.columns if name not in _KNOWN]
    if unknown:
        raise UserError(f"{path}: column {unknown[0]!r} is none of {', '.join(_KNOWN)}; take it out.")
    for names, what in ((_TIME, "time"), (_GPUS, "need")):
        there = [name for name in names if name in table.columns]
        if len(there) != 1:
            raise UserError(
                f"{path}: the {what} must stand in one column of {', '.join(names)}; found {len(there)}."
            )
        table = table.rename(columns={there[0]: names[0]})
    if {"workload", "unique_id"} <= set(table.columns):
        raise UserError(f"{path}: `workload` and `unique_id` say the same thing; keep one.")
    table = table.rename(columns={"unique_id": "workload"})
    if table.empty:
        raise UserError(f"{path} has no row.")
    return table.assign(path=table.get("path", ""), workload=table.get("workload", ""))


def _times(path: Path, table: pd.DataFrame) -> "pd.Series[pd.Timestamp]":
    times = pd.to_datetime(table["ds"].astype(str), utc=True, errors="coerce", format="ISO8601").dt.tz_localize(
        None
    )
    wrong = np.flatnonzero(times.isna() | (times != times.dt.floor("h")))
    if wrong.size:
        raise UserError(
            f"{path}, line {wrong[0] + 2}: {table['ds'].iloc[wrong[0]]!r} is no day and no full hour; write"
            " 2026-11-23 or 2026-11-23T14:00 (UTC)."
        )
    return times


def _gpus(path: Path, table: pd.DataFrame) -> "pd.Series[float]":
    gpus = pd.to_numeric(table["gpus"], errors="coerce")
    wrong = np.flatnonzero(~np.isfinite(gpus) | (gpus < 0))
    if wrong.size:
        given = table["gpus"].iloc[wrong[0]]
        raise UserError(f"{path}, line {wrong[0] + 2}: {given!r} is no number of GPUs; it must be 0 or more.")
    return gpus


def _cube(
    path: Path, table: pd.DataFrame, first: pd.Timestamp, last: pd.Timestamp, daily: bool
) -> dict[str, Floats]:
    """Return (S, D, 24) by workload; every workload must have every hour (or day) of every path."""
    step = DAY_HOURS if daily else 1
    times = pd.date_range(first, last + pd.Timedelta(hours=DAY_HOURS - 1), freq=f"{step}h")
    paths = sorted(set(table["path"]), key=lambda name: (len(name), name))
    found = {}
    for workload, rows in table.groupby("workload", sort=True):
        if rows.duplicated(["path", "ds"]).any():
            twice = rows[rows.duplicated(["path", "ds"])].iloc[0]
            raise UserError(f"{path}: {_name(str(workload), twice['path'])} has {twice['ds']} twice; keep one.")
        wide = rows.pivot(index="path", columns="ds", values="gpus").reindex(index=paths, columns=times)
        lacks = np.argwhere(wide.isna().to_numpy())
        if lacks.size:
            who = _name(str(workload), paths[lacks[0][0]])
            raise UserError(f"{path}: {who} lacks {times[lacks[0][1]]}; write 0 where nothing is needed.")
        hours = np.repeat(wide.to_numpy(dtype=np.float64), step, axis=1)
        found[str(workload) or "all"] = hours.reshape(len(paths), -1, DAY_HOURS)
    return found


def _past(path: Path, table: pd.DataFrame, begins: pd.Timestamp, daily: bool) -> Floats | None:
    """Return (H, 24) of all workloads, the unbroken days just before; None where there are none."""
    if table.empty:
        return None
    by_time = table.groupby(["path", "ds"])["gpus"].sum().unstack("path")
    if (by_time.max(axis=1) - by_time.min(axis=1)).max() > 0:
        raise UserError(f"{path}: the paths differ before {begins.date()}, which is past; give it once.")
    past = by_time.max(axis=1).sort_index()
    step = DAY_HOURS if daily else 1
    times = pd.date_range(past.index[0].normalize(), begins - pd.Timedelta(hours=step), freq=f"{step}h")
    lacking = np.flatnonzero(past.reindex(times).isna())
    whole = past.reindex(times).to_numpy()[(lacking[-1] + 1 if lacking.size else 0) :]
    hours = np.repeat(whole, step)
    hours = hours[len(hours) % DAY_HOURS :]
    return np.asarray(hours.reshape(-1, DAY_HOURS)) if hours.size else None


def _name(workload: str, path: object) -> str:
    said = f"workload {workload!r}" if workload else "the need"
    return f"{said}, path {path!r}," if path else said
