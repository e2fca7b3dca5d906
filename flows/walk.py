"""The monthly walk, written once: logs already stored -> past -> outlook -> fleets -> costs -> choices.

Each step is a plain function on frozen values; `flows/plan.py` calls them in order, `flows/tracked.py` calls the
same ones as Prefect tasks.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from data.catalog.gpus import Gpu, find_gpu, load_gpus
from data.catalog.models import ModelShape, Precision, find_model, load_models
from data.catalog.prices import (
    Discount,
    GpuOffer,
    Term,
    load_discounts,
    load_offers,
    offers_for,
    reserved_offer,
)
from data.catalog.provisioned import Provisioned, load_provisioned
from data.errors import UserError
from data.read_traffic import load_quality, load_traffic, store_digest
from data.traffic import DataQuality, Traffic
from data.units import DAY_S
from data.warehouse import open_store
from flows.settings import LoadedPlan, WorkloadSettings
from forecasting.demand import Demand
from forecasting.outlook import Outlook, forecast_traffic
from forecasting.transform import times_tokens
from sizing.calibration import Calibration, load_calibration
from sizing.fleet import GPUS_PER_NODE, FleetPlan, plan_fleet
from sizing.profile import Candidate, ReplicaProfile, candidate_profiles, fewest_gpus
from sizing.queueing.curve import Correction
from sizing.queueing.held import plan_held_fleet
from sizing.queueing.plan import planned_per_s, reached_curve, slo_gpus
from sizing.queueing.simulated import Checked
from sizing.textbook import Textbook, textbook_plan

Floats = npt.NDArray[np.float64]
Corrections = Mapping[str, tuple[Correction, ...]]
"""What simulations said of a workload's fleets, by GPU."""

RESERVED: tuple[Term, ...] = ("reserved-30d", "reserved-1y", "reserved-3y")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that is known before a log is read: catalogs and prices, the user's overlays among them."""

    models: Mapping[str, ModelShape]
    gpus: Mapping[str, Gpu]
    offers: tuple[GpuOffer, ...]
    discounts: tuple[Discount, ...]
    calibration: Calibration
    provisioned: Provisioned
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What the store says about every workload, and how good the data is."""

    traffic: tuple[Traffic, ...]
    quality: DataQuality
    store_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SizedGpu:
    """One candidate GPU of one workload: its fleet and its offers, or why it cannot serve."""

    gpu: str
    why_not: str
    fleet: FleetPlan | None
    offers: Mapping[Term, GpuOffer]
    checks: tuple[Checked, ...] = ()


def read_facts(plan: LoadedPlan) -> Facts:
    """Load the catalogs and prices that the plan names, and check that it names nothing unknown."""
    settings = plan.settings
    model_files = [plan.resolve(p) for p in settings.catalog.models]
    gpu_files = [plan.resolve(p) for p in settings.catalog.gpus]
    price_files = [plan.resolve(p) for p in settings.prices.overlays]
    models, gpus = load_models(model_files), load_gpus(gpu_files)
    offers, discounts = load_offers(price_files, gpus=gpus), load_discounts(price_files)
    own = settings.calibration.file
    calibration = load_calibration(None if own is None else plan.resolve(own))
    for workload in settings.workloads:
        find_model(models, workload.model)
        calibration.check_engine(workload.engine)
        for gpu in workload.gpus:
            find_gpu(gpus, gpu)
    for model in [each.model for each in settings.scenarios] + [each.model for each in settings.stress.upgrades]:
        if model is not None:
            find_model(models, model)
    named = [gpu for job in settings.jobs for gpu in job.gpu_names] + [held.gpu for held in settings.commitments]
    named += [each.gpu for each in settings.scenarios if each.gpu is not None]
    for gpu in [*named, *settings.choice.max_gpus, *(each.gpu for each in settings.owned)]:
        find_gpu(gpus, gpu)
    for job in settings.jobs:
        if job.model is not None:
            find_model(models, job.model)
    provisioned = load_provisioned([plan.resolve(p) for p in settings.catalog.provisioned])
    for workload in settings.workloads:
        units = workload.api.provisioned if workload.api else None
        if units is not None:
            provisioned.find(units.provider, units.model, units.deployment)
    said = repr((sorted(models.items()), sorted(gpus.items()), offers, discounts, calibration, provisioned))
    return Facts(
        models=models,
        gpus=gpus,
        offers=offers,
        discounts=discounts,
        calibration=calibration,
        provisioned=provisioned,
        sha256=hashlib.sha256(said.encode()).hexdigest(),
    )


def read_past(plan: LoadedPlan, as_of: date) -> Past:
    """Read each workload's traffic before `as_of`; raises UserError where a workload matches nothing."""
    since = as_of - timedelta(days=plan.settings.history_days)
    matches = [w.match.to_match() for w in plan.settings.workloads]
    with open_store(plan.store_path) as store:
        traffic = tuple(
            load_traffic(
                store,
                workload=w.name,
                match=match,
                since=since,
                until=as_of,
                assumed=w.assume.to_assumed(),
            )
            for w, match in zip(plan.settings.workloads, matches, strict=True)
        )
        for each in traffic:
            _require_span(each)
        quality = load_quality(store, since=since, until=as_of, matches=matches)
        # Where a source does not count requests, those that plan.toml assumes are the ones that were planned on.
        quality = replace(quality, requests=sum(float(each.daily["requests"].sum()) for each in traffic))
        return Past(traffic=traffic, quality=quality, store_sha256=store_digest(store))


