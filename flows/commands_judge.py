"""How right it is: backtests, measured points, and factors learned from them."""

from pathlib import Path

from flows.options import Commands, positive, whole


def add_backtest(commands: Commands) -> None:
    """Add the command for forecasts of past windows."""
    backtest = commands.add_parser("backtest", help="forecast past windows of daily series, to be scored")
    backtest.add_argument("series", type=Path, metavar="SERIES", help="CSV or Parquet: unique_id, ds, y")
    backtest.add_argument("--windows", type=Path, required=True, metavar="W", help="unique_id, cutoff, horizon")
    backtest.add_argument("--out", type=Path, required=True, metavar="P", help="CSV or Parquet of forecasts")
    backtest.add_argument("--workers", type=whole(1, 1_024), help="processes (default: the cores)")
    backtest.add_argument(
        "--engine", choices=["local", "ray"], default="local", help="where the windows run (ray: extra [ray])"
    )
    backtest.add_argument("--ray-address", metavar="A", help="a running cluster (default: Ray on this machine)")
    backtest.set_defaults(run="flows.cli_judge:run_backtest")


def add_validate_sizing(commands: Commands) -> None:
    """Add the command for predictions of measured points."""
    validate = commands.add_parser("validate-sizing", help="predict measured serving points, to be scored")
    validate.add_argument("measured", type=Path, metavar="MEASURED", help="CSV, columns as in docs/sizing.md")
    validate.add_argument("--out", type=Path, required=True, metavar="P", help="CSV or Parquet of predictions")
    validate.add_argument(
        "--folds", choices=["series", "pair"], help="refit with each fold left out (default: the shipped factors)"
    )
    validate.add_argument("--calibration", type=Path, metavar="TOML", help="your own, from `fleetcast calibrate`")
    validate.set_defaults(run="flows.cli_judge:run_validate_sizing")


def add_calibrate(commands: Commands) -> None:
    """Add the command for factors from measurements."""
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
    calibrate.add_argument("--gpus", type=whole(1, 10_000), help="of the whole instance (default: as TP)")
    calibrate.add_argument("--tp", type=whole(1, 64), help="GPUs that split a layer, where the results do not say")
    calibrate.add_argument("--precision", choices=["bf16", "fp8", "int8", "int4", "fp4"], help="of the weights")
    calibrate.add_argument("--kv-precision", choices=["bf16", "fp8"], help="of the KV cache (default bf16)")
    calibrate.add_argument("--engine", help="vllm, sglang, trtllm, ... (default: as the results say)")
    calibrate.add_argument("--prompt-tokens", type=positive, help="of a request, where the results do not say")
    calibrate.add_argument("--output-tokens", type=positive, help="of a request, where the results do not say")
    calibrate.set_defaults(run="flows.cli_judge:run_calibrate")
