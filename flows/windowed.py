"""The walk's side step: how a workload's work gathers, planned three ways, and what its long requests cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pandas as pd

from data.errors import UserError
from data.request_windows import (
    SECONDS_DAYS,
    BandedWindows,
    RequestLengths,
    request_lengths,
    request_windows,
)
from data.traffic import Match, Traffic
from data.traffic_shape import WINDOW_DAYS
from data.warehouse import Store, open_store
from flows.settings import LoadedPlan, WorkloadSettings
from flows.walk import Facts, SizedGpu, size
from forecasting.demand import Demand
from reports.values.windows import WindowedWork
from sizing.fleet import FleetPlan
from sizing.windowed.logics import plan_logics
from sizing.windowed.pools import (
    BUDGET_SHARES,
    LONG_REQUEST_TOK,
    LongRequests,
    cheapest_pool,
    part_demand,
    part_traffic,
    pool_sentence,
    sum_ratios,
    work_share,
)
from sizing.windowed.spread import WindowSpread, at_window, in_model_tokens, spread_of

NEAR = 1.5
"""Candidates that cost up to this times the cheapest are tried again for the shorter requests alone."""

NO_REQUESTS = (
    "The store holds no single requests of this workload (sums alone), so the length of each is unknown: nothing"
    " can be said about token budgets."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPast:
    """What only the stored requests say: their lengths, windows of a second, and windows by length of request."""

    lengths: RequestLengths
    banded: BandedWindows
    seconds: BandedWindows


def read_requests(plan: LoadedPlan, as_of: date) -> tuple[RequestPast | None, ...]:
    """Read every workload's newest requests before `as_of`; None where the store holds sums alone."""
    since = as_of - timedelta(days=plan.settings.history_days)
    with open_store(plan.store_path) as store:
        return tuple(
            requests_of(store, w.match.to_match(), since, as_of, window_s=plan.settings.windows.window_s)
            for w in plan.settings.workloads
        )


def requests_of(
    store: Store, match: Match, since: date | None, until: date, *, window_s: int
) -> RequestPast | None:
    """Read the newest matching requests, parted at token budgets and long lengths in windows of `window_s`."""
    days = SECONDS_DAYS if window_s == 1 else WINDOW_DAYS
    lengths = request_lengths(store, match=match, since=since, until=until, newest_days=days)
    if lengths is None:
        return None
    cuts = sorted({lengths.at(share) for share in BUDGET_SHARES} | set(LONG_REQUEST_TOK))

    def windows(of_s: int, newest_days: int, above_tok: Sequence[int]) -> BandedWindows | None:
        return request_windows(
            store,
            match=match,
            since=since,
            until=until,
            window_s=of_s,
            newest_days=newest_days,
            above_tok=above_tok,
        )

    banded, seconds = windows(window_s, days, cuts), windows(1, SECONDS_DAYS, ())
    if banded is None or seconds is None:
        return None
    return RequestPast(lengths=lengths, banded=banded, seconds=seconds)


def planning_traffic(traffic: Traffic, requests: RequestPast | None, window_s: int) -> Traffic:
    """Return the traffic in the windows that fleets are to cover; as it is where there are none as short."""
    if window_s < traffic.window_s and requests is not None:
        return replace(traffic, windows=requests.banded.whole, window_s=window_s)
    return at_window(traffic, window_s)


def windowed_work(
    plan: LoadedPlan,
    facts: Facts,
    workload: WorkloadSettings,
    traffic: Traffic,
    requests: RequestPast | None,
    demand: Demand,
    sized: Sequence[SizedGpu],
    gpu: str | None,
) -> WindowedWork | None:
    """Return the side-by-side on the hosting GPU; None where there is none, or no work was seen."""
    fleet = next((each.fleet for each in sized if each.gpu == gpu), None)
    if fleet is None or gpu is None:
        return None
    settings = plan.settings.windows
    usd = _on_demand(sized)
    long = _long(plan, facts, workload, traffic, requests, demand, sized, fleet)
    first = plan.settings.horizons_days[0]
    return WindowedWork(
        gpu=gpu,
        layout=fleet.profile.layout.text,
        window_s=settings.window_s,
        percentile=settings.percentile,
        usd_per_gpu_hour=usd.get(gpu),
        logics=[row for h in fleet.horizons for row in plan_logics(h, usd_per_gpu_hour=usd.get(gpu))],
        spreads=spreads(
            traffic,
            requests,
            fleet,
            demand,
            token_ratio=workload.token_ratio,
            horizons=plan.settings.horizons_days,
            percentile=settings.percentile,
        ),
        long=long,
        long_sentence=pool_sentence([row for row in long if row.days == first]) if long else NO_REQUESTS,
    )


