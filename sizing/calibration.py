"""The factors that measurements gave the roofline, read from calibration.toml by engine and precision."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cache
from importlib.resources import files
from itertools import combinations
from pathlib import Path

import numpy as np

from data.errors import UserError
from sizing.throughput import Factors

SHIPPED = "calibration.toml"
DEFAULT_ENGINE = "vllm"
"""The serving engine that plans assume, unless another of the calibration's is named."""

NO_BAND = (1.0, 1.0)
"""Band of a calibration that was not held against points that it did not see."""

KEY_PARTS = ("model", "gpu", "engine", "precision", "release")
RELEASE_LEVELS = ((2, 4), (0, 2, 4), (0, 1, 2, 3, 4))
"""What one release of an engine does to all that it runs, to one model, and to one setting."""
LEVELS = (*(level for n in (1, 2, 3, 4) for level in combinations(range(4), n)), *RELEASE_LEVELS)
"""Which parts of a key share a multiplier: each part alone, each pair, triple and all four; then releases."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Key:
    """What a measured point and a plan have in common.

    release: the engine's version, or the month of the run where none is stated; empty in plans, which nobody can
    tie to one release, so that they take what all releases have in common.
    """

    model: str
    gpu: str
    engine: str
    precision: str
    release: str = ""

    def at(self, level: Sequence[int]) -> str:
        """Return the name of this key's multiplier on one level: its parts there, the others as `*`."""
        parts = KEY_PARTS if 4 in level else KEY_PARTS[:4]
        return "|".join(getattr(self, part) if i in level else "*" for i, part in enumerate(parts))

    @property
    def release_name(self) -> str:
        """Return the name of this release of the engine running this model."""
        return f"{self.model}|{self.engine}|{self.release}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Fitted factors, and what they rest on.

    physics: for each field of Factors its value for `all`, and by engine (`vllm`) or precision (`fp8`).
    slow, wait: log multipliers by `Key.at` of a level, shrunk to 0: of all times, and of the time to first token.
    cold: seconds that the mean first token waits for kernels which a release compiles for a model at its first
        whole chunk, by `Key.release_name`; a replica that has been running is warm.
    spread: quantiles 10% and 90% of measured over predicted throughput where the pair (model, GPU) was measured,
        spread_unseen where it was not; out of fold, whole sweeps or pairs apart.
    points: measured points by `model|gpu`.
    bands: of pairs `model|gpu` that have a band of their own, from a user's own measurements.
    """

    description: str
    fitted: str
    rows: int
    series: int
    physics: Mapping[str, Mapping[str, float]]
    slow: Mapping[str, float]
    wait: Mapping[str, float]
    cold: Mapping[str, float]
    spread: tuple[float, float]
    spread_unseen: tuple[float, float]
    points: Mapping[str, int]
    bands: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def engines(self) -> tuple[str, ...]:
        """Engines that were measured."""
        return tuple(name for name in self.physics["step_s"] if name != "all")

    def factors(self, keys: Sequence[Key]) -> Factors:
        """Return factors of shape (N,) for N keys; what was never measured takes what all have in common."""
        slow = np.exp(_multipliers(self.slow, keys))
        wait = np.exp(_multipliers(self.wait, keys))
        values = {name: _looked_up(table, keys) for name, table in self.physics.items()}
        return Factors(**values, slow=slow, wait=wait)

    def check_engine(self, engine: str) -> None:
        """Raise UserError on an engine that was never measured, so that nobody plans on one by a slip."""
        if engine not in self.engines:
            raise UserError(f"engine {engine!r} is not calibrated; use one of {', '.join(sorted(self.engines))}.")

    def band(self, model: str, gpu: str) -> tuple[float, float]:
        """Return (p10, p90) of measured over predicted throughput for this model on this GPU."""
        everywhere = self.spread if self.measured_points(model, gpu) else self.spread_unseen
        return self.bands.get(f"{model}|{gpu}", everywhere)

    def measured_points(self, model: str, gpu: str) -> int:
        """Return how many measured points of this model on this GPU stand behind the factors."""
        return self.points.get(f"{model}|{gpu}", 0)


@cache
def load_calibration(path: Path | None = None) -> Calibration:
    """Return the shipped calibration, or a user's own from `path`; raises UserError where it cannot be read."""
    try:
        text = (path or files("sizing").joinpath(SHIPPED)).read_text("utf-8")
        if path is not None and "physics" not in tomllib.loads(text):
            return overlaid(load_calibration(), text, str(path))
        return from_toml(text)
    except OSError as err:
        raise UserError(f"Cannot read the calibration {path}: {err.strerror}; check its path.") from err
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as err:
        raise UserError(
            f"{path or SHIPPED} is not a calibration ({err}); write one with `fleetcast calibrate`."
        ) from err


