"""What other fleets would cost: the next kind of GPU, several kinds by length, prefill and decode apart.

Advice beside the plan, priced like the plan: each pool's own hours, its own bursts and spare, its best term.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.traffic import Traffic
from flows.choosing import cheapest_on
from flows.pricing import Needs, Priced
from flows.settings import LoadedPlan, WorkloadSettings
from flows.walk import Facts, SizedGpu
from forecasting.demand import Demand
from reports.values.choice import FleetWay, FleetWays
from sizing.choice.disaggregated import best_disaggregated
from sizing.choice.fleets import Fleet, Pool
from sizing.choice.lengths import LengthBucket, length_buckets, whole
from sizing.choice.mixed import best_mixed
from sizing.choice.options import FleetOption, Options, Serving, fleet_options
from sizing.choice.pools import part_of, planned_replicas
from sizing.compare import GpuNeed, daily_costs, price_lines
from sizing.decide import decide
from sizing.fleet import PLANNED_QUANTILE, FleetPlan

Floats = npt.NDArray[np.float64]
_DAY_HOURS = 24


@dataclass(frozen=True, slots=True)
class _Case:
    """One workload with the fleets that have a price. usd: of each over the first `days`; peak: its replicas."""

    plan: LoadedPlan
    facts: Facts
    workload: WorkloadSettings
    demand: Demand
    fleets: Mapping[str, FleetPlan]
    offers: Mapping[str, SizedGpu]
    needs: Needs
    days: int
    usd: Mapping[str, float]
    peak: Mapping[str, float]

    @property
    def best(self) -> str:
        """The GPU of the cheapest fleet of one kind."""
        return min(self.usd, key=lambda gpu: (self.usd[gpu], gpu))

    @property
    def usd_per_gpu_hour(self) -> dict[str, float]:
        """Dollars of a planned GPU for each hour of the horizon: low where most of them run for few hours."""
        return {gpu: self.usd[gpu] / (self.gpus(gpu) * self.days * _DAY_HOURS) for gpu in self.usd}

    def gpus(self, gpu: str) -> int:
        """GPUs of the single fleet at the planned quantile, at least one."""
        return max(1, next(h.gpus_p80 for h in self.fleets[gpu].horizons if h.days == self.days))

    def serving(self) -> Serving:
        w = self.workload
        return Serving(
            model=self.facts.models[w.model],
            kv_precision=w.kv_precision,
            slo=w.slo.to_slo(),
            engine=w.engine,
            pp=w.pp,
            ep=w.ep,
            dp_attention=w.dp_attention,
            speculation=w.speculation.to_speculation() if w.speculation else None,
            calibration=self.facts.calibration,
        )


def fleet_ways(
    plan: LoadedPlan,
    facts: Facts,
    workload: WorkloadSettings,
    traffic: Traffic,
    demand: Demand,
    sized: Sequence[SizedGpu],
    needs: Needs,
    priced: Priced,
) -> FleetWays | None:
    """Return the ways over the first horizon, None where no candidate GPU has a known price.

    needs, priced: of the workload's own fleets, as if it shared none.
    """
    days = plan.settings.horizons_days[0]
    fleets = {each.gpu: each.fleet for each in sized if each.fleet is not None}
    usd = {gpu: best for gpu in fleets if (best := cheapest_on(priced, gpu, days).usd) is not None}
    peak = {gpu: planned_replicas(fleets[gpu], days) for gpu in usd}
    if not usd or not all(usd.values()) or not all(peak.values()):
        return None
    offers = {each.gpu: each for each in sized}
    case = _Case(plan, facts, workload, demand, fleets, offers, needs, days, usd, peak)
    ways = [_single(case, case.best, "single"), *_second(case)]
    buckets = _buckets(workload, traffic)
    ways.append(_mixed(case, buckets))
    if workload.category == "online":
        ways.append(_apart(case, whole(buckets) if buckets else None))
    return FleetWays(days=days, sentence=_sentence(case, ways), ways=ways)


def _buckets(workload: WorkloadSettings, traffic: Traffic) -> tuple[LengthBucket, ...]:
    joint: pd.DataFrame = traffic.joint
    if joint.empty or not (joint["weight"] > 0).any():
        return ()
    ratio = workload.token_ratio
    return length_buckets(
        joint.assign(prompt_tok=joint["prompt_tok"] * ratio, output_tok=joint["output_tok"] * ratio)
    )


def _single(case: _Case, gpu: str, way: str) -> FleetWay:
    profile = case.fleets[gpu].profile
    return FleetWay(
        way="single" if way == "single" else "second",
        fleet=f"{case.gpus(gpu)} x {gpu} {profile.layout.text} {profile.precision}",
        usd=case.usd[gpu],
        saves_usd=None if way == "single" else case.usd[case.best] - case.usd[gpu],
        power_kw=_power(case, {gpu: case.gpus(gpu)}),
        sentence="",
    )


def _second(case: _Case) -> list[FleetWay]:
    others = sorted((gpu for gpu in case.usd if gpu != case.best), key=lambda gpu: (case.usd[gpu], gpu))
    return [_single(case, gpu, "second") for gpu in others[:1]]


def _mixed(case: _Case, buckets: tuple[LengthBucket, ...]) -> FleetWay:
    if not buckets:
        return _no_way("mixed", "No lengths of single requests are known, so none can be sent apart.")
    options = _options(case, buckets)
    fleet = best_mixed(options, case.plan.settings.choice.to_limits())
    if fleet is None:
        return _no_way("mixed", "No mixed fleet keeps to the limits.")
    if len(fleet.pools) < 2:
        return _no_way("mixed", "Mixing GPUs by length saves nothing: the cheapest mix is one kind.")
    routes = " ".join(f"{pool.text}: {'; '.join(pool.serves)}." for pool in fleet.pools)
    share = f" {options.relaxed_share:.1%} of the requests hold the SLO by themselves nowhere."
    return _priced(case, "mixed", fleet, routes + (share if options.relaxed_share > 0 else ""))


def _options(case: _Case, buckets: tuple[LengthBucket, ...]) -> Options:
    """Return each GPU's planned replica, its whole work that of the plan, its buckets in proportion."""
    mix, found = whole(buckets), []
    for gpu, replicas in case.peak.items():
        profile = case.fleets[gpu].profile
        one = fleet_options(
            case.serving(),
            [case.facts.gpus[gpu]],
            [profile.precision],  # type: ignore[list-item]
            mix,
            buckets,
            requests_per_s=1.0,
            usd_per_gpu_hour=case.usd_per_gpu_hour,
            tensor_parallel=(profile.tp,),
            spare_replicas=int(case.fleets[gpu].spare_gpus > 0),
        )
        found.append((one, _scaled(one.options[0], replicas / one.options[0].replicas)))
    relaxed = min(one.relaxed_share for one, _ in found)
    return Options(
        options=tuple(option for _, option in found), unserved=(), buckets=buckets, relaxed_share=relaxed
    )


