from dataclasses import replace

from reports.render import render_html
from reports.windows import budget_share, by_logic, logic_name


def test_rows_of_a_way_of_planning_stand_together(report):
    windowed = report.workloads[0].windowed
    grouped = by_logic(windowed.logics)

    assert [rows[0].logic for rows in grouped] == ["mean", "p95 lengths", "windowed"]
    assert [[row.days for row in rows] for rows in grouped] == [[30, 90, 365]] * 3


def test_the_windowed_plan_says_which_windows_it_covers(report):
    windowed = replace(report.workloads[0].windowed, percentile=0.995, window_s=60)

    assert logic_name(windowed.logics[2], windowed) == "work in windows, p99.5 of 60 s"
    assert budget_share(99.9) == "99.9"


def test_the_page_has_three_plans_with_dollars_and_the_budgets(report):
    page = render_html(report)
    windowed = report.workloads[0].windowed
    first = windowed.logics[1]

    assert "p95 prompt times p95 output" in page
    assert f"${first.usd:,.0f}" in page
    assert "Requests beyond" in page
    assert "GPU-seconds of work in one window" in page


def test_a_workload_without_windowed_work_has_no_such_section(report):
    bare = replace(report, workloads=[replace(report.workloads[0], windowed=None)])

    assert "Three ways to plan" not in render_html(bare)
