"""Decisions: one verdict an offer, by whom and when, and what is taken back stays on record."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from data.errors import UserError
from data.finops.decisions import CommitDecision, decide, decision_key, read_decisions, withdraw
from data.rebuild import rebuild_store
from data.warehouse import open_store, transaction

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
START, END = date(2026, 12, 1), date(2026, 12, 30)
SIGNED = CommitDecision(
    decision_id=decision_key("h100", "example", START, END),
    run_id="plan-20261123-1-abc",
    verdict="accepted",
    gpu="h100",
    gpus=6,
    provider="example",
    usd_per_gpu_hour=2.1,
    start_day=START,
    end_day=END,
    decided_by="A. Treasurer",
    decided_utc=NOW,
    note="'); DROP TABLE run; --",
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "s.duckdb"


def _decide(path, decision):
    with open_store(path, write=True, now=NOW) as store, transaction(store):
        decide(store.con, decision)


def _read(path):
    with open_store(path) as store:
        return read_decisions(store.con)


def test_what_was_decided_is_read_back_as_it_was(path):
    _decide(path, SIGNED)

    assert _read(path) == [SIGNED]


def test_one_offer_has_one_verdict(path):
    _decide(path, SIGNED)

    with pytest.raises(UserError, match=r"was accepted by A\. Treasurer on 2026-11-24 .*withdraw that first"):
        _decide(path, replace(SIGNED, verdict="declined"))
    assert _read(path) == [SIGNED]


def test_a_verdict_that_is_taken_back_stays_and_can_be_made_anew(path):
    _decide(path, SIGNED)
    with open_store(path, write=True, now=NOW) as store, transaction(store):
        assert withdraw(store.con, SIGNED.decision_id, by="B. Chief", now=NOW) == SIGNED
    _decide(path, replace(SIGNED, verdict="declined"))

    assert sorted((d.verdict, d.decided_by) for d in _read(path)) == [
        ("declined", "A. Treasurer"), ("withdrawn", "B. Chief"),
    ]  # fmt: skip
    with (
        pytest.raises(UserError, match="No decision 'x' stands; those that do: h100-20261201"),
        open_store(path, write=True, now=NOW) as store,
    ):
        withdraw(store.con, "x", by="B", now=NOW)


def test_a_term_that_ends_before_it_starts_is_refused(path):
    with pytest.raises(UserError, match="ends 2026-11-30, before it starts"):
        _decide(path, replace(SIGNED, end_day=date(2026, 11, 30)))


def test_a_lost_database_gives_the_decisions_back(path):
    """Nothing else knows them, so they lie beside the lake."""
    _decide(path, SIGNED)
    path.unlink()
    rebuild_store(path, now=NOW)

    assert _read(path) == [SIGNED]
