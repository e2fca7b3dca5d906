"""The deployment of each workload as rows and words: the page's, the CSV tables', and an autoscaler's."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from reports.budget import BudgetReport, Workload
from reports.format import WEEKDAYS
from reports.values.deployment import DeployedHorizon, Deployment
from sizing.deployment.energy import PowerRules

Cell = str | float | int | bool | date | None

DEPLOYMENT = (
    "workload",
    "horizon_days",
    "chosen",
    "gpu",
    "layout",
    "gpus",
    "replicas",
    "gpus_per_replica",
    "tp_groups",
    "spare_replicas",
    "spare_gpus",
    "nodes",
    "peak_kw",
    "gpu_kwh_mean",
    "gpu_kwh_p10",
    "gpu_kwh_p90",
    "always_on_kwh",
    "it_kwh",
    "facility_kwh",
    "carbon_kg",
    "engine",
    "max_context_tok",
    "command",
)
REPLICAS = ("workload", "weekday", "hour_utc", "minimum", "expected", "maximum")


@dataclass(frozen=True, slots=True, kw_only=True)
class HourRow:
    """One UTC hour of the day: for each weekday the least and the most replicas."""

    label: str
    bounds: list[tuple[int, int]]


def deployed(report: BudgetReport) -> Iterator[tuple[Workload, Deployment]]:
    """Return the workloads that have a deployment, in the order of the report."""
    return ((w, w.deployment) for w in report.workloads if w.deployment is not None)


def deployment_rows(report: BudgetReport) -> Iterator[list[Cell]]:
    """Return the rows of deployment.csv: one a workload and horizon."""
    for workload, each in deployed(report):
        for horizon in each.horizons:
            yield _row(workload.name, each, horizon)


def replica_rows(report: BudgetReport) -> Iterator[list[Cell]]:
    """Return the rows of replicas.csv: one a workload and UTC hour of the week, Monday 00:00 first."""
    for workload, each in deployed(report):
        b = each.bounds
        for slot, bounds in enumerate(zip(b.minimum, b.expected, b.maximum, strict=True)):
            yield [workload.name, WEEKDAYS[slot // 24], slot % 24, *bounds]


def hour_rows(each: Deployment) -> list[HourRow]:
    """Return the bounds as 24 rows of seven days."""
    least, most = each.bounds.minimum, each.bounds.maximum
    return [
        HourRow(label=f"{h:02d}:00", bounds=[(least[24 * d + h], most[24 * d + h]) for d in range(7)])
        for h in range(24)
    ]


def power_sentence(rules: PowerRules) -> str:
    """Say what energy rests on, and what to state where something is unknown."""
    model = (
        f"A GPU is taken to draw {rules.idle_share:.0%} of its TDP while it serves next to nothing and"
        f" {rules.active_share:.0%} at full load, linear between."
    )
    stated = [
        f"{rules.host_w_per_gpu:g} W of host for each GPU" if rules.host_w_per_gpu is not None else "",
        f"PUE {rules.pue:g}" if rules.pue is not None else "",
        f"{rules.carbon_g_per_kwh:g} g of CO2 for each kWh" if rules.carbon_g_per_kwh is not None else "",
    ]
    missing = [
        name
        for name, value in (
            ("host_w_per_gpu", rules.host_w_per_gpu),
            ("pue", rules.pue),
            ("carbon_g_per_kwh", rules.carbon_g_per_kwh),
        )
        if value is None
    ]
    said = "; ".join(each for each in stated if each)
    source = f" ({rules.source.rstrip('.')})" if said and rules.source else ""
    known = f" Stated: {said}{source}." if said else ""
    way_out = f" Not stated under [power] in plan.toml: {', '.join(missing)}." if missing else ""
    return f"{model}{known}{way_out}"


def keda_object(workload: str, each: Deployment) -> str:
    """Return a KEDA ScaledObject as JSON, which is YAML too: one cron trigger a run of hours with equal replicas.

    minReplicaCount is the least of the week's minima, maxReplicaCount the largest of its maxima, and each trigger
    holds the expected replicas of its hours; load triggers (queue length) belong beside them. The cron scaler
    takes five-field cron in a time zone, start and end not equal:
    https://keda.sh/docs/latest/scalers/cron/ (read 2026-11-24).
    """
    name = re.sub(r"[^a-z0-9]+", "-", workload.lower()).strip("-")[:50].strip("-") or "workload"
    least = min(each.bounds.minimum)
    # KEDA refuses an object without triggers, so a steady fleet states its least once.
    held = [(start, end, n) for start, end, n in runs(each.bounds.expected) if n > least]
    content = {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {"name": f"{name}-replicas"},
        "spec": {
            "scaleTargetRef": {"name": name},
            "minReplicaCount": least,
            "maxReplicaCount": max(each.bounds.maximum),
            "triggers": [_cron_trigger(start, end, n) for start, end, n in held or ((0, 168, least),)],
        },
    }
    return json.dumps(content, indent=2)


def runs(replicas: Sequence[int]) -> list[tuple[int, int, int]]:
    """Return (first slot, slot after the last, replicas) of each run of equal hours within a day.

    >>> runs([1, 1, 2] + [1] * 21)
    [(0, 2, 1), (2, 3, 2), (3, 24, 1)]
    """
    found: list[tuple[int, int, int]] = []
    for slot, n in enumerate(replicas):
        if found and slot % 24 and found[-1][2] == n:
            found[-1] = (found[-1][0], slot + 1, n)
        else:
            found.append((slot, slot + 1, n))
    return found


def _cron_trigger(start: int, end: int, replicas: int) -> dict[str, object]:
    """Return the trigger of a span; a whole week ends an hour early: KEDA wants start and end to differ."""
    end = end - 1 if end - start == 168 else end
    times = {"timezone": "UTC", "start": _cron(start), "end": _cron(end)}
    return {"type": "cron", "metadata": {**times, "desiredReplicas": str(replicas)}}


def _cron(slot: int) -> str:
    """Return the cron of an hour of the week (Monday 00:00 is slot 0; cron's Sunday is 0)."""
    slot %= 168
    return f"0 {slot % 24} * * {(slot // 24 + 1) % 7}"


def _row(name: str, each: Deployment, horizon: DeployedHorizon) -> list[Cell]:
    b, e = horizon.bill, horizon.energy
    kwh = e.gpu_kwh
    return [
        name,
        horizon.days,
        each.chosen,
        each.gpu,
        each.layout,
        b.gpus,
        b.replicas,
        b.gpus_per_replica,
        b.tp_groups,
        b.spare_replicas,
        b.spare_gpus,
        b.nodes,
        e.peak_kw,
        *((None, None, None) if kwh is None else (kwh.mean, kwh.p10, kwh.p90)),
        e.always_on_kwh,
        e.it_kwh,
        e.facility_kwh,
        e.carbon_kg,
        each.engine.engine,
        each.engine.max_context_tok,
        each.engine.command,
    ]