def _require_span(traffic: Traffic) -> None:
    if not traffic.daily["observed_share"].sum() > 0:
        raise UserError(
            f"Workload {traffic.workload!r} was seen at {traffic.first_utc:%Y-%m-%d %H:%M:%S} UTC only, and one"
            " moment says no rate; ingest logs that last longer."
        )


def foresee(plan: LoadedPlan, traffic: Traffic, as_of: date) -> Outlook:
    """Forecast one workload over the year, events and growth applied."""
    settings = plan.settings
    workload = next(w for w in settings.workloads if w.name == traffic.workload)
    outlook = forecast_traffic(
        traffic,
        as_of=as_of,
        seed=settings.seed,
        days=max(settings.horizons_days),
        paths=settings.paths,
        events=[event.to_event() for event in settings.events],
        growth=workload.growth.to_growth() if workload.growth else None,
        zone=settings.zone_of(workload),
        holidays=settings.holidays_of(workload),
    )
    parts = outlook.parts
    return replace(
        outlook,
        demand=served_tokens(outlook.demand, workload.token_ratio),
        parts=replace(
            parts,
            total_tok=parts.total_tok * workload.token_ratio,
            event_tok=parts.event_tok * workload.token_ratio,
        ),
    )


def served_tokens(demand: Demand, ratio: float) -> Demand:
    """Return the demand in tokens of the planned model, where another tokenizer logged it."""
    return demand if ratio == 1.0 else times_tokens(demand, prompt=ratio, output=ratio)


def size(
    plan: LoadedPlan,
    facts: Facts,
    workload: WorkloadSettings,
    traffic: Traffic,
    demand: Demand,
    known: Mapping[str, FleetPlan] | None = None,
    corrections: Corrections | None = None,
) -> tuple[SizedGpu, ...]:
    """Size a fleet on every candidate GPU; raises UserError where none of them can serve the workload.

    known: fleets by GPU whose replicas and busy windows still hold because requests are as long as they were; they
    are not looked for again. corrections: what the simulator has said of this workload's fleets by GPU, which then
    stands; None = it is asked, where an SLO's percentile sizes the fleet.
    """
    if known is None:
        candidates = _candidates(plan, facts, workload, traffic, demand)
    else:
        candidates = [Candidate(gpu=gpu, profile=fleet.profile) for gpu, fleet in known.items()]
    if all(each.profile is None for each in candidates):
        reasons = " ".join(dict.fromkeys(each.why_not for each in candidates))
        raise UserError(f"Workload {workload.name!r} fits none of its candidate GPUs. {reasons}")
    return tuple(
        _sized(plan, facts, workload, traffic, demand, each, known[each.gpu] if known else None, corrections)
        for each in candidates
    )


def _candidates(
    plan: LoadedPlan, facts: Facts, workload: WorkloadSettings, traffic: Traffic, demand: Demand
) -> list[Candidate]:
    """Return the best replica of each candidate GPU for the mean request, or why there is none."""
    requests = demand.requests.sum()
    prompt, cached, output = (
        float((demand.requests * mean).sum() / requests)
        for mean in (demand.prompt_tok, demand.cached_prompt_tok, demand.output_tok)
    )
    rate = float(demand.requests.mean()) / DAY_S / plan.settings.utilisation.mean
    spares = int(workload.category == "online")
    fleet_gpus = _fleet_gpus(plan, workload, traffic, demand) if on_percentiles(workload) else None

    def at(precision: Precision) -> tuple[Candidate, ...]:
        return candidate_profiles(
            facts.models[workload.model],
            [facts.gpus[name] for name in workload.gpus],
            precision=precision,
            kv_precision=workload.kv_precision,
            slo=workload.slo.to_slo(),
            prompt_tok=prompt,
            cached_prompt_tok=cached,
            output_tok=output,
            moments=demand.moments,
            requests_per_s=rate,
            spare_replicas=spares,
            engine=workload.engine,
            calibration=facts.calibration,
            pp=workload.pp,
            ep=workload.ep,
            dp_attention=workload.dp_attention,
            speculation=workload.speculation.to_speculation() if workload.speculation else None,
            fleet_gpus=fleet_gpus,
        )

    tried = [at(precision) for precision in dict.fromkeys([workload.precision, *workload.precisions])]
    return [fewest_gpus(each, rate, spares, demand.moments, fleet_gpus) for each in zip(*tried, strict=True)]


