"""The frontier of one model: every GPU, TP, precision and batch, and which of them nothing else beats."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.catalog.gpus import Gpu
from data.catalog.models import ModelShape, Precision
from data.errors import UserError
from sizing.calibration import DEFAULT_ENGINE, Calibration, Key, load_calibration
from sizing.layout import Layout
from sizing.memory import BYTES_PER_WEIGHT, DoesNotFit, memory_batch
from sizing.operating import MeanRequest, Replica
from sizing.profile import ALL_ALIKE, ENGINE_BATCH, TENSOR_PARALLEL
from sizing.throughput import work_of

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

BATCHES = 25
"""Batches that are tried between one sequence and as many as fit, evenly on the log scale."""

COLUMNS = (
    "gpu",
    "tp",
    "precision",
    "batch",
    "tok_per_s_per_user",
    "tok_per_s_per_gpu",
    "tpot_s",
    "ttft_s",
    "usd_per_mtok",
    "usd_per_mtok_low",
    "usd_per_mtok_high",
    "measured_points",
    "own",
    "fastest",
    "cheapest",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """The request that a frontier is drawn for, in mean tokens; cached tokens are part of the prompt."""

    prompt_tok: float
    output_tok: float
    cached_prompt_tok: float = 0.0

    @property
    def request(self) -> MeanRequest:
        """The mean request, all alike."""
        return MeanRequest(
            prompt_tok=self.prompt_tok,
            cached_tok=self.cached_prompt_tok,
            output_tok=max(self.output_tok, 1.0),
            moments=ALL_ALIKE,
        )


def default_precisions(model: ModelShape, gpu: Gpu) -> tuple[Precision, ...]:
    """Return the precisions to try: as published, and fp8 and fp4 where narrower and the GPU computes in them.

    int8 and int4 are a choice of their own (other checkpoints): name them to try them.
    """
    native = model.native_precision
    narrower: tuple[Precision, ...] = ("fp8", "fp4")
    found = (p for p in narrower if BYTES_PER_WEIGHT[p] < BYTES_PER_WEIGHT[native])
    return (native, *(p for p in found if gpu.flop_per_s(p) is not None))


def frontier(
    model: ModelShape,
    gpus: Sequence[Gpu],
    lengths: Lengths,
    *,
    usd_per_gpu_hour: Mapping[str, float],
    precisions: Sequence[Precision] = (),
    kv_precision: str = "bf16",
    tensor_parallel: Sequence[int] = TENSOR_PARALLEL,
    engine: str = DEFAULT_ENGINE,
    calibration: Calibration | None = None,
) -> pd.DataFrame:
    """Return one row (COLUMNS) for each GPU, TP, precision and batch that fits, in that order.

    tok_per_s_per_user: 1 / TPOT. tok_per_s_per_gpu: generated tokens of a replica that is busy throughout,
    prefill included, over its GPUs. usd_per_mtok: dollars for a million generated tokens at that rate, NaN where
    no price of the GPU is known; low and high are the ends of the measured 80% band. fastest: nothing in the table
    has both more tokens a second for its user and more for each GPU; own: nothing of the same kind of GPU has.
    cheapest: nothing has both a lower TPOT and fewer dollars.

    Raises UserError where nothing fits, with the reason of the last GPU.
    """
    calibration = calibration or load_calibration()
    calibration.check_engine(engine)
    rows: list[pd.DataFrame] = []
    why_not = ""
    for gpu in gpus:
        for precision, tp in product(precisions or default_precisions(model, gpu), tensor_parallel):
            if tp > gpu.domain_gpus or not Layout(tp=tp).splits_heads(model):
                continue
            key = Key(model=model.name, gpu=gpu.name, engine=engine, precision=precision)
            try:
                rows.append(_sweep(model, gpu, lengths, key, tp, kv_precision, calibration))
            except DoesNotFit as err:
                why_not = str(err)
    if not rows:
        raise UserError(why_not or "No GPU was named; give at least one.")
    return _judged(_priced(pd.concat(rows, ignore_index=True), usd_per_gpu_hour, calibration, model))


def undominated(x: Floats, y: Floats) -> Flags:
    """Return (N,) which points have no other at least as large in both and larger in one; NaN never counts.

    >>> undominated(np.array([1.0, 2.0, 3.0, 2.0]), np.array([3.0, 2.0, 1.0, 1.0])).tolist()
    [True, True, True, False]
    """
    known = np.isfinite(x) & np.isfinite(y)
    order = np.lexsort((-y, -x))
    order = order[known[order]]
    best, on = -np.inf, np.zeros(len(x), dtype=bool)
    for i in order:
        if y[i] > best:
            best, on[i] = y[i], True
    return on


def _sweep(
    model: ModelShape, gpu: Gpu, lengths: Lengths, key: Key, tp: int, kv_precision: str, calibration: Calibration
) -> pd.DataFrame:
    """One setting at every batch. Raises DoesNotFit."""
    mean, precision = lengths.request, key.precision
    ceiling = memory_batch(
        model, gpu, tp=tp, precision=precision, kv_precision=kv_precision, context_tok=mean.context_tok
    )
    batch = np.unique(np.round(np.geomspace(1, min(ceiling, ENGINE_BATCH), BATCHES)))
    work = work_of(model, gpu, tp=tp, precision=precision, kv_precision=kv_precision)  # type: ignore[arg-type]
    replica = Replica(work=work, factors=calibration.factors([key]), mean=mean)
    tpot_s = replica.tpot_s(batch)
    request_s = replica.prompt_s() + mean.output_tok * replica.step_s(batch) / batch
    return pd.DataFrame(
        {
            "gpu": gpu.name,
            "tp": tp,
            "precision": precision,
            "batch": batch.astype(np.int64),
            "tok_per_s_per_user": 1 / tpot_s,
            "tok_per_s_per_gpu": mean.output_tok / request_s / tp,
            "tpot_s": tpot_s,
            "ttft_s": replica.ttft_s(batch),
        }
    )


def _priced(
    table: pd.DataFrame, usd_per_gpu_hour: Mapping[str, float], calibration: Calibration, model: ModelShape
) -> pd.DataFrame:
    usd = table["gpu"].map(lambda gpu: usd_per_gpu_hour.get(gpu, np.nan)).astype(float)
    bands = {gpu: calibration.band(model.name, gpu) for gpu in table["gpu"].unique()}
    middle = usd / 3_600 / table["tok_per_s_per_gpu"] * 1e6
    return table.assign(
        usd_per_mtok=middle,
        usd_per_mtok_low=middle / table["gpu"].map(lambda gpu: bands[gpu][1]),
        usd_per_mtok_high=middle / table["gpu"].map(lambda gpu: bands[gpu][0]),
        measured_points=table["gpu"].map(lambda gpu: calibration.measured_points(model.name, gpu)),
    )


def _judged(table: pd.DataFrame) -> pd.DataFrame:
    user, gpu = table["tok_per_s_per_user"].to_numpy(float), table["tok_per_s_per_gpu"].to_numpy(float)
    usd = table["usd_per_mtok"].to_numpy(float)
    own = np.zeros(len(table), dtype=bool)
    for rows in table.groupby("gpu").indices.values():
        own[rows] = undominated(user[rows], gpu[rows])
    judged = table.assign(own=own, fastest=undominated(user, gpu), cheapest=undominated(user, -usd))
    return judged[list(COLUMNS)]
