"""What a workload's source states and what it leaves open: counted, and said in a sentence, for the page."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from data.traffic import Traffic
from reports.budget import Source
from reports.sentences import percentile_sentence

Floats = npt.NDArray[np.float64]


def source_of(traffic: Traffic) -> Source:
    """Return what the source of a workload stated over the days that were read."""
    counts = {
        name: float(traffic.daily[name].sum())
        for name in ("requests", "throttled_requests", "failed_requests", "missing_tok_requests")
    }
    return Source(
        kind=traffic.source_kind,
        percentiles=traffic.percentile_basis,
        sentence=percentile_sentence(traffic.percentile_basis, _furthest(traffic)),
        **counts,
    )


def _furthest(traffic: Traffic) -> float:
    """Return the largest ratio that a percentile may be off by; NaN where none is bounded."""
    every = [np.ravel(each) for each in traffic.percentile_widths.values()]
    ratios = np.concatenate(every) if every else np.array([])
    ratios = ratios[np.isfinite(ratios) & (ratios > 0)]
    return float(np.maximum(ratios, 1 / ratios).max()) if len(ratios) else float("nan")


def widened(
    rows: Mapping[str, Sequence[float]], widths: Floats | None, names: Sequence[str]
) -> dict[str, list[float]]:
    """Return forecast percentiles (q2.5, q10, q50, q90, q97.5 by name) with what a histogram leaves open added.

    The low ends move down and the high ends up by the ratios of the percentile's own step; the median stays. A
    percentile whose step is unknown of late is left out.
    """
    if widths is None:
        return {name: list(row) for name, row in rows.items()}
    found = {}
    for name, (low, high) in zip(names, widths, strict=True):
        if name in rows and np.isfinite([low, high]).all():
            below, inner_low, middle, inner_high, above = rows[name]
            found[name] = [below * low, inner_low * low, middle, inner_high * high, above * high]
    return found
