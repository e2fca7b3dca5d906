"""The example's costs, choices and months."""

import calendar
from datetime import date, timedelta

import numpy as np

from example.common import AS_OF, GPUS, spread
from reports.budget import (
    Breakeven,
    BudgetMonth,
    FleetRow,
    OptionChoice,
)
from reports.values.spend import SpendRow
from sizing.cents import split_to_cents
from sizing.money import CostLine

_TERMS = (("on-demand", 1.0), ("reserved-30d", 0.9), ("reserved-1y", 0.7))


def cost_lines(
    name: str, days: int, per_day: float, prompt: float, output: float, api: str | None, fleets: list[FleetRow]
) -> list[CostLine]:
    mtok = per_day * days * (prompt + output) / 1e6
    lines = []
    if api is not None:
        dear = 5.0 if api.startswith("anthropic") else 1.0
        usd = per_day * days * (prompt * 0.25e-6 + output * 2.0e-6) * dear
        lines.append(_line(name, days, "api", f"{api}, pay as you go", usd, usd, usd, mtok, None, None))
        lines.append(_line(name, days, "api-batch", f"{api}, batch", usd / 2, usd / 2, usd / 2, mtok, None, None))
    for row in fleets:
        if not row.feasible or row.gpus_p80 is None:
            lines.append(
                _line(name, days, "on-demand", f"{row.gpu} on demand", None, None, None, mtok, row.gpu, None)
            )
            continue
        hours, rate = row.gpus_p80 * days * 24.0, GPUS[row.gpu][2]
        for term, discount in _TERMS:
            usd = hours * rate * discount * (0.86 if term == "on-demand" else 1.0)
            label = f"{row.gpu} {'on demand' if term == 'on-demand' else term.replace('-', ' ')}"
            lines.append(_line(name, days, term, label, usd, usd * 0.75, usd * 1.3, mtok, row.gpu, hours))
    return lines


def _line(name: str, days: int, option: str, label: str, usd: float | None, low: float | None, high: float | None,
          mtok: float, gpu: str | None, hours: float | None) -> CostLine:  # fmt: skip
    return CostLine(
        workload=name,
        horizon_days=days,
        option=option,  # type: ignore[arg-type]  # one of the six literals, by the caller
        label=label,
        usd=None if usd is None else spread(usd, 0.02 if gpu else 0.05),
        usd_low=low,
        usd_high=high,
        usd_per_mtok=None if usd is None else usd / mtok,
        gpu=gpu,
        gpu_hours=hours,
        source="planning table, https://example.org/gpu-prices" if gpu else "genai-prices 0.2.3",
        checked=date(2026, 11, 20),
        note="" if usd is not None else f"No fleet of {gpu} meets the targets, so nothing can be priced.",
    )


def choice_of(days: int, chosen: str | None, row: FleetRow, costs: list[CostLine]) -> OptionChoice:
    wanted = "api" if chosen is None else {30: "reserved-30d", 90: "on-demand", 365: "reserved-1y"}[days]
    line = next(c for c in costs if c.option == wanted and c.gpu == chosen and c.usd is not None)
    action = "api" if chosen is None else {30: "commit", 90: "hedge", 365: "watch"}[days]
    rival = max(c.usd.mean for c in costs if c.usd is not None and c.gpu in (None, chosen))
    assert line.usd is not None
    sentence = {
        "api": "Stay on the API: own GPUs would be busy too few hours to pay.",
        "commit": f"Reserve {row.gpus_p80} {chosen} for 30 days: the least of them is busy 94% of its hours.",
        "hedge": "Keep the part above the reserved band on demand; renew month by month.",
        "watch": "A one-year term pays only if demand holds; ask for the offer, sign nothing yet.",
    }[action]
    return OptionChoice(
        action=action,  # type: ignore[arg-type]  # one of the literals, by the tables above
        sentence=sentence,
        option=wanted,
        gpu=chosen,
        gpus=row.gpus_p80 if chosen else None,
        usd=line.usd.mean,
        saving_usd=rival - line.usd.mean,
        decide_by=date(2026, 11, 30) if action == "commit" else None,
    )


def breakeven_of(gpu: str, level: float, tok: float) -> Breakeven:
    tp, slow, usd_hour = GPUS[gpu]
    now, capacity = level / 86_400, 5_200 / tok * tp / slow
    api_usd_per_mtok = 0.52
    replica_usd = usd_hour * tp * 730.5
    per_qps = tok / 1e6 * api_usd_per_mtok * 2_629_800
    top = max(now * 1.6, replica_usd / per_qps * 2.2)
    grid = [round(float(x), 4) for x in np.linspace(0, top, 120)]
    even = replica_usd / per_qps
    return Breakeven(
        gpu=gpu,
        usd_per_gpu_hour=usd_hour,
        api_usd_per_mtok=api_usd_per_mtok,
        qps=even,
        utilisation=0.61,
        mtok_per_month=even * tok / 1e6 * 2_629_800,
        qps_low=even * 0.7,
        qps_high=even * 1.5,
        now_qps=now,
        sentence=f"From {even:.1f} requests a second on, own {gpu} cost less than the API; now it is {now:.1f}.",
        curve_qps=grid,
        curve_api_usd_per_month=[round(x * per_qps, 2) for x in grid],
        curve_gpu_usd_per_month=[round(max(1.0, np.ceil(x / capacity)) * replica_usd, 2) for x in grid],
    )


def budget_months(year_usd: float) -> list[BudgetMonth]:
    found, day = [], AS_OF
    end = AS_OF + timedelta(days=365)
    while day < end:
        last = date(day.year, day.month, calendar.monthrange(day.year, day.month)[1])
        days = (min(last + timedelta(days=1), end) - day).days
        k = len(found)
        usd = year_usd * days / 365 * (0.9 + 0.017 * k)
        whole = days == last.day
        budget = round(year_usd / 12 * 1.06, -3) if whole else None
        found.append(
            BudgetMonth(month=f"{day:%Y-%m}", days=days, usd=spread(usd, 0.04 + 0.012 * k), budget_usd=budget)
        )
        day = last + timedelta(days=1)
    return found


def spend_rows(months: list[BudgetMonth], workloads: list[str]) -> list[SpendRow]:
    """Return two bills of each month: two thirds of it reserved, the rest on demand."""
    rows = []
    for month in months:
        year, number = map(int, month.month.split("-"))
        start = max(AS_OF, date(year, number, 1))
        shared = {"month": month.month, "start": start, "end": start + timedelta(days=month.days - 1),
                  "provider": "several", "gpu": "h100-sxm"}  # fmt: skip
        reserved, over = (float(c) for c in split_to_cents([month.usd.mean * 2 / 3, month.usd.mean / 3]))
        for kind, usd in (("reserved", reserved), ("on-demand", over)):
            rows.append(SpendRow(**shared, workload=workloads[0], kind=kind, label=f"h100-sxm {kind}", usd=usd,
                                 usd_p10=0.9 * usd, usd_p90=1.1 * usd,
                                 gpu_hours=usd / 3))  # type: ignore[arg-type]  # fmt: skip
    return rows
