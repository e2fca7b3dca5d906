"""Bills and decisions from the command line, and what a decision does to the next plan."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from data.finops.decisions import CommitDecision
from data.warehouse import open_store
from flows.cli import main
from flows.in_force import with_decisions

TERM = ("--gpu", "h100", "--gpus", "6", "--usd-per-gpu-hour", "2.1", "--provider", "example",
        "--start", "2026-12-01", "--days", "30", "--by", "A. Treasurer")  # fmt: skip


@pytest.fixture
def store(tmp_path):
    path = tmp_path / "s.duckdb"
    with open_store(path, write=True):
        pass
    return str(path)


def test_a_decision_is_recorded_listed_and_withdrawn(store, capsys):
    assert main(["decide", "accept", "--store", store, *TERM, "--note", "as planned"]) == 0
    said = capsys.readouterr().out
    # 6 x $2.1 x 24 h x 30 days
    assert (
        "6 x h100 of example at $2.1 an hour, 2026-12-01 to 2026-12-30 ($9,072.00), accepted by A. Treas" in said
    )
    assert main(["decide", "list", "--store", store]) == 0
    assert capsys.readouterr().out == said
    assert main(["decide", "withdraw", said.split(":")[0], "--store", store, "--by", "B"]) == 0
    assert capsys.readouterr().out.startswith("Withdrawn: h100-20261201-")


def test_a_mistyped_store_or_gpu_loses_no_decision(tmp_path, store, capsys):
    missing = tmp_path / "typo.duckdb"
    assert main(["decide", "accept", "--store", str(missing), *TERM]) == 2
    assert "There is no store at" in capsys.readouterr().err
    assert not missing.exists()
    assert main(["decide", "decline", "--store", store, *TERM, "--gpu", "h1000"]) == 2
    assert "did you mean h100" in capsys.readouterr().err


def test_one_bad_file_imports_none(store, tmp_path, capsys):
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("day,usd\n2026-11-01,5\n")
    bad.write_text("day,usd\n2026-11-01,much\n")

    assert main(["actuals", str(good), str(bad), "--store", store]) == 2
    assert "row 2: usd must be a number, not 'much'" in capsys.readouterr().err
    assert main(["actuals", "--store", store]) == 0
    assert "No bills are imported yet" in capsys.readouterr().out
    assert main(["actuals", str(good), "--store", store]) == 0
    assert "1 charges, 2026-11-01 to 2026-11-01, $5.00 billed" in capsys.readouterr().out


def test_what_was_accepted_is_in_force_and_nothing_else(plan_of):
    plan = plan_of()
    signed = CommitDecision(
        decision_id="a", run_id=None, verdict="accepted", gpu="h100", gpus=6, provider="example",
        usd_per_gpu_hour=2.1, start_day=date(2026, 12, 1), end_day=date(2026, 12, 30), decided_by="A",
        decided_utc=datetime(2026, 11, 24, tzinfo=UTC),
    )  # fmt: skip
    others = [replace(signed, verdict=verdict) for verdict in ("declined", "withdrawn")]
    held = with_decisions(plan, [signed, *others]).settings.commitments

    assert [(c.gpu, c.units, c.start, c.end) for c in held] == [("h100", 6, date(2026, 12, 1), date(2026, 12, 30))]
    assert with_decisions(plan, others) is plan
