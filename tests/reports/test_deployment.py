import csv
import io
import json
from dataclasses import replace

import pytest

from reports.deployment import (
    DEPLOYMENT,
    deployed,
    deployment_rows,
    hour_rows,
    keda_object,
    power_sentence,
    replica_rows,
    runs,
)
from reports.export import table_texts
from reports.render import render_html
from sizing.deployment.energy import PowerRules


@pytest.fixture
def first(report):
    return next(deployed(report))[1]


def test_tables_beside_the_page_have_every_horizon_and_every_hour(report):
    texts = table_texts(report)
    rows = list(csv.DictReader(io.StringIO(texts["deployment.csv"])))
    hours = list(csv.DictReader(io.StringIO(texts["replicas.csv"])))
    count = len(list(deployed(report)))

    assert len(rows) == 3 * count
    assert len(hours) == 168 * count
    assert rows[0]["command"].startswith("vllm serve ")
    assert (hours[25]["weekday"], hours[25]["hour_utc"]) == ("Tuesday", "1")
    assert len(next(deployment_rows(report))) == len(DEPLOYMENT)
    assert len(list(replica_rows(report))) == len(hours)


def test_the_page_shows_bill_command_and_bounds(report):
    page = render_html(report)

    assert "Bill of materials" in page
    assert "&#39;someone/a model; with $(words)&#39;" in page
    assert "Replicas by UTC hour" in page
    assert "Deployment, if it were hosted" in page


def test_hours_stand_in_rows_and_days_in_columns(first):
    rows = hour_rows(first)

    assert [row.label for row in rows[:2]] == ["00:00", "01:00"]
    assert rows[7].bounds[2] == (first.bounds.minimum[55], first.bounds.maximum[55])


def test_power_says_what_is_stated_and_what_is_not():
    bare = power_sentence(PowerRules())
    full = power_sentence(PowerRules(host_w_per_gpu=300.0, pue=1.3, carbon_g_per_kwh=350.0, source="Our meters."))

    assert "43% of its TDP" in bare
    assert bare.endswith("Not stated under [power] in plan.toml: host_w_per_gpu, pue, carbon_g_per_kwh.")
    assert full.endswith("Stated: 300 W of host for each GPU; PUE 1.3; 350 g of CO2 for each kWh (Our meters).")


def test_runs_end_with_their_day_and_cover_the_week():
    expected = [2] * 8 + [5] * 10 + [2] * 6
    found = runs(expected * 7)

    assert found[:3] == [(0, 8, 2), (8, 18, 5), (18, 24, 2)]
    assert len(found) == 21
    assert sum(end - start for start, end, _ in found) == 168


def test_autoscaler_object_has_a_trigger_for_each_busier_run(first):
    day = (2,) * 8 + (5,) * 10 + (2,) * 6
    bounds = replace(first.bounds, minimum=(2,) * 168, expected=day * 7, maximum=(9,) * 168)
    made = json.loads(keda_object("Chat; rm -rf /", replace(first, bounds=bounds)))
    spec = made["spec"]

    assert made["kind"] == "ScaledObject"
    assert spec["scaleTargetRef"]["name"] == "chat-rm-rf"
    assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (2, 9)
    assert [t["metadata"] for t in spec["triggers"]][:2] == [
        {"timezone": "UTC", "start": "0 8 * * 1", "end": "0 18 * * 1", "desiredReplicas": "5"},
        {"timezone": "UTC", "start": "0 8 * * 2", "end": "0 18 * * 2", "desiredReplicas": "5"},
    ]
    assert spec["triggers"][6]["metadata"]["start"] == "0 8 * * 0"  # Sunday
    assert all(t["metadata"]["start"] != t["metadata"]["end"] for t in spec["triggers"])


def test_a_run_to_midnight_ends_on_the_next_day(first):
    bounds = replace(first.bounds, minimum=(1,) * 168, expected=((1,) * 20 + (4,) * 4) * 7)
    triggers = json.loads(keda_object("x", replace(first, bounds=bounds)))["spec"]["triggers"]

    assert (triggers[0]["metadata"]["start"], triggers[0]["metadata"]["end"]) == ("0 20 * * 1", "0 0 * * 2")
    assert (triggers[6]["metadata"]["start"], triggers[6]["metadata"]["end"]) == ("0 20 * * 0", "0 0 * * 1")


def test_a_steady_fleet_has_a_trigger_too_for_keda_refuses_none(first):
    bounds = replace(first.bounds, minimum=(1,) * 168, expected=(1,) * 168, maximum=(1,) * 168)
    (trigger,) = json.loads(keda_object("x", replace(first, bounds=bounds)))["spec"]["triggers"]

    assert trigger["metadata"] == {
        "timezone": "UTC", "start": "0 0 * * 1", "end": "0 23 * * 0", "desiredReplicas": "1",
    }  # fmt: skip
