"""FOCUS rules: each of them finds its own fault, and nothing in a row that is right."""

from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from data.focus.columns import COLUMNS, FOCUS_VERSION, OWN, focus_schema
from data.focus.rules import focus_faults

RIGHT = {
    **dict.fromkeys(("BilledCost", "EffectiveCost", "ListCost", "ContractedCost"), Decimal("12.30")),
    **dict.fromkeys(("ProviderName", "PublisherName", "InvoiceIssuerName", "BillingAccountId"), "x"),
    **dict.fromkeys(("ServiceName", "SkuId", "SkuPriceId"), "h100"),
    "BillingCurrency": "USD",
    "BillingPeriodStart": datetime(2026, 11, 1, tzinfo=UTC),
    "BillingPeriodEnd": datetime(2026, 12, 1, tzinfo=UTC),
    "ChargePeriodStart": datetime(2026, 11, 23, tzinfo=UTC),
    "ChargePeriodEnd": datetime(2026, 12, 1, tzinfo=UTC),
    "ChargeCategory": "Usage",
    "ChargeFrequency": "Usage-Based",
    "PricingCategory": "Standard",
    "ServiceCategory": "Compute",
    "x_FocusVersion": FOCUS_VERSION,
    "x_RecordType": "forecast",
    "x_RunId": "run",
    "x_AsOf": "2026-11-23",
    "x_Workload": "chat",
    "x_Kind": "on-demand",
}
TERM = {
    "ChargeCategory": "Purchase",
    "ChargeFrequency": "Recurring",
    "EffectiveCost": Decimal("0.00"),
    "CommitmentDiscountId": "a",
    "CommitmentDiscountCategory": "Usage",
    "CommitmentDiscountType": "reserved-30d",
}


def _table(**changes):
    schema = focus_schema()
    row = RIGHT | changes
    nullable = pa.schema([field.with_nullable(True) for field in schema])
    return pa.table({name: [row.get(name)] for name in schema.names}, schema=nullable)


def test_a_right_row_has_no_fault():
    assert focus_faults(_table()) == []
    assert focus_faults(_table(**TERM)) == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"BilledCost": None}, "BilledCost is empty"),
        ({"ChargeCategory": "Rent"}, "'Rent'; it must be one of Usage, Purchase"),
        ({"x_RecordType": "actual"}, "'actual'; it must be one of forecast"),
        ({"ChargePeriodEnd": RIGHT["ChargePeriodStart"]}, "ChargePeriodStart must lie before"),
        ({"BillingPeriodEnd": datetime(2026, 10, 1, tzinfo=UTC)}, "BillingPeriodStart must lie before"),
        ({"BillingCurrency": "Dollars"}, "three capital letters"),
        ({"PricingCategory": None}, "PricingCategory must be stated"),
        ({"PricingCategory": "Committed"}, "Committed exactly for Usage under a commitment"),
        ({**TERM, "EffectiveCost": Decimal("1.00")}, "EffectiveCost must be 0"),
        ({**TERM, "ChargeFrequency": "Usage-Based"}, "must not be Usage-Based"),
        ({**TERM, "CommitmentDiscountType": None}, "Id, Category and Type"),
        ({**TERM, "CommitmentDiscountQuantity": 3.0}, "Quantity and Unit"),
        ({"CommitmentDiscountStatus": "Used"}, "exactly for Usage under a commitment"),
        ({"ConsumedQuantity": 3.0}, "ConsumedQuantity and ConsumedUnit"),
        ({**TERM, "ConsumedQuantity": 3.0, "ConsumedUnit": "GPU-Hours"}, "only of Usage"),
        ({"PricingQuantity": 3.0}, "PricingQuantity and PricingUnit"),
        ({"ListUnitPrice": 3.0}, "needs a quantity"),
        ({"SkuPriceId": None}, "SkuId and SkuPriceId must be stated"),
    ],
)
def test_each_rule_finds_its_fault(changes, says):
    assert any(says in fault for fault in focus_faults(_table(**changes)))


def test_missing_foreign_and_mistyped_columns_are_found():
    table = _table()

    assert focus_faults(table.drop_columns(["BilledCost"])) == ["BilledCost is missing."]
    assert "begins with x_" in focus_faults(table.append_column("Team", pa.array(["a"])))[0]
    wrong = table.set_column(0, "BilledCost", pa.array([1.0]))
    assert focus_faults(wrong) == ["BilledCost is double, not decimal128(18, 2)."]


def test_columns_stand_in_the_specifications_order_and_ours_are_marked():
    names = [column.name for column in COLUMNS]

    assert names == sorted(names)
    assert all(column.name.startswith("x_") for column in OWN)
    assert focus_schema().metadata == {b"focus_version": FOCUS_VERSION.encode()}
