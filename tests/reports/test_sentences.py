from dataclasses import replace

import pytest

from forecasting.spread import Spread
from reports import sentences
from reports.budget import BudgetMonth, Currency

USD = Currency(code="USD", per_usd=1.0, rate_date=None, source="")


def _usd(mean, p90=None):
    high = p90 or mean
    return Spread(mean=mean, p10=mean * 0.9, p50=mean, p80=mean, p90=high, p95=high)


def _month(month, days, usd, budget, p90=None):
    return BudgetMonth(month=month, days=days, usd=_usd(usd, p90), budget_usd=budget)


def test_spend_is_compared_with_budget_over_whole_months_only():
    months = [
        _month("2026-11", 8, 999_999.0, 1.0),
        _month("2026-12", 31, 80_000.0, 100_000.0),
        _month("2027-01", 31, 130_000.0, 100_000.0),
        _month("2027-02", 28, 5_000.0, None),
    ]
    assert sentences.spend(months, USD) == "Dec 2026 to Jan 2027 should cost $210K, $10.0K (5.0%) over budget"


def test_spend_without_a_budget_says_so():
    months = [_month("2026-12", 31, 80_000.0, None), _month("2027-01", 31, 90_000.0, None)]
    assert sentences.spend(months, USD).endswith("from $80.0K in Dec 2026 to $90.0K in Jan 2027; no budget is set")
    assert sentences.spend([], USD) == "No spend is planned."


@pytest.mark.parametrize(
    ("month", "days", "whole"), [("2028-02", 29, True), ("2027-02", 27, False), ("x", 1, False)]
)
def test_a_month_is_whole_when_all_its_days_are_planned(month, days, whole):
    assert sentences.is_whole(_month(month, days, 1.0, None)) is whole


def test_demand_that_stays_is_not_called_growth(report):
    chat, agents, batch = report.workloads
    assert sentences.requests(chat.traffic).startswith("Demand goes from 1.24M requests a day to 1.29M by ")
    assert sentences.requests(agents.traffic).startswith("Demand stays near ")
    assert sentences.requests(batch.traffic).endswith("; none was seen yet")


def test_the_long_context_warning_gives_both_numbers(report):
    text = sentences.logics(report.workloads[0].horizons)
    row = report.workloads[0].horizons[0].fleets[0]
    assert f"asks for {row.p95_lengths_gpus} h100-sxm over 30 days" in text
    assert text.endswith(f"needs {row.windowed_p99_gpus}")


def test_a_source_without_windows_is_not_given_a_windowed_number(report):
    assert sentences.logics(report.workloads[2].horizons).endswith("windows of work are unknown for this source")


def test_unknown_lengths_and_prices_are_said_in_words(sparse):
    horizons = sparse.workloads[0].horizons
    assert sentences.tokens(horizons) == "The source does not state the lengths of prompts and outputs"
    assert sentences.costs(horizons, USD) == "No option has a known price"
    assert sentences.logics(horizons).startswith("No GPU that was looked at can serve")


def test_the_cheapest_option_is_named_beside_the_next_kind(report):
    text = sentences.costs(report.workloads[0].horizons, USD)
    assert text == "Over 365 days h100-sxm reserved 1y costs least: $184K, against $226K for h100-sxm on demand"


def test_breakeven_is_said_in_rates_and_its_absence_in_words(report):
    each = report.workloads[0].breakeven[0]
    text = sentences.breakeven(each)
    assert text == "Own h100-sxm cost what the API does at 1.82 requests a second; the forecast is 14.0"
    none = sentences.breakeven(replace(each, qps=None))
    assert none.startswith("No rate makes own h100-sxm cheaper than the API")


def test_an_even_week_has_no_busiest_hour():
    assert sentences.week([1.0] * 168) == "Traffic is taken as even over the week"
    assert sentences.week([]) == "The shape of the week is unknown"
    assert sentences.week([float("nan")] * 168) == "The shape of the week is unknown"


def test_a_swing_is_half_the_80_percent_range_over_the_mean():
    assert sentences.swing(Spread(mean=200.0, p10=180.0, p50=200.0, p80=215.0, p90=230.0, p95=240.0)) == "± 12%"
    assert sentences.swing(None) == ""


def test_risks_name_what_is_assumed_unpriced_unmeasured_and_unread(report, sparse):
    found = sentences.risks(report)
    assert found[0].startswith("One year in twenty costs ")
    assert "nightly-classification has no history: its demand is an assumption, not a forecast." in found
    assert "code-agents rests on 41 days of history: its trend is unknown." in found
    assert "9 of 129 cost lines have no known price and were not compared." in found
    assert found[-1] == "0.1% of the rows could not be read; they are in no number here."
    assert sentences.risks(sparse)[0].startswith("The year's spend is unknown")


def test_a_planned_fleet_without_one_measurement_is_a_risk(report):
    chat = report.workloads[0]
    horizon = chat.horizons[0]
    fleets = [replace(f, measured_points=0) for f in horizon.fleets]
    bare = replace(chat, horizons=[replace(horizon, fleets=fleets), *chat.horizons[1:]])
    found = sentences.risks(replace(report, workloads=[bare]))
    assert any(s.startswith("No measurement backs the throughput of h100-sxm for chat: between ") for s in found)


def test_months_that_may_pass_their_budget_are_counted(report):
    months = [_month("2026-12", 31, 90.0, 100.0, p90=101.0), _month("2027-01", 31, 90.0, 100.0, p90=99.0)]
    found = sentences.risks(replace(report, months=months))
    assert "1 month could pass the budget within the 80% range, Dec 2026 first." in found


def test_the_second_opinion_says_how_far_it_is_and_where_it_leaves_our_range(report):
    text = sentences.second_opinion(report.workloads[0].second_opinion)

    assert text == (
        "A library forecast (statsmodels, damped ETS) expects 35.2M requests over 30 days, 3.0% below the middle"
        " of ours; 109M over 90, within 0.5% of ours; 618M over 365, 40% above. Over 365 days that is above our"
        " 80% range (353M to 552M). Ours is taken here before the plan's growth, events and holidays, which the"
        " library does not know."
    )


def test_no_second_opinion_gives_its_reason(report):
    assert sentences.second_opinion(report.workloads[1].second_opinion) == (
        "No library forecast stands beside ours (statsmodels, damped ETS): 41 full days of history, and it needs"
        " 60."
    )


def test_a_library_outside_our_range_is_a_risk_and_one_inside_is_none(report):
    chat = report.workloads[0]
    said = [s for s in sentences.risks(report) if "library" in s]
    assert said == [
        "A library forecast puts chat at 618M requests over 365 days, above the 80% range of ours (353M to 552M)."
    ]
    inside = replace(chat.second_opinion, rows=chat.second_opinion.rows[:2])
    calm = replace(report, workloads=[replace(chat, second_opinion=inside), *report.workloads[1:]])
    assert not [s for s in sentences.risks(calm) if "library" in s]


def test_a_second_opinion_on_a_workload_that_stopped_divides_by_nothing(report):
    opinion = report.workloads[0].second_opinion
    stopped = replace(opinion.rows[0], requests=0.0, ours_q10=0.0, ours_q50=0.0, ours_q90=0.0, ours_over_it=None,
                      inside_80=True)  # fmt: skip
    text = sentences.second_opinion(replace(opinion, rows=[stopped], scenarios=False))
    assert text.endswith("expects 0 requests over 30 days, against 0 in the middle of ours.")
