"""Predict measured serving points, with the shipped factors or refitted without each fold."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.catalog.gpus import Gpu
from data.catalog.models import ModelShape
from sizing.calibration import Calibration, load_calibration
from sizing.clients import Served
from sizing.fit import instance_tok_per_s, serve
from sizing.folds import FOLDS, FoldBy, bands_by_fold, out_of_fold
from sizing.measured import Measured, measured

Floats = npt.NDArray[np.float64]


def predict_rows(
    table: pd.DataFrame,
    models: Mapping[str, ModelShape],
    gpus: Mapping[str, Gpu],
    *,
    calibration: Calibration | None = None,
    folds: FoldBy | None = None,
    fold_count: int = FOLDS,
) -> pd.DataFrame:
    """Return one row for every measured row: row_id, output_tok_s, output_tok_s_p10, output_tok_s_p90, tpot_ms,
    ttft_ms, in the order of `table`.

    folds: None predicts with `calibration` (the shipped one by default), and measured values are not read;
    `series` and `pair` refit with each fold left out, and need them. output_tok_s is for the whole instance.
    """
    points = measured(table, models, gpus)
    if folds is not None:
        oof = out_of_fold(points, folds, fold_count)
        return _rows(points, oof.served, oof.tok_per_s, bands_by_fold(oof))
    calibration = calibration or load_calibration()
    served = serve(points, calibration)
    bands = np.array([calibration.band(key.model, key.gpu) for key in points.keys])
    return _rows(points, served, instance_tok_per_s(points, served), bands)


def _rows(points: Measured, served: Served, tok_per_s: Floats, bands: Floats) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "row_id": points.table["row_id"],
            "output_tok_s": tok_per_s,
            "output_tok_s_p10": tok_per_s * bands[:, 0],
            "output_tok_s_p90": tok_per_s * bands[:, 1],
            "tpot_ms": served.tpot_s * 1e3,
            "ttft_ms": served.ttft_s * 1e3,
        }
    )
