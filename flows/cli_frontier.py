"""`fleetcast frontier`: which GPU for which workload, as tables on the terminal, CSV and SVG."""

import argparse
import math
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from data.catalog.gpus import Gpu, find_gpu, load_gpus
from data.catalog.models import ModelShape, find_model, load_models
from data.catalog.prices import GpuOffer, load_offers, offers_for
from data.errors import UserError
from flows.cli_catalog import print_table
from reports.export import to_csv
from reports.frontier_charts import bandwidth_chart, cost_chart, speed_chart
from reports.svg import standalone
from sizing.frontier import Lengths, frontier
from sizing.tiers import WORKLOADS, BandwidthRule, bandwidth_rule, tier_table

SHOWN_ROWS = 8
"""Rows of each frontier that the terminal shows, evenly over its length; the CSV has them all."""

Row = Mapping[Hashable, object]

TPOT_MS = (50, 25, 10)
"""Speeds at which GPUs are compared: the cheapest setting of each that writes a token in so many ms."""

FILES = ("frontier.csv", "tiers.csv", "bandwidth.csv", "frontier.svg", "cost.svg", "bandwidth.svg")


def run_frontier(arguments: argparse.Namespace) -> None:
    """Sweep, print frontiers, tiers and the bandwidth rule, and write the files where --out asks for them."""
    model = find_model(load_models(arguments.models), arguments.model)
    known = load_gpus(arguments.gpus)
    gpus = [find_gpu(known, name) for name in arguments.gpu] or list(known.values())
    offers = _offers(gpus, load_offers(arguments.prices, gpus=known))
    usd = {gpu: offer.usd_per_gpu_hour for gpu, offer in offers.items()}
    lengths = Lengths(
        prompt_tok=arguments.prompt_tokens,
        output_tok=arguments.output_tokens,
        cached_prompt_tok=arguments.cached_tokens,
    )
    _check(model, lengths)
    table = frontier(
        model,
        gpus,
        lengths,
        usd_per_gpu_hour=usd,
        precisions=arguments.precision,
        kv_precision=arguments.kv_precision,
        tensor_parallel=arguments.tp or (1, 2, 4, 8),
    )
    tiers = tier_table(model, gpus, usd_per_gpu_hour=usd, precisions=arguments.precision)
    rule = bandwidth_rule(
        model, gpus, _reference(arguments.reference, gpus, known, table), precisions=arguments.precision
    )
    _print(model, lengths, table, tiers, rule, offers)
    if arguments.out:
        _write(arguments.out, model, lengths, table, tiers, rule)
        print(f"\n{', '.join(FILES)} written to {arguments.out}")


def _offers(gpus: Sequence[Gpu], offers: tuple[GpuOffer, ...]) -> dict[str, GpuOffer]:
    """The on-demand price of each GPU: the user's, else the planning table's, else the cheapest on a list."""
    found = {}
    for gpu in gpus:
        known = offers_for(offers, gpu.name, "on-demand", "planning-table") or offers_for(
            offers, gpu.name, "on-demand"
        )
        if known:
            found[gpu.name] = known[0]
    return found


def _check(model: ModelShape, lengths: Lengths) -> None:
    whole = lengths.prompt_tok + lengths.output_tok
    if whole > model.max_context_tok:
        raise UserError(
            f"A request of {whole:,.0f} tokens is longer than the context of {model.name},"
            f" {model.max_context_tok:,} tokens; shorten --prompt-tokens or choose another --model."
        )
    if lengths.cached_prompt_tok > lengths.prompt_tok:
        raise UserError(
            f"--cached-tokens {lengths.cached_prompt_tok:g} is more than --prompt-tokens"
            f" {lengths.prompt_tok:g}, of which they are part; lower it."
        )


def _reference(asked: str | None, gpus: Sequence[Gpu], known: Mapping[str, Gpu], table: pd.DataFrame) -> Gpu:
    """The GPU that speed-ups are over: the one asked for, else the H100 where it takes part, else the first."""
    if asked:
        return find_gpu(known, asked)
    fits = set(table["gpu"])
    named = [gpu for gpu in gpus if gpu.name in fits]
    return next((gpu for gpu in named if gpu.name == "h100"), named[0])


def _print(
    model: ModelShape,
    lengths: Lengths,
    table: pd.DataFrame,
    tiers: pd.DataFrame,
    rule: BandwidthRule,
    offers: Mapping[str, GpuOffer],
) -> None:
    asked = f"{lengths.prompt_tok:,.0f} + {lengths.output_tok:,.0f} tokens"
    print(f"{model.name}, {asked}: {len(table):,} settings of {table['gpu'].nunique()} GPUs hold it.")
    for column, title in (
        ("cheapest", "Cheapest at each speed (dollars for a million generated tokens against TPOT)"),
        ("fastest", "Most from a GPU at each speed (tokens a second for a GPU against those for a user)"),
    ):
        print(f"\n{title}:")
        _print_frontier(table[table[column]])
    print("\nDollars for a million generated tokens at a TPOT of at most (setting: TP, precision, batch):")
    print_table(("gpu", *(f"{ms} ms" for ms in TPOT_MS)), _by_gpu(table))
    print("\nWhat a dollar buys, and dollars for a request over those of the cheapest GPU:")
    print_table(_TIER_HEAD, [_tier_cells(row, offers) for row in tiers.to_dict("records")])
    shapes = "; ".join(f"{n}: {w.prompt_tok:,.0f} + {w.output_tok:,.0f}" for n, w in WORKLOADS.items())
    print(
        f"({shapes} tokens, at full use, no SLO. Best for: where it does best against the cheapest of the others.)"
    )
    print(f"\nDoes bandwidth predict the speed-up over {rule.reference}? (for one GPU)")
    print_table(tuple(rule.table.columns), [_rule_cells(row) for row in rule.table.to_dict("records")])
    print(rule.sentence)


