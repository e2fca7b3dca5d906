"""A workload as it would be: scenarios' levers applied to its settings, its demand and the prices it pays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from data.catalog.models import ModelShape
from data.errors import UserError
from data.traffic import Traffic
from flows.scenario_settings import LeverSettings, ScenarioSettings
from flows.settings import ApiSettings, PlanSettings, WorkloadSettings
from forecasting.demand import Demand
from forecasting.transform import (
    long_squares,
    per_request_gains,
    since,
    times_long,
    times_requests,
    times_tokens,
    windows_times,
)
from sizing.fleet import FleetPlan
from sizing.scenarios.prices import PriceChange, PriceItem, smooth_fall

Floats = npt.NDArray[np.float64]
Moves = Mapping[PriceItem, Floats]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One workload as it would be. known: its fleets by GPU whose replicas still hold, None = to be found anew.

    notes: what of the change does not concern it, and why.
    """

    settings: WorkloadSettings
    traffic: Traffic
    demand: Demand
    known: Mapping[str, FleetPlan] | None
    notes: tuple[str, ...] = ()


def changed(case: Case, lever: LeverSettings) -> Case:
    """Return the case with the lever pulled; one that does not concern the workload leaves it."""
    if lever.workloads is not None and case.settings.name not in lever.workloads:
        return case
    return _demand(_hardware(case, lever), lever)


def _hardware(case: Case, lever: LeverSettings) -> Case:
    """Return the case on the lever's GPU, model and API."""
    settings, notes = case.settings, list(case.notes)
    update: dict[str, object] = {}
    if lever.gpu is not None:
        update |= {"gpus": [lever.gpu], "api": None}
    if lever.model is not None and lever.model != settings.model:
        update |= {"model": lever.model, "precision": lever.precision or settings.precision, "api": None}
        update |= {"precisions": []} if lever.precision else {}
        if settings.api is not None and lever.api is None:
            notes.append(f"{settings.name}: no API of {lever.model} is stated, so it is weighed on GPUs alone.")
    if lever.api is not None:
        had = settings.api
        update["api"] = ApiSettings(
            provider=lever.api.provider,
            model=lever.api.model,
            batch_fraction=None if had is None else had.batch_fraction,
            token_ratio=1.0 if had is None else had.token_ratio,
        )
    if not update:
        return case
    anew = bool({"gpus", "model"} & set(update))
    known = case.known
    if lever.gpu is not None and lever.model is None and known is not None and lever.gpu in known:
        known, anew = {lever.gpu: known[lever.gpu]}, False
    return replace(
        case, settings=settings.model_copy(update=update), known=None if anew else known, notes=tuple(notes)
    )


def _demand(case: Case, lever: LeverSettings) -> Case:
    """Return the case with the lever's traffic and lengths; windows and replicas follow the lengths."""
    demand, notes = case.demand, list(case.notes)
    if lever.long_share != 1.0:
        demand, why_not = _longer(case, lever)
        notes += [f"{case.settings.name}: {why_not}"] if why_not else []
    demand = times_tokens(demand, prompt=lever.prompt_tok, cached=lever.cached_prompt_tok, output=lever.output_tok)
    gains = per_request_gains(case.demand, demand)
    if lever.requests != 1.0:
        demand = times_requests(demand, lever.requests)
    alike = bool(np.allclose(gains, 1.0))
    return replace(
        case,
        demand=demand,
        traffic=case.traffic if alike else windows_times(case.traffic, gains),
        known=case.known if alike else None,
        notes=tuple(notes),
    )


def _longer(case: Case, lever: LeverSettings) -> tuple[Demand, str]:
    """Return the demand with another share of long prompts, or as it was and why."""
    squares = long_squares(case.traffic, lever.long_above_tok)
    try:
        found = times_long(case.demand, lever.long_share, above_tok=lever.long_above_tok, squares=squares)
    except UserError:
        return case.demand, "its share of long prompts is not known, so it stays as planned."
    same = found is case.demand
    return found, f"no prompt is longer than {lever.long_above_tok:,} tokens." if same else ""


def later(case: Case, first_day: int) -> Case:
    """Return the case from its first_day-th day on."""
    return case if first_day == 0 else replace(case, demand=since(case.demand, first_day))


