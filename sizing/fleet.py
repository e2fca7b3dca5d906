"""How many GPUs a workload takes: every path and day, and the quantiles that a horizon is planned on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from data.errors import UserError
from data.traffic import PERCENTILES, SUMS, Category, Traffic
from data.units import DAY_S
from forecasting.demand import HORIZONS_DAYS, Demand
from sizing.availability import N_PLUS_1, Availability
from sizing.profile import ReplicaProfile
from sizing.queueing.curve import SloCurve
from sizing.queueing.plan import busiest_hour
from sizing.windows import FINE_WINDOW_S, PLANNED_PERCENTILE, BusyWindows, busy_windows

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MEAN_UTILISATION = 0.7
"""Share of a fleet that plans on mean work fill, so that bursts find room: the textbook's u."""

WINDOW_UTILISATION = 0.9
"""Share that plans on windowed work fill: bursts are in the windows, what 10 s and uneven replicas hide is not."""

PLANNED_QUANTILE = 0.8
"""Quantile over paths at which the ways of planning are compared."""

DEADLINE_H = 24.0
"""Hours within which batch work is done where nobody says otherwise."""

GPUS_PER_NODE = 8
NO_SPARES = Availability(spare_replicas=0)
BACKLOG_HOURS = (1, 2, 3, 4, 6, 8, 12, 16, 20, 24, 48, 72)
"""Lengths of the stretches of arrivals that a batch fleet is checked against."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetHorizon:
    """One horizon of a fleet plan. GPUs are whole replicas times TP; None = this way of planning is not possible.

    gpus_p50, gpus_p80, gpus_p95: quantiles over paths of the largest daily fleet, spares included.
    mean_plan_gpus, p95_lengths_gpus, windowed_p95_gpus, windowed_p99_gpus: at the 80% path, without spares: what
        mean work at 70% asks, what the product of the 95% lengths would, what busy 10 s do.
    gpus_low, gpus_high: gpus_p80 if throughput is at the high and low end of its measured 80% band.
    utilisation: mean work over what gpus_p80 can do. power_kw: their TDP, without hosts and cooling.
    """

    days: int
    gpus_p50: int
    gpus_p80: int
    gpus_p95: int
    mean_plan_gpus: int
    p95_lengths_gpus: int | None
    windowed_p95_gpus: int | None
    windowed_p99_gpus: int | None
    spare_gpus: int
    nodes: int
    utilisation: float
    gpus_low: int
    gpus_high: int
    power_kw: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetPlan:
    """One workload on one kind of replica, along every path.

    need_gpus: (S, D) GPUs of each path and day: whole replicas times TP, spares included.
    load: (S, D) replicas' worth of mean work, unrounded. hour_share: (D, 24) of a day's work, adding up to 1.
    busy: how work gathers within an hour, None for work that waits or was never seen; filled: share of a replica
    that the plan fills, where no SLO says it.
    curve: replicas with which the SLO's percentile holds, None where utilisation alone sizes the fleet.
    hour_peak: (S, D) load of the busiest hour over the day's mean. spare_gpus: at the first horizon's 80% path.
    notes: sentences that the page prints.
    """

    workload: str
    category: Category
    profile: ReplicaProfile
    need_gpus: Ints
    load: Floats
    hour_share: Floats
    busy: BusyWindows | None
    filled: float
    spare_gpus: int
    horizons: tuple[FleetHorizon, ...]
    notes: tuple[str, ...]
    hour_peak: Floats
    curve: SloCurve | None = None
    availability: Availability = N_PLUS_1
    gpus_per_node: int = GPUS_PER_NODE

    def hourly_gpus(self) -> Ints:
        """Return (S, D, 24): GPUs that each hour takes, what an autoscaler could not give back.

        Online: what holds the SLO in each hour, or its busiest windows where there is no SLO; asked for as much
        earlier as replicas come late (`Availability.ahead`), at most the day's fleet. Batch work is done as
        soon as the day's fleet can, first come first served, and its GPUs are given back while nothing waits.
        """
        if self.category != "online":
            return self._backlog_gpus()
        paths, days = self.load.shape
        hours = self._hour_replicas().reshape(paths, days * 24)
        needed = self.availability.ahead(hours).reshape(paths, days, 24)
        spares = _Spares(self.availability, self.profile.gpus, self.gpus_per_node)
        return np.minimum(spares.added(needed), self.need_gpus[:, :, None])

    def busy_share(self) -> float:
        """Return the share of paid time that is work, before whole replicas and spares are counted."""
        if self.category != "online":
            return self.filled
        return float(self._hours().sum() / self._hour_replicas().sum())

    def _hour_replicas(self) -> Floats:
        """Return unrounded replicas of each hour (S, D, 24), spares left out."""
        if self.curve is not None:
            return self.curve.replicas(self._hours())
        return self._busy_hours() / self.filled

    def _hours(self) -> Floats:
        return np.asarray(self.load[:, :, None] * self.hour_share[None] * 24)

    def _busy_hours(self) -> Floats:
        hours = self._hours()
        return np.maximum(self.busy.hour_load(hours), hours) if self.busy else hours

    def _backlog_gpus(self) -> Ints:
        """Work off what waits: with arrivals a and capacity c of each hour, what waits is (Lindley's recursion)

        waits_t = max(0, waits_(t-1) + a_t - c_t) = X_t - min(0, min over s <= t of X_s),  X_t = sum of a - c
        """
        paths, days = self.load.shape
        arrived = self._hours().reshape(paths, days * 24)
        capacity = np.repeat(self.need_gpus, 24, axis=1) / self.profile.gpus * self.filled
        total = np.cumsum(arrived - capacity, axis=1)
        waits = total - np.minimum(np.minimum.accumulate(total, axis=1), 0.0)
        before = np.concatenate([np.zeros((paths, 1)), waits[:, :-1]], axis=1)
        done = arrived + before - waits
        return _gpus(done / self.filled, self.profile.gpus).reshape(paths, days, 24)


def plan_fleet(
    demand: Demand,
    traffic: Traffic,
    profile: ReplicaProfile,
    *,
    category: Category,
    mean_utilisation: float = MEAN_UTILISATION,
    window_utilisation: float = WINDOW_UTILISATION,
    window_percentile: float = PLANNED_PERCENTILE,
    window_s: int = FINE_WINDOW_S,
    deadline_h: float | None = None,
    spares: bool = True,
    curve: SloCurve | None = None,
    availability: Availability = N_PLUS_1,
    tdp_w: float | None = None,
    gpus_per_node: int = GPUS_PER_NODE,
    horizons: Sequence[int] = HORIZONS_DAYS,
    seen: BusyWindows | None = None,
) -> FleetPlan:
    """Return the fleet that this demand takes on this replica.

    online: each day's fleet does the 99% (window_percentile) busiest 10 s of that day, the historical distribution
        of windowed work rescaled to the path's work of the day (`BusyWindows`); one replica more is spare. A
        source of windows longer than window_s gets no such plan: its own busiest windows at `mean_utilisation`,
        and a note.
        With a `curve` (an SLO), each day's fleet instead is the fewest replicas with which the SLO's percentile
        holds in the day's busiest hour; utilisation then sizes nothing.
    availability: what comes on top for failures and maintenance (spares=False: nothing).
    batch, scheduled: whatever arrives is done within deadline_h (DEADLINE_H where None) at `mean_utilisation`; no
        spares, since it can wait.

    seen: how work gathers on this replica where that is known already (an earlier `FleetPlan.busy` of the same
        profile, traffic and lengths); None = learned from the traffic.

    Raises UserError where the demand is not known on every day.
    """
    rules = _Rules(mean_utilisation, window_utilisation, tdp_w, gpus_per_node)
    load = profile.work_s(_sums(demand)) / DAY_S
    if not np.isfinite(load).all():
        raise UserError(
            f"Workload {demand.workload!r} has days without a known number of requests or tokens, so it cannot be"
            " sized; give a source that states its token counts."
        )
    hour_share = _hour_share(demand)
    busy = seen
    if busy is None and category == "online":
        fine_s = max(window_s, FINE_WINDOW_S)
        busy = busy_windows(traffic, profile, demand.moments, percentile=window_percentile, fine_s=fine_s)
    filled = window_utilisation if busy and busy.fine else mean_utilisation
    hour_peak = busiest_hour(demand)
    if category == "online" and curve is not None:
        need = curve.replicas(load * hour_peak)
    elif category == "online":
        # Where requests are so few that 99% of windows are empty, the mean is what must run.
        need = np.maximum(busy.planned_load(load), load) / filled if busy else load / filled
    else:
        need = _deadline_load(load, hour_share, deadline_h or DEADLINE_H) / filled
    spared = _Spares(availability if category == "online" and spares else NO_SPARES, profile.gpus, gpus_per_node)
    lengths = _lengths_load(demand, profile)
    paths = _Paths(profile, load, need, lengths, busy if busy and busy.fine else None, spared)
    rows = tuple(_horizon(days, paths, rules) for days in horizons if days <= load.shape[1])
    return FleetPlan(
        workload=demand.workload,
        category=category,
        profile=profile,
        need_gpus=spared.added(need),
        load=load,
        hour_share=hour_share,
        busy=busy,
        filled=filled,
        spare_gpus=rows[0].spare_gpus if rows else 0,
        horizons=rows,
        notes=_notes(busy, mean_utilisation) if category == "online" and curve is None else (),
        hour_peak=hour_peak,
        curve=curve if category == "online" else None,
        availability=spared.availability,
        gpus_per_node=gpus_per_node,
    )


@dataclass(frozen=True, slots=True)
class _Rules:
    mean_utilisation: float
    window_utilisation: float
    tdp_w: float | None
    gpus_per_node: int


@dataclass(frozen=True, slots=True)
class _Paths:
    """Replicas' worth along every path and day (S, D): mean work, what must run, what 95% lengths would ask."""

    profile: ReplicaProfile
    load: Floats
    need: Floats
    lengths: Floats | None
    busy: BusyWindows | None
    spares: "_Spares"

    def gpus(self, replicas: Floats, days: int, quantile: float = PLANNED_QUANTILE, times: float = 1.0) -> int:
        """Return GPUs at a quantile over paths of the largest day among the first `days`."""
        return int(_gpus(self._largest(replicas, days, quantile) * times, self.profile.gpus))

    def with_spares(self, days: int, quantile: float = PLANNED_QUANTILE, times: float = 1.0) -> int:
        """Return the same of what must run, spares included."""
        return int(self.spares.added(np.array(self._largest(self.need, days, quantile) * times)))

    def _largest(self, replicas: Floats, days: int, quantile: float) -> float:
        return float(np.quantile(replicas[:, :days].max(axis=1), quantile, method="higher"))


@dataclass(frozen=True, slots=True)
class _Spares:
    """Adds to a fleet what it has beyond its load."""

    availability: Availability
    replica_gpus: int
    gpus_per_node: int

    def added(self, replicas: Floats) -> Ints:
        """Return GPUs of unrounded replicas (...,), made whole, spares included."""
        whole = _gpus(replicas, 1)
        spares = self.availability.spares(whole, replica_gpus=self.replica_gpus, gpus_per_node=self.gpus_per_node)
        return np.asarray((whole + spares) * self.replica_gpus)


def _horizon(days: int, paths: _Paths, rules: _Rules) -> FleetHorizon:
    busy, lengths, profile = paths.busy, paths.lengths, paths.profile
    p80 = paths.with_spares(days)
    mean, window = 1 / rules.mean_utilisation, 1 / rules.window_utilisation
    return FleetHorizon(
        days=days,
        gpus_p50=paths.with_spares(days, 0.5),
        gpus_p80=p80,
        gpus_p95=paths.with_spares(days, 0.95),
        mean_plan_gpus=paths.gpus(paths.load, days, times=mean),
        p95_lengths_gpus=None if lengths is None else paths.gpus(lengths, days, times=mean),
        windowed_p95_gpus=paths.gpus(busy.p95_load(paths.load), days, times=window) if busy else None,
        windowed_p99_gpus=paths.gpus(busy.p99_load(paths.load), days, times=window) if busy else None,
        spare_gpus=p80 - paths.gpus(paths.need, days),
        nodes=-(-p80 // rules.gpus_per_node),
        utilisation=float(paths.load[:, :days].mean()) * profile.gpus / p80 if p80 else 0.0,
        gpus_low=paths.with_spares(days, times=1 / profile.error_p90),
        gpus_high=paths.with_spares(days, times=1 / profile.error_p10),
        power_kw=None if rules.tdp_w is None else p80 * rules.tdp_w / 1_000,
    )


def _sums(demand: Demand) -> Floats:
    """Return (S, D, 9) sums of every path and day, in which no more of a prompt is cached than there is of it.

    On a path whose cached share grows, the ratio of squares that was measured would overtake the prompts' own.
    """
    sums = demand.sums()
    for cached, prompt in (
        ("cached_prompt_tok_sum", "prompt_tok_sum"),
        ("cached_prompt_tok_sq_sum", "prompt_tok_sq_sum"),
    ):
        c, p = SUMS.index(cached), SUMS.index(prompt)
        sums[..., c] = np.minimum(sums[..., c], sums[..., p])
    return sums


def _gpus(load: Floats | float, tp: int) -> Ints:
    """Return whole replicas times tp for loads in replicas; a load of 10.0000001 from rounding is still 10."""
    return np.asarray(np.ceil(np.round(load, 9)), dtype=np.int64) * tp


def _notes(busy: BusyWindows | None, mean_utilisation: float) -> tuple[str, ...]:
    """Return what the page must say about the windows that an online fleet is planned on."""
    if busy is None:
        return ("No window of work was seen, so the fleet is the mean plan.",)
    if not busy.fine:
        return (
            f"The source gives windows of {busy.window_s} s, which hide bursts, so there is no 10-s plan: the"
            f" fleet covers its busiest 1% of windows at {mean_utilisation:.0%} utilisation.",
        )
    return () if busy.by_day else ("Not one whole day was seen, so busy windows are measured against all of it.",)


def _hour_share(demand: Demand) -> Floats:
    """Return (D, 24) share of each day's work by UTC hour, as `Demand.hourly` has it."""
    return np.asarray(replace(demand, requests=np.ones((1, len(demand.days)))).hourly()[0])


def _deadline_load(load: Floats, hour_share: Floats, deadline_h: float) -> Floats:
    """Return (S, D) replicas that finish all work within deadline_h of its arrival, first come first served.

    Work that arrives within x hours must be done x + deadline hours after the first of it came, so the fleet is
    at least A(x) / (x + deadline) for every stretch x; the stretches of BACKLOG_HOURS that end in each day are
    checked, in the path's own hours.
    """
    paths, days = load.shape
    hours = (load[:, :, None] * hour_share[None] * 24).reshape(paths, days * 24)
    done = np.concatenate([np.zeros((paths, 1)), np.cumsum(hours, axis=1)], axis=1)
    need = np.zeros((paths, days))
    for x in (n for n in BACKLOG_HOURS if n <= days * 24):
        rate = (done[:, x:] - done[:, :-x]) / (x + deadline_h)
        ending = np.concatenate([np.zeros((paths, x - 1)), rate], axis=1)
        need = np.maximum(need, ending.reshape(paths, days, 24).max(axis=2))
    return need


def _lengths_load(demand: Demand, profile: ReplicaProfile) -> Floats | None:
    """Return (S, D) replicas' worth of work if every request had the 95% prompt and the 95% output length.

    The plan that percentiles of lengths would ask for: shown to be compared with, never used. None where the
    percentiles are unknown.
    """
    tokens = {outlook.field: outlook.tok[PERCENTILES.index(0.95), :, 2] for outlook in demand.tokens}
    if not {"prompt", "output"} <= set(tokens):
        return None
    prompt, output = tokens["prompt"], tokens["output"]
    if not (np.isfinite(prompt).all() and np.isfinite(output).all()):
        return None
    mean_prompt = np.maximum(demand.prompt_tok, 1e-9)
    cached = prompt[None] * np.clip(demand.cached_prompt_tok / mean_prompt, 0.0, 1.0)
    p, o = np.broadcast_to(prompt, cached.shape), np.broadcast_to(output, cached.shape)
    sums = np.stack([np.ones_like(p), p, cached, o, p * p, cached * cached, p * cached, p * o, o * o], axis=-1)
    return np.asarray(demand.requests * profile.work_s(sums) / DAY_S)
