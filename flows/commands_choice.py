"""Which fleet, and which GPU for a job."""

from pathlib import Path

from flows.options import Commands, OneSentenceParser, not_negative, positive, share, whole

TERMS = ["on-demand", "reserved-30d", "reserved-1y", "reserved-3y"]
PRECISIONS = ["bf16", "fp8", "int8", "int4", "fp4"]


def add_choose(commands: Commands) -> None:
    """Add the command that chooses a fleet."""
    choose = commands.add_parser(
        "choose", help="which fleet: GPU, TP, precision, replicas; mixed or split where cheaper"
    )
    choose.add_argument("--model", required=True, help="catalog name, such as llama-3.1-70b")
    _add_gpus(choose)
    choose.add_argument(
        "--precision", action="append", default=[], choices=PRECISIONS,
        help="one that quality allows (repeatable; default: as published)",
    )  # fmt: skip
    choose.add_argument("--kv-precision", default="bf16", choices=["bf16", "fp8", "int8"])
    choose.add_argument(
        "--tp", action="append", type=whole(1, 64), help="one to try (repeatable; default 1, 2, 4, 8)"
    )
    choose.add_argument("--qps", type=positive, required=True, help="requests a second")
    choose.add_argument("--prompt-tokens", type=positive, help="mean")
    choose.add_argument("--output-tokens", type=positive, help="mean")
    choose.add_argument("--cached-tokens", type=not_negative, default=0.0, help="of the prompt (default 0)")
    choose.add_argument("--prompt-cv", type=not_negative, default=1.2, help="deviation over mean (default 1.2)")
    choose.add_argument("--output-cv", type=not_negative, default=1.0, help="deviation over mean (default 1.0)")
    choose.add_argument(
        "--lengths", type=Path, metavar="CSV", help="instead: prompt_tok, output_tok, a row a request"
    )
    choose.add_argument("--ttft-s", type=positive, help="mean time to first token that must hold")
    choose.add_argument("--tpot-s", type=positive, help="mean time per output token that must hold")
    choose.add_argument("--utilisation", type=share, default=0.7, help="share of capacity to use (default 0.7)")
    choose.add_argument("--spares", type=whole(0, 100), default=0, help="idle replicas of each pool (default 0)")
    _add_limits(choose)
    choose.add_argument(
        "--interconnect-gbit", type=positive, default=400.0, metavar="GBIT",
        help="of one GPU, for sending KV from prefill to decode (default 400)",
    )  # fmt: skip
    choose.add_argument("--engine", default="vllm", help="serving engine that was measured (default vllm)")
    choose.add_argument("--calibration", type=Path, metavar="TOML", help="your own, from `fleetcast calibrate`")
    _add_prices(choose)
    choose.set_defaults(run="flows.cli_choose:run_choose")


def add_job(commands: Commands) -> None:
    """Add the command that chooses a GPU for a scheduled job."""
    job = commands.add_parser("job", help="which GPU for a training run or a batch of requests, by its deadline")
    job.add_argument("--model", required=True, help="catalog name, such as llama-3.1-8b")
    _add_gpus(job)
    job.add_argument("--train-tokens", type=positive, metavar="N", help="tokens of a training run, all epochs")
    job.add_argument("--lora-rank", type=whole(1, 4096), help="train adapters of this rank (default: all weights)")
    job.add_argument("--mfu", type=share, default=0.4, help="share of the bf16 peak that is reached (default 0.4)")
    job.add_argument("--sequence-tokens", type=positive, default=4096.0, help="of a sequence (default 4,096)")
    job.add_argument(
        "--micro-batch", type=whole(1, 4096), default=1, help="sequences on a GPU at once (default 1)"
    )
    job.add_argument(
        "--recompute", default="full", choices=["full", "selective", "none"],
        help="activations that are computed again instead of kept (default full)",
    )  # fmt: skip
    job.add_argument("--requests", type=positive, metavar="N", help="instead: requests of a batch")
    job.add_argument("--prompt-tokens", type=positive, help="mean")
    job.add_argument("--output-tokens", type=positive, help="mean")
    job.add_argument("--cached-tokens", type=not_negative, default=0.0, help="of the prompt (default 0)")
    job.add_argument(
        "--precision", choices=PRECISIONS, help="of the weights (default: as published; frozen under LoRA: bf16)"
    )
    job.add_argument("--kv-precision", default="bf16", choices=["bf16", "fp8", "int8"])
    job.add_argument("--utilisation", type=share, default=0.9, help="of a batch's GPUs (default 0.9)")
    job.add_argument("--deadline-h", type=positive, metavar="H", help="hours from its start")
    job.add_argument("--count", type=whole(1, 100_000), metavar="N", help="GPUs to run on (default: as few as do)")
    _add_limits(job)
    job.add_argument("--engine", default="vllm", help="serving engine that was measured (default vllm)")
    job.add_argument("--calibration", type=Path, metavar="TOML", help="your own, from `fleetcast calibrate`")
    _add_prices(job)
    job.set_defaults(run="flows.cli_job:run_job")


def _add_gpus(parser: OneSentenceParser) -> None:
    parser.add_argument(
        "--gpu", action="append", default=[], help="one to try (repeatable; default: all with a price)"
    )


def _add_limits(parser: OneSentenceParser) -> None:
    parser.add_argument(
        "--max-gpus", action="append", default=[], metavar="GPU=N", help="GPUs that can be had (repeatable)"
    )
    parser.add_argument("--max-kw", type=positive, metavar="KW", help="power of all GPUs, their TDP")


def _add_prices(parser: OneSentenceParser) -> None:
    parser.add_argument("--term", default="on-demand", choices=TERMS, help="how GPUs are paid (default on-demand)")
    parser.add_argument("--price-source", default="planning-table", choices=["planning-table", "list-prices"])
    for name, what in (("models", "models"), ("gpus", "accelerators"), ("prices", "prices")):
        parser.add_argument(
            f"--{name}", type=Path, action="append", default=[], metavar="TOML", help=f"your own {what}, which win"
        )
    parser.add_argument("--json", action="store_true", help="machine-readable")
