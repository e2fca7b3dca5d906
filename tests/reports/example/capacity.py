"""The example's fleets."""

from dataclasses import replace

import numpy as np

from data.traffic import Category
from example.common import GPUS
from reports.budget import (
    FleetRow,
)


def fleet_row(gpu: str, work: float, days: int, category: Category) -> FleetRow:
    tp, slow, _ = GPUS.get(gpu, (8, 3.0, 1.2))

    def gpus(factor: float) -> int:
        return int(np.ceil(work * slow * factor / tp)) * tp

    growth = 1 + 0.02 * (days / 30) ** 0.5
    windows = category == "online"
    return FleetRow(
        gpu=gpu,
        tp=tp,
        precision="fp8",
        feasible=True,
        why_not="",
        gpus_p50=gpus(1.3),
        gpus_p80=gpus(1.36 * growth),
        gpus_p95=gpus(1.45 * growth),
        mean_plan_gpus=gpus(1.0),
        p95_lengths_gpus=gpus(4.9),
        windowed_p95_gpus=gpus(1.25) if windows else None,
        windowed_p99_gpus=gpus(1.36 * growth) if windows else None,
        spare_gpus=tp,
        nodes=max(1, -(-gpus(1.36 * growth) // 8)),
        batch=64,
        memory_batch=118,
        binds="TPOT" if windows else "prefill",
        utilisation=0.68,
        ttft_s=0.42,
        tpot_s=0.031,
        gpus_low=gpus(1.2),
        gpus_high=gpus(1.75),
        measured_points=212 if gpu == "h100-sxm" else 31 if gpu == "a100-80gb" else 0,
        power_kw=round(gpus(1.36) * 0.7, 2),
    )


def unfit_row(row: FleetRow) -> FleetRow:
    return replace(
        row, feasible=False, why_not=f"{row.gpu} cannot give a token in 50 ms at any batch", gpus_p50=None,
        gpus_p80=None, gpus_p95=None, mean_plan_gpus=None, p95_lengths_gpus=None, windowed_p95_gpus=None,
        windowed_p99_gpus=None, spare_gpus=None, nodes=None, batch=None, memory_batch=None, binds="",
        utilisation=None, ttft_s=None, tpot_s=None, gpus_low=None, gpus_high=None, power_kw=None,
    )  # fmt: skip
