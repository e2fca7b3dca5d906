"""The plan as FOCUS-shaped Parquet: what is expected to be billed, the budget, and what to sign, a file each.

A file's costs add up to what the page prints, so nothing may stand in it twice; and none of them holds actuals.
docs/focus.md says which cell means what.
"""

import io
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from data.focus.columns import FOCUS_VERSION, focus_schema
from reports.budget import BudgetReport
from reports.values.spend import SpendRow
from sizing.cents import to_cents

Row = dict[str, Any]
UNKNOWN = "(unknown)"
"""Who bills, where the plan does not know it: the specification allows no empty cell there."""


def focus_files(report: BudgetReport) -> dict[str, bytes]:
    """Return file name -> Parquet of the forecast, the budget and the proposed terms, those that have a row."""
    tables = {
        "focus_forecast.parquet": _forecast(report),
        "focus_budget.parquet": list(_budget(report)),
        "focus_commitments.parquet": list(_commitments(report)),
    }
    return {name: _parquet(rows) for name, rows in tables.items() if rows}


def focus_table(rows: Iterable[Row]) -> pa.Table:
    """Return rows as a table of our schema; a column that a row does not state is empty in it."""
    schema = focus_schema()
    listed = list(rows)
    return pa.table({name: [row.get(name) for row in listed] for name in schema.names}, schema=schema)


def _parquet(rows: list[Row]) -> bytes:
    out = io.BytesIO()
    pq.write_table(focus_table(rows), out, compression="zstd", store_schema=False)
    return out.getvalue()


def _forecast(report: BudgetReport) -> list[Row]:
    return [_bill(report, row) for row in report.spend]


def _bill(report: BudgetReport, row: SpendRow) -> Row:
    """One bill of one month. Nothing of a plan is under a commitment that a provider knows, so no Id is stated."""
    rented = row.gpu is not None
    hours = row.gpu_hours if rented else None
    return {
        **_common(report, "forecast", _costs(row.usd), row.start, row.end),
        "ChargeCategory": "Usage",
        "ChargeDescription": f"{row.label} for {row.workload}",
        "ChargeFrequency": "Recurring" if row.kind in ("reserved", "committed") else "Usage-Based",
        "ConsumedQuantity": hours,
        "ConsumedUnit": None if hours is None else "GPU-Hours",
        "PricingCategory": "Other" if row.kind in ("reserved", "committed") else "Standard",
        "PricingQuantity": hours,
        "PricingUnit": None if hours is None else "GPU-Hours",
        "ProviderName": row.provider or UNKNOWN,
        "PublisherName": row.provider or UNKNOWN,
        "InvoiceIssuerName": row.provider or UNKNOWN,
        "ServiceCategory": "Compute" if rented else "AI and Machine Learning",
        "ServiceName": row.label,
        "SkuId": row.gpu or row.label,
        "SkuPriceId": row.label,
        "x_Workload": row.workload,
        "x_Gpu": row.gpu,
        "x_Kind": row.kind,
        "x_EffectiveCostP10": to_cents(row.usd_p10),
        "x_EffectiveCostP90": to_cents(row.usd_p90),
    }


def _budget(report: BudgetReport) -> Iterator[Row]:
    """One row for each month that has a budget: it is the whole month's, however much of it is planned."""
    for month in report.months:
        if month.budget_usd is None:
            continue
        start = date.fromisoformat(f"{month.month}-01")
        yield {
            **_common(report, "budget", _costs(month.budget_usd), start, _month_end(start) - timedelta(days=1)),
            "ChargeCategory": "Usage",
            "ChargeDescription": f"budget of {month.month}",
            "ChargeFrequency": "Recurring",
            "PricingCategory": "Other",
            "ProviderName": UNKNOWN,
            "PublisherName": UNKNOWN,
            "InvoiceIssuerName": UNKNOWN,
            "ServiceCategory": "Other",
            **dict.fromkeys(("ServiceName", "SkuId", "SkuPriceId"), "budget"),
            "x_Workload": "(all)",
            "x_Kind": "budget",
        }


def _commitments(report: BudgetReport) -> Iterator[Row]:
    """One row for each term that the plan proposes to sign now: what is only hedged or watched is no purchase."""
    for kind in report.commitments:
        for term in kind.terms:
            if term.action != "commit" or not term.gpus:
                continue
            hours = 24.0 * term.gpus * ((term.end - term.start).days + 1)
            yield {
                **_common(report, "commitments", _costs(term.usd_total), term.start, term.end),
                "EffectiveCost": Decimal("0.00"),
                "ChargeCategory": "Purchase",
                "ChargeDescription": f"{term.gpus} x {kind.gpu}, {term.name}",
                "ChargeFrequency": "One-Time" if term.upfront_usd >= term.usd_total > 0 else "Recurring",
                "CommitmentDiscountCategory": "Usage",
                "CommitmentDiscountId": f"proposed:{report.provenance.run_id}:{kind.gpu}:{term.term}:{term.start}",
                "CommitmentDiscountName": f"{kind.gpu} {term.name}",
                "CommitmentDiscountType": term.term,
                "CommitmentDiscountQuantity": hours,
                "CommitmentDiscountUnit": "GPU-Hours",
                "ContractedUnitPrice": term.usd_per_gpu_hour,
                "ListUnitPrice": term.on_demand_usd_per_gpu_hour,
                "PricingCategory": "Standard",
                "PricingQuantity": hours,
                "PricingUnit": "GPU-Hours",
                **dict.fromkeys(("ProviderName", "PublisherName", "InvoiceIssuerName"), UNKNOWN),
                "ServiceCategory": "Compute",
                "ServiceName": f"{kind.gpu} {term.name}",
                "SkuId": kind.gpu,
                "SkuPriceId": f"{kind.gpu} {term.term}",
                "x_Workload": ", ".join(kind.workloads),
                "x_Gpu": kind.gpu,
                "x_Kind": term.term,
                "x_DecideBy": term.decide_by.isoformat(),
                "x_Reason": term.reason,
            }


def _costs(usd: float) -> dict[str, Decimal]:
    """Return the four costs of a row. Nobody discounts a forecast, so list, contracted and effective are one."""
    return dict.fromkeys(("BilledCost", "EffectiveCost", "ListCost", "ContractedCost"), to_cents(usd))


def _common(report: BudgetReport, record: str, costs: dict[str, Decimal], first: date, last: date) -> Row:
    month = first.replace(day=1)
    return {
        **costs,
        "BillingAccountId": report.title,
        "BillingCurrency": "USD",
        "BillingPeriodStart": _utc(month),
        "BillingPeriodEnd": _utc(_month_end(first)),
        "ChargePeriodStart": _utc(first),
        "ChargePeriodEnd": _utc(last + timedelta(days=1)),
        "x_FocusVersion": FOCUS_VERSION,
        "x_RecordType": record,
        "x_RunId": report.provenance.run_id,
        "x_AsOf": report.as_of.isoformat(),
    }


def _month_end(day: date) -> date:
    """Return the first day of the next month."""
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


def _utc(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
