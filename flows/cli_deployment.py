"""`fleetcast deployment`: what a finished plan buys and starts, from its plan.json."""

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pydantic import TypeAdapter

from data.errors import UserError, printable
from reports.budget import BudgetReport, from_json
from reports.deployment import (
    DEPLOYMENT,
    REPLICAS,
    deployed,
    deployment_rows,
    keda_object,
    power_sentence,
    replica_rows,
)
from reports.export import to_csv
from reports.values.deployment import DeployedHorizon, Deployment


def run_deployment(arguments: argparse.Namespace) -> None:
    """Print the deployment of every workload, or of one."""
    report = _of(_read(arguments.plan), arguments.workload, arguments.plan)
    if arguments.format == "csv":
        print(to_csv(DEPLOYMENT, deployment_rows(report)), end="")
    elif arguments.format == "replicas":
        print(to_csv(REPLICAS, replica_rows(report)), end="")
    elif arguments.format == "json":
        found = {workload.name: each for workload, each in deployed(report)}
        said = TypeAdapter(dict[str, Deployment]).dump_python(found, mode="json")
        print(json.dumps(said, indent=1, ensure_ascii=False))
    elif arguments.format == "keda":
        print("\n---\n".join(keda_object(workload.name, each) for workload, each in deployed(report)))
    else:
        print("\n\n".join("\n".join(_lines(w.name, w.model, each)) for w, each in deployed(report)))


def _read(path: Path) -> BudgetReport:
    try:
        return from_json(path.read_bytes())
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror}; give the plan.json of a plan.") from error
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def _of(report: BudgetReport, name: str | None, path: Path) -> BudgetReport:
    """Return the report with the asked workload alone; it, or any, must have a deployment."""
    known = [workload.name for workload, _ in deployed(report)]
    if not known:
        raise UserError(
            f"{path} has no deployment: it was made before there was one, or no fleet was planned; plan again."
        )
    if name is None:
        return report
    if name not in known:
        raise UserError(f"{path} deploys no workload {name!r}; it has {', '.join(known)}.")
    return replace(report, workloads=[w for w in report.workloads if w.name == name])


def _lines(name: str, model: str, each: Deployment) -> Iterator[str]:
    hosted = "" if each.chosen else " (the plan buys from the API; this is what hosting would take)"
    yield printable(f"{name}: {model} on {each.gpu}, {each.layout}{hosted}")
    for horizon in each.horizons:
        yield _horizon(horizon)
    yield f"  {power_sentence(each.power)}"
    if each.engine.command:
        yield f"  {each.engine.command}"
    for note in each.engine.notes:
        yield printable(f"  - {note}")
    b = each.bounds
    yield (
        f"  replicas by hour of the week: {min(b.minimum)} to {max(b.maximum)}, {min(b.expected)} to"
        f" {max(b.expected)} expected (--format replicas has all 168)"
    )


def _horizon(h: DeployedHorizon) -> str:
    b, e = h.bill, h.energy
    kwh = "energy unknown" if e.gpu_kwh is None else f"{e.gpu_kwh.mean:,.0f} kWh by the GPUs"
    peak = "power unknown" if e.peak_kw is None else f"{e.peak_kw:,.1f} kW at most"
    facility = "" if e.facility_kwh is None else f", {e.facility_kwh:,.0f} kWh with hosts and cooling"
    carbon = "" if e.carbon_kg is None else f", {e.carbon_kg:,.0f} kg of CO2"
    spare = f"{b.spare_replicas} spare"
    return (
        f"  {h.days:3d} days: {b.gpus} GPUs, {b.replicas} replicas of {b.gpus_per_replica} ({spare}),"
        f" {b.tp_groups} TP groups, {b.nodes} nodes; {peak}, {kwh}{facility}{carbon}"
    )
