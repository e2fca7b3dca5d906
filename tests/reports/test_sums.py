"""Every table adds up to its printed total, to the cent, whatever the numbers and the currency."""

import csv
import io
import re
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pyarrow.parquet as pq
from example import example_report
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.budget import Currency
from reports.export import _tables, table_texts, to_csv
from reports.focus import focus_files
from reports.format import cents_row
from reports.values.selfhost import LoadedRow
from sizing.cents import split_to_cents, to_cents
from sizing.commit.decision import shared_usd
from sizing.loaded import Overheads, loaded_cost

EXAMPLE = example_report()
PARTS = ("work_usd", "idle_usd", "spares_usd", "networking_usd", "staff_usd")

shares = st.floats(0, 2)


def loaded_row(usd, work, spares, networking, staff):
    cost = loaded_cost(
        usd, work_share=work, overheads=Overheads(spares=spares, networking=networking, staff=staff)
    )
    return LoadedRow(
        label="h100 on demand",
        horizon_days=30,
        work_usd_per_mtok=None,
        total_usd_per_mtok=None,
        total_usd=float(cost.total_usd),
        **{name: float(getattr(cost, name)) for name in PARTS},
    )


rows = st.builds(loaded_row, st.floats(0, 1e9), st.floats(0, 1), shares, shares, shares)


def read(text):
    return list(csv.DictReader(io.StringIO(text)))


@settings(max_examples=25, deadline=None)
@given(st.lists(rows, min_size=1, max_size=12))
def test_the_parts_of_every_bill_in_the_csv_add_up_to_its_total(found):
    workload = next(w for w in EXAMPLE.workloads if w.selfhost is not None)
    behind = replace(workload.selfhost, loaded=found)
    report = replace(EXAMPLE, workloads=[replace(workload, selfhost=behind)])
    header, written = next((head, lines) for name, head, lines in _tables(report) if name == "loaded")

    for row in read(to_csv(header, written)):
        assert sum(Decimal(row[name]) for name in PARTS) == Decimal(row["total_usd"])


@settings(max_examples=100, deadline=None)
@given(rows, st.floats(0.001, 200))
def test_the_parts_of_every_bill_as_printed_add_up_to_its_total_as_printed(row, per_usd):
    currency = Currency(code="XAU", per_usd=per_usd, rate_date=None, source="")
    cells = [
        Decimal(re.sub(r"[^0-9.]", "", cell)) for cell in cents_row([getattr(row, n) for n in PARTS], currency)
    ]

    assert sum(cells[:-1]) == cells[-1]


def test_the_bills_of_a_month_add_up_to_the_month():
    texts = table_texts(EXAMPLE)
    by_month = {}
    for row in read(texts["spend.csv"]):
        by_month[row["month"]] = by_month.get(row["month"], Decimal(0)) + Decimal(row["usd"])

    assert by_month
    for month in read(texts["months.csv"]):
        assert by_month[month["month"]] == to_cents(float(month["usd_mean"]))


@st.composite
def reports(draw):
    """The example, its months of any means and ranges, and each month's bills any split of its mean."""
    usd = st.integers(0, 10**11).map(lambda n: n / 1024)  # their float sums are exact
    by_month = {}
    for row in EXAMPLE.spend:
        by_month.setdefault(row.month, []).append(row)
    spend, means = [], {}
    for month, of_month in by_month.items():
        parts = [draw(usd) for _ in of_month]
        means[month] = sum(parts)
        split = zip(of_month, split_to_cents(parts), strict=True)
        spend += [replace(row, usd=float(cents)) for row, cents in split]
    months = [replace(m, usd=replace(m.usd, mean=means[m.month])) for m in EXAMPLE.months]
    return replace(EXAMPLE, spend=spend, months=months)


@settings(max_examples=25, deadline=None)
@given(reports())
def test_of_any_plan_bills_months_and_the_focus_file_say_one_sum(report):
    """spend.csv adds up to months.csv, and the FOCUS forecast to both, exactly: month by month and in all."""
    texts = dict(table_texts(report))
    billed, focus = {}, {}
    for row in read(texts["spend.csv"]):
        billed[row["month"]] = billed.get(row["month"], Decimal(0)) + Decimal(row["usd"])
    for row in pq.read_table(io.BytesIO(focus_files(report)["focus_forecast.parquet"])).to_pylist():
        month = f"{row['BillingPeriodStart']:%Y-%m}"
        focus[month] = focus.get(month, Decimal(0)) + row["BilledCost"]

    assert billed == focus
    assert billed == {m["month"]: to_cents(float(m["usd_mean"])) for m in read(texts["months.csv"])}


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.lists(st.floats(0, 1e6), min_size=3, max_size=3), min_size=1, max_size=6),
    st.lists(st.integers(0, 10**9), min_size=3, max_size=3),
)
def test_of_any_pool_the_shares_add_up_to_its_bill(needs, cents):
    """Three paths of one hour: what each workload bears of a pool is the pool's mean bill, to the cent."""
    usd = np.array(cents) / 100
    workloads = {f"w{i}": np.array(need).reshape(3, 1, 1) for i, need in enumerate(needs)}
    shares = shared_usd(usd, workloads)

    assert abs(sum(Decimal(str(share)) for share in shares.values()) - Decimal(str(float(usd.mean())))) <= Decimal(
        "0.0051"
    )
    assert all(share >= 0 for share in shares.values())
