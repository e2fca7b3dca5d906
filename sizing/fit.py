"""Fit the roofline's factors to measured points: least squares on log residuals, bounded by physics."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from sizing.calibration import NO_BAND, Calibration, Key
from sizing.measured import Measured
from sizing.shrink import SLOW, WAIT, effects, total
from sizing.throughput import MOST_OF_PEAK, Factors, Served, closed_loop

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One factor that is fitted, for all or apart by engine or precision, and the bounds that physics sets it."""

    field: str
    by: Literal["all", "engine", "precision"]
    start: float
    low: float
    high: float


PARAMETERS = (
    Parameter(field="memory_efficiency", by="all", start=0.75, low=0.4, high=0.95),
    Parameter(field="compute_efficiency", by="precision", start=0.5, low=0.05, high=0.95),
    Parameter(field="prefill_efficiency", by="precision", start=0.5, low=0.05, high=MOST_OF_PEAK),
    Parameter(field="link_efficiency", by="all", start=0.5, low=0.1, high=1.0),
    Parameter(field="norm", by="all", start=1.5, low=1.0, high=8.0),
    Parameter(field="allreduce_s", by="all", start=8e-6, low=1e-6, high=5e-5),
    Parameter(field="step_s", by="engine", start=1e-3, low=1e-5, high=2e-2),
    Parameter(field="layer_s", by="engine", start=2e-5, low=1e-7, high=2e-4),
    Parameter(field="moe_layer_s", by="engine", start=2e-5, low=1e-7, high=3e-4),
    Parameter(field="sequence_s", by="engine", start=1e-5, low=1e-7, high=2e-4),
    Parameter(field="prefill_s", by="engine", start=3e-3, low=1e-5, high=3e-2),
    Parameter(field="first_token_s", by="engine", start=4e-2, low=1e-3, high=4e-1),
    Parameter(field="look_steps", by="engine", start=2.0, low=0.1, high=40.0),
    Parameter(field="in_step_same", by="all", start=0.8, low=0.1, high=1.0),
    Parameter(field="in_step_drawn", by="all", start=0.2, low=0.02, high=1.0),
)
"""Every fitted factor. STREAM-like kernels reach at most 95% of HBM bandwidth; large matrix products in serving
reach at most about 75% of the dense peak, since clocks fall under load; an all-reduce over NVLink takes at least a
microsecond or two; a norm of 1 is no overlap of reading and computing at all."""

ALL_SD = 2.0
OWN_SD = 1.0
"""Prior standard deviation, in logs, of a factor about its start, and of one engine's or precision's about all."""

WAIT_WEIGHT = 0.3
"""Weight of a residual of the first token against one of throughput, which is what fleets are sized on."""

LEVEL_SD = 0.005
"""How far the mean log residual strays from 0: multipliers tell settings apart, the level belongs to physics."""

LOSS_SCALE = 1.5
"""Whitened residuals beyond it weigh linearly (soft L1), so that one broken run does not bend physics."""


def fit(points: Measured, *, description: str, fitted: str) -> Calibration:
    """Return the calibration of these points, without bands (sizing/folds.py adds them).

    Physics: least squares on log(measured / predicted) of TPOT where it was measured, else of throughput, and of
    TTFT, whitened (sizing/shrink.py), so that a setting measured a hundred times does not outvote ninety measured
    once. Multipliers: the predictors of what residuals share. Deterministic: same points, same factors.
    """
    slots = _slots(points.keys)
    series = points.table["series"].to_numpy(str)
    physics = _physics(_solve(points, slots, series), slots)
    log_slow, log_wait = residuals(points, _serve(points, physics, slots))
    slow = effects(points.keys, series, SLOW).multipliers(log_slow)
    known = np.isfinite(log_wait)
    keys = [key for key, yes in zip(points.keys, known, strict=True) if yes]
    rest = (log_wait - total(slow, points.keys))[known]
    return Calibration(
        description=description,
        fitted=fitted,
        rows=len(points),
        series=len(set(series)),
        physics=physics,
        slow=slow,
        wait=effects(keys, series[known], WAIT).multipliers(rest) if keys else {},
        spread=NO_BAND,
        spread_unseen=NO_BAND,
        points=dict(Counter(f"{key.model}|{key.gpu}" for key in points.keys)),
    )


def serve(points: Measured, calibration: Calibration) -> Served:
    """Return what each point's replica should have done, (N,) each."""
    return _closed_loop(points, calibration.factors(points.keys))