def _print_frontier(rows: pd.DataFrame) -> None:
    if rows.empty:
        print("  unknown: no price of these GPUs is known; give a contract file with --prices.")
        return
    rows = rows.sort_values("tok_per_s_per_user", ascending=False)
    step = (len(rows) - 1) / max(SHOWN_ROWS - 1, 1)
    shown = rows if len(rows) <= SHOWN_ROWS else rows.iloc[[round(i * step) for i in range(SHOWN_ROWS)]]
    print_table(
        (
            "gpu",
            "TP",
            "precision",
            "batch",
            "tok/s/user",
            "tok/s/GPU",
            "TPOT ms",
            "TTFT ms",
            "$/M tok (80%)",
            "points",
        ),
        [_frontier_cells(row) for row in shown.to_dict("records")],
    )
    if len(shown) < len(rows):
        print(f"  {len(rows) - len(shown)} more between them: --out DIR writes all.")


def _by_gpu(table: pd.DataFrame) -> list[tuple[str, ...]]:
    return [(str(gpu), *(_cheapest(rows, ms) for ms in TPOT_MS)) for gpu, rows in table.groupby("gpu", sort=False)]


def _cheapest(rows: pd.DataFrame, tpot_ms: float) -> str:
    """The cheapest setting of one GPU at that speed; without a price, the one that gives most tokens."""
    fast = rows[rows["tpot_s"] <= tpot_ms / 1e3]
    if fast.empty:
        return "too slow"
    best = fast.nlargest(1, "tok_per_s_per_gpu").to_dict("records")[0]
    usd = _number(best["usd_per_mtok"], 2)
    amount = f"{usd}" if usd != "–" else f"no price, {best['tok_per_s_per_gpu']:,.0f} tok/s/GPU"
    return f"{amount} ({best['tp']}, {best['precision']}, {best['batch']})"


def _frontier_cells(row: Row) -> tuple[str, ...]:
    usd, low, high = (_number(row[key], 2) for key in ("usd_per_mtok", "usd_per_mtok_low", "usd_per_mtok_high"))
    return (
        str(row["gpu"]), str(row["tp"]), str(row["precision"]), str(row["batch"]),
        _number(row["tok_per_s_per_user"], 1), _number(row["tok_per_s_per_gpu"], 0),
        _number(row["tpot_s"], 1, 1e3), _number(row["ttft_s"], 0, 1e3),
        "unknown" if usd == "–" else f"{usd} ({low}-{high})", str(row["measured_points"]),
    )  # fmt: skip


_TIER_HEAD = (
    "gpu", "GB", "TB/s", "bf16 PF", "fp8 PF", "$/h", "$ per TB/s", "$ per PF", "FLOP/B", "best for", *WORKLOADS,
    "price of",
)  # fmt: skip


def _tier_cells(row: Row, offers: Mapping[str, GpuOffer]) -> tuple[str, ...]:
    offer = offers.get(str(row["gpu"]))
    said = f"{offer.provider}, {offer.price_source}, {offer.checked}" if offer else "unknown"
    rates = ("tb_per_s", "bf16_pflop_per_s", "fp8_pflop_per_s", "usd_per_gpu_hour")
    costs = ("usd_per_tb_per_s", "usd_per_pflop_per_s")
    return (
        str(row["gpu"]),
        _number(row["memory_gb"], 0),
        *(_number(row[key], 2) for key in (*rates, *costs)),
        _number(row["flop_per_byte"], 0),
        str(row["best_workload"] or "–"),
        *(_number(row[name], 2) for name in WORKLOADS),
        said,
    )


def _rule_cells(row: Row) -> tuple[str, ...]:
    return (str(row["gpu"]), *(_number(value, 2) for key, value in row.items() if key != "gpu"))


def _number(value: object, decimals: int, times: float = 1.0) -> str:
    number = float(value) * times if isinstance(value, int | float) else math.nan
    return f"{number:,.{decimals}f}" if math.isfinite(number) else "–"


def _write(
    out: Path, model: ModelShape, lengths: Lengths, table: pd.DataFrame, tiers: pd.DataFrame, rule: BandwidthRule
) -> None:
    what = f"{model.name}, {lengths.prompt_tok:,.0f} + {lengths.output_tok:,.0f} tokens"
    contents = (
        _csv(table),
        _csv(tiers),
        _csv(rule.table),
        standalone(speed_chart(table, f"{what}: speed for a user and tokens from a GPU")),
        standalone(cost_chart(table, f"{what}: dollars and TPOT")),
        standalone(bandwidth_chart(rule.table, rule.reference, f"{what}: bandwidth and speed-up")),
    )
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, content in zip(FILES, contents, strict=True):
            (out / name).write_text(content, "utf-8")
    except OSError as err:
        raise UserError(f"Cannot write to {out}: {err.strerror or err}; choose another --out.") from err


def _csv(table: pd.DataFrame) -> str:
    rows = table.astype(object).where(table.notna(), None).itertuples(index=False)
    return to_csv([str(name) for name in table.columns], rows)
