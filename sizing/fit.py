"""Fit the roofline's factors to measured points: least squares on log residuals, multipliers shrunk to nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve, cholesky, solve_triangular
from scipy.optimize import least_squares

from sizing.calibration import LEVELS, Calibration, Key
from sizing.measured import Measured
from sizing.throughput import Factors, Served, closed_loop

Floats = npt.NDArray[np.float64]

WAVES = 10.0
"""Requests that each client sends in the closed-loop benchmarks (InferenceMAX: 10 x concurrency prompts)."""

NOISE = 0.08
"""Standard deviation of the log of one measurement about its own setting: repeats in the data differ by 5-10%."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One factor that is fitted, and the bounds that physics sets it."""

    field: str
    by: Literal["all", "engine", "precision"]
    start: float
    low: float
    high: float


PARAMETERS = (
    Parameter(field="memory_efficiency", by="all", start=0.75, low=0.4, high=0.95),
    Parameter(field="compute_efficiency", by="precision", start=0.5, low=0.05, high=0.95),
    Parameter(field="prefill_efficiency", by="precision", start=0.5, low=0.05, high=0.75),
    Parameter(field="link_efficiency", by="all", start=0.5, low=0.1, high=1.0),
    Parameter(field="norm", by="all", start=1.5, low=1.0, high=8.0),
    Parameter(field="allreduce_s", by="all", start=8e-6, low=1e-6, high=5e-5),
    Parameter(field="step_s", by="engine", start=1e-3, low=1e-5, high=2e-2),
    Parameter(field="layer_s", by="engine", start=2e-5, low=1e-7, high=2e-4),
    Parameter(field="moe_layer_s", by="engine", start=2e-5, low=1e-7, high=3e-4),
    Parameter(field="sequence_s", by="engine", start=1e-5, low=1e-7, high=2e-4),
    Parameter(field="prefill_s", by="engine", start=3e-3, low=1e-5, high=3e-2),
    Parameter(field="first_token_s", by="engine", start=4e-2, low=1e-3, high=4e-1),
    Parameter(field="crowding", by="engine", start=5e-2, low=1e-3, high=0.5),
)
"""Every fitted factor. Efficiencies stay below what memory and matrix units ever reached in a benchmark."""

PRIOR_SD = 0.7
"""How far (in logs) one engine's or precision's value strays from the start, where few points speak for it."""

SLOW_SD = (0.10, 0.08, 0.08, 0.08)
WAIT_SD = (0.15, 0.12, 0.12, 0.20)
"""Standard deviation of the log multipliers of one part of a key, of two, three and four together."""

SERIES_SD = 0.05
"""The same for a sweep: what its runs share and no other sweep does."""


def fit(points: Measured, *, description: str, fitted: str) -> Calibration:
    """Return the calibration of these points.

    Physics: least squares on log(predicted / measured) of TPOT where it was measured, else of throughput, and of
    TTFT, whitened by the covariance that shared multipliers give the residuals (so that a setting measured a
    hundred times does not outvote ninety measured once), with the soft L1 loss on what is left.
    Multipliers: best linear unbiased predictors of the residuals (ridge towards no multiplier).
    """
    tables = _tables(points.keys)
    theta = _fit_physics(points, tables)
    physics = _physics(theta, tables)
    log_slow, log_wait = residuals(points, _serve(points, physics, tables))
    slow = _multipliers(points, log_slow, SLOW_SD)
    told = np.array([sum(slow.get(key.at(level), 0.0) for level in LEVELS) for key in points.keys])
    wait = _multipliers(points, log_wait - told, WAIT_SD)
    counts: dict[str, int] = {}
    for key in points.keys:
        counts[f"{key.model}|{key.gpu}"] = counts.get(f"{key.model}|{key.gpu}", 0) + 1
    return Calibration(
        description=description,
        fitted=fitted,
        rows=len(points),
        series=int(points.table["series"].nunique()),
        physics=physics,
        slow=slow,
        wait=wait,
        spread=(1.0, 1.0),
        points=counts,
    )


def serve(points: Measured, calibration: Calibration) -> Served:
    """Return what each point's replica should have done, (N,) each."""
    return _closed_loop(points, calibration.factors(points.keys))


def residuals(points: Measured, served: Served) -> tuple[Floats, Floats]:
    """Return log(measured / predicted) of all times (TPOT, else 1 / throughput) and of TTFT; NaN = unknown."""
    tpot = points.table["tpot_ms"].to_numpy(float) / 1e3
    ttft = points.table["ttft_ms"].to_numpy(float) / 1e3
    rate = points.table["output_tok_s"].to_numpy(float) / points.replicas
    slow = np.where(np.isfinite(tpot), np.log(tpot / served.tpot_s), np.log(served.output_tok_per_s / rate))
    return slow, np.log(ttft / served.ttft_s)


