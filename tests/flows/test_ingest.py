"""The plain ingest step: its request is the whole input, its summary the whole report."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from data.errors import UserError
from data.formats.contract import Rejected, Skipped
from data.ingest import FileResult, IngestSummary
from flows.ingest import IngestRequest, ingest, summary_lines

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
DAY = datetime(2026, 11, 20, tzinfo=UTC)


def _result(**changes):
    return FileResult(
        **{
            "path": Path("a/requests.csv"),
            "format": "mapping",
            "label": "gateway",
            "rows_read": 12_345,
            "rows_new": 12_000,
            "rows_duplicate": 300,
            "rows_rejected": 45,
            "status": "done",
            "first_utc": DAY,
            "last_utc": DAY,
            **changes,
        }
    )


def test_each_file_has_a_line_and_each_bad_row_its_own_under_it():
    bad = (Rejected(line=7, reason="no time", excerpt="{}"), Rejected(line=9, reason="prompt_tok", excerpt="x"))
    lines = summary_lines(
        IngestSummary(files=(_result(rejected=bad), _result(path=Path("b.csv"), status="unchanged")))
    )

    assert lines == [
        "requests.csv: done as mapping, label 'gateway': 12,345 rows read, 12,000 new, 300 duplicate, 45 rejected",
        "  line 7: no time: {}",
        "  line 9: prompt_tok: x",
        "b.csv: unchanged as mapping, label 'gateway': 12,345 rows read, 12,000 new, 300 duplicate, 45 rejected",
    ]


def test_what_was_skipped_is_named_with_its_reason():
    tools = (Skipped(reason="span of a tool", rows=1_200),)

    lines = summary_lines(IngestSummary(files=(_result(rows_skipped=1_200, skipped=tools),)))

    assert lines[0].endswith("45 rejected, 1,200 skipped")
    assert lines[1] == "  1,200 skipped: span of a tool"


def test_every_option_of_the_request_reaches_the_reader(tmp_path):
    summary = ingest(
        IngestRequest(
            logs=(EXAMPLES / "logs",),
            store=tmp_path / "s.duckdb",
            format="mapping",
            mapping=EXAMPLES / "mapping.toml",
            label="edge",
            max_rejected_share=0.5,
        )
    )

    assert [(f.path.name, f.format, f.label) for f in summary.files] == [("requests.csv", "mapping", "edge")]
    assert summary.rows_read == summary.rows_new + summary.rows_duplicate + summary.rows_rejected == 40


def test_no_bad_row_at_all_may_be_asked_for(tmp_path):
    request = IngestRequest(
        logs=(EXAMPLES / "logs",),
        store=tmp_path / "s.duckdb",
        mapping=EXAMPLES / "mapping.toml",
        max_rejected_share=0.0,
    )
    with pytest.raises(UserError, match="1 of its 40 rows"):
        ingest(request)


def test_progress_ends_at_the_whole(tmp_path):
    seen = []
    request = IngestRequest(
        logs=(EXAMPLES / "logs",), store=tmp_path / "s.duckdb", mapping=EXAMPLES / "mapping.toml"
    )
    ingest(request, lambda what, share: seen.append((what, share)))

    shares = [share for _, share in seen]
    assert shares == sorted(shares)
    assert seen[-1] == ("done", 1.0)
    assert seen[0] == ("reading requests.csv", 0.0)
