"""The columns of FOCUS 1.2 that we write, with type, nulls and allowed values.

Source: FinOps Open Cost and Usage Specification 1.2, https://focus.finops.org/focus-specification/v1-2/, read
2026-11-24. Names are the specification's. Columns of our own begin with x_, as its custom columns must.
"""

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

FOCUS_VERSION = "1.2"

Kind = Literal["cost", "number", "text", "time", "map"]

_TYPES: dict[Kind, pa.DataType] = {
    "cost": pa.decimal128(18, 2),
    "number": pa.float64(),
    "text": pa.string(),
    "time": pa.timestamp("ms", tz="UTC"),
    "map": pa.string(),  # "JSON-like" text, as the specification's key-value format allows
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FocusColumn:
    """One column. null: whether a cell may be empty; values: all that a cell may hold, where that is bounded."""

    name: str
    kind: Kind
    null: bool = True
    values: tuple[str, ...] = ()

    @property
    def arrow(self) -> pa.DataType:
        """Its type in Parquet; costs are decimals, so that sums are exact to the cent."""
        return _TYPES[self.kind]


def _column(name: str, kind: Kind, *values: str, null: bool = False) -> FocusColumn:
    return FocusColumn(name=name, kind=kind, null=null, values=values)


COLUMNS: tuple[FocusColumn, ...] = (
    _column("BilledCost", "cost"),
    _column("BillingAccountId", "text"),
    _column("BillingAccountName", "text", null=True),
    _column("BillingCurrency", "text"),
    _column("BillingPeriodEnd", "time"),
    _column("BillingPeriodStart", "time"),
    _column("ChargeCategory", "text", "Usage", "Purchase", "Tax", "Credit", "Adjustment"),
    _column("ChargeClass", "text", "Correction", null=True),
    _column("ChargeDescription", "text", null=True),
    _column("ChargeFrequency", "text", "One-Time", "Recurring", "Usage-Based"),
    _column("ChargePeriodEnd", "time"),
    _column("ChargePeriodStart", "time"),
    _column("CommitmentDiscountCategory", "text", "Spend", "Usage", null=True),
    _column("CommitmentDiscountId", "text", null=True),
    _column("CommitmentDiscountName", "text", null=True),
    _column("CommitmentDiscountQuantity", "number", null=True),
    _column("CommitmentDiscountStatus", "text", "Used", "Unused", null=True),
    _column("CommitmentDiscountType", "text", null=True),
    _column("CommitmentDiscountUnit", "text", null=True),
    _column("ConsumedQuantity", "number", null=True),
    _column("ConsumedUnit", "text", null=True),
    _column("ContractedCost", "cost"),
    _column("ContractedUnitPrice", "number", null=True),
    _column("EffectiveCost", "cost"),
    _column("InvoiceIssuerName", "text"),
    _column("ListCost", "cost"),
    _column("ListUnitPrice", "number", null=True),
    _column("PricingCategory", "text", "Standard", "Dynamic", "Committed", "Other", null=True),
    _column("PricingQuantity", "number", null=True),
    _column("PricingUnit", "text", null=True),
    _column("ProviderName", "text"),
    _column("PublisherName", "text"),
    _column("RegionId", "text", null=True),
    _column("RegionName", "text", null=True),
    _column("ResourceId", "text", null=True),
    _column("ResourceName", "text", null=True),
    _column("ResourceType", "text", null=True),
    _column("ServiceCategory", "text", "AI and Machine Learning", "Compute", "Other"),
    _column("ServiceName", "text"),
    _column("SkuId", "text", null=True),
    _column("SkuPriceId", "text", null=True),
    _column("SubAccountId", "text", null=True),
    _column("SubAccountName", "text", null=True),
    _column("Tags", "map", null=True),
)
"""In the specification's alphabetical order. ServiceCategory: the values of it that we write."""

OWN: tuple[FocusColumn, ...] = (
    _column("x_FocusVersion", "text"),
    _column("x_RecordType", "text", "forecast", "budget", "commitments"),
    _column("x_RunId", "text"),
    _column("x_AsOf", "text"),
    _column("x_Workload", "text"),
    _column("x_Gpu", "text", null=True),
    _column("x_Kind", "text"),
    _column("x_EffectiveCostP10", "cost", null=True),
    _column("x_EffectiveCostP90", "cost", null=True),
    _column("x_DecideBy", "text", null=True),
    _column("x_Reason", "text", null=True),
)
"""Columns of our own. No file of ours ever holds actuals: x_RecordType has no such value."""


def focus_schema() -> pa.Schema:
    """Return the Arrow schema of our files: FOCUS columns, then ours, the version among the file's metadata."""
    fields = [pa.field(c.name, c.arrow, nullable=c.null) for c in (*COLUMNS, *OWN)]
    return pa.schema(fields, metadata={"focus_version": FOCUS_VERSION})
