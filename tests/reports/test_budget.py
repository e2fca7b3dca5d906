import json
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import jsonschema
import pytest
from pydantic import ValidationError

from forecasting.spread import Spread
from reports import budget
from reports.budget import PlanFileError, from_json, json_schema, to_json
from reports.render import render_html

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", ["report", "hostile", "sparse"])
def test_reading_plan_json_back_gives_the_report_and_the_identical_page(name, request):
    report = request.getfixturevalue(name)
    again = from_json(to_json(report))

    assert again == report
    assert to_json(again) == to_json(report)
    assert render_html(again) == render_html(report)


@pytest.mark.parametrize("name", ["report", "hostile", "sparse"])
def test_every_report_obeys_the_documented_schema(name, request):
    schema = json.loads((DOCS / "plan.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(to_json(request.getfixturevalue(name))), schema)


def test_the_documented_schema_is_the_one_in_the_code():
    written = json.loads((DOCS / "plan.schema.json").read_text())
    assert written == json.loads(json.dumps(json_schema())), "run .venv/bin/python tests/reports/refresh.py"


def test_every_field_of_the_contract_is_explained():
    text = (DOCS / "plan-json.md").read_text()
    types = [t for t in vars(budget).values() if is_dataclass(t) and isinstance(t, type)]
    missing = [f"{t.__name__}.{f.name}" for t in types for f in fields(t) if f"`{f.name}`" not in text]
    assert not missing
    assert len(types) > 15


def test_a_newer_fleetcast_may_add_a_key(report):
    plan = json.loads(to_json(report))
    plan["of_a_later_release"] = {"anything": 1}
    plan["workloads"][0]["of_a_later_release"] = 2

    assert from_json(json.dumps(plan)) == report


def test_another_schema_version_is_refused_with_the_way_out(report):
    with pytest.raises(PlanFileError, match="version 2; this fleetcast reads version 1"):
        from_json(to_json(replace(report, schema_version=2)))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"title": "x"}', "null", b"\xff\xfe"])
def test_what_is_no_plan_is_refused_in_one_sentence(text):
    with pytest.raises(
        PlanFileError, match=r"^plan.json cannot be read: .*; use the file as fleetcast wrote it\.$"
    ):
        from_json(text)


def test_a_wrong_value_is_named_by_its_place(report):
    plan = json.loads(to_json(report))
    plan["workloads"][1]["horizons"][0]["days"] = "soon"
    with pytest.raises(PlanFileError, match=r"workloads\.1\.horizons\.0\.days"):
        from_json(json.dumps(plan))


def test_nan_becomes_null_where_unknown_is_allowed_and_an_error_where_it_is_not(report):
    nan = float("nan")
    unknown = replace(report, decision=replace(report.decision, committed_share=nan))
    assert json.loads(to_json(unknown))["decision"]["committed_share"] is None

    spread = Spread(mean=nan, p10=nan, p50=nan, p80=nan, p90=nan, p95=nan)
    broken = replace(report, decision=replace(report.decision, usd_30_days=spread))
    with pytest.raises(ValidationError, match="usd_30_days"):
        to_json(broken)


def test_a_file_of_before_the_second_opinion_is_read_and_shows_none(report):
    plan = json.loads(to_json(report))
    assert [row["days"] for row in plan["workloads"][0]["second_opinion"]["rows"]] == [30, 90, 365]
    for workload in plan["workloads"]:
        del workload["second_opinion"]

    older = from_json(json.dumps(plan))

    assert older.workloads[0].second_opinion is None
    assert "Second opinion" in render_html(report)
    assert "Second opinion" not in render_html(older)