def _scaled(option: FleetOption, factor: float) -> FleetOption:
    return replace(option, replicas=option.replicas * factor, bucket_replicas=option.bucket_replicas * factor)


def _apart(case: _Case, mix: LengthBucket | None) -> FleetWay:
    if mix is None:
        return _no_way("disaggregated", "No lengths of single requests are known.")
    rate = max(peak / float(case.fleets[gpu].profile.work_s(mix.sums())) for gpu, peak in case.peak.items())
    precisions = list(dict.fromkeys(case.fleets[gpu].profile.precision for gpu in case.peak))
    choice = case.plan.settings.choice
    found = best_disaggregated(
        case.serving(),
        [case.facts.gpus[gpu] for gpu in case.peak],
        precisions,  # type: ignore[arg-type]
        mix,
        choice.to_limits(),
        requests_per_s=rate,
        usd_per_gpu_hour=case.usd_per_gpu_hour,
        interconnect_gbit_per_s=choice.interconnect_gbit_per_s,
        spare_replicas=int(case.fleets[case.best].spare_gpus > 0),
    )
    if found is None:
        return _no_way("disaggregated", "No pair of prefill and decode pools serves it within SLO and limits.")
    sent = (
        f"{found.prefill.text} prefill, {found.decode.text} decode; the KV of a prompt,"
        f" {found.kv_bytes_per_request / 1e6:,.0f} MB, takes {found.transfer_s * 1e3:.1f} ms at"
        f" {choice.interconnect_gbit_per_s:g} Gbit/s a GPU."
    )
    return _priced(case, "disaggregated", found.fleet, sent)


