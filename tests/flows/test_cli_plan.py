"""`fleetcast plan` and `report`: they end with the page's path; a refusal is a sentence and publishes nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from data.ingest import ingest_logs
from data.warehouse import open_store
from flows import cli_plan, demo
from flows.plan import PlanOutcome
from reports.format import money

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SMALL = """
schema = 1
title = "Small"
seed = 1
paths = 50

[store]
path = "store.duckdb"

[[workloads]]
name = "gateway"
category = "online"
match = { label = "gateway" }
model = "llama-3.1-8b"
precision = "bf16"
gpus = ["h100"]
api = { provider = "together", model = "meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo" }
"""


@pytest.fixture(scope="module")
def stored(tmp_path_factory, request_for):
    """A store of the example's log, less than a day long."""
    folder = tmp_path_factory.mktemp("stored")
    now = request_for(folder).now
    with open_store(folder / "store.duckdb", write=True, now=now) as store:
        ingest_logs(
            store,
            [EXAMPLES / "logs" / "requests.csv"],
            now=now,
            mapping=EXAMPLES / "mapping.toml",
            label="gateway",
        )
    return folder


@pytest.fixture
def small(stored, tmp_path):
    """A plan over that store, to be changed by a test."""
    import shutil

    shutil.copytree(stored, tmp_path, dirs_exist_ok=True)
    (tmp_path / "plan.toml").write_text(SMALL)
    return tmp_path


def _plan(fleetcast, folder, *more):
    return fleetcast(
        "plan", "--config", folder / "plan.toml", "--as-of", "2026-11-23", "--out", folder / "out", *more
    )


def _change(folder, old, new):
    text = (folder / "plan.toml").read_text()
    assert old in text
    (folder / "plan.toml").write_text(text.replace(old, new))


def test_a_plan_of_less_than_a_day_ends_with_the_decision_and_the_page(fleetcast, small):
    said = _plan(fleetcast, small)

    assert (said.status, said.err) == (0, "")
    *decision, path = said.out.splitlines()
    page = small / "out" / "2026-11-23" / "budget.html"
    assert Path(path) == page
    assert decision[-1].startswith("Commit nothing new; keep gateway on the API")
    assert "no history" in page.read_text()

    again = _plan(fleetcast, small)
    assert again.status == 0
    assert again.out.splitlines() == ["Nothing has changed since this plan was made; --force plans again.", path]


def test_a_page_is_rendered_again_from_its_plan_json(fleetcast, planned, tmp_path):
    _, outcome = planned

    said = fleetcast("report", "--from", outcome.page.parent / "plan.json", "--out", tmp_path / "page.html")

    assert (said.status, said.out) == (0, f"{tmp_path / 'page.html'}\n")
    assert (tmp_path / "page.html").read_bytes() == outcome.page.read_bytes()


