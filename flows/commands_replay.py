"""Past months decided again: the command that says what the decisions are worth."""

import argparse
from pathlib import Path

from flows.options import Commands, day, positive, whole

DESCRIPTION = """\
Decide past months again, one by one, seeing only what was known then, and compare with what was needed.

  fleetcast replay --config plan.toml [--out DIR]
  fleetcast replay --series S.csv --peak-gpus 40 --offers OFFERS.toml --out TABLE.csv

The first reads the plan's store, the second any daily demand (unique_id, ds, y). docs/replay.md has both schemas.
"""


def add_replay(commands: Commands) -> None:
    """Add the command for past months decided again."""
    replay = commands.add_parser(
        "replay",
        help="decide past months again, against other policies and hindsight",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = replay.add_mutually_exclusive_group(required=True)
    what.add_argument("--config", type=Path, metavar="PLAN", help="plan.toml: its store, workloads and prices")
    what.add_argument("--series", type=Path, metavar="S", help="CSV (.csv, .csv.gz) or Parquet: unique_id, ds, y")
    replay.add_argument(
        "--peak-gpus",
        type=positive,
        metavar="N",
        help="GPUs that each series' maximum before its first decision takes (default 40; with --series)",
    )
    replay.add_argument("--offers", type=Path, metavar="OFFERS", help="OFFERS.toml (with --series)")
    replay.add_argument(
        "--out",
        type=Path,
        metavar="OUT",
        help="with --series the table (CSV or Parquet), with --config a folder for table, verdict and chart",
    )
    replay.add_argument("--chart", type=Path, metavar="SVG", help="write the chart too (with --series)")
    replay.add_argument("--seed", type=whole(0, 2**32 - 1), help="of the sample paths (default 1; with --series)")
    replay.add_argument("--as-of", type=day, metavar="DATE", help="end of the past (default today; with --config)")
    replay.add_argument("--workers", type=whole(1, 1_024), help="processes (default: the cores; with --series)")
    replay.set_defaults(run="flows.cli_replay:run_replay")