def _priced(case: _Case, way: str, fleet: Fleet, sentence: str) -> FleetWay:
    """Price each pool by its own hours and best term, as the plan prices a fleet."""
    usd: list[float | None] = []
    gpus: dict[str, int] = {}
    words = []
    for pool in fleet.pools:
        part = _part(case, pool)
        count = int(np.quantile(part.need_gpus[:, : case.days].max(axis=1), PLANNED_QUANTILE, method="higher"))
        gpu = pool.option.profile.gpu
        gpus[gpu] = gpus.get(gpu, 0) + count
        words.append(f"{count} x {pool.option.name}")
        usd.append(_pool_usd(case, gpu, part))
    total = sum(each for each in usd if each is not None) if None not in usd else None
    return FleetWay(
        way="mixed" if way == "mixed" else "disaggregated",
        fleet=" + ".join(words),
        usd=total,
        saves_usd=None if total is None else case.usd[case.best] - total,
        power_kw=_power(case, gpus),
        sentence=sentence,
    )


def _part(case: _Case, pool: Pool) -> FleetPlan:
    gpu = pool.option.profile.gpu
    return part_of(case.fleets[gpu], pool.option.profile, pool.work / case.peak[gpu])


def _pool_usd(case: _Case, gpu: str, part: FleetPlan) -> float | None:
    """Return what a pool costs over the first horizon: reservations in force serve it first, like the fleet."""
    need = part.hourly_gpus().astype(np.float64)
    need = need - np.minimum(need, case.needs.held[gpu])
    costs = daily_costs(
        case.demand,
        category=case.workload.category,
        api=None,
        gpus=[GpuNeed(gpu=gpu, hourly_gpus=need, offers=case.offers[gpu].offers, unit_gpus=part.profile.gpus)],
        lead_days=case.plan.settings.lead_time_days,
    )
    return decide(price_lines(costs, case.demand, case.days)).usd


def _power(case: _Case, gpus: Mapping[str, int]) -> float | None:
    watts = [case.facts.gpus[gpu].tdp_w for gpu in gpus]
    if any(w is None for w in watts):
        return None
    return sum(count * (case.facts.gpus[gpu].tdp_w or 0.0) for gpu, count in gpus.items()) / 1_000


def _no_way(way: str, sentence: str) -> FleetWay:
    return FleetWay(
        way="mixed" if way == "mixed" else "disaggregated",
        fleet="",
        usd=None,
        saves_usd=None,
        power_kw=None,
        sentence=sentence,
    )


def _sentence(case: _Case, ways: Sequence[FleetWay]) -> str:
    """Return which fleet is cheapest, and what the best other way would save, in dollars."""
    best = ways[0]
    lead = f"The cheapest fleet of one kind is {best.fleet}, ${best.usd:,.0f} over {case.days} days"
    second = next((w for w in ways if w.way == "second"), None)
    lead += (
        "." if second is None or second.usd is None else f"; second best is {second.fleet}, ${second.usd:,.0f}."
    )
    better = [w for w in ways if w.saves_usd is not None and w.saves_usd > 0]
    if not better:
        return f"{lead} Neither mixing kinds by length nor parting prefill from decode would save."
    most = max(better, key=lambda w: w.saves_usd or 0.0)
    what = "Mixing kinds by length" if most.way == "mixed" else "Parting prefill from decode"
    return f"{lead} {what} would save ${most.saves_usd:,.0f}: {most.fleet}."
