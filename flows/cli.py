"""The command line: what to type, and one sentence when it was wrong."""

import argparse
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn, TypeAlias, TypeVar

from data.errors import UserError, printable

EXIT_OK, EXIT_FOUND, EXIT_USER_ERROR = 0, 1, 2
FIRST_YEAR, LAST_YEAR = 2000, 2199

DESCRIPTION = """\
Plan the compute of an LLM product: how much, what it costs, what to commit to.

Start with  fleetcast demo  for a page on made-up logs, then ingest your own:
  fleetcast ingest logs/*.parquet --store fleetcast.duckdb
  fleetcast plan --config plan.toml
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return 0, 1 where a check found something, 2 after one sentence on what to mend."""
    arguments = build_parser().parse_args(argv)
    try:
        return _command(arguments.run)(arguments) or EXIT_OK
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


class OneSentenceParser(argparse.ArgumentParser):
    """A parser that says what is wrong in one sentence, without a page of usage above it."""

    def error(self, message: str) -> NoReturn:
        """Print the sentence and the way out; end with status 2."""
        self.exit(EXIT_USER_ERROR, f"{self.prog}: {message}; see {self.prog} --help\n")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = OneSentenceParser(
        prog="fleetcast", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"fleetcast {version('fleetcast')}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_demo(commands)
    _add_ingest(commands)
    _add_rollup(commands)
    _add_export_sql(commands)
    _add_store(commands)
    _add_formats(commands)
    _add_plan(commands)
    _add_report(commands)
    _add_size(commands)
    _add_frontier(commands)
    _add_catalog(commands)
    _add_backtest(commands)
    _add_validate_sizing(commands)
    _add_calibrate(commands)
    return parser


Commands: TypeAlias = "argparse._SubParsersAction[OneSentenceParser]"
When = TypeVar("When", date, datetime)


def _add_demo(commands: Commands) -> None:
    demo = commands.add_parser("demo", help="seeded synthetic logs -> store -> forecast -> fleet -> costs -> page")
    demo.add_argument("--out", type=Path, default=Path("runs/demo"), metavar="DIR", help="default: runs/demo")
    demo.add_argument(
        "--days", type=_whole(60, 1_000), default=400, help="days of history to make up (default 400)"
    )
    demo.add_argument("--seed", type=_whole(0, 2**63 - 1), default=20261123)
    demo.set_defaults(run="flows.cli_plan:run_demo")


def _add_ingest(commands: Commands) -> None:
    ingest = commands.add_parser("ingest", help="read traffic logs into the store")
    ingest.add_argument(
        "logs",
        nargs="*",
        type=Path,
        metavar="LOG",
        help="files, folders, patterns in quotes ('logs/**/*.jsonl.gz'), or - for standard input",
    )
    ingest.add_argument("--store", type=Path, required=True, metavar="DB", help="the store's .duckdb file")
    ingest.add_argument(
        "--rollup", type=Path, metavar="DIR", help="instead of logs: a rollup made elsewhere (docs/scale.md)"
    )
    ingest.add_argument(
        "--format",
        metavar="NAME",
        default="auto",
        help="log dialect (fleetcast formats lists them); auto, the default, recognises it from the content",
    )
    ingest.add_argument("--mapping", type=Path, metavar="TOML", help="which column is what, for your own tables")
    ingest.add_argument("--label", metavar="NAME", help="source label; left out: from the log or the file's name")
    ingest.add_argument("--start", type=_moment, metavar="TIME", help="first moment of a source that has no dates")
    ingest.add_argument(
        "--max-rejected-share",
        type=_share,
        default=0.05,
        metavar="SHARE",
        help="refuse a file with a larger share of bad rows (default 0.05)",
    )
    ingest.add_argument(
        "--max-unpack-ratio",
        type=_positive,
        default=200.0,
        metavar="N",
        help="refuse a packed file that unpacks to over 1 GB and over N times its size (default 200)",
    )
    _add_wait(ingest)
    ingest.add_argument("--prefect", action="store_true", help="track the run with Prefect")
    ingest.set_defaults(run="flows.cli_data:run_ingest")


def _add_rollup(commands: Commands) -> None:
    rollup = commands.add_parser("rollup", help="roll Parquet requests up without a store, on Spark or DuckDB")
    rollup.add_argument("--engine", choices=["spark", "duckdb"], required=True)
    rollup.add_argument(
        "--input",
        required=True,
        metavar="PARQUET",
        help="file, folder or pattern of requests in canonical columns (docs/scale.md); for Spark also s3a://...",
    )
    rollup.add_argument("--out", type=Path, required=True, metavar="DIR", help="a folder that is not there yet")
    rollup.add_argument("--label", metavar="NAME", help="source label; left out: the column source_label")
    rollup.add_argument(
        "--master", metavar="URL", help="where Spark runs: local[8], spark://..., yarn; left out: as it is set up"
    )
    rollup.add_argument(
        "--max-rejected-share",
        type=_share,
        default=0.05,
        metavar="SHARE",
        help="refuse an input with a larger share of bad rows (default 0.05)",
    )
    rollup.set_defaults(run="flows.cli_scale:run_rollup")


def _add_export_sql(commands: Commands) -> None:
    export = commands.add_parser("export-sql", help="the rollup's SQL, for a warehouse of your own")
    export.add_argument(
        "--dialect",
        required=True,
        choices=["spark", "clickhouse", "trino", "bigquery", "snowflake", "duckdb"],
    )
    export.add_argument("--table", metavar="TABLE", help="one table of it; left out: all, a statement each")
    export.set_defaults(run="flows.cli_scale:run_export_sql")


def _add_store(commands: Commands) -> None:
    store = commands.add_parser("store", help="what the store holds, whether it is whole, made anew, made smaller")
    actions = store.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, said in (
        ("status", "sources, days, rows, sizes, newest data, and who writes to it"),
        ("verify", "read all of it and compare; status 1 where something is wrong"),
        ("rebuild", "make the .duckdb file anew from the Parquet beside it"),
        ("vacuum", "remove what nobody names, compact the .duckdb file, say what it won"),
    ):
        action = actions.add_parser(name, help=said)
        action.add_argument("--store", type=Path, required=True, metavar="DB", help="the store's .duckdb file")
        action.set_defaults(run=f"flows.cli_store:run_{name}")
        if name in {"status", "verify"}:
            action.add_argument("--json", action="store_true", help="machine-readable")
        else:
            _add_wait(action)
        if name == "rebuild":
            action.add_argument(
                "--forget-damaged", action="store_true", help="leave out Parquet files that are missing or altered"
            )


def _add_wait(parser: OneSentenceParser) -> None:
    parser.add_argument(
        "--wait-s",
        type=_not_negative,
        default=0.0,
        metavar="S",
        help="seconds to wait for another process that writes to the store (default 0: say who it is)",
    )


def _add_formats(commands: Commands) -> None:
    formats = commands.add_parser("formats", help="the log formats that ingest knows, and what it reads of each")
    formats.add_argument("name", nargs="?", help="one format in full, with its columns")
    formats.add_argument("--json", action="store_true", help="machine-readable")
    formats.set_defaults(run="flows.cli_formats:run_formats")


def _add_plan(commands: Commands) -> None:
    plan = commands.add_parser("plan", help="the monthly run: forecast, size, price, decide, print the page")
    plan.add_argument("--config", type=Path, required=True, metavar="TOML", help="plan.toml (docs/plan-toml.md)")
    plan.add_argument(
        "--as-of", type=_day, metavar="DATE", help="first day that is not known (default: today, UTC)"
    )
    plan.add_argument("--out", type=Path, default=Path("runs"), metavar="DIR", help="default: runs")
    plan.add_argument("--force", action="store_true", help="plan again although nothing has changed")
    plan.add_argument("--prefect", action="store_true", help="track the run with Prefect")
    plan.set_defaults(run="flows.cli_plan:run_plan")


def _add_report(commands: Commands) -> None:
    report = commands.add_parser("report", help="render the page again from a plan.json, without planning")
    report.add_argument("--from", dest="plan_json", type=Path, required=True, metavar="PLAN.JSON")
    report.add_argument("--out", type=Path, required=True, metavar="PAGE.HTML")
    report.set_defaults(run="flows.cli_plan:run_report")


def _add_size(commands: Commands) -> None:
    size = commands.add_parser("size", help="one sizing question, with the textbook answer beside")
    size.add_argument("--model", required=True, help="catalog name, such as llama-3.1-8b")
    size.add_argument("--gpu", required=True, help="catalog name, such as h100")
    size.add_argument("--precision", default="bf16", choices=["bf16", "fp8", "int8", "int4", "fp4"])
    size.add_argument("--kv-precision", default="bf16", choices=["bf16", "fp8", "int8"])
    size.add_argument("--qps", type=_positive, required=True, help="requests a second")
    size.add_argument("--prompt-tokens", type=_positive, required=True)
    size.add_argument("--output-tokens", type=_positive, required=True)
    size.add_argument(
        "--cached-tokens", type=_not_negative, default=0.0, help="of the prompt, from the prefix cache"
    )
    size.add_argument(
        "--prefix-hit", type=_share_or_none, metavar="SHARE", help="the same as a share of the prompt"
    )
    size.add_argument("--ttft-s", type=_positive, help="mean time to first token that must hold")
    size.add_argument("--tpot-s", type=_positive, help="mean time per output token that must hold")
    size.add_argument("--tp", type=_whole(1, 64), help="GPUs of a replica; left out: the cheapest that fits")
    size.add_argument("--pp", type=_whole(1, 64), default=1, help="pipeline stages of a replica (default 1)")
    size.add_argument("--ep", type=_whole(1, 512), default=1, help="GPUs that share experts out whole (default 1)")
    size.add_argument("--dp-attention", action="store_true", help="attention and KV by sequence, not by head")
    size.add_argument("--spec-tokens", type=_whole(1, 64), help="draft tokens of a step (speculative decoding)")
    size.add_argument("--acceptance", type=_share_or_none, metavar="SHARE", help="of a draft token, 0 to 1")
    size.add_argument("--draft-cost", type=_share_or_none, help="of a draft token, over a step (default 0.05)")
    size.add_argument(
        "--chunk-tokens", type=_positive, default=8192, help="prompt tokens of a step (default 8192)"
    )
    size.add_argument("--gpu-memory-utilization", type=_share, default=0.9, help="as vLLM means it (default 0.9)")
    size.add_argument("--engine", default="vllm", help="serving engine that was measured (default vllm)")
    size.add_argument("--calibration", type=Path, metavar="TOML", help="your own, from `fleetcast calibrate`")
    size.add_argument("--utilisation", type=_share, default=0.7, help="share of capacity to use (default 0.7)")
    size.add_argument("--batch", type=_whole(1, 100_000), default=48, help="of the textbook answer (default 48)")
    size.add_argument("--decode-ms", type=_positive, default=18.0, help="of the textbook answer (default 18)")
    size.add_argument(
        "--params", type=_positive, help="parameters in the textbook answer (default: the catalog's)"
    )
    size.add_argument(
        "--gpu-bytes", type=_positive, help="memory in the textbook answer (default: the data sheet's)"
    )
    size.add_argument("--json", action="store_true", help="machine-readable")
    size.set_defaults(run="flows.cli_size:run_size")


def _add_frontier(commands: Commands) -> None:
    sweep = commands.add_parser(
        "frontier", help="every GPU, TP, precision and batch: which GPU for which workload"
    )
    sweep.add_argument("--model", required=True, help="catalog name, such as llama-3.1-70b")
    sweep.add_argument(
        "--gpu", action="append", default=[], help="one to try (repeatable; default: all that hold it)"
    )
    sweep.add_argument(
        "--precision", action="append", default=[], choices=["bf16", "fp8", "int8", "int4", "fp4"],
        help="one to try (repeatable; default: as published, and fp8 and fp4 where the GPU has them)",
    )  # fmt: skip
    sweep.add_argument(
        "--tp", action="append", type=_whole(1, 64), help="one to try (repeatable; default 1, 2, 4, 8)"
    )
    sweep.add_argument("--kv-precision", default="bf16", choices=["bf16", "fp8", "int8"])
    sweep.add_argument("--prompt-tokens", type=_positive, default=2_000.0, help="mean (default 2,000)")
    sweep.add_argument("--output-tokens", type=_positive, default=300.0, help="mean (default 300)")
    sweep.add_argument("--cached-tokens", type=_not_negative, default=0.0, help="of the prompt (default 0)")
    sweep.add_argument("--reference", metavar="GPU", help="speed-ups are over it (default: h100, else the first)")
    for name, what in (("models", "models"), ("gpus", "accelerators"), ("prices", "prices")):
        sweep.add_argument(
            f"--{name}", type=Path, action="append", default=[], metavar="TOML", help=f"your own {what}, which win"
        )
    sweep.add_argument("--out", type=Path, metavar="DIR", help="also write CSV tables and SVG charts there")
    sweep.set_defaults(run="flows.cli_frontier:run_frontier")


def _add_catalog(commands: Commands) -> None:
    catalog = commands.add_parser("catalog", help="the models, GPUs and prices that plans rest on")
    parts = catalog.add_subparsers(dest="what", required=True, metavar="WHAT")
    for what, rows in (("models", "open models"), ("gpus", "accelerators"), ("prices", "prices of GPUs")):
        part = parts.add_parser(what, help=f"{rows}, each with source and date")
        part.add_argument("name", nargs="?", help="one row in full, with its source")
        part.add_argument("--overlay", type=Path, action="append", default=[], metavar="TOML", help=OVERLAY)
        part.add_argument("--json", action="store_true", help="machine-readable")
        part.set_defaults(run="flows.cli_catalog:run_catalog")
    _add_model(parts)


OVERLAY = "a file of your own rows, which win (repeatable)"


def _add_model(parts: Commands) -> None:
    add = parts.add_parser("add-model", help="read a Hugging Face config.json into a row of your own catalog")
    add.add_argument("config", type=Path, metavar="CONFIG.JSON", help="the model's config.json")
    add.add_argument("--hf-id", required=True, metavar="ORG/NAME", help="where the file is from")
    add.add_argument("--name", help="name of the row (default: the end of --hf-id, in small letters)")
    add.add_argument("--params-total", type=_whole(1, 10**15), metavar="N", help="the model card's own count")
    add.add_argument("--params-active", type=_whole(1, 10**15), metavar="N", help="of those, what a token passes")
    add.add_argument("--to", type=Path, metavar="TOML", help="add the row to this file (default: print it)")
    add.add_argument("--replace", action="store_true", help="replace a row of that name in the file")
    add.set_defaults(run="flows.cli_add_model:run_add_model")


def _add_backtest(commands: Commands) -> None:
    backtest = commands.add_parser("backtest", help="forecast past windows of daily series, to be scored")
    backtest.add_argument("series", type=Path, metavar="SERIES", help="CSV or Parquet: unique_id, ds, y")
    backtest.add_argument("--windows", type=Path, required=True, metavar="W", help="unique_id, cutoff, horizon")
    backtest.add_argument("--out", type=Path, required=True, metavar="P", help="CSV or Parquet of forecasts")
    backtest.add_argument("--workers", type=_whole(1, 1_024), help="processes (default: the cores)")
    backtest.add_argument(
        "--engine", choices=["local", "ray"], default="local", help="where the windows run (ray: extra [ray])"
    )
    backtest.add_argument("--ray-address", metavar="A", help="a running cluster (default: Ray on this machine)")
    backtest.set_defaults(run="flows.cli_judge:run_backtest")


def _add_validate_sizing(commands: Commands) -> None:
    validate = commands.add_parser("validate-sizing", help="predict measured serving points, to be scored")
    validate.add_argument("measured", type=Path, metavar="MEASURED", help="CSV, columns as in docs/sizing.md")
    validate.add_argument("--out", type=Path, required=True, metavar="P", help="CSV or Parquet of predictions")
    validate.add_argument(
        "--folds", choices=["series", "pair"], help="refit with each fold left out (default: the shipped factors)"
    )
    validate.add_argument("--calibration", type=Path, metavar="TOML", help="your own, from `fleetcast calibrate`")
    validate.set_defaults(run="flows.cli_judge:run_validate_sizing")


def _add_calibrate(commands: Commands) -> None:
    calibrate = commands.add_parser(
        "calibrate",
        help="fit the sizing factors to measured serving points, or learn your own from benchmark results",
        description="Results of vllm bench serve, genai-perf, AIPerf or InferenceMAX (JSON or CSV) give an overlay"
        " of your own multipliers; tables of measured points refit all factors, unless --own is given.",
    )
    calibrate.add_argument("measured", nargs="+", type=Path, metavar="MEASURED", help="results, or CSV as in docs")
    calibrate.add_argument("--out", type=Path, required=True, metavar="TOML")
    calibrate.add_argument("--description", required=True, help="what was measured, by whom; it is printed")
    calibrate.add_argument("--own", action="store_true", help="learn an overlay from tables of points too")
    calibrate.add_argument("--model", help="catalog name or Hugging Face id, where the results do not say")
    calibrate.add_argument("--gpu", help="catalog name, where the results do not say")
    calibrate.add_argument("--gpus", type=_whole(1, 10_000), help="of the whole instance (default: as TP)")
    calibrate.add_argument(
        "--tp", type=_whole(1, 64), help="GPUs that split a layer, where the results do not say"
    )
    calibrate.add_argument("--precision", choices=["bf16", "fp8", "int8", "int4", "fp4"], help="of the weights")
    calibrate.add_argument("--kv-precision", choices=["bf16", "fp8"], help="of the KV cache (default bf16)")
    calibrate.add_argument("--engine", help="vllm, sglang, trtllm, ... (default: as the results say)")
    calibrate.add_argument("--prompt-tokens", type=_positive, help="of a request, where the results do not say")
    calibrate.add_argument("--output-tokens", type=_positive, help="of a request, where the results do not say")
    calibrate.set_defaults(run="flows.cli_judge:run_calibrate")


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date; write it as 2026-11-23") from None
    return _of_our_time(day, text)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write it as 2026-11-01T00:00:00+00:00") from None
    return _of_our_time(moment if moment.tzinfo else moment.replace(tzinfo=UTC), text)


def _of_our_time(when: When, text: str) -> When:
    if not FIRST_YEAR <= when.year <= LAST_YEAR:
        raise argparse.ArgumentTypeError(f"{text!r} must lie between the years {FIRST_YEAR} and {LAST_YEAR}")
    return when


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None


def _positive(text: str) -> float:
    value = _number(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} must be above 0")
    return value


def _not_negative(text: str) -> float:
    value = _number(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} must be 0 or more")
    return value


def _share(text: str) -> float:
    value = _number(text)
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text} must be above 0 and at most 1")
    return value


def _share_or_none(text: str) -> float:
    value = _number(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} must lie between 0 and 1")
    return value


class _whole:  # noqa: N801 - reads as a type in add_argument
    def __init__(self, least: int, most: int) -> None:
        self.least, self.most = least, most

    def __call__(self, text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number") from None
        if not self.least <= value <= self.most:
            raise argparse.ArgumentTypeError(f"{text} must lie between {self.least} and {self.most}")
        return value


if __name__ == "__main__":
    sys.exit(main())
