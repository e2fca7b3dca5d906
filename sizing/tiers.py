"""Which GPU for which workload: what a dollar buys on each, and how far bandwidth alone would tell."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.catalog.gpus import Gpu
from data.catalog.models import ModelShape, Precision
from data.errors import UserError
from data.units import HOUR_S, TB
from sizing.calibration import Calibration
from sizing.frontier import Lengths, frontier
from sizing.memory import DoesNotFit

PFLOP = 1e15

WORKLOADS: Mapping[str, Lengths] = {
    "chat": Lengths(prompt_tok=1_000, output_tok=300),
    "generation": Lengths(prompt_tok=500, output_tok=2_000),
    "documents": Lengths(prompt_tok=8_000, output_tok=100),
    "long context": Lengths(prompt_tok=64_000, output_tok=1_000),
}
"""Four shapes of request that lean on different parts of a GPU; assumptions, for comparison only.

generation leans on bandwidth, documents on arithmetic, long context on memory and arithmetic, chat on all.
"""

TIER_COLUMNS = (
    "gpu",
    "memory_gb",
    "tb_per_s",
    "bf16_pflop_per_s",
    "fp8_pflop_per_s",
    "usd_per_gpu_hour",
    "usd_per_tb_per_s",
    "usd_per_pflop_per_s",
    "flop_per_byte",
    "best_workload",
    *WORKLOADS,
)

RULE_MISSES_BY = 0.2
"""A speed-up is said to follow bandwidth where it is within 20% of it."""


def tier_table(
    model: ModelShape,
    gpus: Sequence[Gpu],
    *,
    usd_per_gpu_hour: Mapping[str, float],
    precisions: Sequence[Precision] = (),
    calibration: Calibration | None = None,
) -> pd.DataFrame:
    """Return one row (TIER_COLUMNS) for each GPU: data sheet, price, and dollars for each workload over the least.

    usd_per_tb_per_s, usd_per_pflop_per_s: dollars an hour for a TB/s of bandwidth, and for a PFLOP/s of bf16.
    flop_per_byte: bf16 FLOP/s over bytes/s; work of fewer FLOP a byte waits for memory, of more for arithmetic.
    The column of a workload holds dollars a request at full use over those of the cheapest GPU, NaN where the
    model does not fit or no price is known. best_workload: the one on which the GPU does best against the cheapest
    of the others.
    """
    table = pd.DataFrame([_sheet(gpu, usd_per_gpu_hour.get(gpu.name, math.nan)) for gpu in gpus])
    hours = pd.DataFrame(
        {name: table["gpu"].map(_hours(model, gpus, w, precisions, calibration)) for name, w in WORKLOADS.items()},
        dtype=float,
    )
    usd = hours.mul(table["usd_per_gpu_hour"], axis=0)
    best = pd.Series(_best_workloads(hours, usd), dtype=object)
    return pd.concat([table, usd / usd.min()], axis=1).assign(best_workload=best)[list(TIER_COLUMNS)]


def _best_workloads(hours: pd.DataFrame, usd: pd.DataFrame) -> list[str | None]:
    """Return for each GPU the workload on which its hours buy most against the cheapest of the others.

    Its own price falls out of the comparison, so that a GPU whose price is unknown has a best workload too.
    """
    best = []
    for i in hours.index:
        against = (hours.loc[i] / usd.drop(index=i).min()).dropna()
        best.append(None if against.empty else str(against.idxmin()))
    return best


@dataclass(frozen=True, slots=True, kw_only=True)
class BandwidthRule:
    """How far `speed-up = bandwidth ratio` holds from a reference GPU.

    table: one row for each GPU: bandwidth, flop (bf16) and memory over the reference's, and the modelled speed-up
    of one user alone, of generation and of documents at full use, each for one GPU.
    sentence: on how many the rule holds, and where it is furthest off.
    """

    reference: str
    table: pd.DataFrame
    sentence: str


def bandwidth_rule(
    model: ModelShape,
    gpus: Sequence[Gpu],
    reference: Gpu,
    *,
    precisions: Sequence[Precision] = (),
    calibration: Calibration | None = None,
) -> BandwidthRule:
    """Return how far bandwidth predicts the speed-up of each GPU over the reference.

    Raises UserError where the model does not fit the reference.
    """
    asked = [reference, *(gpu for gpu in gpus if gpu.name != reference.name)]
    speeds = {
        "one user": _most(model, asked, WORKLOADS["generation"], "tok_per_s_per_user", precisions, calibration),
        "generation": _most(model, asked, WORKLOADS["generation"], "tok_per_s_per_gpu", precisions, calibration),
        "documents": _most(model, asked, WORKLOADS["documents"], "tok_per_s_per_gpu", precisions, calibration),
    }
    if reference.name not in speeds["one user"]:
        raise UserError(f"{model.name} does not fit {reference.name}, so nothing can be compared with it.")
    rows = []
    for gpu in asked:
        row: dict[str, object] = {"gpu": gpu.name}
        row["bandwidth"] = gpu.memory_bytes_per_s / reference.memory_bytes_per_s
        row["flop"] = gpu.bf16_flop_per_s / reference.bf16_flop_per_s
        row["memory"] = gpu.visible_bytes / reference.visible_bytes
        for name, speed in speeds.items():
            row[name] = speed.get(gpu.name, math.nan) / speed[reference.name]
        rows.append(row)
    table = pd.DataFrame(rows)
    return BandwidthRule(reference=reference.name, table=table, sentence=_verdict(table, reference.name))


def _verdict(table: pd.DataFrame, reference: str) -> str:
    others = table[table["gpu"] != reference].set_index("gpu")
    off = others[["one user", "generation", "documents"]].div(others["bandwidth"], axis=0).stack().dropna()
    if off.empty:
        return f"No other GPU holds the model, so nothing can be said of speed-ups over {reference}."
    holds = int((np.abs(off - 1) <= RULE_MISSES_BY).sum())
    gpu, what = off.index[int(np.abs(np.log(off.to_numpy(float))).argmax())]
    said = others.loc[gpu]
    return (
        f"Bandwidth predicts the speed-up over {reference} within {RULE_MISSES_BY:.0%} in {holds} of {len(off)}"
        f" cases; it is furthest off for {what} on {gpu}: {said['bandwidth']:.2f}x the bandwidth,"
        f" {said['flop']:.2f}x the bf16 FLOP/s, {said['memory']:.2f}x the memory, {said[what]:.2f}x the speed."
    )


def _sheet(gpu: Gpu, usd: float) -> dict[str, object]:
    fp8 = gpu.fp8_flop_per_s
    return {
        "gpu": gpu.name,
        "memory_gb": gpu.memory_bytes / 1e9,
        "tb_per_s": gpu.memory_bytes_per_s / TB,
        "bf16_pflop_per_s": gpu.bf16_flop_per_s / PFLOP,
        "fp8_pflop_per_s": math.nan if fp8 is None else fp8 / PFLOP,
        "usd_per_gpu_hour": usd,
        "usd_per_tb_per_s": usd / (gpu.memory_bytes_per_s / TB),
        "usd_per_pflop_per_s": usd / (gpu.bf16_flop_per_s / PFLOP),
        "flop_per_byte": gpu.bf16_flop_per_s / gpu.memory_bytes_per_s,
    }


def _hours(
    model: ModelShape,
    gpus: Sequence[Gpu],
    lengths: Lengths,
    precisions: Sequence[Precision],
    calibration: Calibration | None,
) -> dict[str, float]:
    """Return the GPU-hours that one request takes on each GPU at full use."""
    speed = _most(model, gpus, lengths, "tok_per_s_per_gpu", precisions, calibration)
    return {gpu: lengths.output_tok / each / HOUR_S for gpu, each in speed.items()}


def _most(
    model: ModelShape,
    gpus: Sequence[Gpu],
    lengths: Lengths,
    column: str,
    precisions: Sequence[Precision],
    calibration: Calibration | None,
) -> dict[str, float]:
    """Return the largest value of a frontier's column for each GPU that holds the model."""
    if lengths.prompt_tok + lengths.output_tok > model.max_context_tok:
        return {}
    try:
        table = frontier(model, gpus, lengths, usd_per_gpu_hour={}, precisions=precisions, calibration=calibration)
    except (UserError, DoesNotFit):
        return {}
    return {str(gpu): float(value) for gpu, value in table.groupby("gpu")[column].max().items()}
