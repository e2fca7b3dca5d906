"""Measured serving points as arrays: what each replica was, what it was asked, and what it did."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.catalog.gpus import Gpu, find_gpu
from data.catalog.models import ModelShape, Precision, find_model
from data.errors import UserError
from sizing.calibration import Key
from sizing.memory import kv_bytes, kv_room_bytes
from sizing.throughput import Work, work_of

Floats = npt.NDArray[np.float64]

NEEDED = ("row_id", "model", "gpu", "n_gpus", "weight_precision", "framework", "load", "isl", "osl", "series")
DRAWN_SHARE = 0.9
"""Mean length over nominal where lengths are drawn at 80-100% of it (InferenceMAX's random-range-ratio 0.8)."""

ENGINES = {
    "trtllm": "trtllm",
    "nim-trtllm": "trtllm",
    "tensorrt": "trtllm",
    "vllm": "vllm",
    "sglang": "sglang",
    "atom": "atom",
    "vllm-atom": "atom",
}
"""The calibration's engine for each name that benchmarks use."""

ROOMY_BATCH = 64.0
"""Where a source does not say how GPUs were divided: the fewest per replica that hold so many requests."""

OFFLINE_CLIENTS = 4_096.0
"""Requests queued at once where a benchmark queues them all: more than any memory here holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """N measured points. table: the rows as read; the arrays are (N,) in their order."""

    table: pd.DataFrame
    keys: tuple[Key, ...]
    work: Work
    replicas: Floats
    clients: Floats
    prompt_tok: Floats
    output_tok: Floats
    memory_batch: Floats
    loads: npt.NDArray[np.str_]

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self.keys)


def read_measured(path: Path, models: Mapping[str, ModelShape], gpus: Mapping[str, Gpu]) -> Measured:
    """Return the points of a CSV with the columns of NEEDED and those that docs/sizing.md lists.

    Raises UserError where the file or a column is missing, or a model or GPU is not in the catalog.
    """
    try:
        table = pd.read_csv(path)
    except (OSError, pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as err:
        raise UserError(f"Cannot read measured points from {path}: {err}; give a CSV file.") from err
    return measured(table, models, gpus)


def measured(table: pd.DataFrame, models: Mapping[str, ModelShape], gpus: Mapping[str, Gpu]) -> Measured:
    """Return the points of a table of measured rows."""
    if missing := [name for name in NEEDED if name not in table]:
        raise UserError(
            f"The measured points lack the column `{missing[0]}`; they have {', '.join(map(str, table.columns))}."
        )
    rows = table.reset_index(drop=True)
    drawn = rows["len_note"].fillna("").str.startswith("lengths drawn").to_numpy()
    share = np.where(drawn, DRAWN_SHARE, 1.0)
    prompt, output = rows["isl"].to_numpy(float) * share, rows["osl"].to_numpy(float) * share
    context = prompt + output / 2
    points = [_point(row, models, gpus, tok) for row, tok in zip(rows.to_dict("records"), context, strict=True)]
    return Measured(
        table=rows,
        keys=tuple(point[0] for point in points),
        work=Work.stack([point[1] for point in points]),
        memory_batch=np.array([point[2] for point in points]),
        replicas=np.array([point[3] for point in points]),
        clients=rows["concurrency"].fillna(OFFLINE_CLIENTS).to_numpy(float) / np.array([p[3] for p in points]),
        prompt_tok=prompt,
        output_tok=output,
        loads=rows["load"].to_numpy(str),
    )


def engine_of(framework: str, source: str = "") -> str:
    """Return the calibration's engine of a benchmark's; engines of 2024 are kept apart from today's.

    Raises UserError on a name that is not known.
    """
    name = framework.split()[0].lower()
    if "LLM-Inference-Bench" in source or "v0.11 data" in source:
        return {"tensorrtllm": "trtllm"}.get(name, name) + "-2024"
    if name not in ENGINES:
        raise UserError(f"framework {framework!r} is not known; use one of {', '.join(sorted(ENGINES))}.")
    return ENGINES[name]


def kv_precision_of(stated: object, precision: str, engine: str) -> str:
    """Return the KV precision of a row: as stated, else what the engine's recipes use with these weights."""
    if isinstance(stated, str):
        return "fp8" if stated == "fp8" else "bf16"
    return "fp8" if precision in ("fp8", "fp4") and engine != "sglang" else "bf16"


def _point(
    row: Mapping[Any, Any], models: Mapping[str, ModelShape], gpus: Mapping[str, Gpu], context_tok: float
) -> tuple[Key, Work, float, float]:
    """Return (key, work, memory batch, replicas) of one row."""
    model, gpu = find_model(models, str(row["model"])), find_gpu(gpus, str(row["gpu"]))
    precision: Precision = {"fp16": "bf16"}.get(row["weight_precision"], row["weight_precision"])
    engine = engine_of(str(row["framework"]), str(row.get("source", "")))
    kv = kv_precision_of(row.get("kv_precision"), precision, engine)
    n_gpus, pp = int(row["n_gpus"]), int(row["pp"]) if pd.notna(row.get("pp")) else 1

    def batch(tp: int) -> float:
        room = kv_room_bytes(model, gpu, tp=tp, precision=precision, pp=pp)
        return max(1.0, room * pp / float(kv_bytes(model, context_tok, kv, tp)))

    if pd.notna(row.get("tp")):
        tp = int(row["tp"]) * (int(row["dp"]) if pd.notna(row.get("dp")) else 1)
    else:
        tp = next((n for n in (1, 2, 4) if n <= n_gpus and batch(n) >= ROOMY_BATCH), n_gpus)
    work = work_of(model, gpu, tp=tp, precision=precision, kv_precision=kv, pp=pp)
    key = Key(model=model.name, gpu=gpu.name, engine=engine, precision=precision)
    return key, work, batch(tp), n_gpus / (tp * pp)
