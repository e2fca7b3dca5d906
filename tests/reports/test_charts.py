import re
from dataclasses import replace

import pytest

from forecasting.spread import Spread
from reports import charts, tables
from reports.budget import Breakeven, BudgetMonth


def _texts(chart):
    return re.findall(r"<text[^>]*>([^<]*)</text>", chart)


def _hatches(chart):
    return chart.count("fill:url(#")


@pytest.fixture
def workload(report):
    return report.workloads[0]


def test_the_fan_labels_its_quantiles_and_where_the_plan_starts(workload):
    history, forecast = tables.history_blocks(workload.traffic), tables.forecast_blocks(workload.traffic)
    texts = _texts(charts.request_fan(history, forecast, chart_id="f", title="t"))

    assert "plan starts" in texts
    assert sum(word in t for t in texts for word in ("97.5%", "90%", "median", "(10%)", "(2.5%)")) == 5


def test_the_fan_of_a_workload_without_history_draws_the_forecast_alone(workload):
    forecast = tables.forecast_blocks(workload.traffic)
    assert "plan starts" not in charts.request_fan([], forecast, chart_id="f", title="t")


def test_the_fan_leaves_a_gap_where_nothing_was_seen(workload):
    blocks = tables.history_blocks(workload.traffic)
    broken = [replace(b, value=None) if i == len(blocks) // 2 else b for i, b in enumerate(blocks)]
    line = max(re.findall(r'd="([^"]+)" style="fill:none;stroke:var\(--ink\)', _fan(broken)), key=len)
    whole = max(re.findall(r'd="([^"]+)" style="fill:none;stroke:var\(--ink\)', _fan(blocks)), key=len)
    assert (line.count("M"), whole.count("M")) == (2, 1)


def _fan(history):
    return charts.request_fan(history, [], chart_id="f", title="t")


def test_months_are_hatched_when_forecast_and_outlined_when_budgeted(report):
    chart = charts.monthly_spend(report.months, report.currency, chart_id="s", title="t")
    budgeted = sum(m.budget_usd is not None for m in report.months)

    assert _hatches(chart) == len(report.months)
    assert len(re.findall(r'style="fill:none;stroke:var\(--budget\)', chart)) == budgeted


def test_a_month_that_the_plan_cuts_says_how_many_days_it_holds(report):
    texts = _texts(charts.monthly_spend(report.months, report.currency, chart_id="s", title="t"))
    assert "8 days" in texts
    assert "22 days" in texts


def test_bars_start_at_zero_and_keep_their_proportion(report):
    flat = dict.fromkeys(("p10", "p50", "p80", "p90", "p95"), 1.0)
    months = [BudgetMonth(month=f"2027-0{i}", days=30, usd=Spread(mean=100.0 * i, **flat), budget_usd=None)
              for i in (1, 2, 3)]  # fmt: skip
    chart = charts.monthly_spend(months, report.currency, chart_id="s", title="t")
    bars = re.findall(r'd="M[\d.]+ ([\d.]+)L[\d.]+ [\d.]+L[\d.]+ ([\d.]+)L[^"]*" style="fill:url', chart)
    heights = [float(base) - float(top) for base, top in bars]

    assert len({base for base, _ in bars}) == 1
    assert heights[1] == pytest.approx(2 * heights[0], abs=0.3)
    assert heights[2] == pytest.approx(3 * heights[0], abs=0.3)


def test_percentiles_are_named_once_per_field(workload):
    texts = _texts(charts.token_percentiles(workload.horizons, chart_id="t", title="t"))
    assert texts.count("p99") == 3
    assert "prompt, 365 days" in texts


def test_the_four_logics_stand_on_one_scale_and_say_unknown_where_windows_are(report):
    batch = report.workloads[2]
    texts = _texts(charts.gpu_logics(tables.planned_rows(batch.horizons), chart_id="g", title="t"))

    assert texts.count("unknown") == 6
    assert [t for t in texts if t in dict(tables.LOGICS).values()] == list(dict(tables.LOGICS).values())


def test_an_option_without_a_price_is_named_as_unknown(report, sparse):
    options = tables.options(sparse.workloads[0].horizons)
    texts = _texts(charts.cost_options(options, report.currency, chart_id="c", title="t"))
    assert texts.count("unknown") == 3 * len(options)


def test_costs_of_three_horizons_share_a_scale_because_they_are_per_30_days(report):
    workload = report.workloads[0]
    option = tables.options(workload.horizons)[0]
    chart = charts.cost_options([option], report.currency, chart_id="c", title="t")
    bars = re.findall(r'd="M([\d.]+) [\d.]+L([\d.]+) [^"]*" style="fill:url', chart)
    widths = [float(right) - float(left) for left, right in bars]
    rates = [option.lines[d].usd.mean * 30 / d for d in (30, 90, 365)]

    assert len(widths) == 3
    assert [w / widths[0] for w in widths] == pytest.approx([r / rates[0] for r in rates], rel=0.01)


def test_the_breakeven_curve_marks_now_and_even_where_they_lie_on_it(report):
    each = report.workloads[0].breakeven[0]
    texts = _texts(charts.breakeven_curve(each, report.currency, chart_id="b", title="t"))
    assert any(t.startswith("now ") for t in texts)
    assert any(t.startswith("breakeven ") for t in texts)
    beyond: Breakeven = replace(each, qps=each.curve_qps[-1] * 2)
    texts = _texts(charts.breakeven_curve(beyond, report.currency, chart_id="b", title="t"))
    assert not any(t.startswith("breakeven ") for t in texts)


def test_the_week_labels_its_busiest_and_its_quietest_hour():
    profile = [1.0] * 168
    profile[38], profile[100] = 3.0, 0.25
    texts = _texts(charts.hour_of_week(profile, chart_id="w", title="t"))
    assert "busiest: 3.00 ×" in texts
    assert "quietest: 0.25 ×" in texts


def test_an_hour_that_is_not_known_leaves_its_cell_empty():
    profile = [1.0 + 0.001 * i for i in range(168)]
    some = profile[:100] + [float("nan")] * 68
    cells = [chart.count("z") for chart in (_week(profile), _week(some))]
    assert cells[0] - cells[1] == 68


def _week(profile):
    return "".join(re.findall(r' d="([^"]+)" style="fill:var\(--accent\)', _draw_week(profile)))


def _draw_week(profile):
    return charts.hour_of_week(profile, chart_id="w", title="t")
