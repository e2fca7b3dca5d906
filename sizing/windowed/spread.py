"""GPU-seconds of work per window: over the history, and over the forecast's sample paths."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.errors import UserError
from data.traffic import SUMS, Traffic
from forecasting.demand import Moments
from sizing.profile import ReplicaProfile
from sizing.windows import PLANNED_PERCENTILE, SeenRatios, seen_ratios, window_work_s

Floats = npt.NDArray[np.float64]

QUANTILES = (0.5, 0.95, 0.99, 0.999)
"""Quantiles of windows that are printed."""

DAY_POINTS = 8
"""Equally likely days that stand for a path's days."""

_BODY, _TAIL = 140, 100
"""Groups of windows, by rank, that stand for the lower 98% and the upper 2% of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowSpread:
    """GPU-seconds of work in windows of `window_s` seconds on one kind of replica.

    days: of the forecast, None for the history. windows: seen windows behind it. mean_gpu_s and the quantiles are
    over all windows (and paths). planned_gpu_s: at the percentile planned on; planned_low, planned_high: its 10%
    and 90% over the paths, None for the history. gpus: planned_gpu_s over the window's seconds: GPUs kept busy.
    """

    window_s: int
    days: int | None
    windows: int
    percentile: float
    mean_gpu_s: float
    p50_gpu_s: float
    p95_gpu_s: float
    p99_gpu_s: float
    p99_9_gpu_s: float
    planned_gpu_s: float
    planned_low: float | None
    planned_high: float | None

    @property
    def gpus(self) -> float:
        """GPUs that the window planned on keeps busy, unrounded."""
        return self.planned_gpu_s / self.window_s


def at_window(traffic: Traffic, window_s: int) -> Traffic:
    """Return the traffic in longer windows: sums of the ones it has. The same where it has these or longer ones.

    Raises UserError where the asked length is no multiple of what there is.
    """
    if window_s <= traffic.window_s:
        return traffic
    if window_s % traffic.window_s:
        raise UserError(
            f"Windows of {window_s} s cannot be made of those of {traffic.window_s} s; use a multiple of it."
        )
    times = pd.DatetimeIndex(traffic.windows.index).floor(f"{window_s}s")
    # min_count: a window of unknown parts is unknown, not empty.
    longer = traffic.windows.groupby(times).sum(min_count=1).rename_axis("window_utc")
    whole = traffic.windows.groupby(times).size() == window_s // traffic.window_s
    return replace(traffic, windows=longer[whole.to_numpy()], window_s=window_s)


def in_model_tokens(windows: pd.DataFrame, token_ratio: float) -> pd.DataFrame:
    """Return windows in tokens of the planned model, where another tokenizer logged them: sums grow with the
    ratio, sums of products with its square.
    """
    if token_ratio == 1.0:
        return windows
    power = [0, 1, 1, 1, 2, 2, 2, 2, 2]
    return windows[list(SUMS)] * np.power(token_ratio, power)


def window_gpu_s(windows: pd.DataFrame, profile: ReplicaProfile, moments: Moments) -> "pd.Series[float]":
    """Return GPU-seconds of each window (columns SUMS): work of prompts where they come, of answers as they are
    decoded (`sizing.windows.window_work_s`).
    """
    return window_work_s(windows, profile, moments) * profile.gpus


def spread_of(
    windows: pd.DataFrame,
    window_s: int,
    profile: ReplicaProfile,
    moments: Moments,
    *,
    load: Floats | None = None,
    horizons: Sequence[int] = (),
    percentile: float = PLANNED_PERCENTILE,
) -> tuple[WindowSpread, ...]:
    """Return the spread over the history, then over the first `horizons` days of the paths; empty without work.

    load: (S, D) replicas' worth of mean work of each path and day (`FleetPlan.load`).
    """
    work = window_work_s(windows, profile, moments)
    if work.empty or not work.sum() > 0:
        return ()
    wanted = (*QUANTILES, percentile)
    gpu_s = work.to_numpy() * profile.gpus
    found = [_spread(window_s, None, len(work), percentile, gpu_s.mean(), np.quantile(gpu_s, wanted), None)]
    if load is None:
        return tuple(found)
    ratios = _grouped(seen_ratios(work, window_s))
    for days in horizons:
        if days > load.shape[1]:
            continue
        values, weights = _path_windows(ratios, load[:, :days])
        values = values * window_s * profile.gpus
        pooled = _quantiles(values.ravel(), np.tile(weights, len(values)), wanted)
        each = np.array([_quantiles(path, weights, (percentile,))[0] for path in values])
        mean = float((values @ weights).mean())
        found.append(_spread(window_s, days, len(work), percentile, mean, pooled, each))
    return tuple(found)


def _spread(
    window_s: int,
    days: int | None,
    windows: int,
    percentile: float,
    mean: float,
    points: Floats,
    each: Floats | None,
) -> WindowSpread:
    low, high = (None, None) if each is None else (float(q) for q in np.quantile(each, (0.1, 0.9)))
    p50, p95, p99, p99_9, planned = (float(point) for point in points)
    return WindowSpread(
        window_s=window_s,
        days=days,
        windows=windows,
        percentile=percentile,
        mean_gpu_s=float(mean),
        p50_gpu_s=p50,
        p95_gpu_s=p95,
        p99_gpu_s=p99,
        p99_9_gpu_s=p99_9,
        planned_gpu_s=planned,
        planned_low=low,
        planned_high=high,
    )


@dataclass(frozen=True, slots=True)
class _Grouped:
    """Seen windows by rank of their ratio: (N,) mean ratio of each group and of its hours, and its share."""

    window: Floats
    hour: Floats
    share: Floats
    mean_load: float


def _grouped(seen: SeenRatios) -> _Grouped:
    order = np.argsort(seen.window, kind="stable")
    count = len(order)
    edges = np.concatenate([np.linspace(0, 0.98, _BODY + 1)[:-1], np.linspace(0.98, 1, _TAIL + 1)[:-1]])
    starts = np.unique((edges * count).astype(np.int64))
    sizes = np.diff(np.append(starts, count))
    return _Grouped(
        window=np.add.reduceat(seen.window[order], starts) / sizes,
        hour=np.add.reduceat(seen.hour[order], starts) / sizes,
        share=sizes / count,
        mean_load=seen.mean_load,
    )


def _path_windows(seen: _Grouped, load: Floats) -> tuple[Floats, Floats]:
    """Return (S, N) loads of windows along each path, and (N,) their weights, which add up to 1.

    Each seen window is rescaled as the fleet's law has it: its hour with the load, its burst with the square root.

        h l + (r - h) sqrt(l l0)
    """
    days = np.quantile(load, (np.arange(DAY_POINTS) + 0.5) / DAY_POINTS, axis=1).T[:, :, None]
    windows = seen.hour * days + (seen.window - seen.hour) * np.sqrt(days * seen.mean_load)
    weights = np.tile(seen.share, DAY_POINTS) / DAY_POINTS
    return np.maximum(windows, 0.0).reshape(len(load), -1), weights


def _quantiles(values: Floats, weights: Floats, shares: Sequence[float]) -> Floats:
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    at = np.searchsorted(reached, np.asarray(shares) * reached[-1], side="left")
    return np.asarray(values[order][np.minimum(at, len(order) - 1)])
