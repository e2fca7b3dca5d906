"""Questions of money, one at a time: an API request, a job in three categories, a breakeven, prices."""

from pathlib import Path

from flows.options import Commands, at_least_1, moment, not_negative, positive, share, share_below_1, whole

TERMS = ["on-demand", "spot", "reserved-30d", "reserved-1y", "reserved-3y"]
_TOKENS = whole(0, 10**9)


def add_api_cost(commands: Commands) -> None:
    """Add the command for what one API request costs."""
    ask = commands.add_parser("api-cost", help="what an API request costs, with the arithmetic")
    ask.add_argument("--provider", required=True, help="as genai-prices names it, such as anthropic")
    ask.add_argument("--model", required=True, help="such as claude-sonnet-4-5")
    ask.add_argument("--prompt-tokens", type=whole(1, 10**9), required=True, help="whole prompt, cached included")
    ask.add_argument("--output-tokens", type=_TOKENS, required=True, help="whole output, reasoning included")
    ask.add_argument("--cached", type=_TOKENS, default=0, help="prompt tokens read from the cache (default 0)")
    ask.add_argument("--cache-write", type=_TOKENS, default=0, help="prompt tokens written to it (default 0)")
    ask.add_argument("--cache-write-1h", type=_TOKENS, default=0, help="prompt tokens written for an hour")
    ask.add_argument("--reasoning", type=_TOKENS, default=0, help="output tokens that are reasoning (default 0)")
    ask.add_argument(
        "--processing",
        choices=["standard", "batch", "flex", "priority"],
        default="standard",
        help="which price (default standard)",
    )
    ask.add_argument("--batch-fraction", type=share, help="batch price over standard, where the list has none")
    ask.add_argument("--at", type=moment, metavar="TIME", help="price in force then, UTC (default: now)")
    ask.add_argument("--requests", type=whole(1, 10**12), default=1, help="so many alike (default 1)")
    ask.add_argument("--json", action="store_true", help="machine-readable, amounts as exact decimals")
    ask.set_defaults(run="flows.cli_money:run_api_cost")


def add_compare(commands: Commands) -> None:
    """Add the command for one job in the three workload categories."""
    ask = commands.add_parser(
        "compare", help="one job online, in batch and in idle reserved hours, with the arithmetic"
    )
    ask.add_argument("--documents", type=positive, default=10_000_000.0, help="(default 10,000,000)")
    ask.add_argument("--tokens-per-document", type=positive, default=2_000.0, help="in and out (default 2,000)")
    ask.add_argument("--api-usd-per-mtok", type=positive, default=0.88, help="online price (default 0.88)")
    ask.add_argument("--batch-fraction", type=share, default=0.5, help="batch price over it (default 0.5)")
    ask.add_argument(
        "--tok-per-gpu-s", type=positive, default=3_000.0, help="tokens per GPU and second (default 3,000)"
    )
    ask.add_argument(
        "--on-demand-usd-per-gpu-hour", type=positive, default=3.0, help="of the GPU (default 3: H100, 2 to 4)"
    )
    ask.add_argument("--discount-low", type=share_below_1, default=0.3, help="least off for a term (default 0.3)")
    ask.add_argument("--discount-high", type=share_below_1, default=0.6, help="most off for a term (default 0.6)")
    ask.add_argument(
        "--idle-usd-per-gpu-hour",
        type=not_negative,
        default=0.216,
        help="what using an idle hour adds (default 0.216; 0 where the host bills no power)",
    )
    ask.add_argument("--kw-per-gpu", type=positive, help="or from power: per GPU, with its share of the host")
    ask.add_argument("--usd-per-kwh", type=positive, help="price of power")
    ask.add_argument("--pue", type=at_least_1, help="of the building (default 1.3)")
    ask.add_argument("--json", action="store_true", help="machine-readable")
    ask.set_defaults(run="flows.cli_compare:run_compare")


def add_breakeven(commands: Commands) -> None:
    """Add the command for where self-hosting beats the API."""
    ask = commands.add_parser("breakeven", help="where self-hosting beats the API, and what moves it")
    ask.add_argument("--model", required=True, help="catalog name, such as llama-3.1-8b")
    ask.add_argument("--gpu", required=True, help="catalog name, such as h100")
    ask.add_argument("--precision", default="bf16", choices=["bf16", "fp8", "int8", "int4", "fp4"])
    ask.add_argument("--kv-precision", default="bf16", choices=["bf16", "fp8", "int8"])
    ask.add_argument("--prompt-tokens", type=positive, required=True)
    ask.add_argument("--output-tokens", type=positive, required=True)
    ask.add_argument("--cached-tokens", type=not_negative, default=0.0, help="of the prompt (default 0)")
    ask.add_argument("--api-usd-per-mtok", type=positive, help="one price for all tokens")
    ask.add_argument("--provider", help="or the list's: provider as genai-prices names it")
    ask.add_argument("--api-model", help="and model")
    ask.add_argument("--usd-per-gpu-hour", type=positive, help="of the GPU (default: the catalog's)")
    ask.add_argument("--term", default="on-demand", choices=TERMS, help="whose price (default on-demand)")
    ask.add_argument(
        "--price-source", default="planning-table", choices=["planning-table", "list-prices"],
        help="table of GPU prices (default planning-table)",
    )  # fmt: skip
    ask.add_argument("--utilisation", type=share, default=0.7, help="that a fleet reaches (default 0.7)")
    ask.add_argument("--qps", type=not_negative, default=0.0, help="requests a second today (default: none)")
    ask.add_argument("--ttft-s", type=positive, help="mean time to first token that must hold")
    ask.add_argument("--tpot-s", type=positive, help="mean time per output token that must hold")
    for name, what in (("models", "models"), ("gpus", "accelerators"), ("prices", "prices")):
        ask.add_argument(
            f"--{name}", type=Path, action="append", default=[], metavar="TOML", help=f"your own {what}, which win"
        )
    ask.add_argument("--json", action="store_true", help="machine-readable")
    ask.set_defaults(run="flows.cli_breakeven:run_breakeven")
