"""Fit the roofline's factors to measured points: least squares on log residuals, bounded by physics."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from sizing.calibration import NO_BAND, Calibration, Key
from sizing.clients import Served, closed_loop
from sizing.measured import Measured
from sizing.shrink import SLOW, WAIT, effects, total
from sizing.throughput import MOST_OF_PEAK, Factors

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

PLATEAU_POINTS, PLATEAU = 4, 0.1
"""Points at one and the same highest rate that show an engine's front end, and how near they must be."""

NEAR_BOUND = 0.01
"""Relative distance within which a factor is said to sit on its bound."""

COLD_S, COLD_ROWS, COLD_RATIO = 1.0, 3, 1.5
"""Least seconds, points, and agreement that are taken for compiling: less is not told from queueing."""

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
    front = front_ends(points)
    physics = _physics(_solve(points, slots, series, front), slots) | {"stream_s": front}
    served = _serve(points, physics, slots)
    cold = cold_starts(points, served)
    log_slow, log_wait = residuals(points, replace(served, ttft_s=served.ttft_s + _cold_s(points, cold)))
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
        cold=cold,
        spread=NO_BAND,
        spread_unseen=NO_BAND,
        points=dict(Counter(f"{key.model}|{key.gpu}" for key in points.keys)),
    )


def on_a_bound(calibration: Calibration) -> list[str]:
    """Return a sentence for each fitted factor that sits on a bound of physics: the data would go further."""
    found = []
    for p in PARAMETERS:
        for name, value in calibration.physics[p.field].items():
            for bound, which in ((p.low, "lowest"), (p.high, "highest")):
                if abs(np.log(value / bound)) < NEAR_BOUND:
                    found.append(f"{p.field} of {name} is {value:.3g}, the {which} allowed ({bound:g}).")
    return found


def serve(points: Measured, calibration: Calibration) -> Served:
    """Return what each point's replica should have done, (N,) each."""
    return _closed_loop(points, calibration.factors(points.keys), _cold_s(points, calibration.cold))


def front_ends(points: Measured) -> dict[str, float]:
    """Return stream_s by engine, 0 for `all`: where replicas of several sizes stop at one and the same rate.

    More GPUs make the engine faster, not the one process that turns tokens into text and sends them: an engine
    of which PLATEAU_POINTS points or more lie within PLATEAU of its highest rate though their TP differs has met
    that process, and 1 / rate is its time for a token. Where no such level was seen no limit is assumed.
    """
    engines = np.array([key.engine for key in points.keys])
    rate = points.table["output_tok_s"].to_numpy(float) / points.replicas
    seen = points.streamed & np.isfinite(rate)
    found = {"all": 0.0}
    for name in np.unique(engines[seen]):
        here = seen & (engines == name)
        highest = rate[here].max()
        level = here & (rate >= (1 - PLATEAU) * highest)
        if level.sum() >= PLATEAU_POINTS and len(set(points.work.tp[level])) > 1:
            found[str(name)] = float(1 / highest)
    return found


def cold_starts(points: Measured, served: Served) -> dict[str, float]:
    """Return the mean seconds that first tokens waited for kernels being compiled, where they did.

    All clients of a benchmark start at once, and those of the first wave wait while the engine compiles for the
    first whole chunk that it meets. The mean over a run (ten waves in InferenceX's) is then late by the same time
    whatever the number of clients and the length of prompts, which no queue is. Taken where COLD_ROWS points or
    more of one model on one release are late by COLD_S at least, and by about the same: of their quartiles, the
    upper one is at most COLD_RATIO times the lower one.
    """
    late = points.table["ttft_ms"].to_numpy(float) / 1e3 - served.ttft_s
    names = np.array([key.release_name for key in points.keys])
    counts = np.isfinite(late) & points.fills_chunk
    cold = {}
    for name in np.unique(names[counts]):
        here = late[counts & (names == name)]
        if len(here) < COLD_ROWS:
            continue
        low, middle, high = np.quantile(here, (0.25, 0.5, 0.75))
        if low >= COLD_S and high <= COLD_RATIO * low:
            cold[str(name)] = float(middle)
    return cold


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


def _solve(
    points: Measured, slots: list[_Slot], series: npt.NDArray[np.str_], front: Mapping[str, float]
) -> Floats:
    """Return for each slot log(all), then the log deviation of each name, which is shrunk to 0."""
    start, low, high, prior_sd = (
        np.concatenate(parts) for parts in zip(*(s.bounds() for s in slots), strict=True)
    )
    known = points.table["ttft_ms"].notna().to_numpy()
    slow_model = effects(points.keys, series, SLOW)
    keys = [key for key, yes in zip(points.keys, known, strict=True) if yes]
    wait_model = effects(keys, series[known], WAIT) if keys else None

    def cost(theta: Floats) -> Floats:
        slow, wait = residuals(points, _serve(points, _physics(theta, slots) | {"stream_s": dict(front)}, slots))
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
    front = physics["stream_s"]
    values["stream_s"] = np.array([front.get(key.engine, front["all"]) for key in points.keys])
    return _closed_loop(points, Factors(**values, slow=one, wait=one))


def _cold_s(points: Measured, cold: Mapping[str, float]) -> Floats:
    late = np.array([cold.get(key.release_name, 0.0) for key in points.keys])
    return np.where(points.fills_chunk, late, 0.0)


def _closed_loop(points: Measured, factors: Factors, cold_s: Floats | float = 0.0) -> Served:
    return closed_loop(
        points.work,
        replace(factors, stream_s=np.where(points.streamed, factors.stream_s, 0.0)),
        cold_s=cold_s,
        clients=points.clients,
        prompt_tok=points.prompt_tok,
        output_tok=points.output_tok,
        memory_batch=points.memory_batch,
        held_steps=points.held_steps,
        same_lengths=points.same_lengths,
    )
