import csv
import io
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.budget import from_json
from reports.export import DANGEROUS, table_texts, to_csv, write_tables

NAMES = [
    "costs.csv",
    "fleets.csv",
    "demand.csv",
    "tokens.csv",
    "months.csv",
    "loaded.csv",
    "spend.csv",
    "changes.csv",
    "price_effects.csv",
    "daily_gpus.csv",
    "decisions.csv",
    "track.csv",
    "deployment.csv",
    "replicas.csv",
    "plan.json",
]


def _rows(report, name):
    return list(csv.DictReader(io.StringIO(table_texts(report)[name])))


def test_the_files_are_written_as_named_and_the_same_twice(report, tmp_path):
    first = write_tables(report, tmp_path / "a")
    second = write_tables(report, tmp_path / "b")

    assert [p.name for p in first] == NAMES
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]
    assert all(b"\r" not in p.read_bytes() for p in first)
    assert {p.name: p.read_text(encoding="utf-8") for p in first} == table_texts(report)


def test_plan_json_beside_the_tables_is_the_report(report):
    assert from_json(table_texts(report)["plan.json"]) == report


def test_costs_keep_every_line_in_full_precision(report):
    rows = _rows(report, "costs.csv")
    lines = [line for w in report.workloads for h in w.horizons for line in h.costs]

    assert len(rows) == len(lines)
    for row, line in zip(rows, lines, strict=True):
        assert row["usd_mean"] == ("" if line.usd is None else repr(line.usd.mean))


def test_what_is_unknown_is_an_empty_cell(sparse):
    assert {row["usd_mean"] for row in _rows(sparse, "costs.csv")} == {""}
    assert {row["gpus_p80"] for row in _rows(sparse, "fleets.csv")} == {""}
    assert {row["p99_tok_q0.9"] for row in _rows(sparse, "tokens.csv")} == {""}
    assert {row["usd"] for row in _rows(sparse, "decisions.csv")} == {""}


def test_the_spend_of_a_month_adds_up_to_the_cent(report):
    rows = _rows(report, "spend.csv")

    assert rows
    for month in report.months:
        cents = sum(round(100 * float(row["usd"])) for row in rows if row["month"] == month.month)
        assert cents == round(100 * month.usd.mean)


def test_demand_tells_actual_days_from_forecast_days(report):
    rows = [row for row in _rows(report, "demand.csv") if row["workload"] == "chat"]
    traffic = report.workloads[0].traffic

    assert [row["kind"] for row in rows] == ["actual"] * len(traffic.history) + ["forecast"] * len(traffic.days)
    assert rows[-1]["q0.975"] == repr(traffic.q97_5[-1])
    assert rows[-1]["requests"] == ""


def test_one_decision_per_workload_and_horizon(report):
    rows = _rows(report, "decisions.csv")
    assert len(rows) == 9
    assert rows[0]["action"] == "commit"
    assert rows[0]["decide_by"] == "2026-11-30"


def test_hostile_names_cannot_run_in_a_spreadsheet(hostile):
    for name in NAMES[:-1]:
        for row in csv.reader(io.StringIO(table_texts(hostile)[name])):
            for cell in row:
                assert not cell.startswith(DANGEROUS) or _is_number(cell), (name, cell)


def _is_number(cell):
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False


@pytest.mark.parametrize("start", DANGEROUS)
def test_each_dangerous_start_is_neutralised_and_blanks_do_not_hide_it(start):
    for text in (f"{start}1+1", f" {start}1+1", f"\n{start}1+1"):
        rows = list(csv.reader(io.StringIO(to_csv(["text"], [[text]]), newline="")))
        assert rows[1][0] == f"'{text}".replace("\r", "\n")


def test_negative_numbers_stay_numbers():
    assert to_csv(["usd"], [[-2.5], [-3], [float("nan")], [True]]) == "usd\n-2.5\n-3\n\ntrue\n".replace(
        "\n\ntrue", '\n""\ntrue'
    )


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1, max_size=4)
)
def test_any_text_comes_back_but_for_the_apostrophe_and_its_line_ends(cells):
    rows = list(csv.reader(io.StringIO(to_csv(["x"] * len(cells), [cells]), newline="")))
    assert len(rows) == 2
    for cell, back in zip(cells, rows[1], strict=True):
        lines = cell.replace("\r\n", "\n").replace("\r", "\n")
        assert back in (lines, f"'{lines}")


def test_plan_json_holds_no_number_that_json_does_not_know(hostile):
    def refuse(name):
        raise AssertionError(name)

    json.loads(table_texts(hostile)["plan.json"], parse_constant=refuse)


def test_the_track_record_is_written_in_full_and_empty_where_there_is_none(report, sparse):
    rows = _rows(report, "track.csv")

    assert report.track is not None
    assert [float(row["error"]) for row in rows] == [r.error for r in report.track.rows]
    assert [row["workload"] for row in rows] == [r.workload for r in report.track.rows]
    assert _rows(sparse, "track.csv") == []
