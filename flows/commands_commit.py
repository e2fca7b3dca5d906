"""The commitment decision alone, on any need and any offers."""

from pathlib import Path

from flows.options import Commands, day, share, share_or_none, whole


def add_commit(commands: Commands) -> None:
    """Add the command for what to commit to."""
    commit = commands.add_parser(
        "commit", help="what to reserve of one GPU, for which term, and until when to sign"
    )
    commit.add_argument(
        "--need", type=Path, required=True, metavar="NEED.CSV", help="GPUs needed (docs/commit.md)"
    )
    commit.add_argument(
        "--offers", type=Path, required=True, metavar="OFFERS.TOML", help="what they cost (docs/commit.md)"
    )
    commit.add_argument(
        "--as-of", type=day, metavar="DATE", help="first day that is not known (default: the first of the need)"
    )
    commit.add_argument(
        "--decision-days", type=whole(0, 365), default=5, metavar="N",
        help="days that the signature may take (default 5)",
    )  # fmt: skip
    commit.add_argument(
        "--risk-weight", type=share_or_none, default=0.0, metavar="W",
        help="how much the worst bills count against the mean, 0 to 1 (default 0)",
    )  # fmt: skip
    commit.add_argument(
        "--risk-level", type=share, default=0.95, metavar="A", help="the worst 1 - A of the bills (default 0.95)"
    )
    commit.add_argument(
        "--yearly-price-fall", type=share_or_none, default=0.0, metavar="F",
        help="a scenario: all prices fall smoothly by this share a year (default 0: they stay)",
    )  # fmt: skip
    commit.add_argument(
        "--policy", choices=["least", "ladder"], default="least",
        help="sign what costs least (default), or keep to commit 30, hedge 90, watch 365",
    )  # fmt: skip
    commit.add_argument("--bands", type=whole(0, 10_000), default=12, metavar="N", help="bands shown (default 12)")
    commit.add_argument("--json", action="store_true", help="machine-readable")
    commit.set_defaults(run="flows.cli_commit:run_commit")
