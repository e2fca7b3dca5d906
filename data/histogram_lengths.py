"""Lengths that a source keeps as a histogram with coarse steps: percentiles, and how far off they may be.

A percentile lies somewhere in the step that holds it. Its middle is taken as if log-lengths were even within the
step; its bounds are the step's own. With steps of 1-2-5, a bound is up to 2.5 times the other.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.traffic import FIELDS, PERCENTILES
from data.units import DAY_S

Floats = npt.NDArray[np.float64]

_LEAST = 0.5
"""Stands for the lower bound of the first step, which has no logarithm."""


def quantiles(above: Floats, upto: Floats, requests: Floats, shares: tuple[float, ...] = PERCENTILES) -> Floats:
    """Return (P, 3): lower bound, estimate and upper bound of each percentile; NaN without requests.

    above, upto, requests: (B,) steps in order. A percentile in a last step without an end is unknown (NaN).
    """
    total = requests.sum()
    if not total > 0:
        return np.full((len(shares), 3), np.nan)
    risen = np.cumsum(requests)
    found = np.empty((len(shares), 3))
    for i, share in enumerate(shares):
        at = min(int(np.searchsorted(risen, share * total * (1 - 1e-12))), len(risen) - 1)
        low, high = max(float(above[at]), _LEAST), float(upto[at])
        inside = (share * total - (risen[at] - requests[at])) / requests[at] if requests[at] > 0 else 1.0
        middle = low * (high / low) ** min(max(inside, 0.0), 1.0)
        found[i] = (float(above[at]), middle, high) if np.isfinite(high) else np.nan
    return found


def by_day(histograms: pd.DataFrame) -> Mapping[Any, Floats]:
    """Return {(field, day): (P, 3)}: bounds and estimates of the percentiles of whole days."""
    day = histograms["window_utc"].dt.floor("D")
    pooled = histograms.groupby(["field", day, "above", "upto"], sort=True)["requests"].sum().reset_index()
    return {key: quantiles(*_steps(steps)) for key, steps in pooled.groupby(["field", "window_utc"], sort=True)}


def as_stated(days: Mapping[Any, Floats], requests: pd.Series) -> pd.DataFrame:
    """Return the estimates of whole days as rows of usage_percentile, their means unknown.

    requests: counted in the histograms, indexed by (field, day) as `days` is.
    """
    rows = [
        [day, DAY_S, field, float(requests[field, day]), np.nan, *each[:, 1]]
        for (field, day), each in days.items()
    ]
    names = ["window_utc", "window_s", "field", "requests", "mean_tok", "p50_tok", "p90_tok", "p95_tok", "p99_tok"]
    return pd.DataFrame(rows, columns=names)


def widths(days: Mapping[Any, Floats], newest: pd.Timestamp) -> Mapping[str, Floats]:
    """Return {field: (P, 2)}: the furthest that bounds lay below and above the estimate, in ratios."""
    found: dict[str, Floats] = {}
    for (field, day), each in days.items():
        if field not in FIELDS or day < newest:
            continue
        ratios = np.column_stack([each[:, 0] / each[:, 1], each[:, 2] / each[:, 1]])
        before = found.get(field, ratios)
        found[field] = np.column_stack([np.fmin(ratios[:, 0], before[:, 0]), np.fmax(ratios[:, 1], before[:, 1])])
    return found


def _steps(steps: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
    ordered = steps.sort_values("upto")
    above, upto, requests = (ordered[name].to_numpy(dtype=np.float64) for name in ("above", "upto", "requests"))
    return above, upto, requests
