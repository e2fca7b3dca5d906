"""From priced options to choices: workloads of one model share where cheaper, and all keep to the limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from data.errors import UserError
from data.traffic import Traffic
from flows.price_moves import Moves
from flows.pricing import Needs, Priced, price, share_held
from flows.settings import LoadedPlan, PlanSettings, WorkloadSettings
from flows.walk import Facts, SizedGpu
from forecasting.demand import Demand
from reports.values.choice import SharedFleetRow, SharePart
from sizing.choice.sharing import Member, SharedFleet, share_fleet, split_usd, strictest
from sizing.choice.together import Candidate, choose_together
from sizing.decide import Choice, decide
from sizing.fleet import PLANNED_QUANTILE, FleetPlan, plan_fleet
from sizing.money import SHOWN_ONLY
from sizing.profile import ReplicaProfile, Slo, replica_profile

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    """Workloads of one model that were asked to share a fleet, over the first horizon.

    gpus, apart_gpus: the shared fleet at the planned quantile, and the workloads' fleets on their own. usd: of the
    shared fleet; parts_usd: each one's part, in whole cents that add up to it; apart_usd: what each would pay on
    its own, by its cheapest option. adopted: whether sharing costs less, and so is planned.
    """

    members: tuple[int, ...]
    gpu: str
    layout: str
    shared: SharedFleet
    gpus: int
    apart_gpus: int
    parts_usd: tuple[float, ...]
    apart_usd: tuple[float, ...]
    adopted: bool

    @property
    def usd(self) -> float:
        """Of the shared fleet, to the cent."""
        return round(sum(self.parts_usd), 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What is planned in the end: needs and priced options with their choices, and who shares."""

    needs: tuple[Needs, ...]
    priced: tuple[Priced, ...]
    sharing: tuple[Sharing, ...]


def choose_all(
    plan: LoadedPlan,
    facts: Facts,
    traffic: Sequence[Traffic],
    demands: Sequence[Demand],
    sized: Sequence[Sequence[SizedGpu]],
    needs: Sequence[Needs],
    priced: Sequence[Priced],
    moves: Moves | None = None,
) -> Chosen:
    """Return the choices of all workloads together.

    First each group of one model is asked whether a shared fleet costs less over the first horizon than each
    one's own cheapest option; if so its workloads choose the shared GPU, and their needs are their parts of it,
    so that terms and jobs see the pool. Then, where plan.toml bounds GPUs or power, the cheapest choices that keep
    to the bounds together are taken; sharing is given up where only that makes them keep.

    moves: paths of the prices that the options were priced on. Raises UserError where no choice keeps to the
    bounds.
    """
    apart = Chosen(needs=tuple(needs), priced=tuple(priced), sharing=())
    shared = _share(plan, facts, traffic, demands, sized, apart, moves)
    limited = _limit(plan, facts, sized, shared)
    if limited is None and any(each.adopted for each in shared.sharing):
        off = tuple(replace(each, adopted=False) for each in shared.sharing)
        limited = _limit(plan, facts, sized, replace(apart, sharing=off))
    if limited is None:
        raise UserError(
            "No choice of GPUs keeps to [choice] max_gpus and max_power_kw for all workloads together; raise them,"
            " name more candidate GPUs, or give workloads an api."
        )
    return limited


def _share(
    plan: LoadedPlan,
    facts: Facts,
    traffic: Sequence[Traffic],
    demands: Sequence[Demand],
    sized: Sequence[Sequence[SizedGpu]],
    apart: Chosen,
    moves: Moves | None,
) -> Chosen:
    found: list[Sharing] = []
    instead: dict[tuple[int, str], Floats] = {}
    now = apart
    for group in _groups(plan.settings.workloads) if plan.settings.choice.share else []:
        tried = None
        for members in _who_could_share(plan, group, now):
            best = _best_shared(plan, facts, members, traffic, demands, sized)
            if best is None:
                continue
            gpu, layout, shared = best
            with_it = instead | {(n, gpu): shared.member_gpus[i] for i, n in enumerate(members)}
            then = _priced_again(plan, demands, sized, now, with_it, dict.fromkeys(members, gpu), moves)
            tried = _compare(plan, members, gpu, layout, shared, now, then)
            if tried.adopted:
                instead, now = with_it, then
                break
        found += [] if tried is None else [tried]
    return replace(now, sharing=tuple(found))


def _who_could_share(plan: LoadedPlan, group: tuple[int, ...], now: Chosen) -> list[tuple[int, ...]]:
    """Return the whole group, then those of it whose own cheapest option is a GPU: an API has nothing to share."""
    days = plan.settings.horizons_days[0]
    hosted = tuple(n for n in group if now.priced[n].choices[days].gpu is not None)
    return [group, hosted] if 1 < len(hosted) < len(group) else [group]