def spreads(
    traffic: Traffic,
    requests: RequestPast | None,
    fleet: FleetPlan,
    demand: Demand,
    *,
    token_ratio: float,
    horizons: Sequence[int],
    percentile: float,
) -> list[WindowSpread]:
    """Return GPU-seconds a window of 1 s (stored requests), of the source's own length, and of 60 s."""
    tables = {} if requests is None else {1: requests.seconds.whole}
    tables[traffic.window_s] = traffic.windows
    if traffic.window_s < 60:
        tables[60] = at_window(traffic, 60).windows
    return [
        spread
        for window_s, windows in tables.items()
        for spread in spread_of(
            in_model_tokens(windows, token_ratio),
            window_s,
            fleet.profile,
            demand.moments,
            load=fleet.load,
            horizons=horizons,
            percentile=percentile,
        )
    ]


@dataclass(frozen=True, slots=True)
class _Part:
    """Some of the requests: their windows, and the fleets that would serve them alone, or why none can."""

    windows: pd.DataFrame
    fleets: Mapping[str, FleetPlan]
    why_not: str = ""


def _long(
    plan: LoadedPlan,
    facts: Facts,
    workload: WorkloadSettings,
    traffic: Traffic,
    requests: RequestPast | None,
    demand: Demand,
    sized: Sequence[SizedGpu],
    fleet: FleetPlan,
) -> list[LongRequests]:
    """Return what requests beyond each length cost, by horizon; empty where single requests are not known."""
    if requests is None:
        return []
    banded, usd, found = requests.banded, _on_demand(sized), []
    whole = _Part(banded.whole, _fleets(sized))
    budgets = {requests.lengths.at(share): share for share in BUDGET_SHARES}
    apart = {} if workload.long_slo is None else {"slo": workload.long_slo}
    near = _near_cheapest(whole.fleets, usd, plan.settings.horizons_days[0]) or workload.gpus

    def part(windows: pd.DataFrame, change: Mapping[str, object], whose: str) -> _Part:
        its = part_demand(demand, sum_ratios(windows, whole.windows))
        tried = workload.model_copy(update=change)
        try:
            candidates = size(plan, facts, tried, part_traffic(traffic, windows, banded.window_s), its)
        except UserError:
            return _Part(windows, {}, f"No candidate serves requests {whose} tokens alone, in memory and SLO.")
        return _Part(windows, _fleets(candidates))

    for cut in banded.above_tok:
        share = requests.lengths.share_above(cut)
        if share:
            within = part(banded.within(cut), {"gpus": near}, f"of up to {cut:,}")
            beyond = part(banded.beyond(cut), apart, f"above {cut:,}")
        else:
            within, beyond = whole, _Part(banded.beyond(cut), {}, f"No request is longer than {cut:,} tokens.")
        both = [in_model_tokens(each, workload.token_ratio) for each in (beyond.windows, whole.windows)]
        found += [
            LongRequests.of(
                days=days,
                budget_tok=cut,
                share=budgets.get(cut),
                requests_share=share,
                work_share=work_share(fleet.profile, *both),
                whole=cheapest_pool(whole.fleets, usd, days),
                within=cheapest_pool(within.fleets, usd, days),
                beyond=cheapest_pool(beyond.fleets, usd, days),
                why_not=" ".join(why for why in (within.why_not, beyond.why_not) if why),
            )
            for days in plan.settings.horizons_days
        ]
    return found


def _near_cheapest(fleets: Mapping[str, FleetPlan], usd: Mapping[str, float], days: int) -> list[str]:
    """Return the candidates that are worth trying for the shorter requests: those nearly the cheapest for all."""
    pools = [pool for gpu, fleet in fleets.items() if (pool := cheapest_pool({gpu: fleet}, usd, days))]
    least = min((pool.usd for pool in pools), default=0.0)
    return [pool.gpu for pool in pools if pool.usd <= NEAR * least]


def _fleets(sized: Sequence[SizedGpu]) -> Mapping[str, FleetPlan]:
    return {each.gpu: each.fleet for each in sized if each.fleet is not None}


def _on_demand(sized: Sequence[SizedGpu]) -> Mapping[str, float]:
    """Return USD per GPU-hour on demand of the candidates that have such a price."""
    return {each.gpu: each.offers["on-demand"].usd_per_gpu_hour for each in sized if "on-demand" in each.offers}
