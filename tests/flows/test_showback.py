"""Showback: each team's work and list price, worked by hand, and bills shared to the cent."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from data.errors import UserError
from data.ingest import ingest_logs
from data.warehouse import open_store
from flows.cli import main
from flows.settings import load_plan
from flows.showback import showback
from flows.walk import read_facts

SINCE, UNTIL = date(2026, 11, 1), date(2026, 11, 3)
LOG = "arrived_utc,prompt_tok,output_tok,cached_prompt_tok,team,model,tags,status\n" + "".join(
    f"2026-11-0{day}T10:00:{second:02d}Z,{prompt},{output},0,{team},m,{tags},{status}\n"
    for day, second, prompt, output, team, tags, status in (
        (1, 1, 100_000, 1_000, "search", '"{""product"": ""a/b""}"', "ok"),
        (1, 2, 200_001, 1_000, "search", "", "ok"),
        (2, 3, 1_000, 500, "=ads", "", "ok"),
        (2, 4, 1_000, 500, "", "", "ok"),
        (2, 5, 1_000, 500, "search", "", "429"),
        (3, 6, 1_000, 500, "search", "", "ok"),
    )
)
PLAN = """
schema = 1
title = "t"
seed = 1
store.path = "s.duckdb"
[[workloads]]
name = "chat"
category = "online"
match = { model = "m" }
model = "llama-3.1-8b"
gpus = ["h100"]
precision = "bf16"
api = { provider = "anthropic", model = "claude-sonnet-4-5" }
"""


@pytest.fixture(scope="module")
def plan_file(tmp_path_factory):
    out = tmp_path_factory.mktemp("showback")
    (out / "log.csv").write_text(LOG)
    (out / "plan.toml").write_text(PLAN)
    with open_store(out / "s.duckdb", write=True) as store:
        ingest_logs(store, [out / "log.csv"], now=datetime(2026, 11, 20, tzinfo=UTC))
    return out / "plan.toml"


def _rows(plan_file, by="team", since=SINCE, until=UNTIL):
    plan = load_plan(plan_file)
    with open_store(plan.store_path) as store:
        return showback(plan, read_facts(plan), store, by=by, since=since, until=until)


def test_each_team_has_its_requests_at_the_price_of_each_ones_length(plan_file):
    """100,000 in and 1,000 out are $0.3 + $0.015; 200,001 in pay $6 and $22.5 a million: $1.2225."""
    rows = {row.key: row for row in _rows(plan_file)}

    assert {key: row.requests for key, row in rows.items()} == {"search": 2, "=ads": 1, None: 1}
    assert rows["search"].api_usd == pytest.approx(0.315 + 1.222506)
    assert rows["=ads"].api_usd == pytest.approx(0.003 + 0.0075)
    assert (rows["search"].gpu, rows["search"].billed_usd) == ("h100", None)
    hours = {key: row.gpu_hours or 0.0 for key, row in rows.items()}
    assert hours["search"] > 10 * hours["=ads"] > 0


def test_a_tag_of_the_logs_is_a_key_like_any(plan_file):
    rows = {row.key: row.requests for row in _rows(plan_file, by="tag:product")}

    assert rows == {"a/b": 1, None: 3}


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"by": "person"}, "--by 'person' is no key; use team, region, model, or tag:NAME"),
        ({"by": "tag:"}, "--by 'tag:' is no key"),
        ({"until": SINCE}, "--until 2026-11-01 must lie after --since 2026-11-01"),
        (
            {"since": date(2026, 1, 1), "until": date(2026, 1, 2)},
            "No stored request of the plan's workloads lies in",
        ),
    ],
)
def test_a_question_without_an_answer_is_told_so(plan_file, asked, says):
    with pytest.raises(UserError, match=says):
        _rows(plan_file, **asked)


def test_bills_are_shared_by_work_and_add_up(plan_file, tmp_path, capsys):
    """A bill of October's last days and November's first two: only the November part is shared."""
    bills = tmp_path / "bills.csv"
    bills.write_text("day,usd,workload\n2026-11-01,10.01,chat\n2026-11-02,0.02,\n2026-10-31,99,chat\n")
    store = str(plan_file.parent / "s.duckdb")
    assert main(["actuals", str(bills), "--store", store]) == 0
    rows = _rows(plan_file)

    assert sum(row.billed_usd or Decimal(0) for row in rows) == Decimal("10.03")
    assert max(rows, key=lambda row: row.billed_usd or Decimal(0)).key == "search"
    capsys.readouterr()
    command = ["showback", "--config", str(plan_file), "--since", "2026-11-01", "--until", "2026-11-03"]
    assert main([*command, "--out", str(tmp_path / "x.csv")]) == 0
    assert "Bills shown back: $10.03." in capsys.readouterr().out
    assert "'=ads" in (tmp_path / "x.csv").read_text()
    assert main([*command, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 3


def test_a_folder_as_out_is_refused_and_nothing_is_left_beside_it(plan_file, tmp_path, capsys):
    out = tmp_path / "taken"
    out.mkdir()
    command = ["showback", "--config", str(plan_file), "--since", "2026-11-01", "--until", "2026-11-03"]

    assert main([*command, "--out", str(out)]) == 2
    assert "choose another --out" in capsys.readouterr().err
    assert [each.name for each in tmp_path.iterdir()] == ["taken"]