def instance_tok_per_s(points: Measured, served: Served) -> Floats:
    """Return (N,) generated tokens a second of each whole instance, worked out as the measured file does.

    Where the file derives throughput (`tput_derived`), it takes nominal output lengths: C G / (TTFT + TPOT (G-1)).
    """
    derived = (
        (points.table["tput_derived"] == 1) & points.table["concurrency"].notna() & points.table["tpot_ms"].notna()
    )
    nominal = points.table["osl"].to_numpy(float)
    rate = points.clients * nominal / (served.ttft_s + served.tpot_s * (nominal - 1))
    return np.asarray(np.where(derived, rate, served.output_tok_per_s) * points.replicas)


def residuals(points: Measured, served: Served) -> tuple[Floats, Floats]:
    """Return log(measured / predicted) of all times (TPOT, else 1 / throughput) and of TTFT; NaN = unknown."""
    tpot = points.table["tpot_ms"].to_numpy(float) / 1e3
    ttft = points.table["ttft_ms"].to_numpy(float) / 1e3
    rate = points.table["output_tok_s"].to_numpy(float)
    slower = np.log(instance_tok_per_s(points, served) / rate)
    return np.where(np.isfinite(tpot), np.log(tpot / served.tpot_s), slower), np.log(ttft / served.ttft_s)


@dataclass(frozen=True, slots=True)
class _Slot:
    """One parameter: the names that have a value of their own, `all` first, and the place of each point's."""

    parameter: Parameter
    names: tuple[str, ...]
    index: npt.NDArray[np.int64]

    def bounds(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Return (start, low, high, prior deviation): log(all), then each name's log deviation from it."""
        p, own = self.parameter, np.zeros(len(self.names) - 1)
        return (
            np.array([np.log(p.start), *own]),
            np.array([np.log(p.low), *(own - 3.0)]),
            np.array([np.log(p.high), *(own + 3.0)]),
            np.array([ALL_SD, *(own + OWN_SD)]),
        )


def _slots(keys: Sequence[Key]) -> list[_Slot]:
    slots = []
    for parameter in PARAMETERS:
        values = ["all" if parameter.by == "all" else getattr(key, parameter.by) for key in keys]
        names = ("all", *sorted(set(values) - {"all"}))
        slots.append(_Slot(parameter, names, np.array([names.index(value) for value in values])))
    return slots


def _solve(points: Measured, slots: list[_Slot], series: npt.NDArray[np.str_]) -> Floats:
    """Return for each slot log(all), then the log deviation of each name, which is shrunk to 0."""
    start, low, high, prior_sd = (
        np.concatenate(parts) for parts in zip(*(s.bounds() for s in slots), strict=True)
    )
    known = points.table["ttft_ms"].notna().to_numpy()
    slow_model = effects(points.keys, series, SLOW)
    keys = [key for key, yes in zip(points.keys, known, strict=True) if yes]
    wait_model = effects(keys, series[known], WAIT) if keys else None

    def cost(theta: Floats) -> Floats:
        slow, wait = residuals(points, _serve(points, _physics(theta, slots), slots))
        terms = [slow_model.whiten(slow), (theta - start) / prior_sd, [slow.mean() / LEVEL_SD]]
        if wait_model is not None:
            terms.append(WAIT_WEIGHT * wait_model.whiten(np.clip(wait[known], -2.0, 2.0)))
        return np.concatenate(terms)

    found = least_squares(
        cost, start, bounds=(low, high), loss="soft_l1", f_scale=LOSS_SCALE, x_scale=0.3, max_nfev=25
    )
    return np.asarray(found.x)


def _physics(theta: Floats, slots: list[_Slot]) -> dict[str, dict[str, float]]:
    physics, at = {}, 0
    for slot in slots:
        first, *own = theta[at : at + len(slot.names)]
        values = np.exp(np.array([first, *(first + deviation for deviation in own)]))
        bounded = np.clip(values, slot.parameter.low, slot.parameter.high)
        physics[slot.parameter.field] = {name: float(v) for name, v in zip(slot.names, bounded, strict=True)}
        at += len(slot.names)
    return physics


def _serve(points: Measured, physics: dict[str, dict[str, float]], slots: list[_Slot]) -> Served:
    one = np.ones(1)
    values = {}
    for slot in slots:
        table = physics[slot.parameter.field]
        values[slot.parameter.field] = np.array([table[name] for name in slot.names])[slot.index]
    return _closed_loop(points, Factors(**values, slow=one, wait=one))


def _closed_loop(points: Measured, factors: Factors) -> Served:
    return closed_loop(
        points.work,
        factors,
        clients=points.clients,
        prompt_tok=points.prompt_tok,
        output_tok=points.output_tok,
        memory_batch=points.memory_batch,
        held_steps=points.held_steps,
        same_lengths=points.same_lengths,
    )
