"""Past months decided again: the command that says what the decisions are worth."""

import argparse
from pathlib import Path

from flows.options import Commands, positive, whole

DESCRIPTION = """\
Decide past months again, one by one, seeing only what was known then, and compare with what was needed.

  fleetcast replay --series S.csv --peak-gpus 40 --offers OFFERS.toml --out TABLE.csv

S.csv is any daily demand (unique_id, ds, y). docs/replay.md has both schemas.
"""


def add_replay(commands: Commands) -> None:
    """Add the command for past months decided again."""
    replay = commands.add_parser(
        "replay",
        help="decide past months again, against other policies and hindsight",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    replay.add_argument(
        "--series", type=Path, required=True, metavar="S", help="CSV (.csv, .csv.gz) or Parquet: unique_id, ds, y"
    )
    replay.add_argument(
        "--peak-gpus",
        type=positive,
        metavar="N",
        help="GPUs that each series' maximum before its first decision takes (default 40)",
    )
    replay.add_argument("--offers", type=Path, metavar="OFFERS", required=True, help="OFFERS.toml")
    replay.add_argument("--out", type=Path, required=True, metavar="TABLE", help="CSV or Parquet")
    replay.add_argument("--chart", type=Path, metavar="SVG", help="write the chart too")
    replay.add_argument("--seed", type=whole(0, 2**32 - 1), default=1, help="of the sample paths (default 1)")
    replay.add_argument("--workers", type=whole(1, 1_024), help="processes (default: the cores)")
    replay.set_defaults(run="flows.cli_replay:run_replay")
