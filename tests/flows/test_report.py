"""The report as a whole: money is USD inside, the currency is only how the page shows it."""

import json
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from data.catalog.prices import GpuOffer
from flows.report import budget_report
from flows.settings import FxSettings, JobSettings
from reports.budget import to_json
from reports.files import PAGE, page_files
from reports.format import money

EUROS = FxSettings(per_usd=0.8, date=date(2026, 11, 20), source="ECB reference rate")


def _with(walked, **settings):
    """The same walk reported under changed settings."""
    plan = walked["plan"]
    changed = plan.settings.model_copy(update=settings)
    return budget_report(**{**walked, "plan": plan.model_copy(update={"settings": changed})})


@pytest.fixture(scope="module")
def in_euros(walked):
    return _with(walked, currency="EUR", fx=EUROS)


def test_the_same_walk_gives_the_same_report(walked, planned):
    _, outcome = planned

    assert budget_report(**walked) == outcome.report


def test_another_currency_changes_no_amount_in_plan_json(in_euros, planned):
    _, outcome = planned
    dollars, euros = (json.loads(to_json(report)) for report in (outcome.report, in_euros))

    assert dollars.pop("currency")["code"] == "USD"
    assert euros.pop("currency") == {
        "code": "EUR", "per_usd": 0.8, "rate_date": "2026-11-20", "source": "ECB reference rate"
    }  # fmt: skip
    headlines = dollars["decision"].pop("headline"), euros["decision"].pop("headline")
    assert euros == dollars
    assert "$" not in headlines[1]


def test_the_page_shows_the_months_at_the_rate_and_names_it(in_euros, planned):
    _, outcome = planned
    dollars, euros = (page_files(report)[PAGE].decode() for report in (outcome.report, in_euros))

    assert "€" in euros
    assert "€" not in dollars
    assert "ECB reference rate" in euros
    for month in outcome.report.months:
        assert money(month.usd.mean, outcome.report.currency) in dollars
        amount = money(month.usd.mean, in_euros.currency)
        assert amount in euros
        assert amount == f"€{0.8 * month.usd.mean:,.0f}"


def test_reservations_in_force_are_in_every_month_until_they_end(walked):
    held, none = _with(walked), _with(walked, commitments=[])
    daily = sum(
        c.units * c.usd_per_gpu_hour * 24 for c in walked["plan"].settings.commitments
    )  # all of them end with 2026
    assert daily > 0

    extra = {a.month: a.usd.mean - b.usd.mean for a, b in zip(held.months, none.months, strict=True)}
    assert extra["2026-11"] == pytest.approx(8 * daily)
    assert extra["2026-12"] == pytest.approx(31 * daily)
    assert extra["2027-01"] == pytest.approx(0, abs=1e-6)
    assert held.decision.committed_share > none.decision.committed_share


def _job(gpu, **changes):
    return JobSettings(
        **{"name": f"tune on {gpu}", "gpu": gpu, "gpus": 8, "hours": 10, "weekdays": ["sunday"], **changes}
    )


def test_a_job_that_finds_no_idle_gpus_is_bought_on_demand(walked):
    """8 GPUs x 10 h on the 4 Sundays from 23 November to 22 December, at the planning table's $6.50."""
    alone = _with({**walked, "idle_gpus": {}}, jobs=[_job("b200")])
    none = _with({**walked, "idle_gpus": {}}, jobs=[])

    row = alone.jobs[0]
    assert row.gpu_hours_per_30_days == 4 * 80
    assert row.usd_30_days_on_demand == pytest.approx(4 * 80 * 6.5)  # the middle of $5-8
    assert alone.decision.usd_30_days.mean - none.decision.usd_30_days.mean == pytest.approx(4 * 80 * 6.5)


def test_a_job_in_idle_reserved_hours_costs_nothing_more(walked):
    shape = (*walked["outlooks"][0].demand.requests.shape, 24)
    idle = {"b200": np.full(shape, 8.0)}
    placed = _with({**walked, "idle_gpus": idle}, jobs=[_job("b200")])
    none = _with({**walked, "idle_gpus": idle}, jobs=[])

    assert placed.jobs[0].usd_30_days_on_demand == 0
    assert placed.months == none.months


def test_a_job_on_a_gpu_without_a_price_leaves_the_sums_unknown(walked):
    report = _with(walked, jobs=[_job("a10g"), _job("b200")])

    assert [job.usd_30_days_on_demand is None for job in report.jobs] == [True, False]
    assert report.months == []
    assert report.decision.usd_30_days is None
    assert report.decision.committed_share is None
    assert report.workloads[0].horizons[0].decision.usd is not None  # each workload's own costs stay known


def test_the_prices_used_are_listed_once_with_their_source(walked, planned):
    _, outcome = planned
    prices = outcome.report.provenance.prices

    assert len(set(prices)) == len(prices)
    used = {gpu for workload in walked["plan"].settings.workloads for gpu in workload.gpus}
    assert {p.gpu for p in prices} == used
    assert all(isinstance(p, GpuOffer) and p.source and p.checked for p in prices)


def test_a_report_of_other_seeds_or_titles_says_so(walked):
    report = _with(walked, title="Renamed", seed=7)

    assert report.title == "Renamed"
    assert report.provenance.seed == 7
    assert replace(report.provenance, seed=20261123) == budget_report(**walked).provenance
