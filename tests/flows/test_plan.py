"""The monthly run: whole pages, the work done once, and nothing half-written when a step fails."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from data.errors import UserError
from data.finops.prices_used import prices_of
from data.warehouse import open_store
from flows import demo
from flows import plan as plan_module
from flows.plan import plan_month
from reports.budget import from_json
from reports.files import page_files


def _runs(world):
    with open_store(world / "store" / "fleetcast.duckdb") as store:
        return store.con.execute("SELECT status, revision, error FROM run ORDER BY revision").fetchall()


@pytest.fixture
def walks_at_once(planned, walked, monkeypatch):
    """Let plans skip from the store to a report that is known; only its stamp, digest and title are their own."""
    _, outcome = planned

    def report_of(plan, _facts, run, *_rest):
        stamp = replace(outcome.report.provenance, run_id=run.run_id, input_digest=run.input_digest)
        report = replace(outcome.report, title=plan.settings.title, provenance=stamp)
        return plan_module.Walked(report=report, outlooks=walked["outlooks"], record=walked["record"], prices=[])

    monkeypatch.setattr(plan_module, "_walk", report_of)


def _retitle(world, title):
    config = world / "plan.toml"
    config.write_text(
        "\n".join(
            f'title = "{title}"' if line.startswith("title = ") else line
            for line in config.read_text().splitlines()
        )
    )


def test_a_plan_leaves_the_page_and_its_files(planned):
    world, outcome = planned
    folder = world / "plans" / "2026-11-23"

    assert outcome.page == folder / "budget.html"
    assert {p.name for p in folder.iterdir()} >= {
        "budget.html",
        "plan.json",
        "costs.csv",
        "loaded.csv",
        "fleets.csv",
        "demand.csv",
    }
    assert (world / "plans" / "latest" / "budget.html").read_bytes() == outcome.page.read_bytes()
    assert [row[:2] for row in _runs(world)] == [("done", 1)]


def test_plan_json_is_the_whole_report_and_renders_the_identical_page(planned):
    _, outcome = planned
    report = from_json((outcome.page.parent / "plan.json").read_bytes())

    for name, content in page_files(report).items():
        assert (outcome.page.parent / name).read_bytes() == content, name


def test_every_workload_and_horizon_has_demand_tokens_gpus_costs_and_a_decision(planned):
    _, outcome = planned
    content = json.loads((outcome.page.parent / "plan.json").read_text())

    assert [w["name"] for w in content["workloads"]] == ["chat", "code-agents", "doc-classification"]
    for workload in content["workloads"]:
        assert [h["days"] for h in workload["horizons"]] == [30, 90, 365]
        for horizon in workload["horizons"]:
            assert 0 < horizon["requests"]["p10"] <= horizon["requests"]["p50"] <= horizon["requests"]["p90"]
            prompt = next(t for t in horizon["tokens"] if t["field"] == "prompt")
            assert prompt["p50"][1] <= prompt["p90"][1] <= prompt["p95"][1] <= prompt["p99"][1]
            chosen = next(f for f in horizon["fleets"] if f["gpu"] == horizon["chosen_gpu"])
            assert 0 < chosen["gpus_p50"] <= chosen["gpus_p80"] <= chosen["gpus_p95"]
            assert {c["option"] for c in horizon["costs"]} >= {"api", "on-demand", "reserved-30d", "reserved-1y"}
            assert horizon["decision"]["sentence"]


def test_the_months_add_up_to_the_year(planned):
    _, outcome = planned
    report = outcome.report

    assert report is not None
    assert report.decision.usd_365_days is not None
    assert sum(m.usd.mean for m in report.months) == pytest.approx(report.decision.usd_365_days.mean, rel=1e-9)
    assert sum(m.days for m in report.months) == 365


def test_the_same_inputs_are_planned_once_and_force_changes_only_the_stamp(copied, request_for):
    world = copied()
    first = plan_month(request_for(world))
    page = first.page.read_bytes()

    again = plan_month(request_for(world))

    assert again.report is None
    assert again.page.resolve() == first.page.resolve()
    assert again.page.read_bytes() == page
    assert len(_runs(world)) == 1

    second = plan_month(request_for(world, force=True))

    assert first.report is not None
    assert second.report is not None
    stamp = first.report.provenance.run_id
    assert second.report.provenance.run_id != stamp
    same = replace(second.report, provenance=replace(second.report.provenance, run_id=stamp))
    assert same == first.report
    assert (world / "plans" / "2026-11-23.r1" / "budget.html").exists()


def test_a_changed_plan_is_a_new_revision_that_keeps_the_old_page(copied, request_for, walks_at_once):
    world = copied()
    plan_month(request_for(world))
    _retitle(world, "Renamed")
    plan_month(request_for(world))

    assert "Renamed" in (world / "plans" / "2026-11-23" / "budget.html").read_text()
    assert "Renamed" not in (world / "plans" / "2026-11-23.r1" / "budget.html").read_text()


def test_a_plan_changed_back_is_published_again_where_another_took_its_place(copied, request_for, walks_at_once):
    world = copied()
    for title in ("First", "Second", "First"):
        _retitle(world, title)
        outcome = plan_month(request_for(world))

    assert outcome.report is not None
    assert "First" in outcome.page.read_text()
    assert plan_month(request_for(world)).report is None


def test_a_plan_for_another_folder_is_published_there(copied, request_for, walks_at_once):
    world = copied()
    plan_month(request_for(world))
    outcome = plan_month(request_for(world, out=world / "elsewhere"))

    assert outcome.page == world / "elsewhere" / "2026-11-23" / "budget.html"
    assert outcome.page.exists()


def test_a_plan_whose_files_were_removed_is_made_again(copied, request_for, walks_at_once):
    world = copied()
    first = plan_month(request_for(world))
    (first.page.parent / "plan.json").unlink()

    assert plan_month(request_for(world)).report is not None


def test_a_missing_store_is_named_with_the_way_out_and_not_made(copied, request_for):
    world = copied(**{"store/fleetcast.duckdb": "absent/store.duckdb"})
    with pytest.raises(UserError, match=r"There is no store at .*absent/store.duckdb.*fleetcast ingest"):
        plan_month(request_for(world))

    assert not (world / "absent").exists()


@pytest.mark.parametrize("broken", ["read_past", "foresee", "size", "price", "budget_report", "_publish"])
def test_a_step_that_fails_publishes_nothing_and_is_recorded(
    copied, request_for, known_steps, monkeypatch, broken
):
    world = copied()

    def fail(*_args, **_kwargs):
        raise UserError("made to fail")

    monkeypatch.setattr(plan_module, broken, fail)
    with pytest.raises(UserError, match="made to fail"):
        plan_month(request_for(world))

    assert not (world / "plans").exists()
    assert _runs(world) == [("failed", 1, "UserError: made to fail")]


def test_a_run_that_died_is_marked_at_the_next_start(copied, request_for, walks_at_once, monkeypatch):
    world = copied()
    with monkeypatch.context() as patched:
        patched.setattr(plan_module, "_end", lambda *_args, **_kwargs: None)
        patched.setattr(plan_module, "_publish", lambda *_args: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            plan_month(request_for(world))
    assert [row[0] for row in _runs(world)] == ["running"]

    plan_month(request_for(world))

    assert [row[0] for row in _runs(world)] == ["failed", "done"]


def test_the_forecast_is_kept_to_be_scored(planned):
    world, outcome = planned
    assert outcome.report is not None
    with open_store(world / "store" / "fleetcast.duckdb") as store:
        rows = store.con.execute(
            "SELECT workload, count(*), min(day_utc), bool_and(q10 <= q50 AND q50 <= q90) FROM forecast_record"
            " WHERE quantity = 'requests' GROUP BY workload ORDER BY workload"
        ).fetchall()

    assert [(name, n, str(first), ordered) for name, n, first, ordered in rows] == [
        (name, 365, "2026-11-23", True) for name in ("chat", "code-agents", "doc-classification")
    ]


@pytest.mark.slow
def test_a_later_plan_scores_the_earlier_one_and_says_what_moved_the_same_way_every_time(copied, request_for):
    world = copied()
    earlier = demo.AS_OF - timedelta(days=30)
    plan_month(request_for(world, as_of=earlier))
    report = plan_month(request_for(world)).report
    again = plan_month(request_for(world, force=True)).report

    assert report is not None
    assert again is not None
    stamp = replace(again.provenance, run_id=report.provenance.run_id)
    assert replace(again, provenance=stamp) == report
    assert (report.track.since, report.track.plans) == (earlier, 1)
    assert {row.workload for row in report.track.rows if row.quantity == "requests"} == {
        workload.name for workload in report.workloads
    }
    for workload in report.workloads:
        moved = workload.moved
        assert moved.since == earlier
        assert moved.requests_now == pytest.approx(workload.horizons[0].requests.mean)
        assert sum(p.requests for p in moved.parts) == pytest.approx(
            moved.requests_now - moved.requests_before, abs=1e-3
        )
    with open_store(world / "store" / "fleetcast.duckdb") as store:
        kept = store.con.execute("SELECT count(*), min(days), max(days) FROM forecast_score").fetchone()
    assert kept[0] == len(report.track.rows)
    assert 25 <= kept[1] <= kept[2] <= 30


def test_the_prices_of_a_run_are_kept_with_it(planned):
    world, outcome = planned
    with open_store(world / "store" / "fleetcast.duckdb") as store:
        kept = prices_of(store.con, outcome.report.provenance.run_id)

    assert {price.kind for price in kept} == {"api", "gpu"}
    assert {(p.name, p.item) for p in kept} >= {("h100", "on-demand"), ("anthropic/claude-sonnet-4-5", "input")}