def changed_moves(moves: Moves, lever: LeverSettings, days: npt.NDArray[np.datetime64]) -> dict[PriceItem, Floats]:
    """Return the price paths (S, D) with the lever's prices on them, for days that all lie after its start.

    A price that did not move so far has no path and gets one where the lever names it.
    """
    found = dict(moves)
    if lever.yearly_fall is not None:
        fall = smooth_fall(lever.yearly_fall, len(days))
        found = {item: path[:, :1] * fall[None, :] for item, path in found.items()}
    for price in lever.prices:
        change = PriceChange(on=days[0].astype("datetime64[D]").item(), what=price.what, factor=price.factor)
        found = {item: path * (price.factor if change.concerns(item) else 1.0) for item, path in found.items()}
    return found


def stress_tests(
    settings: PlanSettings, models: Mapping[str, ModelShape]
) -> list[tuple[str, tuple[LeverSettings, ...]]]:
    """Return the stress tests of a plan: (what would happen, its levers)."""
    stress = settings.stress
    if not stress.run:
        return []
    tests: list[tuple[str, LeverSettings, bool]] = [
        (
            f"Long-context share x {stress.long_share:g}",
            LeverSettings(long_share=stress.long_share),
            stress.long_share != 1,
        ),
        (
            f"Agent loops: answers x {stress.agent_output:g}",
            LeverSettings(output_tok=stress.agent_output),
            stress.agent_output != 1,
        ),
        (
            f"Prices jump: API x {stress.api_price:g}, GPUs x {stress.gpu_price:g}",
            LeverSettings.model_validate(
                {
                    "prices": [
                        {"what": "api", "factor": stress.api_price},
                        {"what": "gpu", "factor": stress.gpu_price},
                    ]
                }
            ),
            stress.api_price != 1 or stress.gpu_price != 1,
        ),
        (f"Traffic x {stress.traffic:g}", LeverSettings(requests=stress.traffic), stress.traffic != 1),
        (
            f"A region lost: {stress.region_lost:.0%} of GPUs for {stress.lost_days} days",
            LeverSettings(region_lost=stress.region_lost or None, lost_days=stress.lost_days),
            stress.region_lost > 0,
        ),
    ]
    found = [(name, (lever,)) for name, lever, wanted in tests if wanted]
    upgrade = upgrades(settings, models)
    return [*found[:2], *([("Model upgrade", upgrade)] if upgrade else []), *found[2:]]


def upgrades(settings: PlanSettings, models: Mapping[str, ModelShape]) -> tuple[LeverSettings, ...]:
    """Return each workload's upgrade: the one that the plan states, else the next larger model of its family."""
    stated = {each.workload: each for each in settings.stress.upgrades}
    found = []
    for workload in settings.workloads:
        if (own := stated.get(workload.name)) is not None:
            found.append(
                LeverSettings(
                    workloads=[workload.name],
                    model=own.model,
                    precision=own.precision,
                    api=own.api,
                    prompt_tok=own.prompt_tok,
                    output_tok=own.output_tok,
                )
            )
        elif workload.api is None and (larger := next_larger(models, workload.model)) is not None:
            found.append(LeverSettings(workloads=[workload.name], model=larger))
    return tuple(found)


def next_larger(models: Mapping[str, ModelShape], name: str) -> str | None:
    """Return the next larger model of the same family (the name up to its size), None where there is none."""
    family = _family(name)
    own = models[name].params_total
    larger = [m for key, m in models.items() if _family(key) == family and m.params_total > own]
    return min(larger, key=lambda m: m.params_total).name if larger else None


def _family(name: str) -> str:
    """Return a model's name up to its size.

    >>> _family("llama-3.1-70b"), _family("qwen3-30b-a3b"), _family("kimi-k2")
    ('llama-3.1', 'qwen3', 'kimi-k2')
    """
    kept = []
    for part in name.split("-"):
        if part[:1].isdigit() and part.endswith("b") and part[:-1].replace(".", "").isdigit():
            break
        kept.append(part)
    return "-".join(kept)


def levers_of(scenario: ScenarioSettings, scenarios: Sequence[ScenarioSettings]) -> tuple[LeverSettings, ...]:
    """Return the levers of a scenario: its own, and those of the scenarios that it combines, in their order."""
    others = [each for name in scenario.combines for each in scenarios if each.name == name]
    return (*others, scenario) if scenario.changes_something or scenario.cost_usd else tuple(others)
