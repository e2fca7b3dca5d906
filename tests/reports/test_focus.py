"""FOCUS files: what the page says, to the cent, in columns that keep to the specification."""

import io
import os
import shutil
import subprocess
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.focus.rules import focus_faults
from reports.focus import focus_files

FAULTS_OF_1_0_0 = {
    "Provider_Required",
    "Publisher_Required",
    "InvoiceIssuer_Required",
    "ResourceID_Required",
    "SkuPriceId_Nullable",
    "BillingCurrency_IsCurrencyCode",
}
"""Rules of focus-validator 1.0.0 that no file can keep: docs/focus.md says why."""


def _tables(report):
    return {name: pq.read_table(io.BytesIO(content)) for name, content in focus_files(report).items()}


def test_every_file_keeps_to_the_specification(report, hostile):
    for each in (report, hostile):
        tables = _tables(each)
        assert set(tables) >= {"focus_forecast.parquet", "focus_budget.parquet"}
        assert {name: focus_faults(table) for name, table in tables.items()} == {name: [] for name in tables}


def test_the_forecast_adds_up_to_its_months(report):
    rows = _tables(report)["focus_forecast.parquet"].to_pylist()

    for month in report.months:
        billed = sum(
            (row["BilledCost"] for row in rows if f"{row['BillingPeriodStart']:%Y-%m}" == month.month), Decimal(0)
        )
        assert billed == Decimal(str(round(month.usd.mean, 2)))


def test_the_budget_is_the_plans_and_stands_apart(report):
    tables = _tables(report)
    budget = tables["focus_budget.parquet"].to_pylist()

    assert sum(row["BilledCost"] for row in budget) == sum(m.budget_usd or 0 for m in report.months)
    for name, table in tables.items():
        kinds = set(table.column("x_RecordType").to_pylist())
        assert kinds == {name.removeprefix("focus_").removesuffix(".parquet")}


def test_what_to_sign_is_a_purchase_whose_usage_carries_its_cost(report):
    rows = _tables(report)["focus_commitments.parquet"].to_pylist()
    signed = [term for kind in report.commitments for term in kind.terms if term.action == "commit" and term.gpus]

    assert [float(row["BilledCost"]) for row in rows] == [
        pytest.approx(term.usd_total, abs=0.005) for term in signed
    ]
    assert {(row["EffectiveCost"], row["ChargeCategory"]) for row in rows} == {(0, "Purchase")}
    assert [row["x_DecideBy"] for row in rows] == [str(term.decide_by) for term in signed]
    for row, term in zip(rows, signed, strict=True):
        assert row["CommitmentDiscountQuantity"] * term.usd_per_gpu_hour == pytest.approx(term.usd_total)


def test_what_a_bill_is_of_is_text_and_never_a_path_or_a_query(hostile, hostile_name):
    rows = _tables(hostile)["focus_forecast.parquet"].to_pylist()

    assert {row["x_Workload"] for row in rows} == {hostile.workloads[0].name}
    assert hostile_name in rows[0]["ChargeDescription"]


def test_an_unknown_price_leaves_no_forecast(sparse):
    assert focus_files(sparse) == {}


def test_the_same_plan_gives_the_same_bytes(report):
    assert focus_files(report) == focus_files(report)


@pytest.mark.slow
def test_the_foundations_validator_finds_nothing_of_ours(report, tmp_path):
    """It takes no decimals, so costs go as doubles; what fails may only be what its own release has wrong."""
    validator = os.environ.get("FOCUS_VALIDATOR") or shutil.which("focus-validator")
    if validator is None:
        assert "FLEETCAST_REQUIRE_TOOLS" not in os.environ, "FOCUS_VALIDATOR must name focus-validator here"
        pytest.skip("focus-validator is not installed; docs/focus.md says how the files are checked without it")
    for name, table in _tables(report).items():
        file = tmp_path / name
        costs = [pa.field(f.name, pa.float64()) if pa.types.is_decimal(f.type) else f for f in table.schema]
        pq.write_table(table.cast(pa.schema(costs)), file)
        command = [validator, "--data-file", str(file), "--validate-version", "1.0"]
        said = subprocess.run(command, capture_output=True, text=True, check=False)  # of our own making
        failed = {line.removesuffix(" failed:") for line in said.stdout.splitlines() if line.endswith(" failed:")}
        assert "Errors encountered" in said.stdout or said.returncode == 0, said.stderr
        assert failed <= FAULTS_OF_1_0_0, (name, failed)
