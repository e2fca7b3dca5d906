"""A small made-up world, ingested once for all tests of this room; who plans it takes a copy."""

import inspect
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from flows import demo
from flows import plan as plan_module
from flows.cli import main
from flows.plan import PlanOutcome, PlanRequest, plan_month
from flows.report import budget_report
from flows.settings import LoadedPlan, PlanSettings

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def world(tmp_path_factory) -> Path:
    """A folder with logs, a store and plan.toml: 90 days at a tenth of the demo's traffic."""
    out = tmp_path_factory.mktemp("world")
    plan = demo.prepare(out, days=90, scale=0.1)
    text = plan.read_text().replace("seed = 20261123", "seed = 20261123\npaths = 50")
    text = text.replace("check = true", "check = false")
    text = text[: text.index("# Every plan is stressed")]  # what could change has tests of its own
    plan.write_text(f"{text}\n[stress]\nrun = false\n")
    return out


@pytest.fixture(scope="session")
def copied(world, tmp_path_factory):
    """Make a copy of the world, so that its run table starts empty."""

    def make(**changes: str) -> Path:
        out = tmp_path_factory.mktemp("copy") / "world"
        shutil.copytree(world, out, ignore=shutil.ignore_patterns("logs"))
        plan = out / "plan.toml"
        for old, new in changes.items():
            assert old in plan.read_text()
            plan.write_text(plan.read_text().replace(old, new))
        return out

    return make


def plan_request(world: Path, **changes) -> PlanRequest:
    """Ask for the plan of a world, its stamp fixed."""
    return PlanRequest(
        **{"config": world / "plan.toml", "out": world / "plans", "as_of": demo.AS_OF, "now": NOW, **changes}
    )


@pytest.fixture(scope="session")
def planned_and_walked(copied) -> tuple[Path, PlanOutcome, dict[str, Any]]:
    """A planned copy of the world, and what its page was made from, by the names of budget_report's parameters."""
    out, seen = copied(), {}

    def remember(*args, **kwargs):
        seen.update(inspect.signature(budget_report).bind(*args, **kwargs).arguments)
        return budget_report(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan_module, "budget_report", remember)
        outcome = plan_month(plan_request(out))
    return out, outcome, seen


@pytest.fixture(scope="session")
def planned(planned_and_walked) -> tuple[Path, PlanOutcome]:
    """A planned copy of the world, for tests that only read it."""
    return planned_and_walked[:2]


@pytest.fixture(scope="session")
def walked(planned_and_walked) -> dict[str, Any]:
    """What that plan's page was made from: plan, facts, past, outlooks, sized, priced, idle_gpus, run, now."""
    return planned_and_walked[2]


@pytest.fixture
def known_steps(walked, monkeypatch) -> None:
    """Let the slow steps answer what they answered for the planned world, for tests of what is around them."""
    names = [workload.name for workload in walked["plan"].settings.workloads]
    known = {key: dict(zip(names, walked[key], strict=True)) for key in ("outlooks", "sized", "priced")}
    monkeypatch.setattr(plan_module, "foresee", lambda _plan, traffic, _as_of: known["outlooks"][traffic.workload])
    monkeypatch.setattr(plan_module, "size", lambda _plan, _facts, workload, *_: known["sized"][workload.name])
    monkeypatch.setattr(plan_module, "price", lambda _plan, workload, *_: known["priced"][workload.name])


@pytest.fixture(scope="session")
def request_for():
    """The function that asks for a plan of a world."""
    return plan_request


@dataclass(frozen=True)
class Said:
    """What a command ended with and printed."""

    status: int | str | None
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """The one line on stderr of a command that was refused; nothing else may be printed beside it."""
        assert self.status == 2, self
        assert self.err.endswith("\n")
        assert self.err.count("\n") == 1, self.err
        assert "Traceback" not in self.err
        return self.err.strip()


@pytest.fixture
def fleetcast(capsys):
    """Run a command in this process."""

    def run(*arguments: object) -> Said:
        capsys.readouterr()
        try:
            status: int | str | None = main([str(each) for each in arguments])
        except SystemExit as end:
            status = end.code
        said = capsys.readouterr()
        return Said(status, said.out, said.err)

    return run


WORKLOAD = {
    "name": "chat",
    "category": "online",
    "match": {"label": "chat"},
    "model": "llama-3.1-8b",
    "precision": "bf16",
    "gpus": ["h100"],
}


@pytest.fixture(scope="session")
def plan_of():
    """Make a checked plan from a few keys; workloads are given as what differs from a chat on h100."""

    def make(*workloads: dict[str, Any], **settings: Any) -> LoadedPlan:
        content = {
            "schema": 1,
            "title": "Test",
            "seed": 1,
            "store": {"path": "store.duckdb"},
            "workloads": [{**WORKLOAD, **each} for each in workloads or [{}]],
            **settings,
        }
        return LoadedPlan(
            settings=PlanSettings.model_validate(content), path=Path("/nowhere/plan.toml"), sha256="0" * 64
        )

    return make
