"""The command line: what to type, and one sentence when it was wrong."""

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import version

from data.errors import UserError, printable
from flows.commands_choice import add_choose, add_job
from flows.commands_commit import add_commit
from flows.commands_data import add_export_sql, add_formats, add_ingest, add_rollup, add_store
from flows.commands_finops import add_actuals, add_decide, add_prices, add_showback
from flows.commands_judge import add_backtest, add_calibrate, add_validate_sizing
from flows.commands_money import add_api_cost, add_breakeven, add_compare
from flows.commands_plan import add_demo, add_plan, add_report
from flows.commands_replay import add_replay
from flows.commands_sizing import add_catalog, add_frontier, add_simulate, add_size
from flows.commands_windows import add_deployment, add_windows
from flows.options import EXIT_OK, EXIT_USER_ERROR, OneSentenceParser

DESCRIPTION = """\
Plan the compute of an LLM product: how much, what it costs, what to commit to.

Start with  fleetcast demo  for a page on made-up logs, then ingest your own:
  fleetcast ingest logs/*.parquet --store fleetcast.duckdb
  fleetcast plan --config plan.toml
"""

COMMANDS = (
    add_demo,
    add_ingest,
    add_rollup,
    add_export_sql,
    add_store,
    add_formats,
    add_plan,
    add_report,
    add_replay,
    add_deployment,
    add_size,
    add_simulate,
    add_frontier,
    add_windows,
    add_api_cost,
    add_compare,
    add_breakeven,
    add_choose,
    add_job,
    add_commit,
    add_catalog,
    add_prices,
    add_actuals,
    add_decide,
    add_showback,
    add_backtest,
    add_validate_sizing,
    add_calibrate,
)
"""The commands in the order of --help."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return 0, 1 where a check found something, 2 after one sentence on what to mend."""
    arguments = build_parser().parse_args(argv)
    try:
        status = _command(arguments.run)(arguments) or EXIT_OK
        sys.stdout.flush()  # here, so that a reader who went away is noticed below and not at the very end
        return status
    except UserError as error:
        print(f"fleetcast: {printable(str(error))}", file=sys.stderr)
        return EXIT_USER_ERROR
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output went away (`| head`); nothing is wrong
    return EXIT_OK


def _command(name: str) -> Callable[[argparse.Namespace], int | None]:
    """Import a command only when it is asked for: --help must not wait for pandas."""
    module, function = name.split(":")
    found: Callable[[argparse.Namespace], int | None] = getattr(import_module(module), function)
    return found


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = OneSentenceParser(
        prog="fleetcast", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"fleetcast {version('fleetcast')}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in COMMANDS:
        add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
