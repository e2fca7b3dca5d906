"""A small made-up world, ingested once for all tests of this room; who plans it takes a copy."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows import demo
from flows.plan import PlanOutcome, PlanRequest, plan_month

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def world(tmp_path_factory) -> Path:
    """A folder with logs, a store and plan.toml: 90 days at a tenth of the demo's traffic."""
    out = tmp_path_factory.mktemp("world")
    plan = demo.prepare(out, days=90, scale=0.1)
    plan.write_text(plan.read_text().replace("seed = 20261123", "seed = 20261123\npaths = 50"))
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
def planned(copied) -> tuple[Path, PlanOutcome]:
    """A planned copy of the world, for tests that only read it."""
    out = copied()
    return out, plan_month(plan_request(out))


@pytest.fixture(scope="session")
def request_for():
    """The function that asks for a plan of a world."""
    return plan_request
