"""Sizing questions, the frontier, and the facts that both rest on."""

from collections.abc import Mapping
from pathlib import Path

from flows.options import (
    Commands,
    OneSentenceParser,
    day,
    moment,
    not_negative,
    positive,
    share,
    share_or_none,
    whole,
)

OVERLAY = "a file of your own rows, which win (repeatable)"


def add_size(commands: Commands) -> None:
    """Add the command for one sizing question."""
    size = commands.add_parser("size", help="one sizing question, with the textbook answer beside")
    size.add_argument("--model", required=True, help="catalog name, such as llama-3.1-8b")
    size.add_argument("--gpu", required=True, help="catalog name, such as h100")
    size.add_argument("--precision", default="bf16", choices=["bf16", "fp8", "int8", "int4", "fp4"])
    size.add_argument("--kv-precision", default="bf16", choices=["bf16", "fp8", "int8"])
    size.add_argument("--qps", type=positive, required=True, help="requests a second")
    size.add_argument("--prompt-tokens", type=positive, required=True)
    size.add_argument("--output-tokens", type=positive, required=True)
    size.add_argument(
        "--cached-tokens", type=not_negative, default=0.0, help="of the prompt, from the prefix cache"
    )
    size.add_argument(
        "--prefix-hit", type=share_or_none, metavar="SHARE", help="the same as a share of the prompt"
    )
    size.add_argument("--ttft-s", type=positive, help="mean time to first token that must hold")
    size.add_argument("--tpot-s", type=positive, help="mean time per output token that must hold")
    size.add_argument("--tp", type=whole(1, 64), help="GPUs of a replica; left out: the cheapest that fits")
    size.add_argument("--pp", type=whole(1, 64), default=1, help="pipeline stages of a replica (default 1)")
    size.add_argument("--ep", type=whole(1, 512), default=1, help="GPUs that share experts out whole (default 1)")
    size.add_argument("--dp-attention", action="store_true", help="attention and KV by sequence, not by head")
    size.add_argument("--spec-tokens", type=whole(1, 64), help="draft tokens of a step (speculative decoding)")
    size.add_argument("--acceptance", type=share_or_none, metavar="SHARE", help="of a draft token, 0 to 1")
    size.add_argument("--draft-cost", type=share_or_none, help="of a draft token, over a step (default 0.05)")
    size.add_argument("--chunk-tokens", type=positive, default=8192, help="prompt tokens of a step (default 8192)")
    size.add_argument("--gpu-memory-utilization", type=share, default=0.9, help="as vLLM means it (default 0.9)")
    size.add_argument("--engine", default="vllm", help="serving engine that was measured (default vllm)")
    size.add_argument("--calibration", type=Path, metavar="TOML", help="your own, from `fleetcast calibrate`")
    size.add_argument("--utilisation", type=share, default=0.7, help="share of capacity to use (default 0.7)")
    size.add_argument("--batch", type=whole(1, 100_000), default=48, help="of the textbook answer (default 48)")
    size.add_argument("--decode-ms", type=positive, default=18.0, help="of the textbook answer (default 18)")
    size.add_argument("--params", type=positive, help="parameters in the textbook answer (default: the catalog's)")
    size.add_argument(
        "--gpu-bytes", type=positive, help="memory in the textbook answer (default: the data sheet's)"
    )
    _add_overlays(size, {"models": "models", "gpus": "accelerators"})
    size.add_argument("--json", action="store_true", help="machine-readable")
    size.set_defaults(run="flows.cli_size:run_size")


def add_simulate(commands: Commands) -> None:
    """Add the command that serves requests one by one."""
    run = commands.add_parser("simulate", help="serve requests one by one: percentiles of TTFT, TPOT and answers")
    run.add_argument("--config", type=Path, metavar="TOML", help="each online workload's planned fleet")
    run.add_argument("--as-of", type=day, metavar="DATE", help="with --config: as in `plan` (default: today)")
    run.add_argument("--trace", type=Path, nargs="+", default=[], metavar="LOG", help="any log that ingest reads")
    run.add_argument("--format", help="of the log (default: its content decides)")
    run.add_argument("--mapping", type=Path, metavar="TOML", help="describes a log of no known format")
    run.add_argument("--start", type=moment, metavar="TIME", help="when a log without dates began")
    run.add_argument("--arrivals", choices=["trace", "rollup", "poisson", "gamma"],
        help="as logged, resampled from windows, or by chance (default: as logged where it can be)")  # fmt: skip
    run.add_argument("--cv", type=positive, help="of the gaps between requests, for gamma")
    run.add_argument("--dispersion", type=positive, help="variance over mean of counts instead: CV squared")
    run.add_argument(
        "--rate-multiplier", type=positive, default=1.0, metavar="K", help="times the rate (default 1)"
    )
    run.add_argument("--hours", type=positive, help="the busiest of a log (default: all; with --config 24)")
    run.add_argument("--seed", type=whole(0, 2**63 - 1), default=20261123)
    run.add_argument("--qps", type=positive, help="requests a second, without a log")
    run.add_argument("--prompt-tokens", type=positive, help="of each request, without a log")
    run.add_argument("--output-tokens", type=positive, help="of each request, without a log")
    run.add_argument("--cached-tokens", type=not_negative, default=0.0, help="of the prompt, without a log")
    run.add_argument("--model", help="catalog name, such as llama-3.1-70b")
    run.add_argument("--gpu", help="catalog name, such as h100")
    run.add_argument("--replicas", type=whole(1, 100_000), help="of the fleet")
    run.add_argument("--tp", type=whole(1, 64), help="GPUs of a replica; left out: the cheapest that fits")
    run.add_argument("--precision", default="bf16", choices=["bf16", "fp8", "int8", "int4", "fp4"])
    run.add_argument("--kv-precision", default="bf16", choices=["bf16", "fp8", "int8"])
    run.add_argument("--engine", default="vllm", help="serving engine that was measured (default vllm)")
    run.add_argument("--calibration", type=Path, metavar="TOML", help="your own, from `fleetcast calibrate`")
    run.add_argument("--ttft-s", type=positive, help="time to first token that must hold")
    run.add_argument("--tpot-s", type=positive, help="time per output token that must hold")
    run.add_argument("--percentile", type=share, default=0.99, help="at which both must hold (default 0.99)")
    run.add_argument("--max-num-seqs", type=whole(1, 65_536), default=1024, help="as vLLM (default 1024)")
    run.add_argument("--max-num-batched-tokens", type=whole(1, 10**7), default=8192, help="as vLLM (default 8192)")
    run.add_argument("--kv-blocks", type=whole(1, 10**9), help="of 16 tokens (default: what memory gives)")
    run.add_argument("--no-prefix-cache", action="store_true", help="compute cached prompt tokens again")
    run.add_argument("--until-s", type=positive, help="when to stop (default: 600 s after the last arrival)")
    _add_overlays(run, {"models": "models", "gpus": "accelerators"})
    run.add_argument("--json", action="store_true", help="machine-readable")
    run.set_defaults(run="flows.cli_simulate:run_simulate")


