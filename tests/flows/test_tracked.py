"""Under Prefect the same steps give the same files; what the user must mend is not tried again."""

import os

import pytest

from data.errors import UserError
from data.warehouse import open_store
from flows import plan as plan_module
from flows.ingest import IngestRequest, ingest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@pytest.fixture(scope="module")
def tracked(tmp_path_factory):
    """The flows, with a Prefect server of the test's own."""
    patch = pytest.MonkeyPatch()
    patch.setenv("PREFECT_HOME", str(tmp_path_factory.mktemp("prefect")))
    from prefect.testing.utilities import prefect_test_harness

    from flows import tracked as module

    with prefect_test_harness(server_startup_timeout=120):
        yield module
    patch.undo()


def test_the_monthly_plan_under_prefect_leaves_the_same_files(tracked, planned, copied, request_for):
    _, straight = planned
    world = copied()

    outcome = tracked.plan_tracked(request_for(world))

    there, here = outcome.page.parent, straight.page.parent
    assert {p.name for p in there.iterdir()} == {p.name for p in here.iterdir()}
    for path in here.iterdir():
        assert (there / path.name).read_bytes() == path.read_bytes(), path.name
    artifacts = _artifacts()
    assert {"decision", "decisions", "budget-page"} <= set(artifacts)
    assert outcome.report.decision.headline in artifacts["decision"]


def test_ingest_under_prefect_stores_the_same_rows(tracked, tmp_path):
    logs = IngestRequest(
        logs=(_example("logs/requests.csv"),),
        store=tmp_path / "one.duckdb",
        mapping=_example("mapping.toml"),
        label="gateway",
    )
    straight = ingest(logs)
    other = IngestRequest(logs=logs.logs, store=tmp_path / "two.duckdb", mapping=logs.mapping, label="gateway")

    summary = tracked.ingest_tracked(other)

    assert (summary.rows_read, summary.rows_new, summary.rows_rejected) == (
        straight.rows_read,
        straight.rows_new,
        straight.rows_rejected,
    )
    assert _minutes(tmp_path / "one.duckdb") == _minutes(tmp_path / "two.duckdb")
    assert "ingested-files" in _artifacts()


def test_what_the_user_must_mend_is_not_retried(tracked, copied, request_for, monkeypatch):
    calls = []

    def refuse(*_args):
        calls.append(1)
        raise UserError("the plan names what is not there")

    monkeypatch.setattr(plan_module, "read_past", refuse)
    with pytest.raises(UserError, match="what is not there"):
        tracked.plan_tracked(request_for(copied()))

    assert len(calls) == 1


def test_what_the_machine_did_is_retried(tracked, copied, request_for, known_steps, monkeypatch):
    monkeypatch.setattr(tracked, "RETRY_DELAYS_S", [0.0, 0.0])
    real, calls = plan_module.read_past, []

    def stumble(*args):
        calls.append(1)
        if len(calls) == 1:
            raise OSError("the disk was busy")
        return real(*args)

    monkeypatch.setattr(plan_module, "read_past", stumble)

    assert tracked.plan_tracked(request_for(copied())).page.exists()
    assert len(calls) == 2


def _example(name):
    from pathlib import Path

    return Path(ROOT) / "examples" / name


def _minutes(path):
    with open_store(path) as store:
        return store.con.execute("SELECT * FROM rollup_minute ORDER BY ALL").fetchall()


def _artifacts():
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        return {each.key: each.data for each in client.read_artifacts()}
