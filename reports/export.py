"""The files beside the page: the report as CSV tables for a spreadsheet, and whole as plan.json.

Numbers are written in full (the page rounds, a table does not), money in USD. Unknown is an empty cell. A cell
whose text a spreadsheet would run as a formula is written with an apostrophe in front.
Source of the rule: OWASP, "CSV Injection", https://owasp.org/www-community/attacks/CSV_Injection.
"""

import csv
import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import fields
from datetime import date
from pathlib import Path

from reports.budget import BudgetReport, FleetRow, Horizon, TrackRow, Workload, to_json
from reports.deployment import DEPLOYMENT, REPLICAS, deployment_rows, replica_rows
from reports.export_changes import (
    CHANGES,
    DAILY_GPUS,
    PRICE_EFFECTS,
    change_rows,
    daily_gpu_rows,
    price_effect_rows,
)
from reports.sentences import token_points
from reports.values.selfhost import LoadedRow
from reports.values.spend import SpendRow

Cell = str | float | int | bool | date | None

DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
"""First characters on which a spreadsheet takes text for a formula."""


def write_tables(report: BudgetReport, folder: Path) -> list[Path]:
    """Write costs, fleets, demand, tokens, months, loaded, spend, decisions, the track record as CSV; plan.json.

    UTF-8 without a byte order mark, LF line ends, one header row. Returns the paths in the order written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    texts = table_texts(report)
    for name, text in texts.items():
        (folder / name).write_bytes(text.encode())
    return [folder / name for name in texts]


def table_texts(report: BudgetReport) -> dict[str, str]:
    """Return file name -> content of what `write_tables` writes; same report, same text."""
    tables = {f"{name}.csv": to_csv(header, rows) for name, header, rows in _tables(report)}
    return {**tables, "plan.json": to_json(report)}


def to_csv(header: Iterable[str], rows: Iterable[Iterable[Cell]]) -> str:
    """Return a CSV text with LF line ends, its text cells neutralised.

    >>> to_csv(["name", "usd"], [["=1+1", -2.5], ["-", None]])
    "name,usd\\n'=1+1,-2.5\\n'-,\\n"
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(list(header))
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _cell(value: Cell) -> str:
    """Return one cell: numbers in full and never neutralised, unknown as nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value) if math.isfinite(value) else ""
    if isinstance(value, date):
        return value.isoformat()
    runs = value.lstrip(" \n").startswith(DANGEROUS)
    # A carriage return within a cell would be a line end to many readers, and csv.writer does not quote it.
    text = value.replace("\0", "\ufffd").replace("\r\n", "\n").replace("\r", "\n")
    return f"'{text}" if runs else text


def _tables(report: BudgetReport) -> Iterator[tuple[str, tuple[str, ...], Iterable[Iterable[Cell]]]]:
    yield "costs", _COSTS, _cost_rows(report)
    yield "fleets", ("workload", "horizon_days", "chosen", *_FLEET), _fleet_rows(report)
    yield "demand", _DEMAND, _demand_rows(report)
    yield "tokens", _TOKENS, _token_rows(report)
    yield "months", _MONTHS, _month_rows(report)
    yield "loaded", ("workload", "gpu", *_LOADED), _loaded_rows(report)
    yield "spend", _SPEND, ([getattr(row, name) for name in _SPEND] for row in report.spend)
    yield "changes", CHANGES, change_rows(report)
    yield "price_effects", PRICE_EFFECTS, price_effect_rows(report)
    yield "daily_gpus", DAILY_GPUS, daily_gpu_rows(report)
    yield "decisions", _DECISIONS, _decision_rows(report)
    yield "track", _TRACK, _track_rows(report)
    yield "deployment", DEPLOYMENT, deployment_rows(report)
    yield "replicas", REPLICAS, replica_rows(report)


def _walk(report: BudgetReport) -> Iterator[tuple[Workload, Horizon]]:
    return ((workload, horizon) for workload in report.workloads for horizon in workload.horizons)


_COSTS = (
    "workload",
    "horizon_days",
    "option",
    "label",
    "gpu",
    "gpu_hours",
    "usd_mean",
    "usd_p10",
    "usd_p50",
    "usd_p80",
    "usd_p90",
    "usd_p95",
    "usd_low_price",
    "usd_high_price",
    "usd_per_mtok",
    "source",
    "checked",
    "note",
    "usd_loaded",
    "unpriced_mtok",
)


def _cost_rows(report: BudgetReport) -> Iterator[list[Cell]]:
    for workload, horizon in _walk(report):
        for line in horizon.costs:
            usd = line.usd
            spread: list[Cell] = (
                [None] * 6 if usd is None else [usd.mean, usd.p10, usd.p50, usd.p80, usd.p90, usd.p95]
            )
            yield [
                workload.name,
                horizon.days,
                line.option,
                line.label,
                line.gpu,
                line.gpu_hours,
                *spread,
                line.usd_low,
                line.usd_high,
                line.usd_per_mtok,
                line.source,
                line.checked,
                line.note,
                line.usd_loaded,
                line.unpriced_mtok,
            ]


_LOADED = tuple(LoadedRow.__dataclass_fields__)


def _loaded_rows(report: BudgetReport) -> Iterator[list[Cell]]:
    for workload in report.workloads:
        for row in workload.selfhost.loaded if workload.selfhost is not None else ():
            gpu = workload.selfhost.gpu if workload.selfhost is not None else None
            yield [workload.name, gpu, *(getattr(row, name) for name in _LOADED)]


_FLEET = tuple(FleetRow.__dataclass_fields__)


def _fleet_rows(report: BudgetReport) -> Iterator[list[Cell]]:
    for workload, horizon in _walk(report):
        for row in horizon.fleets:
            chosen = row.feasible and row.gpu == horizon.decision.gpu
            yield [workload.name, horizon.days, chosen, *(getattr(row, name) for name in _FLEET)]


_DEMAND = ("workload", "day", "kind", "requests", "mean", "q0.025", "q0.1", "q0.5", "q0.9", "q0.975")


def _demand_rows(report: BudgetReport) -> Iterator[list[Cell]]:
    for workload in report.workloads:
        series = workload.traffic
        for day, seen in zip(series.history_days, series.history, strict=True):
            yield [workload.name, day, "actual", seen, *[None] * 6]
        columns = (series.mean, series.q2_5, series.q10, series.q50, series.q90, series.q97_5)
        for day, *values in zip(series.days, *columns, strict=True):
            yield [workload.name, day, "forecast", None, *values]


_TOKENS = (
    "workload",
    "horizon_days",
    "field",
    "known",
    "mean_tok",
    *(f"{p}_tok_{q}" for p in ("p50", "p90", "p95", "p99") for q in ("q0.1", "q0.5", "q0.9")),
)


def _token_rows(report: BudgetReport) -> Iterator[list[Cell]]:
    for workload, horizon in _walk(report):
        for each in horizon.tokens:
            points = [value for _, point in token_points(each) for value in (point or (None, None, None))]
            yield [workload.name, horizon.days, each.field, each.known, each.mean_tok, *points]


_MONTHS = ("month", "days", "usd_mean", "usd_p10", "usd_p50", "usd_p80", "usd_p90", "usd_p95", "budget_usd")


def _month_rows(report: BudgetReport) -> Iterator[list[Cell]]:
    for m in report.months:
        u = m.usd
        yield [m.month, m.days, u.mean, u.p10, u.p50, u.p80, u.p90, u.p95, m.budget_usd]


_SPEND = tuple(field.name for field in fields(SpendRow))

_DECISIONS = (
    "workload",
    "category",
    "basis",
    "horizon_days",
    "start",
    "end",
    "action",
    "option",
    "gpu",
    "gpus",
    "usd",
    "saving_usd",
    "decide_by",
    "sentence",
)


def _decision_rows(report: BudgetReport) -> Iterator[list[Cell]]:
    for workload, horizon in _walk(report):
        d = horizon.decision
        yield [
            workload.name,
            workload.category,
            workload.method.basis,
            horizon.days,
            horizon.start,
            horizon.end,
            d.action,
            d.option,
            d.gpu,
            d.gpus,
            d.usd,
            d.saving_usd,
            d.decide_by,
            d.sentence,
        ]


_TRACK = tuple(TrackRow.__dataclass_fields__)


def _track_rows(report: BudgetReport) -> Iterator[list[Cell]]:
    for row in report.track.rows if report.track is not None else ():
        yield [getattr(row, name) for name in _TRACK]