def _closed_loop(points: Measured, factors: Factors) -> Served:
    return closed_loop(
        points.work,
        factors,
        clients=points.clients,
        prompt_tok=points.prompt_tok,
        output_tok=points.output_tok,
        memory_batch=points.memory_batch,
        waves=np.full(len(points), WAVES),
    )


@dataclass(frozen=True, slots=True)
class _Slot:
    parameter: Parameter
    names: tuple[str, ...]
    index: npt.NDArray[np.int64]


def _tables(keys: Sequence[Key]) -> list[_Slot]:
    slots = []
    for parameter in PARAMETERS:
        values = ["all" if parameter.by == "all" else getattr(key, parameter.by) for key in keys]
        names = tuple(sorted(set(values)))
        place = {name: i for i, name in enumerate(names)}
        slots.append(_Slot(parameter, names, np.array([place[value] for value in values])))
    return slots


def _fit_physics(points: Measured, slots: list[_Slot]) -> Floats:
    start = np.concatenate([np.full(len(s.names), np.log(s.parameter.start)) for s in slots])
    low = np.concatenate([np.full(len(s.names), np.log(s.parameter.low)) for s in slots])
    high = np.concatenate([np.full(len(s.names), np.log(s.parameter.high)) for s in slots])
    slow_known = np.ones(len(points), dtype=bool)
    wait_known = points.table["ttft_ms"].notna().to_numpy()
    white_slow, white_wait = _whitener(points, slow_known, SLOW_SD), _whitener(points, wait_known, WAIT_SD)

    def cost(theta: Floats) -> Floats:
        slow, wait = residuals(points, _serve(points, _physics(theta, slots), slots))
        wait = np.clip(wait[wait_known], -2.0, 2.0)
        prior = (theta - start) / PRIOR_SD
        return np.concatenate([_solve(white_slow, slow), 0.3 * _solve(white_wait, wait), 0.3 * prior])

    result = least_squares(cost, start, bounds=(low, high), loss="soft_l1", f_scale=1.5, x_scale=0.3, max_nfev=60)
    return np.asarray(result.x)


def _serve(points: Measured, physics: dict[str, dict[str, float]], slots: list[_Slot]) -> Served:
    one = np.ones(1)
    values = {}
    for slot in slots:
        table = physics[slot.parameter.field]
        values[slot.parameter.field] = np.array([table[name] for name in slot.names])[slot.index]
    return _closed_loop(points, Factors(**values, slow=one, wait=one))


def _physics(theta: Floats, slots: list[_Slot]) -> dict[str, dict[str, float]]:
    physics, at = {}, 0
    for slot in slots:
        values = np.exp(theta[at : at + len(slot.names)])
        physics[slot.parameter.field] = {name: float(v) for name, v in zip(slot.names, values, strict=True)}
        at += len(slot.names)
    return physics


def _design(points: Measured, known: npt.NDArray[np.bool_]) -> tuple[list[str], Floats, npt.NDArray[np.int64]]:
    """Return the names of multipliers, their (n, K) design, and each one's level size."""
    keys = [key for key, yes in zip(points.keys, known, strict=True) if yes]
    names: dict[str, int] = {}
    sizes: list[int] = []
    rows: list[list[int]] = []
    for key in keys:
        row = []
        for level in LEVELS:
            name = key.at(level)
            if name not in names:
                names[name] = len(names)
                sizes.append(len(level))
            row.append(names[name])
        rows.append(row)
    design = np.zeros((len(keys), len(names)))
    for i, row in enumerate(rows):
        design[i, row] = 1.0
    return list(names), design, np.array(sizes)


def _covariance(
    points: Measured, known: npt.NDArray[np.bool_], sd: Sequence[float]
) -> tuple[list[str], Floats, Floats]:
    """Return multiplier names, cov(multipliers, residuals) (K, n) and cov(residuals) (n, n)."""
    names, design, sizes = _design(points, known)
    variance = np.array([sd[size - 1] ** 2 for size in sizes])
    shared = (design * variance).T
    series = points.table["series"].to_numpy()[known]
    same = (series[:, None] == series[None, :]) * SERIES_SD**2
    noise = NOISE if sd is SLOW_SD else 2.5 * NOISE
    return names, shared, design @ shared + same + np.eye(len(series)) * noise**2


def _whitener(points: Measured, known: npt.NDArray[np.bool_], sd: Sequence[float]) -> Floats:
    return np.asarray(cholesky(_covariance(points, known, sd)[2], lower=True))


def _solve(lower: Floats, values: Floats) -> Floats:
    return np.asarray(solve_triangular(lower, values, lower=True))


def _multipliers(points: Measured, logs: Floats, sd: Sequence[float]) -> dict[str, float]:
    known = np.isfinite(logs)
    names, shared, covariance = _covariance(points, known, sd)
    limit = 1.0 if sd is SLOW_SD else 1.5
    weights = cho_solve(cho_factor(covariance), np.clip(logs[known], -limit, limit))
    return {name: float(value) for name, value in zip(names, shared @ weights, strict=True)}
