"""A user's own measurements on top of the shipped factors: multipliers shrunk to none, and bands of their own."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from sizing.calibration import KEY_PARTS, Calibration, Key, overlaid
from sizing.fit import instance_tok_per_s, residuals, serve
from sizing.folds import fold_numbers
from sizing.measured import Measured
from sizing.shrink import Effects, Spreads, effects, total

Floats = npt.NDArray[np.float64]

SLOW = Spreads(effects=(0.05, 0.05, 0.05, 0.25), releases=(0.0, 0.0, 0.0), series=0.05, noise=0.08, limit=1.5)
"""Of all times, in logs: one's own stack may well be a quarter off the tuned ones that factors rest on, and that
belongs to the setting as a whole (its flags, network, drivers) more than to its model or GPU alone."""

WAIT = Spreads(effects=(0.05, 0.05, 0.05, 0.40), releases=(0.0, 0.0, 0.0), series=0.05, noise=0.20, limit=1.5)
"""Of the time to first token besides."""

LEAST_SWEEPS, LEAST_POINTS = 5, 20
"""Fewer whole sweeps, or points, give a setting no band of its own: a quantile of 10% needs more to stand on."""

FOLDS = 10
TAIL = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What was learned of one (model, GPU, engine, precision).

    before, after: median |predicted / measured - 1| of throughput with the shipped factors and with these.
    slower: all times over what the shipped factors say. band: measured / predicted, None where too few sweeps.
    """

    key: Key
    points: int
    sweeps: int
    slower: float
    before: float
    after: float
    band: tuple[float, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """An overlay, as TOML, and what it says of each setting."""

    toml: str
    settings: tuple[Setting, ...]


def learn(points: Measured, base: Calibration, *, description: str, fitted: str) -> Own:
    """Return the overlay of these points on the shipped factors, which stay as they are.

    Multipliers: best linear unbiased predictors of what residuals share (sizing/shrink.py), so that one run moves
    its setting by little and many agreeing ones by nearly all of it. The release is left out of keys: a plan rests
    on the user's stack as it is. Bands: residuals of whole sweeps by multipliers that did not see them.
    """
    own = replace(points, keys=tuple(replace(key, release="") for key in points.keys))
    slow, wait = _multipliers(own, base)
    band = _bands(own, base)
    toml = _toml(own, base, slow, wait, band, description=description, fitted=fitted)
    fitted_to = overlaid(base, toml)
    before, after = (_rate_error(own, calibration) for calibration in (base, fitted_to))
    settings = []
    for key in sorted(set(own.keys)):
        here = np.array([k == key for k in own.keys])
        settings.append(
            Setting(
                key=key,
                points=int(here.sum()),
                sweeps=len(set(own.table["series"].to_numpy()[here])),
                slower=float(np.exp(total(slow, [key])[0])),
                before=float(np.median(before[here])),
                after=float(np.median(after[here])),
                band=band.get(f"{key.model}|{key.gpu}"),
            )
        )
    return Own(toml=toml, settings=tuple(settings))


def conformal_band(log_ratio: Floats) -> tuple[float, float]:
    """Return the 80% band of measured / predicted from residuals of points that did not help to predict.

    The k-th smallest and largest of n residuals, k = floor((n + 1) / 10): a new point falls below the one with a
    chance of at most 10%, and so above the other (split conformal prediction; Vovk et al., Algorithmic Learning in
    a Random World, 2005).
    """
    ordered = np.sort(log_ratio)
    k = max(1, int(np.floor((len(ordered) + 1) * TAIL)))
    return float(np.exp(ordered[k - 1])), float(np.exp(ordered[-k]))


def _multipliers(points: Measured, base: Calibration) -> tuple[dict[str, float], dict[str, float]]:
    log_slow, log_wait = residuals(points, serve(points, base))
    series = points.table["series"].to_numpy(str)
    slow = _named(effects(points.keys, series, SLOW), log_slow)
    known = np.isfinite(log_wait)
    if not known.any():
        return slow, {}
    rest = (log_wait - total(slow, points.keys))[known]
    keys = [key for key, yes in zip(points.keys, known, strict=True) if yes]
    return slow, _named(effects(keys, series[known], WAIT), rest)


def _named(model: Effects, values: Floats) -> dict[str, float]:
    """Return the multipliers of the four parts of a key alone; those of releases have no spread and are 0."""
    return {
        name: value for name, value in model.multipliers(values).items() if name.count("|") < len(KEY_PARTS) - 1
    }


def _bands(points: Measured, base: Calibration) -> dict[str, tuple[float, float]]:
    """Return the band of each pair with enough sweeps, whole sweeps left out in turn."""
    series = points.table["series"].to_numpy(str)
    if len(set(series)) < 2:
        return {}
    fold = fold_numbers(points, "series", min(FOLDS, len(set(series))))
    log_ratio = np.full(len(points), np.nan)
    measured = points.table["output_tok_s"].to_numpy(float)
    for number in np.unique(fold):
        here = fold == number
        slow, wait = _multipliers(points.take(~here), base)
        left_out = points.take(here)
        trial = replace(base, slow=_sum(base.slow, slow), wait=_sum(base.wait, wait))
        log_ratio[here] = np.log(measured[here] / instance_tok_per_s(left_out, serve(left_out, trial)))
    pairs = np.array([f"{key.model}|{key.gpu}" for key in points.keys])
    bands = {}
    for pair in np.unique(pairs):
        here = pairs == pair
        if here.sum() >= LEAST_POINTS and len(set(series[here])) >= LEAST_SWEEPS:
            bands[str(pair)] = conformal_band(log_ratio[here])
    return bands


def _sum(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    return {name: one.get(name, 0.0) + other.get(name, 0.0) for name in {**one, **other}}


def _rate_error(points: Measured, calibration: Calibration) -> Floats:
    rate = instance_tok_per_s(points, serve(points, calibration))
    return np.asarray(np.abs(rate / points.table["output_tok_s"].to_numpy(float) - 1))


def _toml(
    points: Measured,
    base: Calibration,
    slow: Mapping[str, float],
    wait: Mapping[str, float],
    bands: Mapping[str, tuple[float, float]],
    *,
    description: str,
    fitted: str,
) -> str:
    lines = [
        "# Written by `fleetcast calibrate`; goes on top of the shipped factors. docs/sizing.md explains it.",
        "[about]",
        f"description = {json.dumps(description)}",
        f"fitted = {fitted}",
        f"base = {base.fitted}",
        f"rows = {len(points)}",
        f"series = {points.table['series'].nunique()}",
    ]
    for title, logs in (("slow", slow), ("wait", wait)):
        lines += ["", f"[{title}]", *(f"{json.dumps(key)} = {value:.5f}" for key, value in sorted(logs.items()))]
    for pair, (low, high) in sorted(bands.items()):
        lines += ["", f"[bands.{json.dumps(pair)}]", f"p10 = {low:.5f}", f"p90 = {high:.5f}"]
    counts = Counter(f"{key.model}|{key.gpu}" for key in points.keys)
    lines += ["", "[points]", *(f"{json.dumps(pair)} = {n}" for pair, n in sorted(counts.items()))]
    return "\n".join(lines) + "\n"
