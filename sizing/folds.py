"""How far predictions are off where they did not help to fit: bands by cross-conformal prediction, and folds."""

import hashlib
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from data.errors import UserError
from sizing.calibration import Calibration
from sizing.clients import Served
from sizing.fit import fit, instance_tok_per_s, serve
from sizing.measured import Measured

Floats = npt.NDArray[np.float64]
FoldBy = Literal["series", "pair"]

FOLDS = 10
BAND = (0.1, 0.9)
"""Quantiles of the 80% band."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfFold:
    """Predictions for N points, each by a calibration that saw neither its sweep (or pair) nor its fold."""

    fold: npt.NDArray[np.int64]
    served: Served
    tok_per_s: Floats
    log_ratio: Floats
    """log(measured / predicted) of throughput."""


def fold_numbers(points: Measured, by: FoldBy, folds: int = FOLDS) -> npt.NDArray[np.int64]:
    """Return (N,) fold of each point, whole sweeps or whole (model, GPU) pairs together, dealt out by their hash.

    Raises UserError where there is but one sweep or pair, so that nothing could be left out.
    """
    if by == "series":
        names = points.table["series"].astype(str).tolist()
    else:
        names = [f"{key.model}|{key.gpu}" for key in points.keys]
    dealt = sorted(set(names), key=lambda name: hashlib.sha256(name.encode()).digest())
    if len(dealt) < 2:
        raise UserError(
            f"All {len(points)} measured points are of one {by}, {dealt[0]}, so that none can be left out to see"
            " how far predictions are off; measure another."
        )
    number = {name: i % folds for i, name in enumerate(dealt)}
    return np.array([number[name] for name in names])


def out_of_fold(points: Measured, by: FoldBy, folds: int = FOLDS, *, multipliers: bool = True) -> OutOfFold:
    """Return predictions of each fold by a fit of all others, with or without their multipliers."""
    fold = fold_numbers(points, by, folds)
    parts = {name: np.full(len(points), np.nan) for name in ("ttft_s", "tpot_s", "output_tok_per_s", "batch")}
    rate = np.full(len(points), np.nan)
    for number in np.unique(fold):
        left_out = points.take(fold == number)
        others = fit(points.take(fold != number), description="", fitted="")
        served = serve(left_out, others if multipliers else replace(others, slow={}, wait={}))
        for name, values in parts.items():
            values[fold == number] = getattr(served, name)
        rate[fold == number] = instance_tok_per_s(left_out, served)
    measured = points.table["output_tok_s"].to_numpy(float)
    return OutOfFold(fold=fold, served=Served(**parts), tok_per_s=rate, log_ratio=np.log(measured / rate))


def band(log_ratio: Floats) -> tuple[float, float]:
    """Return the quantiles of BAND of measured / predicted, (low, high).

    Out of fold and by whole sweeps, so that runs of one sweep, which err together, do not vouch for each other
    (split conformal prediction; Vovk et al., Algorithmic Learning in a Random World, 2005).
    """
    low, high = np.exp(np.quantile(log_ratio, BAND))
    return float(low), float(high)


def bands_by_fold(oof: OutOfFold) -> Floats:
    """Return (N, 2): each point's band from the residuals of the other folds."""
    bands = np.empty((len(oof.fold), 2))
    for number in np.unique(oof.fold):
        bands[oof.fold == number] = band(oof.log_ratio[oof.fold != number])
    return bands


def calibrate(points: Measured, *, description: str, fitted: str, folds: int = FOLDS) -> Calibration:
    """Return the calibration of these points with its bands: for pairs among them, and for pairs that are not."""
    return replace(
        fit(points, description=description, fitted=fitted),
        spread=band(out_of_fold(points, "series", folds).log_ratio),
        spread_unseen=band(out_of_fold(points, "pair", folds).log_ratio),
    )
