"""`fleetcast replay`: past months decided again, on any daily series or on the plan's own store."""

import argparse
import os
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from data.errors import UserError, printable
from flows.cli_catalog import print_table
from flows.cli_judge import read_table, save_table, save_text
from flows.progress import progress_bar
from flows.replay import replay_sentence, replay_workloads
from flows.settings import load_plan
from flows.walk import read_facts, read_past
from forecasting.backtest import MOST_DAYS, by_series
from reports.replay_chart import replay_chart
from reports.svg import standalone
from sizing.replay.engine import Replayed, replay_needs
from sizing.replay.grid import Grid, read_grid
from sizing.replay.need import PEAK_GPUS, PastNeed, scaled_need
from sizing.replay.policies import OURS
from sizing.replay.table import held_everywhere, replay_table, verdict_table


def run_replay(arguments: argparse.Namespace) -> None:
    """Replay a file of series, or the plan's own past; print the verdict and write the tables."""
    if arguments.config:
        _refuse(arguments, "--config", ("peak_gpus", "offers", "chart", "workers", "seed"))
        _replay_plan(arguments)
        return
    for needed in ("offers", "out"):
        if getattr(arguments, needed) is None:
            raise UserError(f"--series needs --{needed} too; see fleetcast replay --help.")
    grid = read_grid(arguments.offers)
    needs, left_out = series_needs(read_table(arguments.series), arguments.peak_gpus or PEAK_GPUS)
    if not needs:
        raise UserError(f"No series of {arguments.series} can be replayed: {left_out[0]}")
    rows = _replayed(needs, grid, arguments)
    save_table(replay_table(rows), arguments.out)
    verdict = verdict_table(rows)
    if arguments.chart:
        save_text(arguments.chart, standalone(replay_chart(verdict, len(needs))))
    print_verdict(verdict, [need.name for need in needs])
    for note in (*grid.notes, *left_out):
        print(printable(note))
    print(f"{len(needs)} series, {len(grid.markets)} cells: {arguments.out}")


def series_needs(frame: pd.DataFrame, peak_gpus: float) -> tuple[list[PastNeed], list[str]]:
    """Return the need of every series that can be replayed, and a sentence for each that cannot."""
    needs, left_out = [], []
    for name, (days, values) in by_series(frame).items():
        span = int((days[-1] - days[0]).astype(np.int64)) + 1
        if span > MOST_DAYS:
            raise UserError(f"Series {name} spans {span} days; at most {MOST_DAYS} are allowed. Check its dates.")
        y = np.full(span, np.nan)
        y[(days - days[0]).astype(np.int64)] = values
        try:
            needs.append(scaled_need(name, days[0], y, peak_gpus=peak_gpus))
        except UserError as error:
            left_out.append(f"Left out: {error}")
    return needs, left_out


def print_verdict(verdict: pd.DataFrame, names: Sequence[str]) -> None:
    """Print the cells: each baseline's cost over ours, ours over the clairvoyant."""
    others = list(dict.fromkeys(verdict["policy"][verdict["policy"] != OURS]))
    for kind, column in (("median", "median_vs_ours"), ("pooled", "pooled_vs_ours")):
        print(f"Cost over fleetcast's, {kind} of {len(set(names))} series (above 1: fleetcast is cheaper)")
        rows = []
        for _, cell in verdict.groupby(["one_year_discount", "price_path"], sort=False):
            by = cell.set_index("policy")
            first = by.iloc[0]
            ratio = by[f"{kind}_vs_clairvoyant"][OURS]
            paid = [f"{by[column][policy]:.3f}" for policy in others]
            rows.append(
                [f"{first['one_year_discount']:.0%}", printable(first["price_path"]), *paid, f"{ratio:.3f}"]
            )
        print_table(["1 year off", "prices", *others, "over clairvoyant"], rows)
        print()
    cells, median, pooled = held_everywhere(verdict)
    print(
        f"fleetcast costs at most what every other policy does in the median in {median} of {cells} cells, and"
        f" less (without a discount: the same) in the pooled sum in {pooled}."
    )


def _replayed(needs: Sequence[PastNeed], grid: Grid, arguments: argparse.Namespace) -> list[Replayed]:
    with progress_bar("replay") as report:
        return replay_needs(
            needs,
            grid.markets,
            seed=1 if arguments.seed is None else arguments.seed,
            workers=arguments.workers or os.cpu_count() or 1,
            progress=lambda done, every: report(f"series {done} of {every}", done / every),
        )


def _replay_plan(arguments: argparse.Namespace) -> None:
    """Replay each workload of a plan over its store's past, up to today or --as-of."""
    plan = load_plan(arguments.config)
    as_of = arguments.as_of or datetime.now(UTC).astimezone(plan.settings.zone).date()
    if not plan.store_path.exists():
        raise UserError(f"There is no store at {plan.store_path}, which store.path in {plan.path} names.")
    facts = read_facts(plan)
    found = replay_workloads(plan, facts, read_past(plan, as_of), as_of)
    rows = [row for each in found for row in each.rows]
    for each in found:
        print(printable(replay_sentence(each)))
    if not rows:
        raise UserError(
            "No workload has a past that can be decided again; the sentences above say what is missing."
        )
    verdict = verdict_table(rows)
    print_verdict(verdict, [row.name for row in rows])
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        save_table(replay_table(rows), arguments.out / "replay.csv")
        save_table(verdict, arguments.out / "verdict.csv")
        count = len({row.name for row in rows})
        save_text(arguments.out / "replay.svg", standalone(replay_chart(verdict, count)))
        print(f"replay.csv, verdict.csv, replay.svg written to {arguments.out}")


def _refuse(arguments: argparse.Namespace, beside: str, names: Sequence[str]) -> None:
    for name in names:
        if getattr(arguments, name) is not None:
            raise UserError(f"--{name.replace('_', '-')} is for --series, not for {beside}; leave it out.")
