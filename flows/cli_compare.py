"""`fleetcast compare` and `fleetcast breakeven`: one job three ways, and where self-hosting beats the API."""

import argparse
import json
from dataclasses import asdict

from data.errors import UserError
from data.units import HOUR_S, MTOK
from sizing.categories import CategoryCosts, compare_categories

_PUE = 1.3


def run_compare(arguments: argparse.Namespace) -> None:
    """Print what a job costs online, in batch and in idle reserved hours, with the arithmetic."""
    if arguments.discount_low > arguments.discount_high:
        raise UserError(
            f"--discount-low {arguments.discount_low:g} is above --discount-high {arguments.discount_high:g};"
            " exchange them."
        )
    idle = _idle_usd_per_gpu_hour(arguments)
    price = arguments.on_demand_usd_per_gpu_hour
    costs = compare_categories(
        documents=arguments.documents,
        tok_per_document=arguments.tokens_per_document,
        api_usd_per_mtok=arguments.api_usd_per_mtok,
        batch_fraction=arguments.batch_fraction,
        tok_per_gpu_s=arguments.tok_per_gpu_s,
        idle_usd_per_gpu_hour=idle,
        reserved_usd_per_gpu_hour_low=price * (1 - arguments.discount_high),
        reserved_usd_per_gpu_hour_high=price * (1 - arguments.discount_low),
    )
    if arguments.json:
        print(json.dumps(asdict(costs), indent=1))
    else:
        print("\n".join(_compare_lines(arguments, costs, idle)))


def _idle_usd_per_gpu_hour(arguments: argparse.Namespace) -> float:
    """Return what an idle hour costs on top: as given, or the power that it draws."""
    power = (arguments.kw_per_gpu, arguments.usd_per_kwh)
    if power == (None, None) and arguments.pue is not None:
        raise UserError(f"--pue {arguments.pue:g} counts only with --kw-per-gpu and --usd-per-kwh; give them too.")
    if power == (None, None):
        return float(arguments.idle_usd_per_gpu_hour)
    if None in power:
        raise UserError("--kw-per-gpu and --usd-per-kwh make the price of an idle hour together; give both.")
    return float(arguments.kw_per_gpu * _pue(arguments) * arguments.usd_per_kwh)


def _pue(arguments: argparse.Namespace) -> float:
    return _PUE if arguments.pue is None else float(arguments.pue)


def _compare_lines(a: argparse.Namespace, c: CategoryCosts, idle: float) -> list[str]:
    price = a.on_demand_usd_per_gpu_hour
    online, batch, _ = c.ratio if c.scheduled_usd else (0.0, 0.0, 1.0)
    ratio = f"; online : batch : scheduled = {online:.3g} : {batch:.3g} : 1" if c.scheduled_usd else ""
    where = (
        f"{a.kw_per_gpu:g} kW x PUE {_pue(a):g} x ${a.usd_per_kwh:g} per kWh"
        if a.kw_per_gpu is not None
        else "--idle-usd-per-gpu-hour, an assumption"
    )
    return [
        f"{a.documents:,.0f} documents x {a.tokens_per_document:,.0f} tokens = {c.mtok:,.0f} Mtok{ratio}",
        f"  online     {_usd(c.online_usd):>12}  {c.mtok:,.0f} Mtok x ${a.api_usd_per_mtok:g} per Mtok",
        f"  batch      {_usd(c.batch_usd):>12}  {c.mtok:,.0f} Mtok x ${a.api_usd_per_mtok:g}"
        f" x {a.batch_fraction:g}",
        f"  scheduled  {_usd(c.scheduled_usd):>12}  incremental, in idle reserved hours: {c.gpu_hours:,.2f}"
        f" GPU-hours x ${idle:g} ({where})",
        f"  loaded     {_usd(c.fully_loaded_low_usd):>12}  to {_usd(c.fully_loaded_high_usd)}, the same hours at"
        f" their reserved price: ${price:g} less {a.discount_high:.0%} to {a.discount_low:.0%}"
        f" = ${price * (1 - a.discount_high):.4g} to ${price * (1 - a.discount_low):.4g}",
        f"  GPU-hours  {c.gpu_hours:>12,.2f}  {c.mtok:,.0f} Mtok x {MTOK:,.0f} / {a.tok_per_gpu_s:,.0f} tokens per"
        f" GPU and second / {HOUR_S:,.0f} (--tok-per-gpu-s, an assumption)",
        "Incremental counts what the job adds to the bill; loaded charges it the hours that it uses.",
    ]


def _usd(value: float) -> str:
    return f"${value:,.2f}"
