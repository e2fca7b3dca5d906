"""What `fleetcast simulate` serves: requests of a trace, of rollups or by chance, and the fleets of a plan."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from data.errors import UserError
from data.read_traffic import load_traffic
from data.trace import Trace, read_trace, store_of_files
from data.traffic import Match, Traffic
from data.warehouse import Store, open_store
from flows.pricing import price, share_held
from flows.settings import LoadedPlan, WorkloadSettings
from flows.walk import SizedGpu, foresee, read_facts, read_past, size
from sizing.fleet import FleetPlan
from sizing.profile import Slo
from sizing.simulate.arrivals import from_traffic, lengths_of, renewal, repeated
from sizing.simulate.requests import Requests

KINDS = ("trace", "rollup", "poisson", "gamma")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How requests are made. kind: None = the trace where each request was logged, else its rollups.

    times: multiple of the logged rate. cv: of the gaps between requests, for gamma. hours: the busiest stretch of
    so many, None = all of a trace.
    """

    kind: str | None = None
    times: float = 1.0
    cv: float = 1.0
    hours: float | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Requests to simulate, and one sentence on where they came from."""

    requests: Requests
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFleet:
    """One online workload's planned fleet, its spares apart, and its own logged requests."""

    workload: WorkloadSettings
    fleet: FleetPlan
    replicas: int
    spare_replicas: int
    served: Served

    @property
    def slo(self) -> Slo:
        """Return what the workload promises."""
        return self.workload.slo.to_slo()


def served_of_files(
    paths: Sequence[Path],
    asked: Asked,
    *,
    now: datetime,
    format: str | None = None,  # noqa: A002  # what the command line's option is called
    mapping: Path | None = None,
    start: datetime | None = None,
) -> Served:
    """Return the requests of log files; raises UserError where they hold none that can be simulated."""
    with store_of_files(paths, now=now, format=format, mapping=mapping, start=start) as store:
        return _served(store, Match(), asked, name=str(paths[0]), until=now.date() + timedelta(days=2))


