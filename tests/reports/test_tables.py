from dataclasses import replace
from datetime import date, timedelta

import pytest

from reports import tables
from reports.budget import Series

START = date(2026, 11, 23)


def _series(history, ahead):
    days = [START + timedelta(days=i) for i in range(len(ahead))]
    past = [START - timedelta(days=len(history) - i) for i in range(len(history))]
    return Series(history_days=past, history=history, days=days, mean=ahead, q2_5=ahead, q10=ahead, q50=ahead,
                  q90=ahead, q97_5=ahead)  # fmt: skip


def test_blocks_of_history_end_where_the_forecast_starts_and_skip_what_is_unknown():
    blocks = tables.history_blocks(_series([1.0, 2.0, *[10.0] * 6, None], []))

    assert [(b.start, b.end) for b in blocks] == [
        (START - timedelta(days=9), START - timedelta(days=8)),
        (START - timedelta(days=7), START - timedelta(days=1)),
    ]
    assert [b.value for b in blocks] == [1.5, 10.0]


def test_a_block_without_one_known_day_is_unknown_rather_than_zero():
    assert tables.history_blocks(_series([None] * 7, []))[0].value is None


def test_blocks_of_the_forecast_start_with_the_plan_and_a_short_tail_is_left_out():
    blocks = tables.forecast_blocks(_series([], [float(i) for i in range(17)]))
    assert [b.value for b in blocks] == [3.0, 10.0]
    assert blocks[0].start == START
    assert len(tables.forecast_blocks(_series([], [1.0, 2.0]))) == 1


def test_a_year_and_no_more_of_history_is_shown(large):
    blocks = tables.history_blocks(large.workloads[0].traffic)
    assert len(blocks) == tables.SHOWN_HISTORY_DAYS // 7


def test_an_option_gathers_its_lines_over_the_horizons(report):
    horizons = report.workloads[0].horizons
    found = tables.options(horizons)

    assert sum(len(o.lines) for o in found) == sum(len(h.costs) for h in horizons)
    assert all(line.label == o.name for o in found for line in o.lines.values())


def test_the_plan_stands_on_the_chosen_gpu_else_on_the_cheapest(report):
    chat, agents = report.workloads[:2]
    assert {row.gpu for _, row in tables.planned_rows(chat.horizons)} == {"h100-sxm"}

    dear = [replace(c, usd=replace(c.usd, mean=1e9)) if c.usd and c.gpu != "a100-80gb" else c
            for c in agents.horizons[0].costs]  # fmt: skip
    horizon = replace(agents.horizons[0], chosen_gpu=None, costs=dear)
    assert tables.planned_rows([horizon])[0][1].gpu == "a100-80gb"


def test_without_any_price_the_fewest_gpus_win_and_without_a_fit_nothing_is_planned(report, sparse):
    horizon = replace(report.workloads[1].horizons[0], chosen_gpu=None, costs=[])
    row = tables.planned_rows([horizon])[0][1]
    assert row.gpus_p80 == min(f.gpus_p80 for f in horizon.fleets if f.feasible)
    assert tables.planned_rows(sparse.workloads[0].horizons) == []


def test_the_cheapest_line_never_binds_for_longer_than_the_horizon(report):
    for workload in report.workloads:
        for horizon in workload.horizons:
            best = tables.cheapest(horizon)
            assert best is not None
            assert not (best.option == "reserved-1y" and horizon.days < 365)
            assert best.usd is not None


@pytest.mark.parametrize(
    ("option", "days", "answer"),
    [("reserved-1y", 90, True), ("reserved-1y", 365, False), ("reserved-30d", 30, False), ("api", 1, False)],
)
def test_a_term_outlasts_only_shorter_horizons(option, days, answer):
    assert tables.outlasts(option, days) is answer


def test_what_is_committed_already_is_never_the_cheapest_choice(report):
    horizon = report.workloads[0].horizons[0]
    held = replace(horizon.costs[0], option="committed", usd=replace(horizon.costs[0].usd, mean=1.0))
    assert tables.cheapest(replace(horizon, costs=[held, *horizon.costs])) == tables.cheapest(horizon)
    assert not tables.may_choose("committed", 365)
    assert tables.may_choose("reserved-30d", 30)


def test_a_candidate_knows_over_which_horizons_it_is_planned_on(report):
    found = tables.candidates(report.workloads[0].horizons)
    assert [c.gpu for c in found if c.chosen_days == (30, 90, 365)] == ["h100-sxm"]
    assert len(found) == 5


def test_the_dearest_workload_comes_first_and_unknown_cost_last(report, sparse):
    mixed = [*sparse.workloads, *report.workloads]
    assert tables.by_size(mixed)[-1] is sparse.workloads[0]
    assert tables.by_size(report.workloads)[0].name == "chat"