def _groups(workloads: Sequence[WorkloadSettings]) -> list[tuple[int, ...]]:
    """Return the places of workloads that could be served by the same replicas, two or more of each model."""
    kinds: dict[object, list[int]] = {}
    for n, w in enumerate(workloads):
        kind = (w.model, w.precision, w.kv_precision, w.engine, w.pp, w.ep, w.dp_attention, repr(w.speculation))
        kinds.setdefault(kind, []).append(n)
    return [tuple(group) for group in kinds.values() if len(group) > 1]


def _best_shared(
    plan: LoadedPlan,
    facts: Facts,
    group: Sequence[int],
    traffic: Sequence[Traffic],
    demands: Sequence[Demand],
    sized: Sequence[Sequence[SizedGpu]],
) -> tuple[str, str, SharedFleet] | None:
    """Return the shared fleet of the fewest dollars on demand over the first horizon, None without a price."""
    days = plan.settings.horizons_days[0]
    best: tuple[float, str, str, SharedFleet] | None = None
    own = [{each.gpu: each for each in sized[n] if each.fleet is not None} for n in group]
    for gpu in (name for name in own[0] if all(name in each for each in own)):
        offer = own[0][gpu].offers.get("on-demand")
        fleets = [fleet for each in own if (fleet := each[gpu].fleet) is not None]
        if offer is None:
            continue
        for layout in dict.fromkeys(fleet.profile.layout for fleet in fleets):
            members = _members(plan, facts, group, traffic, demands, fleets, layout.tp)
            if members is None:
                continue
            shared = share_fleet(members)
            usd = float(shared.hourly_gpus[:, :days].sum(axis=(1, 2)).mean()) * offer.usd_per_gpu_hour
            if best is None or usd < best[0]:
                best = (usd, gpu, layout.text, shared)
    return None if best is None else best[1:]


def _members(
    plan: LoadedPlan,
    facts: Facts,
    group: Sequence[int],
    traffic: Sequence[Traffic],
    demands: Sequence[Demand],
    fleets: Sequence[FleetPlan],
    tp: int,
) -> list[Member] | None:
    """Return each workload on the common replica under the strictest SLO, None where one cannot be served so."""
    settings = [plan.settings.workloads[n] for n in group]
    slo = strictest([w.slo.to_slo() for w in settings])
    found = []
    for n, workload, own in zip(group, settings, fleets, strict=True):
        try:
            profile = _profile(facts, workload, own.profile, demands[n], slo, tp)
        except UserError:
            return None
        fleet = plan_fleet(
            demands[n],
            traffic[n],
            profile,
            category=workload.category,
            horizons=plan.settings.horizons_days,
            mean_utilisation=plan.settings.utilisation.mean,
            window_utilisation=plan.settings.utilisation.window,
            deadline_h=workload.deadline_h,
        )
        found.append(
            Member(
                fleet=fleet,
                alone=own,
                traffic=traffic[n],
                moments=demands[n].moments,
                deadline_h=workload.deadline_h,
            )
        )
    return found


def _profile(
    facts: Facts, workload: WorkloadSettings, own: ReplicaProfile, demand: Demand, slo: Slo, tp: int
) -> ReplicaProfile:
    return replica_profile(
        facts.models[workload.model],
        facts.gpus[own.gpu],
        tp=tp,
        precision=workload.precision,
        kv_precision=workload.kv_precision,
        slo=slo,
        prompt_tok=own.prompt_tok,
        cached_prompt_tok=own.cached_prompt_tok,
        output_tok=own.output_tok,
        moments=demand.moments,
        engine=workload.engine,
        calibration=facts.calibration,
        pp=workload.pp,
        ep=workload.ep,
        dp_attention=workload.dp_attention,
        speculation=workload.speculation.to_speculation() if workload.speculation else None,
    )


def _priced_again(
    plan: LoadedPlan,
    demands: Sequence[Demand],
    sized: Sequence[Sequence[SizedGpu]],
    now: Chosen,
    instead: Mapping[tuple[int, str], Floats],
    only: Mapping[int, str],
    moves: Moves | None,
) -> Chosen:
    """Price those whose needs change, and let the members choose among their options on the shared GPU."""
    needs = share_held(plan, demands, sized, instead)
    priced = list(now.priced)
    for n, workload in enumerate(plan.settings.workloads):
        if n in only or not _same(needs[n], now.needs[n]):
            priced[n] = price(plan, workload, demands[n], sized[n], needs[n], moves)
        if n in only:
            priced[n] = on_gpu(priced[n], only[n])
    return replace(now, needs=needs, priced=tuple(priced))


def _same(one: Needs, other: Needs) -> bool:
    return all(np.array_equal(one.buy[gpu], other.buy[gpu]) for gpu in one.buy)


def on_gpu(priced: Priced, gpu: str | None, days: Sequence[int] | None = None) -> Priced:
    """Return the options with the choice among those on one GPU, None: among those that need none of ours.

    days: the horizons to choose again; None = all.
    """
    again = priced.lines if days is None else days
    choices = {n: cheapest_on(priced, gpu, n) if n in again else priced.choices[n] for n in priced.lines}
    return replace(priced, choices=choices)


