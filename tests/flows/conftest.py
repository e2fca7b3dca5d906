"""A small made-up world, planned once for all tests of this room."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows import demo
from flows.plan import PlanOutcome, PlanRequest, plan_month

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def world(tmp_path_factory) -> Path:
    """A folder with logs, a store and plan.toml: 100 days at a fiftieth of the demo's traffic."""
    out = tmp_path_factory.mktemp("world")
    demo.prepare(out, days=100, scale=0.02)
    return out


@pytest.fixture(scope="session")
def request_of(world):
    """Make a request to plan the small world; the stamp is fixed."""

    def make(out: Path, **changes) -> PlanRequest:
        return PlanRequest(config=world / "plan.toml", out=out, as_of=demo.AS_OF, now=NOW, **changes)

    return make


@pytest.fixture(scope="session")
def outcome(request_of, tmp_path_factory) -> PlanOutcome:
    """The small world's plan."""
    return plan_month(request_of(tmp_path_factory.mktemp("plans")))