def add_frontier(commands: Commands) -> None:
    """Add the command for which GPU for which workload."""
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
        "--tp", action="append", type=whole(1, 64), help="one to try (repeatable; default 1, 2, 4, 8)"
    )
    sweep.add_argument("--kv-precision", default="bf16", choices=["bf16", "fp8", "int8"])
    sweep.add_argument("--prompt-tokens", type=positive, default=2_000.0, help="mean (default 2,000)")
    sweep.add_argument("--output-tokens", type=positive, default=300.0, help="mean (default 300)")
    sweep.add_argument("--cached-tokens", type=not_negative, default=0.0, help="of the prompt (default 0)")
    sweep.add_argument("--reference", metavar="GPU", help="speed-ups are over it (default: h100, else the first)")
    _add_overlays(sweep, {"models": "models", "gpus": "accelerators", "prices": "prices"})
    sweep.add_argument("--out", type=Path, metavar="DIR", help="also write CSV tables and SVG charts there")
    sweep.set_defaults(run="flows.cli_frontier:run_frontier")


def add_catalog(commands: Commands) -> None:
    """Add the command for the facts of catalogs."""
    catalog = commands.add_parser("catalog", help="the models, GPUs and prices that plans rest on")
    parts = catalog.add_subparsers(dest="what", required=True, metavar="WHAT")
    for what, rows in (("models", "open models"), ("gpus", "accelerators"), ("prices", "prices of GPUs")):
        part = parts.add_parser(what, help=f"{rows}, each with source and date")
        part.add_argument("name", nargs="?", help="one row in full, with its source")
        part.add_argument("--overlay", type=Path, action="append", default=[], metavar="TOML", help=OVERLAY)
        part.add_argument("--json", action="store_true", help="machine-readable")
        if what == "prices":
            part.add_argument("--compare", action="store_true", help="providers side by side, a column a term")
        part.set_defaults(run="flows.cli_catalog:run_catalog")
    _add_model(parts)
    _add_refresh(parts)


def _add_model(parts: Commands) -> None:
    add = parts.add_parser("add-model", help="read a Hugging Face config.json into a row of your own catalog")
    add.add_argument("config", type=Path, metavar="CONFIG.JSON", help="the model's config.json")
    add.add_argument("--hf-id", required=True, metavar="ORG/NAME", help="where the file is from")
    add.add_argument("--name", help="name of the row (default: the end of --hf-id, in small letters)")
    add.add_argument("--params-total", type=whole(1, 10**15), metavar="N", help="the model card's own count")
    add.add_argument("--params-active", type=whole(1, 10**15), metavar="N", help="of those, what a token passes")
    add.add_argument("--to", type=Path, metavar="TOML", help="add the row to this file (default: print it)")
    add.add_argument("--replace", action="store_true", help="replace a row of that name in the file")
    add.set_defaults(run="flows.cli_add_model:run_add_model")


def _add_refresh(parts: Commands) -> None:
    refresh = parts.add_parser(
        "refresh",
        help="a provider's prices of today as a dated overlay of your own",
        description="Reads a SkyPilot catalog table (vms.csv of github.com/skypilot-org/skypilot-catalog), from a"
        " file or its https address, and writes the prices per GPU and hour of the GPUs that our catalog has.",
    )
    refresh.add_argument("source", metavar="FILE|URL", help="the table, as a file or an https address")
    refresh.add_argument("--provider", required=True, help="whose prices they are")
    refresh.add_argument("--region", help="of one region (default: the range over all)")
    refresh.add_argument("--out", type=Path, metavar="TOML", help="default: prices-PROVIDER-<today>.toml")
    refresh.set_defaults(run="flows.cli_prices:run_refresh")


def _add_overlays(parser: OneSentenceParser, files: Mapping[str, str]) -> None:
    for name, what in files.items():
        parser.add_argument(
            f"--{name}", type=Path, action="append", default=[], metavar="TOML", help=f"your own {what}, which win"
        )
