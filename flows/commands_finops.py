"""What finance brings and asks: bills, decisions, prices that moved, who used what."""

from pathlib import Path

from flows.options import Commands, OneSentenceParser, day, positive, whole


def add_actuals(commands: Commands) -> None:
    """Add the command for bills that came."""
    actuals = commands.add_parser(
        "actuals",
        help="import bills and GPU-hours in service, and show them by month",
        description="FOCUS files of your providers (CSV or Parquet), or a table of your own with the columns day"
        " and usd, and where known provider, label, gpu, gpu_hours, workload, team. Without files: what is there.",
    )
    actuals.add_argument("files", nargs="*", type=Path, metavar="FILE", help="bills; the same file twice is once")
    _add_store(actuals)
    actuals.add_argument("--json", action="store_true", help="machine-readable")
    actuals.set_defaults(run="flows.cli_finops:run_actuals")


def add_decide(commands: Commands) -> None:
    """Add the command for what was decided on commitments."""
    decide = commands.add_parser(
        "decide", help="record who accepted or declined a commitment; accepted ones are in force in the next plan"
    )
    parts = decide.add_subparsers(dest="verdict", required=True, metavar="VERDICT")
    for verdict, said in (("accept", "it was signed"), ("decline", "it was not")):
        part = parts.add_parser(verdict, help=said, description=f"A term, and that {said}: by whom, and when.")
        _add_store(part)
        part.add_argument("--by", required=True, metavar="WHO", help="who decided")
        part.add_argument("--gpu", required=True, help="catalog name")
        part.add_argument("--gpus", required=True, type=whole(1, 1_000_000), help="how many")
        part.add_argument("--usd-per-gpu-hour", required=True, type=positive, help="the price signed")
        part.add_argument("--provider", required=True, help="with whom")
        part.add_argument("--start", required=True, type=day, metavar="DATE", help="its first day")
        part.add_argument("--days", required=True, type=whole(1, 3_660), help="its length: 30, 90, 365, ...")
        part.add_argument("--plan", metavar="RUN", help="run id of the plan that proposed it")
        part.add_argument("--note", help="why, in a sentence")
        part.set_defaults(run="flows.cli_finops:run_decide")
    back = parts.add_parser("withdraw", help="take a decision back; it stays on record")
    _add_store(back)
    back.add_argument("decision", metavar="ID", help="as `decide list` prints it")
    back.add_argument("--by", required=True, metavar="WHO", help="who takes it back")
    back.set_defaults(run="flows.cli_finops:run_withdraw")
    listed = parts.add_parser("list", help="every decision, by whom and when")
    _add_store(listed)
    listed.add_argument("--json", action="store_true", help="machine-readable")
    listed.set_defaults(run="flows.cli_finops:run_decisions")


def add_prices(commands: Commands) -> None:
    """Add the command for prices of past plans."""
    prices = commands.add_parser("prices", help="what moved among the prices that plans used")
    parts = prices.add_subparsers(dest="what", required=True, metavar="WHAT")
    diff = parts.add_parser(
        "diff",
        help="the prices of two plans, held against each other",
        description="Every plan stores the prices that it used. Left out, the last two plans are compared.",
    )
    diff.add_argument("before", nargs="?", metavar="BEFORE", help="as_of or run id of the earlier plan")
    diff.add_argument("after", nargs="?", metavar="AFTER", help="of the later plan (default: the newest)")
    _add_store(diff)
    diff.add_argument("--json", action="store_true", help="machine-readable")
    diff.set_defaults(run="flows.cli_prices:run_diff")


def add_showback(commands: Commands) -> None:
    """Add the command for who used what."""
    showback = commands.add_parser(
        "showback",
        help="who used what, by team, region, model or tag, and what of the bills is theirs",
        description="Work is GPU time on the plan's GPU where a workload is hosted, and the API's list price where"
        " it is not; bills that `actuals` imported are shared by it, to the cent.",
    )
    showback.add_argument("--config", type=Path, required=True, metavar="TOML", help="the plan file")
    showback.add_argument("--by", default="team", metavar="KEY", help="team (default), region, model or tag:NAME")
    showback.add_argument("--since", type=day, required=True, metavar="DATE", help="first day")
    showback.add_argument("--until", type=day, required=True, metavar="DATE", help="the day after the last")
    showback.add_argument("--json", action="store_true", help="machine-readable")
    showback.add_argument("--out", type=Path, metavar="CSV", help="also write the table there")
    showback.set_defaults(run="flows.cli_showback:run_showback")


def _add_store(parser: OneSentenceParser) -> None:
    parser.add_argument("--store", type=Path, required=True, metavar="DB", help="the store's .duckdb file")
