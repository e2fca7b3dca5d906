"""Whether a table keeps to FOCUS: columns, types, nulls, values, and the rules between columns."""

from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa

from data.focus.columns import COLUMNS, OWN, FocusColumn

Row = dict[str, Any]


def focus_faults(table: pa.Table) -> list[str]:
    """Return one sentence for each thing that is wrong with a table; none where it keeps to the specification."""
    found = [fault for column in (*COLUMNS, *OWN) for fault in _column_faults(table, column)]
    known = {column.name for column in (*COLUMNS, *OWN)}
    found += [
        f"{name} is no column of FOCUS, and a column of one's own begins with x_."
        for name in table.column_names
        if name not in known and not name.startswith("x_")
    ]
    return found or list(_row_faults(table.to_pylist()))


def _column_faults(table: pa.Table, column: FocusColumn) -> Iterator[str]:
    if column.name not in table.column_names:
        yield f"{column.name} is missing."
        return
    cells = table.column(column.name)
    if cells.type != column.arrow:
        yield f"{column.name} is {cells.type}, not {column.arrow}."
    if cells.null_count and not column.null:
        yield f"{column.name} is empty in {cells.null_count} rows, which it must not be."
    if column.values:
        other = sorted({str(cell) for cell in cells.to_pylist() if cell is not None} - set(column.values))
        if other:
            yield f"{column.name} is {other[0]!r}; it must be one of {', '.join(column.values)}."


def _row_faults(rows: list[Row]) -> Iterator[str]:
    for name, holds in _RULES.items():
        wrong = [n for n, row in enumerate(rows, start=1) if not holds(row)]
        if wrong:
            yield f"Row {wrong[0]}: {name} (so in {len(wrong)} of {len(rows)} rows)."


def _together(*names: str) -> Callable[[Row], bool]:
    return lambda row: len({row[name] is None for name in names}) == 1


_RULES: dict[str, Callable[[Row], bool]] = {
    "ChargePeriodStart must lie before ChargePeriodEnd": lambda r: r["ChargePeriodStart"] < r["ChargePeriodEnd"],
    "BillingPeriodStart must lie before BillingPeriodEnd": lambda r: (
        r["BillingPeriodStart"] < r["BillingPeriodEnd"]
    ),
    "BillingCurrency must be three capital letters (ISO 4217)": lambda r: (
        len(r["BillingCurrency"]) == 3 and r["BillingCurrency"].isascii() and r["BillingCurrency"].isupper()
    ),
    "PricingCategory must be stated for Usage and Purchase": lambda r: (
        r["ChargeCategory"] not in ("Usage", "Purchase") or r["PricingCategory"] is not None
    ),
    "SkuId and SkuPriceId must be stated for Usage and Purchase": lambda r: (
        r["ChargeCategory"] not in ("Usage", "Purchase") or None not in (r["SkuId"], r["SkuPriceId"])
    ),
    "a Purchase of commitments covers later charges, so its EffectiveCost must be 0": lambda r: (
        r["ChargeCategory"] != "Purchase" or r["CommitmentDiscountId"] is None or r["EffectiveCost"] == 0
    ),
    "ChargeFrequency of a Purchase must not be Usage-Based": lambda r: (
        r["ChargeCategory"] != "Purchase" or r["ChargeFrequency"] != "Usage-Based"
    ),
    "a commitment's Id, Category and Type are stated together": _together(
        "CommitmentDiscountId", "CommitmentDiscountCategory", "CommitmentDiscountType"
    ),
    "a commitment's Quantity and Unit are stated together": _together(
        "CommitmentDiscountQuantity", "CommitmentDiscountUnit"
    ),
    "CommitmentDiscountStatus is stated exactly for Usage under a commitment": lambda r: (
        (r["CommitmentDiscountStatus"] is not None)
        == (r["ChargeCategory"] == "Usage" and r["CommitmentDiscountId"] is not None)
    ),
    "PricingCategory is Committed exactly for Usage under a commitment": lambda r: (
        (r["PricingCategory"] == "Committed")
        == (r["ChargeCategory"] == "Usage" and r["CommitmentDiscountId"] is not None)
    ),
    "ConsumedQuantity and ConsumedUnit are stated together": _together("ConsumedQuantity", "ConsumedUnit"),
    "ConsumedQuantity is only of Usage": lambda r: r["ChargeCategory"] == "Usage" or r["ConsumedQuantity"] is None,
    "PricingQuantity and PricingUnit are stated together": _together("PricingQuantity", "PricingUnit"),
    "a unit price needs a quantity": lambda r: r["ListUnitPrice"] is None or r["PricingQuantity"] is not None,
}
"""Each rule that touches what we write; source: the requirements of each column, FOCUS 1.2."""
