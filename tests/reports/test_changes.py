from dataclasses import replace

import pytest

from reports.changes import by_size, groups, horizon, more_span, sentence
from reports.export import table_texts
from reports.gpu_chart import daily_gpus, heading, months, weeks


def test_the_largest_stands_first_and_the_unknown_before_it(report):
    (_, scenarios), (_, stress) = groups(report.changes)

    assert scenarios[0].horizons[-1].difference_usd is None
    moved = [abs(c.horizons[-1].difference_usd.mean) for c in stress]
    assert moved == sorted(moved, reverse=True)
    assert by_size([]) == []
    assert [rows for _, rows in groups(None)] == [[], []]


def test_the_sentence_names_the_largest_known_change(report, sparse):
    assert "365 days: Traffic x 0.5" in sentence(report.changes)
    assert "38% of the plan's" in sentence(report.changes)
    assert "less" in sentence(report.changes)
    assert sentence(sparse.changes).startswith("No change")


def test_a_horizon_is_found_by_its_days(report):
    change = report.changes.changes[0]

    assert horizon(change, 90).days == 90
    assert horizon(change, 91) is None


def test_a_range_carries_its_signs(report):
    spread = report.changes.changes[-1].horizons[0].difference_usd

    assert more_span(replace(spread, p10=-5.0, p90=1_234.0), report.currency) == "−$5.00 to +$1,234"


def test_every_change_and_horizon_is_a_row(report, sparse):
    lines = table_texts(report)["changes.csv"].splitlines()

    assert len(lines) == 1 + sum(len(c.horizons) for c in report.changes.changes)
    assert len(table_texts(sparse)["changes.csv"].splitlines()) == 1
    assert len(table_texts(sparse)["daily_gpus.csv"].splitlines()) == 1
    assert len(table_texts(report)["price_effects.csv"].splitlines()) == 1 + 3 * 3
    assert len(table_texts(report)["daily_gpus.csv"].splitlines()) == 1 + 365 * len(report.workloads)


def test_the_chart_labels_its_ends_and_weeks_hold_their_largest_day(report):
    each = report.workloads[0].daily_gpus
    svg = daily_gpus(each, chart_id="g", title="t")

    assert f">{each.p80[-1]} (80%)<" in svg
    assert f"{max(each.p80)} at most" in heading(each)
    assert weeks(each)[0] == (0, max(each.p50[:7]), max(each.p80[:7]), max(each.p95[:7]))
    assert len(weeks(each)) == 53
    assert sorted({max(row[n] for row in months(each)) for n in (1, 2, 3)}) == sorted(
        {max(row) for row in (each.p50, each.p80, each.p95)}
    )
    firsts = [each.days[n] for n, *_ in months(each)]
    assert firsts[0] == each.days[0]
    assert all(day.day == 1 for day in firsts[1:])


@pytest.mark.parametrize("days", [1, 3])
def test_a_short_plan_has_a_chart_too(report, days):
    each = report.workloads[0].daily_gpus
    cut = replace(each, days=each.days[:days], p50=each.p50[:days], p80=each.p80[:days], p95=each.p95[:days])

    assert daily_gpus(cut, chart_id="g", title="t").startswith("<svg")
