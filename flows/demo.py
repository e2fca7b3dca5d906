"""The demo: seeded synthetic logs through the whole walk, the same page every time."""

import shutil
from datetime import date
from importlib.resources import files
from pathlib import Path

from data.errors import UserError
from data.synthetic import write_synthetic_logs
from data.synthetic_world import SyntheticWorld
from flows.ingest import IngestRequest, ingest
from flows.plan import PlanOutcome, PlanRequest, plan_month
from flows.progress import Report, no_progress

AS_OF = date(2026, 11, 23)
"""The demo's first unknown day; fixed, so that every run gives the same numbers."""

MARK = ".fleetcast-demo"
"""File that says whose a folder is: a demo never replaces logs that it did not make up."""


def run(out: Path, *, days: int = 400, seed: int = 20261123, progress: Report = no_progress) -> PlanOutcome:
    """Make a world under `out`, plan it, and return the page under `out/plans`."""
    config = prepare(out, days=days, seed=seed, progress=progress)
    plan = PlanRequest(config=config, out=out / "plans", as_of=AS_OF)
    return plan_month(plan, progress=lambda what, share: progress(what, 0.7 + 0.3 * share))


def prepare(
    out: Path, *, days: int = 400, seed: int = 20261123, scale: float = 1.0, progress: Report = no_progress
) -> Path:
    """Write logs, a store and plan.toml under `out`, and return the plan's path.

    What an earlier demo left there is replaced; raises UserError where something of the same name is not a demo's.
    """
    logs, store = out / "logs", out / "store"
    _clear(out)
    write_logs(logs, days=days, seed=seed, scale=scale, progress=progress)
    request = IngestRequest(logs=(logs,), store=store / "fleetcast.duckdb")
    ingest(request, lambda what, share: progress(f"ingesting {what}", 0.3 + 0.4 * share))
    config = out / "plan.toml"
    config.write_text(demo_plan("store/fleetcast.duckdb"))
    return config


def _clear(out: Path) -> None:
    """Make `out` ready for a demo: what it will write must be an earlier demo's, or not be there."""
    mark = out / MARK
    taken = [out / name for name in ("logs", "store", "plan.toml") if (out / name).exists()]
    if taken and not mark.exists():
        raise UserError(f"{taken[0]} is there and is not an earlier demo's; choose an empty folder with --out.")
    for folder in (out / "logs", out / "store"):
        shutil.rmtree(folder, ignore_errors=True)
    try:
        out.mkdir(parents=True, exist_ok=True)
        mark.write_text("Made by fleetcast demo, which may replace logs, store and plan.toml beside this file.\n")
    except OSError as error:
        raise UserError(f"Cannot write to {out}: {error.strerror}; choose another folder with --out.") from error


def write_logs(
    folder: Path, *, days: int = 400, seed: int = 20261123, scale: float = 1.0, progress: Report = no_progress
) -> SyntheticWorld:
    """Write the demo's logs, which end the day before AS_OF, and return the truth behind them."""
    return write_synthetic_logs(
        folder,
        seed=seed,
        end=AS_OF,
        days=days,
        scale=scale,
        progress=lambda done, every: progress("making up logs", 0.3 * done / every),
    )


def demo_plan(store: str) -> str:
    """Return the demo's plan.toml, which is examples/plan.toml with another store."""
    return files("flows").joinpath("demo.toml").read_text().replace("STORE_PATH", store)
