"""Every table adds up to its printed total, to the cent, whatever the numbers and the currency."""

import csv
import io
import re
from dataclasses import replace
from decimal import Decimal

from example import example_report
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.budget import Currency
from reports.export import _tables, table_texts, to_csv
from reports.format import cents_row
from reports.values.selfhost import LoadedRow
from sizing.cents import to_cents
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
