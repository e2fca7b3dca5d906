"""The factors that measurements gave the roofline, read from calibration.toml by engine and precision."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
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

KEY_PARTS = ("model", "gpu", "engine", "precision")
LEVELS = tuple(level for n in (1, 2, 3, 4) for level in combinations(range(4), n))
"""Which parts of a key share a multiplier: each part alone, then each pair, triple and all four."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Key:
    """What a measured point and a plan have in common."""

    model: str
    gpu: str
    engine: str
    precision: str

    def at(self, level: Sequence[int]) -> str:
        """Return the name of this key's multiplier on one level: its parts there, the others as `*`."""
        return "|".join(getattr(self, part) if i in level else "*" for i, part in enumerate(KEY_PARTS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Fitted factors, and what they rest on.

    physics: for each field of Factors its value for `all`, and by engine (`vllm`) or precision (`fp8`).
    slow, wait: log multipliers by `Key.at` of a level, shrunk to 0: of all times, and of the time to first token.
    spread: quantiles 10% and 90% of measured over predicted throughput where the pair (model, GPU) was measured,
        spread_unseen where it was not; out of fold, whole sweeps or pairs apart.
    points: measured points by `model|gpu`.
    """

    description: str
    fitted: str
    rows: int
    series: int
    physics: Mapping[str, Mapping[str, float]]
    slow: Mapping[str, float]
    wait: Mapping[str, float]
    spread: tuple[float, float]
    spread_unseen: tuple[float, float]
    points: Mapping[str, int]

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
        return self.spread if self.measured_points(model, gpu) else self.spread_unseen

    def measured_points(self, model: str, gpu: str) -> int:
        """Return how many measured points of this model on this GPU stand behind the factors."""
        return self.points.get(f"{model}|{gpu}", 0)


@cache
def load_calibration(path: Path | None = None) -> Calibration:
    """Return the shipped calibration, or a user's own from `path`; raises UserError where it cannot be read."""
    try:
        text = (path or files("sizing").joinpath(SHIPPED)).read_text("utf-8")
        return from_toml(text)
    except OSError as err:
        raise UserError(f"Cannot read the calibration {path}: {err.strerror}; check its path.") from err
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as err:
        raise UserError(
            f"{path or SHIPPED} is not a calibration ({err}); write one with `fleetcast calibrate`."
        ) from err


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
        f'description = "{c.description}"',
        f"fitted = {c.fitted}",
        f"rows = {c.rows}",
        f"series = {c.series}",
    ]
    for name, table in c.physics.items():
        lines += ["", f"[physics.{name}]", *(f"{key} = {value:.6g}" for key, value in table.items())]
    for title, logs in (("slow", c.slow), ("wait", c.wait)):
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
