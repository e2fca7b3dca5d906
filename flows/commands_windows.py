"""Windowed work of stored traffic, and the deployment of a finished plan."""

from pathlib import Path

from flows.options import Commands, day, positive, share, whole


def add_windows(commands: Commands) -> None:
    """Add the command for windowed work of stored traffic on any model and GPU."""
    windows = commands.add_parser(
        "windows", help="GPU-seconds of work by window for stored traffic, on any model and GPU"
    )
    windows.add_argument("--store", type=Path, required=True, metavar="DB", help="made by `fleetcast ingest`")
    windows.add_argument("--model", required=True, help="catalog name, such as llama-3.1-70b")
    windows.add_argument(
        "--gpu", action="append", required=True, help="catalog name, such as h100 (repeatable: the first is shown)"
    )
    for key in ("label", "logged-model", "region", "team"):
        windows.add_argument(f"--{key}", help="only such traffic (default: all)")
    windows.add_argument("--precision", default="bf16", choices=["bf16", "fp8", "int8", "int4", "fp4"])
    windows.add_argument("--kv-precision", default="bf16", choices=["bf16", "fp8", "int8"])
    windows.add_argument("--ttft-s", type=positive, help="mean time to first token that must hold")
    windows.add_argument("--tpot-s", type=positive, help="mean time per output token that must hold")
    windows.add_argument("--long-ttft-s", type=positive, help="the same for a pool of long requests, if looser")
    windows.add_argument("--long-tpot-s", type=positive, help="the same")
    windows.add_argument("--engine", default="vllm", help="serving engine that was measured (default vllm)")
    windows.add_argument("--category", default="online", choices=["online", "batch"])
    windows.add_argument("--percentile", type=share, default=0.99, help="of windows to cover (default 0.99)")
    windows.add_argument(
        "--window-s", type=int, default=10, choices=[1, 10, 60], help="length of those windows (default 10)"
    )
    windows.add_argument("--days", type=whole(1, 365), default=30, help="to forecast (default 30)")
    windows.add_argument("--as-of", type=day, help="first day not known (default: the day after the newest)")
    windows.add_argument("--seed", type=whole(0, 2**63 - 1), default=20261123, help="of the sample paths")
    windows.add_argument("--out", type=Path, metavar="CSV", help="also write every seen window's GPU-seconds")
    windows.add_argument("--json", action="store_true", help="machine-readable")
    windows.set_defaults(run="flows.cli_windows:run_windows")


def add_deployment(commands: Commands) -> None:
    """Add the command for the deployment of a finished plan."""
    deployment = commands.add_parser(
        "deployment", help="what a plan buys and starts: GPUs, power, engine command lines, replicas by hour"
    )
    deployment.add_argument("--from", dest="plan", type=Path, required=True, metavar="PLAN.JSON")
    deployment.add_argument("--workload", help="only this one (default: all)")
    deployment.add_argument(
        "--format",
        default="text",
        choices=["text", "json", "csv", "replicas", "keda"],
        help="csv: one row a horizon; replicas: CSV of 168 hours; keda: ScaledObjects (default text)",
    )
    deployment.set_defaults(run="flows.cli_deployment:run_deployment")
