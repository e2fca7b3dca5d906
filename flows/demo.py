"""The demo: seeded synthetic logs through the whole walk, the same page every time."""

import shutil
from datetime import date, timedelta
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

EARLIER_DAYS = 30
"""How long before it the demo's earlier plan is made."""
LEAST_DAYS = 28
"""Days of history that the earlier plan needs."""

MARK = ".fleetcast-demo"
"""File that says whose a folder is: a demo never replaces logs that it did not make up."""


def run(out: Path, *, days: int = 400, seed: int = 20261123, progress: Report = no_progress) -> PlanOutcome:
    """Make a world under `out`, plan it a month ago and today, and return today's page under `out/plans`.

    The earlier plan sees nothing of the days after it, so that today's page has a track record and a plan to
    compare with. A world too short for it is planned today only.
    """
    config = prepare(out, days=days, seed=seed, progress=progress)
    dates = [AS_OF - timedelta(days=EARLIER_DAYS), AS_OF] if days >= EARLIER_DAYS + LEAST_DAYS else [AS_OF]
    outcomes = [
        plan_month(
            PlanRequest(config=config, out=out / "plans", as_of=as_of),
            progress=_part_of(progress, f"as of {as_of}", 0.7 + 0.3 * n / len(dates), 0.3 / len(dates)),
        )
        for n, as_of in enumerate(dates)
    ]
    return outcomes[-1]


def _part_of(progress: Report, name: str, start: float, width: float) -> Report:
    """Report one plan's progress as its part of the whole."""
    return lambda what, share: progress(f"{name}: {what}", start + width * share)


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