def planned_fleets(plan: LoadedPlan, asked: Asked, as_of: date) -> Iterator[PlannedFleet]:
    """Yield the fleet that the plan would choose for each online workload, with its logged requests.

    The fleet is the first horizon's at the 80% path, spares apart; where an API is chosen, or nothing, the one
    of the fewest GPUs. Raises UserError where no workload is online.
    """
    if all(workload.category != "online" for workload in plan.settings.workloads):
        raise UserError(f"{plan.path} has no online workload to simulate; batch work has a deadline instead.")
    facts, past = read_facts(plan), read_past(plan, as_of)
    workloads = plan.settings.workloads
    outlooks = [foresee(plan, traffic, as_of) for traffic in past.traffic]
    sized = [
        size(plan, facts, workload, traffic, outlook.demand)
        for workload, traffic, outlook in zip(workloads, past.traffic, outlooks, strict=True)
    ]
    needs = share_held(plan, [outlook.demand for outlook in outlooks], sized)
    for n, (workload, traffic) in enumerate(zip(workloads, past.traffic, strict=True)):
        if workload.category != "online":
            continue
        priced = price(plan, workload, outlooks[n].demand, sized[n], needs[n])
        fleet = _chosen(sized[n], priced.choices[plan.settings.horizons_days[0]].gpu)
        with open_store(plan.store_path) as store:
            served = _served(store, traffic.match, asked, name=workload.name, traffic=traffic)
        requests = in_planned_tokens(served.requests, workload.token_ratio)
        spare = fleet.spare_gpus // fleet.profile.gpus
        yield PlannedFleet(
            workload=workload,
            fleet=fleet,
            replicas=max(1, fleet.horizons[0].gpus_p80 // fleet.profile.gpus - spare),
            spare_replicas=spare,
            served=replace(served, requests=requests),
        )


def in_planned_tokens(requests: Requests, ratio: float) -> Requests:
    """Return the requests in tokens of the planned model, where another tokenizer logged them."""
    if ratio == 1.0:
        return requests
    columns = (requests.prompt_tok, requests.output_tok, requests.cached_prompt_tok)
    prompt, output, cached = (np.rint(column * ratio) for column in columns)
    return Requests.of(requests.arrival_s, prompt, output, np.minimum(cached, prompt), requests.batch)


def _chosen(sized: Sequence[SizedGpu], gpu: str | None) -> FleetPlan:
    fleets = {each.gpu: each.fleet for each in sized if each.fleet is not None}
    if gpu in fleets:
        return fleets[gpu]
    return min(fleets.values(), key=lambda fleet: fleet.horizons[0].gpus_p80)


def _served(
    store: Store,
    match: Match,
    asked: Asked,
    *,
    name: str,
    traffic: Traffic | None = None,
    until: date | None = None,
) -> Served:
    """Return requests of one kind from a store's trace or rollups."""
    if traffic is None:
        traffic = load_traffic(store, workload=name, match=match, since=None, until=until or date.max)
    logged = traffic.source_kind == "requests"
    kind = asked.kind or ("trace" if logged else "rollup")
    if kind == "trace" and not logged:
        raise UserError(f"{name} states sums, no requests one by one; simulate it with --arrivals rollup.")
    if kind == "rollup":
        requests = from_traffic(traffic, seed=asked.seed, times=asked.times, hours=asked.hours or 24.0)
        return Served(requests=requests, source=f"{name}, resampled from windows of {traffic.window_s} s")
    if not logged:
        return _by_chance(traffic, asked, kind, name)
    since, end = _busiest(traffic, asked.hours)
    requests = requests_of(read_trace(store, match, since=since, until=end), name)
    if kind == "trace":
        return Served(
            requests=repeated(requests, asked.times, seed=asked.seed),
            source=f"{name} as logged from {since:%Y-%m-%d %H:%M:%S} UTC",
        )
    rate = len(requests) / max(requests.span_s, 1.0)
    return _renewal(lengths_of(requests), rate, requests.span_s, asked, kind, name)


def _by_chance(traffic: Traffic, asked: Asked, kind: str, name: str) -> Served:
    if traffic.joint.empty:
        raise UserError(f"{name} states no token lengths, so that no request can be drawn; ingest one that does.")
    hours = asked.hours or 24.0
    rate = float(np.nanmean(traffic.windows["requests"])) / traffic.window_s
    return _renewal(traffic.joint, rate, hours * 3_600, asked, kind, name)


def _renewal(lengths: "pd.DataFrame", rate: float, seconds: float, asked: Asked, kind: str, name: str) -> Served:
    cv = asked.cv if kind == "gamma" else 1.0
    requests = renewal(rate * asked.times, seconds, lengths, seed=asked.seed, cv=cv)
    gaps = "Poisson arrivals" if kind == "poisson" else f"Gamma gaps of CV {cv:g}"
    return Served(requests=requests, source=f"{gaps} at the mean rate of {name}, with its lengths")


def _busiest(traffic: Traffic, hours: float | None) -> tuple[datetime, datetime]:
    """Return the busiest stretch of so many hours among the windows that are kept, or all of them."""
    windows = traffic.windows["requests"].fillna(0.0)
    begin, end = windows.index[0], windows.index[-1]
    step = pd.Timedelta(seconds=traffic.window_s)
    if hours is not None:
        rolling = windows.rolling(max(1, round(hours * 3_600 / traffic.window_s)), min_periods=1).sum()
        end = windows.index[int(rolling.to_numpy().argmax())]
        begin = max(begin, end + step - pd.Timedelta(hours=hours))
    return begin.to_pydatetime().replace(tzinfo=UTC), (end + step).to_pydatetime().replace(tzinfo=UTC)


def requests_of(trace: Trace, name: str) -> Requests:
    """Return a trace's requests for the simulator; raises UserError where it has none."""
    if not len(trace):
        raise UserError(
            f"{name} has no request with known prompt and output tokens; ingest a log that states them."
        )
    return Requests.of(trace.arrival_s, trace.prompt_tok, trace.output_tok, trace.cached_prompt_tok, trace.batch)