def _compare(
    plan: LoadedPlan,
    group: Sequence[int],
    gpu: str,
    layout: str,
    shared: SharedFleet,
    now: Chosen,
    then: Chosen,
) -> Sharing:
    days = plan.settings.horizons_days[0]
    alone = [now.priced[n].choices[days].usd for n in group]
    parts = [then.priced[n].choices[days].usd for n in group]
    known_alone, known = ([usd for usd in each if usd is not None] for each in (alone, parts))
    gpus, apart_gpus = shared.largest(days, PLANNED_QUANTILE)
    whole = sum(known)
    adopted = len(known) == len(group) == len(known_alone) and whole < sum(known_alone)
    priced = len(known) == len(group) and whole > 0
    return Sharing(
        members=tuple(group),
        gpu=gpu,
        layout=layout,
        shared=shared,
        gpus=gpus,
        apart_gpus=apart_gpus,
        parts_usd=split_usd(whole, known) if priced else (),
        apart_usd=tuple(known_alone) if len(known_alone) == len(group) else (),
        adopted=adopted,
    )


def shared_row(settings: PlanSettings, sharing: Sharing) -> SharedFleetRow:
    """Return what the page says of workloads that could share a fleet."""
    workloads = [settings.workloads[n] for n in sharing.members]
    names = _listed([w.name for w in workloads])
    apart = sum(sharing.apart_usd)
    fleet = f"{sharing.gpus} x {sharing.gpu} {sharing.layout}"
    priced = bool(sharing.parts_usd and sharing.apart_usd)
    if not priced:
        verdict = "no price is known for it"
    elif sharing.adopted:
        verdict = f"which saves ${apart - sharing.usd:,.2f}; it is planned so, and each pays its part"
    else:
        verdict = f"${sharing.usd - apart:,.2f} more than each by its own cheapest option, so they stay apart"
    return SharedFleetRow(
        model=workloads[0].model,
        gpu=sharing.gpu,
        layout=sharing.layout,
        days=settings.horizons_days[0],
        gpus=sharing.gpus,
        apart_gpus=sharing.apart_gpus,
        usd=sharing.usd,
        apart_usd=apart,
        adopted=sharing.adopted,
        sentence=f"{names} on one fleet of {workloads[0].model} take {fleet} instead of"
        f" {sharing.apart_gpus}: ${sharing.usd:,.2f} over {settings.horizons_days[0]} days, {verdict}.",
        parts=[
            SharePart(workload=w.name, usd=usd, apart_usd=alone)
            for w, usd, alone in zip(workloads, sharing.parts_usd, sharing.apart_usd, strict=True)
        ]
        if priced
        else [],
    )


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]])


def _limit(plan: LoadedPlan, facts: Facts, sized: Sequence[Sequence[SizedGpu]], chosen: Chosen) -> Chosen | None:
    limits = plan.settings.choice.to_limits()
    if not limits.any:
        return chosen
    held = {n: each for each in chosen.sharing if each.adopted for n in each.members}
    priced = list(chosen.priced)
    for days in plan.settings.horizons_days:
        candidates = [_candidates(facts, sized[n], priced[n], days, held.get(n), n) for n in range(len(priced))]
        if not all(candidates):
            return None
        picked = choose_together(candidates, limits)
        if picked is None:
            return None
        for n, index in enumerate(picked):
            priced[n] = on_gpu(priced[n], candidates[n][index].gpu, [days])
    return replace(chosen, priced=tuple(priced))


def _candidates(
    facts: Facts, sized: Sequence[SizedGpu], priced: Priced, days: int, sharing: Sharing | None, n: int
) -> list[Candidate]:
    """Return each GPU's cheapest option over the horizon, and the API's; of who shares, the shared GPU alone.

    The GPUs of a shared fleet count once, with its first workload.
    """
    fleets = {each.gpu: each.fleet for each in sized if each.fleet is not None}
    found = []
    for gpu in dict.fromkeys(line.line.gpu for line in priced.lines[days]):
        if sharing is not None and gpu != sharing.gpu:
            continue
        best = cheapest_on(priced, gpu, days)
        if best.usd is None:
            continue
        count = 0
        if gpu is not None:
            count = next(h.gpus_p80 for h in fleets[gpu].horizons if h.days == days)
            if sharing is not None:
                count = sharing.shared.largest(days, PLANNED_QUANTILE)[0] if n == sharing.members[0] else 0
        tdp_w = None if gpu is None else facts.gpus[gpu].tdp_w
        found.append(Candidate(gpu=gpu, gpus=count, usd=best.usd, tdp_w=tdp_w))
    return found


def cheapest_on(priced: Priced, gpu: str | None, days: int) -> Choice:
    """Return the choice over a horizon among the options on one GPU (None: those that need none of ours)."""
    terms = [term for each in priced.ladder.values() for term in each]
    lines = [each for each in priced.lines[days] if each.line.gpu == gpu and each.line.option not in SHOWN_ONLY]
    return decide(lines, terms=terms)