def _sized(
    plan: LoadedPlan,
    facts: Facts,
    workload: WorkloadSettings,
    traffic: Traffic,
    demand: Demand,
    candidate: Candidate,
    known: FleetPlan | None,
    corrections: Corrections | None,
) -> SizedGpu:
    """Plan the fleet of one candidate; where an SLO's percentile sizes it, replayed in the simulator."""
    offers = offers_of(facts, candidate.gpu, plan.settings.prices.source)
    profile = candidate.profile
    if profile is None:
        return SizedGpu(gpu=candidate.gpu, why_not=candidate.why_not, fleet=None, offers=offers)
    rules: dict[str, Any] = {
        "tdp_w": facts.gpus[candidate.gpu].tdp_w,
        "mean_utilisation": plan.settings.utilisation.mean,
        "window_utilisation": plan.settings.utilisation.window,
        "window_percentile": plan.settings.windows.percentile,
        "window_s": plan.settings.windows.window_s,
        "availability": workload.availability.to_availability(),
        "horizons": plan.settings.horizons_days,
        "seen": known.busy if known else None,
    }
    planned = partial(plan_fleet, demand, traffic, profile, category=workload.category, **rules)
    if not on_percentiles(workload):
        fleet = planned(deadline_h=workload.deadline_h)
        return SizedGpu(gpu=candidate.gpu, why_not="", fleet=fleet, offers=offers)
    slo = workload.slo.to_slo()
    if corrections is not None:
        curve = reached_curve(known.curve if known else None, profile, traffic, demand, slo)
        fleet = planned(curve=curve.corrected(corrections.get(candidate.gpu, ())))
        return SizedGpu(gpu=candidate.gpu, why_not="", fleet=fleet, offers=offers)
    held = plan_held_fleet(demand, traffic, profile, slo, seed=plan.settings.seed, **rules)
    return SizedGpu(gpu=candidate.gpu, why_not="", fleet=held.fleet, offers=offers, checks=held.checks)


def on_percentiles(workload: WorkloadSettings) -> bool:
    """Say whether an SLO's percentile sizes this workload's fleet."""
    promised = workload.slo.ttft_s is not None or workload.slo.tpot_s is not None
    return workload.category == "online" and promised and workload.sized_by == "percentile"


def _fleet_gpus(
    plan: LoadedPlan, workload: WorkloadSettings, traffic: Traffic, demand: Demand
) -> Callable[[ReplicaProfile], float]:
    """Return a counter of the GPUs that a kind of replica takes in the first horizon's busiest hour."""
    return partial(
        slo_gpus,
        traffic=traffic,
        slo=workload.slo.to_slo(),
        requests_per_s=planned_per_s(demand, plan.settings.horizons_days[0]),
        availability=workload.availability.to_availability(),
        gpus_per_node=GPUS_PER_NODE,
    )


def textbook_for(facts: Facts, workload: WorkloadSettings, demand: Demand, gpu: str) -> Textbook | None:
    """Return the textbook's answer for the first 30 days' mean demand, None where a replica needs several GPUs."""
    first = demand.first(30)
    requests = float(first.requests.sum())
    textbook = textbook_plan(
        facts.models[workload.model],
        facts.gpus[gpu],
        precision=workload.precision,
        qps=float(first.requests.mean()) / DAY_S,
        prompt_tok=float((first.requests * first.prompt_tok).sum()) / requests,
        output_tok=float((first.requests * first.output_tok).sum()) / requests,
    )
    return textbook if textbook.ceiling > 0 else None


def as_day(day: np.datetime64) -> date:
    """Return one of the demand's days as a date."""
    return date.fromisoformat(str(day.astype("datetime64[D]")))


def offers_of(facts: Facts, gpu: str, price_source: str) -> dict[Term, GpuOffer]:
    """Return the offer a term: the user's contract, else the cheapest of the plan's price source, else derived."""
    spot = offers_for(facts.offers, gpu, "on-demand", price_source) or offers_for(facts.offers, gpu, "on-demand")
    if not spot:
        return {}
    found: dict[Term, GpuOffer] = {"on-demand": spot[0]}
    for term in RESERVED:
        offer = reserved_offer(spot[0], term, facts.offers, facts.discounts)
        if offer is not None:
            found[term] = offer
    if interruptible := offers_for(facts.offers, gpu, "spot", price_source):
        found["spot"] = interruptible[0]
    return found
