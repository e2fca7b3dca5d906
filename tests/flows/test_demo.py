"""The demo makes its logs up under a folder of its own, plans them, and never replaces what is not its own."""

import tomllib
from datetime import timedelta
from pathlib import Path

import pytest

from data.errors import UserError
from data.warehouse import open_store
from flows import demo
from flows.plan import PlanOutcome
from flows.settings import load_plan

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def faint(monkeypatch):
    """Make every world up at a thousandth of its traffic."""
    real = demo.write_synthetic_logs
    monkeypatch.setattr(
        demo, "write_synthetic_logs", lambda folder, **how: real(folder, **{**how, "scale": 0.001, "days": 60})
    )


def test_the_demos_plan_is_the_example_with_another_store():
    example = (ROOT / "examples" / "plan.toml").read_text()

    assert demo.demo_plan("../runs/demo/store/fleetcast.duckdb") == example
    assert tomllib.loads(demo.demo_plan("here.duckdb"))["store"]["path"] == "here.duckdb"


def test_a_prepared_world_is_a_valid_plan_over_a_full_store(world):
    plan = load_plan(world / "plan.toml")

    with open_store(plan.store_path) as store:
        labels = store.con.execute("SELECT DISTINCT source_label FROM rollup_minute ORDER BY 1").fetchall()
        last = store.con.execute("SELECT max(arrived_utc)::DATE FROM requests").fetchone()
    assert [label for (label,) in labels] == ["chat", "code-agents", "doc-classification"]
    assert last[0].isoformat() == "2026-11-22"  # the day before the first unknown one


def test_the_demo_plans_its_own_world_as_of_its_own_day(faint, tmp_path, monkeypatch):
    asked, seen = [], []

    def plan_month(request, *, progress):
        asked.append(request)
        progress("done", 1.0)
        return PlanOutcome(page=request.out / "budget.html", report=None)

    monkeypatch.setattr(demo, "plan_month", plan_month)
    outcome = demo.run(tmp_path / "d", progress=lambda what, share: seen.append((what, share)))

    assert outcome.page == tmp_path / "d" / "plans" / "budget.html"
    assert {request.config for request in asked} == {tmp_path / "d" / "plan.toml"}
    assert [request.as_of for request in asked] == [demo.AS_OF - timedelta(days=30), demo.AS_OF]
    shares = [share for _, share in seen]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)


def test_a_demo_of_few_days_is_planned_only_today(faint, tmp_path, monkeypatch):
    asked = []

    def plan_month(request, *, progress):
        asked.append(request)
        return PlanOutcome(page=request.out / "budget.html", report=None)

    monkeypatch.setattr(demo, "plan_month", plan_month)
    demo.run(tmp_path / "d", days=57)

    assert [request.as_of for request in asked] == [demo.AS_OF]


def test_the_same_seed_makes_the_same_logs_and_another_makes_others(faint, tmp_path):
    def made(name, seed):
        demo.write_logs(tmp_path / name, seed=seed)
        return {p.relative_to(tmp_path / name): p.read_bytes() for p in (tmp_path / name).rglob("*.parquet")}

    first = made("a", 1)
    assert first
    assert made("b", 1) == first
    assert made("c", 2) != first


def test_an_earlier_demo_is_replaced_and_its_neighbours_are_not(faint, tmp_path):
    demo.prepare(tmp_path)
    (tmp_path / "logs" / "left-over.parquet").write_text("of an earlier demo")
    (tmp_path / "mine.txt").write_text("mine")

    demo.prepare(tmp_path)

    assert not (tmp_path / "logs" / "left-over.parquet").exists()
    assert (tmp_path / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["logs/real.csv", "store/real.duckdb", "plan.toml"])
def test_what_is_not_a_demos_is_never_replaced(tmp_path, name):
    mine = tmp_path / name
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("mine")

    with pytest.raises(UserError, match=r"is not an earlier demo's; choose an empty folder with --out"):
        demo.prepare(tmp_path)

    assert mine.read_text() == "mine"
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [mine]


def test_a_folder_that_cannot_be_made_is_one_sentence(fleetcast, tmp_path):
    (tmp_path / "file").write_text("")

    sentence = fleetcast("demo", "--out", tmp_path / "file" / "demo").sentence

    assert "Not a directory" in sentence
    assert "--out" in sentence
