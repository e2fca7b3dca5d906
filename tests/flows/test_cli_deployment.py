import csv
import io
import json

import pytest

from flows.cli import main


@pytest.fixture
def plan_json(planned):
    _, outcome = planned
    return outcome.page.with_name("plan.json")


def test_text_has_the_bill_and_the_line_of_each_workload(plan_json, capsys):
    assert main(["deployment", "--from", str(plan_json)]) == 0
    out = capsys.readouterr().out

    assert out.count("replicas by hour of the week") == 3
    assert "vllm serve" in out
    assert "Stated: 575 W of host for each GPU; PUE 1.58" in out


def test_one_workload_in_every_format(plan_json, capsys):
    def run(form):
        assert main(["deployment", "--from", str(plan_json), "--workload", "chat", "--format", form]) == 0
        return capsys.readouterr().out

    assert list(json.loads(run("json"))) == ["chat"]
    assert [row["horizon_days"] for row in csv.DictReader(io.StringIO(run("csv")))] == ["30", "90", "365"]
    assert len(list(csv.DictReader(io.StringIO(run("replicas"))))) == 168
    assert json.loads(run("keda"))["spec"]["scaleTargetRef"]["name"] == "chat"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--workload", "nobody"], "deploys no workload 'nobody'; it has "),
        (["--from", "missing.json"], "Cannot read missing.json"),
    ],
)
def test_mistakes_are_one_sentence(plan_json, arguments, said, capsys):
    assert main(["deployment", "--from", str(plan_json), *arguments]) == 2
    error = capsys.readouterr().err

    assert said in error
    assert error.count("\n") == 1


def test_a_plan_of_before_deployments_says_so(plan_json, tmp_path, capsys):
    plan = json.loads(plan_json.read_text())
    for workload in plan["workloads"]:
        del workload["deployment"]
    older = tmp_path / "plan.json"
    older.write_text(json.dumps(plan))

    assert main(["deployment", "--from", str(older)]) == 2
    assert "plan again" in capsys.readouterr().err
