"""`fleetcast replay`: past months decided again, on any daily series or on the plan's own store."""

import argparse
import os
from collections.abc import Sequence

import numpy as np
import pandas as pd

from data.errors import UserError, printable
from flows.cli_catalog import print_table
from flows.cli_judge import read_table, save_table, save_text
from flows.progress import progress_bar
from forecasting.backtest import MOST_DAYS, by_series
from reports.replay_chart import replay_chart
from reports.svg import standalone
from sizing.replay.engine import Replayed, replay_needs
from sizing.replay.grid import Grid, read_grid
from sizing.replay.need import PEAK_GPUS, PastNeed, scaled_need
from sizing.replay.policies import OURS
from sizing.replay.table import held_everywhere, replay_table, verdict_table


def run_replay(arguments: argparse.Namespace) -> None:
    """Replay a file of series; print the verdict and write the table."""
    grid = read_grid(arguments.offers)
    needs, left_out = series_needs(read_table(arguments.series), arguments.peak_gpus or PEAK_GPUS)
    if not needs:
        raise UserError(f"No series of {arguments.series} can be replayed: {left_out[0]}")
    rows = _replayed(needs, grid, arguments)
    save_table(replay_table(rows), arguments.out)
    verdict = verdict_table(rows)
    if arguments.chart:
        save_text(arguments.chart, standalone(replay_chart(verdict, len(needs))))
    print_verdict(verdict, needs)
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


def print_verdict(verdict: pd.DataFrame, needs: Sequence[PastNeed]) -> None:
    """Print the cells: each baseline's cost over ours, ours over the clairvoyant."""
    others = list(dict.fromkeys(verdict["policy"][verdict["policy"] != OURS]))
    for kind, column in (("median", "median_vs_ours"), ("pooled", "pooled_vs_ours")):
        print(f"Cost over fleetcast's, {kind} of {len(needs)} series (above 1: fleetcast is cheaper)")
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
            seed=arguments.seed,
            workers=arguments.workers or os.cpu_count() or 1,
            progress=lambda done, every: report(f"series {done} of {every}", done / every),
        )
