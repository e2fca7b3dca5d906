"""The demo, the monthly plan, and its page again."""

from pathlib import Path

from flows.options import Commands, day, whole


def add_demo(commands: Commands) -> None:
    """Add the command for the walk on made-up logs."""
    demo = commands.add_parser("demo", help="seeded synthetic logs -> store -> forecast -> fleet -> costs -> page")
    demo.add_argument("--out", type=Path, default=Path("runs/demo"), metavar="DIR", help="default: runs/demo")
    demo.add_argument(
        "--days", type=whole(60, 1_000), default=400, help="days of history to make up (default 400)"
    )
    demo.add_argument("--seed", type=whole(0, 2**63 - 1), default=20261123)
    demo.set_defaults(run="flows.cli_plan:run_demo")


def add_plan(commands: Commands) -> None:
    """Add the command for the monthly run."""
    plan = commands.add_parser("plan", help="the monthly run: forecast, size, price, decide, print the page")
    plan.add_argument("--config", type=Path, required=True, metavar="TOML", help="plan.toml (docs/plan-toml.md)")
    plan.add_argument(
        "--as-of", type=day, metavar="DATE", help="first day that is not known (default: today, UTC)"
    )
    plan.add_argument("--out", type=Path, default=Path("runs"), metavar="DIR", help="default: runs")
    plan.add_argument("--force", action="store_true", help="plan again although nothing has changed")
    plan.add_argument("--prefect", action="store_true", help="track the run with Prefect")
    plan.set_defaults(run="flows.cli_plan:run_plan")


def add_report(commands: Commands) -> None:
    """Add the command for a page from its plan.json."""
    report = commands.add_parser("report", help="render the page again from a plan.json, without planning")
    report.add_argument("--from", dest="plan_json", type=Path, required=True, metavar="PLAN.JSON")
    report.add_argument("--out", type=Path, required=True, metavar="PAGE.HTML")
    report.set_defaults(run="flows.cli_plan:run_report")
