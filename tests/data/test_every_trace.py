"""Every trace of the reference traffic is ingested with as many rows as its file has.

`python -m benchmarks.traces TRAFFIC` prints the table.
"""

import importlib.util
import sys
from pathlib import Path

_SPEC = importlib.util.spec_from_file_location(
    "traces_benchmark", Path(__file__).resolve().parents[2] / "benchmarks" / "traces.py"
)
assert _SPEC is not None
assert _SPEC.loader is not None
traces = importlib.util.module_from_spec(_SPEC)
sys.modules[_SPEC.name] = traces
_SPEC.loader.exec_module(traces)


def test_no_trace_loses_a_row(shared_traffic: Path, store):
    rows = {row.name: row for row in traces.take(store, shared_traffic, traces.MAPPINGS)}

    left = {path.name for path in shared_traffic.iterdir()} - set(rows)
    assert left == {"README.md", "daily_series_meta.csv"}
    refused = rows.pop("llm_burstgpt_hourly_profile.csv")
    assert "an average day or week without dates" in refused.refusal
    for row in rows.values():
        assert (row.read, row.stored, row.rejected) == (row.rows, row.rows, 0), row.name


def test_rows_are_counted_without_fleetcast(tmp_path: Path):
    (tmp_path / "a.csv").write_text("h\n1\n\n2\n")
    (tmp_path / "a.jsonl").write_text("{}\n{}")

    assert (traces.rows_in(tmp_path / "a.csv"), traces.rows_in(tmp_path / "a.jsonl")) == (2, 2)
    assert len({name for name, _ in traces.TRACES}) == len(traces.TRACES)