def test_what_is_told_at_the_end_is_the_page_in_short(planned, monkeypatch, fleetcast, small):
    _, outcome = planned
    monkeypatch.setattr(cli_plan, "plan_month", lambda *_args, **_kwargs: outcome)

    text = _plan(fleetcast, small).out

    report = outcome.report
    assert report.decision.headline in text
    assert f"{report.quality.requests:,.0f} requests" in text
    assert money(report.decision.usd_30_days.mean, report.currency) in text
    for workload in report.workloads:
        assert f"{workload.name}: {workload.horizons[0].decision.sentence}" in text
    assert text.splitlines()[-1] == str(outcome.page)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"store.duckdb"', '"absent.duckdb"', ["There is no store at", "absent.duckdb", "fleetcast ingest"]),
        ('label = "gateway"', 'label = "gatewy"', ["'gateway' (label = 'gatewy')", "it has 'gateway'"]),
        ('"llama-3.1-8b"', '"llama-3.1-9b"', ["'llama-3.1-9b'", "did you mean llama-3.1-8b"]),
        ('["h100"]', '["h1000"]', ["'h1000'", "did you mean h100"]),
        ('"llama-3.1-8b"', '"llama-3.1-405b"', ["fits none of its candidate GPUs", "fewer bytes per weight"]),
        ('gpus = ["h100"]', 'gpus = ["h100"]\nslo = { tpot_s = 0.0001 }', ["TPOT", "longer SLO"]),
        ('provider = "together"', 'provider = "togethr"', ["togethr"]),
        ("seed = 1", "seed = -1", ["seed", "-1"]),
        ("schema = 1", "schema = ", ["not valid TOML"]),
        ("paths = 50", "paths = 50\nhistory_days = 999999999999", ["history_days", "36500"]),
        (
            'title = "Small"',
            'title = "Small"\nprices = { overlays = ["contract.toml"] }',
            ["contract.toml", "No such file"],
        ),
    ],
)
def test_a_plan_that_cannot_be_made_is_one_sentence_and_publishes_nothing(fleetcast, small, old, new, says):
    _change(small, old, new)
    before = {p.name for p in small.iterdir()}

    said = _plan(fleetcast, small)

    for part in says:
        assert part in said.sentence
    assert said.out == ""
    assert {p.name for p in small.iterdir()} == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["plan", "--config", "absent.toml"], ["Cannot read the plan absent.toml", "examples/plan.toml"]),
        (["report", "--from", "absent.json", "--out", "x.html"], ["Cannot read absent.json", "plan.json"]),
        (["report", "--from", ".", "--out", "x.html"], ["Cannot read .", "Is a directory"]),
        (["report", "--from", "torn.json", "--out", "x.html"], ["torn.json", "cannot be read"]),
    ],
)
def test_a_missing_or_torn_file_is_one_sentence(fleetcast, tmp_path, monkeypatch, arguments, says):
    monkeypatch.chdir(tmp_path)
    Path("torn.json").write_text('{"schema_version": 1, "title": "to')

    said = fleetcast(*arguments)

    for part in says:
        assert part in said.sentence
    assert not Path("x.html").exists()


def test_a_page_that_cannot_be_written_is_one_sentence(fleetcast, planned, tmp_path):
    _, outcome = planned

    said = fleetcast("report", "--from", outcome.page.parent / "plan.json", "--out", tmp_path / "no" / "page.html")

    assert "Cannot write" in said.sentence
    assert "--out" in said.sentence


def test_the_demo_is_asked_for_what_the_options_say(fleetcast, monkeypatch, tmp_path):
    asked = {}

    def run(out, **how):
        asked.update(how, out=out)
        return PlanOutcome(page=out / "plans" / "budget.html", report=None)

    monkeypatch.setattr(demo, "run", run)
    said = fleetcast("demo", "--out", tmp_path, "--days", "90", "--seed", "5")

    assert (asked["out"], asked["days"], asked["seed"]) == (tmp_path, 90, 5)
    assert said.out.splitlines()[-1] == str(tmp_path / "plans" / "budget.html")


def test_a_plan_in_this_process_never_waits_for_prefect(planned):
    world, _ = planned
    code = (
        "import sys; from flows.cli import main;"
        f"main(['plan', '--config', {str(world / 'plan.toml')!r}, '--as-of', '2026-11-23',"
        f" '--out', {str(world / 'plans')!r}]); print('prefect' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[0].startswith("Nothing has changed")
    assert done.stdout.splitlines()[-1] == "False"
    assert done.stderr == ""


@pytest.mark.parametrize("how", ["option", "environment"])
def test_prefect_tracks_the_run_where_it_is_asked_for(fleetcast, small, monkeypatch, how):
    import types

    tracked = types.ModuleType("flows.tracked")
    tracked.plan_tracked = lambda request: PlanOutcome(page=request.out / "tracked.html", report=None)
    monkeypatch.setitem(sys.modules, "flows.tracked", tracked)
    monkeypatch.setattr(cli_plan, "end_quietly", lambda: None)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    if how == "environment":
        monkeypatch.setenv("PREFECT_API_URL", "http://prefect.example:4200/api")

    said = _plan(fleetcast, small, *(["--prefect"] if how == "option" else []))

    assert said.out.splitlines()[-1] == str(small / "out" / "tracked.html")
