"""Prices of plans: kept by run, and what moved between two is what is not the same."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from data.errors import UserError
from data.finops.prices_used import PriceUsed, keep_prices, moved, priced_runs, prices_of
from data.warehouse import open_store, transaction
from flows.runs import begin_run, end_run

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
H100 = PriceUsed(kind="gpu", name="h100", provider="p", item="on-demand", unit="usd_per_gpu_hour", usd_low=2.0,
                 usd_high=4.0, source="table", checked=date(2026, 11, 1))  # fmt: skip
API = PriceUsed(kind="api", name="a/m", provider="a", item="input", unit="usd_per_mtok", usd_low=1.0, usd_high=1.0,
                source="list", checked=None)  # fmt: skip


def test_only_what_is_not_the_same_moved_and_the_largest_move_comes_first():
    cheaper, dearer, new = (replace(API, usd_low=0.5, usd_high=0.5), replace(H100, usd_high=4.6),
                            replace(API, item="output"))  # fmt: skip
    moves = moved([H100, API, replace(H100, name="h200")], [dearer, cheaper, new, replace(H100, name="h200")])

    assert [(m.of.name, m.of.item, m.change) for m in moves] == [
        ("a/m", "input", -0.5), ("h100", "on-demand", pytest.approx(0.1)), ("a/m", "output", None),
    ]  # fmt: skip
    assert moved([H100], [replace(H100, source="another table")]) == []
    assert [m.after for m in moved([H100], [])] == [None]


def test_prices_are_found_by_run_or_day_and_only_of_runs_that_ended_well(tmp_path):
    with open_store(tmp_path / "s.duckdb", write=True, now=NOW) as store, transaction(store):
        for day, error in ((23, None), (24, "it broke")):
            run = begin_run(store.con, kind="plan", as_of=date(2026, 11, day), digest="abcdefgh", now=NOW)
            keep_prices(store.con, run.run_id, run.as_of, [H100, API])
            end_run(store.con, run, now=NOW, out_dir=None, error=error)
    with open_store(tmp_path / "s.duckdb") as store:
        assert priced_runs(store.con) == [("plan-20261123-1-abcdefgh", date(2026, 11, 23))]
        assert prices_of(store.con, "2026-11-23") == [H100, API]
        with pytest.raises(
            UserError, match="No prices of a run '2026-11-24' are kept; the newest that are: plan-2026"
        ):
            prices_of(store.con, "2026-11-24")