def overlaid(base: Calibration, text: str, place: str = "the overlay") -> Calibration:
    """Return the shipped calibration with a user's own multipliers on top, as sizing/own.py learned them.

    Raises UserError where they were learned on top of other factors than these.
    """
    row = tomllib.loads(text)
    about = row["about"]
    if str(about["base"]) != base.fitted:
        raise UserError(
            f"{place} was learned on top of factors fitted {about['base']}, and these were fitted {base.fitted};"
            " learn it again with `fleetcast calibrate`."
        )
    return replace(
        base,
        description=f"{about['description']}, on top of: {base.description}",
        rows=base.rows + about["rows"],
        series=base.series + about["series"],
        slow=_added(base.slow, row.get("slow", {})),
        wait=_added(base.wait, row.get("wait", {})),
        points={**base.points, **{k: base.points.get(k, 0) + n for k, n in row["points"].items()}},
        bands={name: (band["p10"], band["p90"]) for name, band in row.get("bands", {}).items()},
    )


def _added(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    return {name: one.get(name, 0.0) + other.get(name, 0.0) for name in {**one, **other}}


def from_toml(text: str) -> Calibration:
    """Return the calibration that `to_toml` wrote."""
    row = tomllib.loads(text)
    about = row["about"]
    missing = {f.name for f in fields(Factors)} - {"slow", "wait"} - set(row["physics"])
    if missing:
        raise KeyError(f"physics.{min(missing)} is missing")
    return Calibration(
        description=about["description"],
        fitted=str(about["fitted"]),
        rows=about["rows"],
        series=about["series"],
        physics=row["physics"],
        slow=row["slow"],
        wait=row["wait"],
        cold=row.get("cold", {}),
        spread=(row["spread"]["p10"], row["spread"]["p90"]),
        spread_unseen=(row["spread_unseen"]["p10"], row["spread_unseen"]["p90"]),
        points=row["points"],
    )


def to_toml(calibration: Calibration) -> str:
    """Return the calibration as TOML: same calibration, same bytes."""
    c = calibration
    lines = [
        "# Written by `fleetcast calibrate`; never edited by hand. docs/sizing.md explains every factor.",
        "[about]",
        f"description = {json.dumps(c.description)}",
        f"fitted = {c.fitted}",
        f"rows = {c.rows}",
        f"series = {c.series}",
    ]
    for name, table in c.physics.items():
        lines += ["", f"[physics.{name}]", *(f"{key} = {value:.6g}" for key, value in table.items())]
    for title, logs in (("slow", c.slow), ("wait", c.wait), ("cold", c.cold)):
        lines += ["", f"[{title}]", *(f'"{key}" = {value:.5f}' for key, value in sorted(logs.items()))]
    for title, (low, high) in (("spread", c.spread), ("spread_unseen", c.spread_unseen)):
        lines += ["", f"[{title}]", f"p10 = {low:.5f}", f"p90 = {high:.5f}"]
    lines += ["", "[points]"]
    lines += [f'"{key}" = {count}' for key, count in sorted(c.points.items())]
    return "\n".join(lines) + "\n"


def _multipliers(table: Mapping[str, float], keys: Sequence[Key]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([sum(table.get(key.at(level), 0.0) for level in LEVELS) for key in keys], dtype=np.float64)


def _looked_up(table: Mapping[str, float], keys: Sequence[Key]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the value of each key's engine or precision, or that of all where it was never measured."""
    return np.array(
        [table.get(key.engine, table.get(key.precision, table["all"])) for key in keys], dtype=np.float64
    )
