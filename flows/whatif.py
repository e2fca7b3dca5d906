"""What could change: demand, facts or prices, sized and priced again with the functions of the walk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import numpy.typing as npt

from data.errors import UserError
from data.traffic import Traffic
from flows.cases import Case, changed, changed_moves, later
from flows.pricing import Needs, Priced, chosen_cost, hosting_gpu, hosting_need, price, share_held
from flows.scenario_settings import LeverSettings
from flows.settings import LoadedPlan
from flows.spend import plan_spend, stretches
from flows.walk import Corrections, Facts, SizedGpu, as_day, size
from forecasting.demand import Demand
from forecasting.transform import some_paths
from sizing.compare import DailyCost
from sizing.gpu_cost import committed_usd
from sizing.scenarios.prices import PriceItem

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Moves = Mapping[PriceItem, Floats]

CONTENDER = 2.0
"""A GPU is weighed again in scenarios where its cheapest option costs at most so many times the cheapest one's, or
is one of the two cheapest."""


class CannotServeError(UserError):
    """A workload that none of its GPUs can serve once things have changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one way that things could be, from its first day on. usd, gpus: (S, D) of the whole plan.

    usd is without scheduled jobs, None where a choice has no known price. priced, needs, sized: by workload.
    lost_gpus: by workload, the most reserved GPUs that are gone at once, mean over paths; None where none are.
    """

    usd: Floats | None
    gpus: Ints
    sized: tuple[tuple[SizedGpu, ...], ...]
    priced: tuple[Priced, ...]
    needs: tuple[Needs, ...]
    lost_gpus: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stretch of days under one state of things: from its first day to the next one's, against the plan's."""

    first_day: int
    planned: Outcome
    outcome: Outcome
    cases: tuple[Case, ...]


class WhatIf:
    """The plan on some of its paths, ready to be changed; what does not change is worked out once."""

    def __init__(
        self,
        plan: LoadedPlan,
        facts: Facts,
        traffic: Sequence[Traffic],
        demands: Sequence[Demand],
        sized: Sequence[Sequence[SizedGpu]],
        priced: Sequence[Priced],
        moves: Moves,
    ) -> None:
        every = demands[0].requests.shape[0]
        count = min(plan.settings.stress.paths, every)
        self.picked = np.unique(np.linspace(0, every - 1, count).round().astype(np.int64))
        self.plan, self.facts = plan, facts
        self.moves = {item: path[self.picked] for item, path in moves.items()}
        self.cases = tuple(
            _contending(
                Case(
                    settings=workload,
                    traffic=traffic[n],
                    demand=some_paths(demands[n], self.picked),
                    known=None,
                ),
                sized[n],
                priced[n],
                plan.settings.horizons_days,
            )
            for n, workload in enumerate(plan.settings.workloads)
        )
        self.corrections: tuple[Corrections, ...] = tuple(
            {each.gpu: each.fleet.curve.corrections for each in candidates if each.fleet and each.fleet.curve}
            for candidates in sized
        )
        self._planned: dict[int, Outcome] = {}

    @property
    def days(self) -> npt.NDArray[np.datetime64]:
        """The planned days, (D,)."""
        return self.cases[0].demand.days

    @property
    def plan_start(self) -> date:
        """The first planned day."""
        return as_day(self.days[0])

    def planned(self, first_day: int) -> Outcome:
        """Return the plan itself, decided anew on its first_day-th day."""
        if first_day not in self._planned:
            self._planned[first_day] = self._outcome(self.cases, self.moves, first_day)
        return self._planned[first_day]

    def segments(self, levers: Sequence[LeverSettings]) -> list[Segment]:
        """Return the stretches that the levers' starts cut the plan into; levers past the plan pull nothing.

        Raises UserError where a workload fits none of its GPUs then.
        """
        starts = sorted({start for each in levers if (start := self.start_of(each)) < len(self.days)})
        found = []
        for first in starts:
            pulled = [each for each in levers if self.start_of(each) <= first]
            cases = self.cases
            for lever in pulled:
                cases = tuple(changed(case, lever) for case in cases)
            moves = self._moves(pulled)
            outcome = self._outcome(cases, moves, first)
            for lever in pulled:
                outcome = self._lost(outcome, lever, first, moves)
            found.append(Segment(first_day=first, planned=self.planned(first), outcome=outcome, cases=cases))
        return found

    def start_of(self, lever: LeverSettings) -> int:
        """Return the day on which the lever is pulled, 0 for the first one or any before it."""
        return 0 if lever.start is None else max(0, int((np.datetime64(lever.start) - self.days[0]).astype(int)))

    def _moves(self, levers: Sequence[LeverSettings]) -> dict[PriceItem, Floats]:
        """Return the price paths with every lever's prices on them, each from its own start."""
        moves = self.moves
        for lever in levers:
            start = self.start_of(lever)
            after = changed_moves(
                {item: path[:, start:] for item, path in moves.items()}, lever, self.days[start:]
            )
            moves = {item: np.hstack([path[:, :start], after[item]]) for item, path in moves.items()}
        return moves

    def _outcome(self, cases: Sequence[Case], moves: Moves, first: int) -> Outcome:
        cases = [later(case, first) for case in cases]
        here = {item: path[:, first:] for item, path in moves.items()}
        plan = _with_horizons(self.plan, len(self.days) - first)
        try:
            sized = tuple(
                size(plan, self.facts, case.settings, case.traffic, case.demand, case.known, said)
                for case, said in zip(cases, self.corrections, strict=True)
            )
        except UserError as error:
            raise CannotServeError(str(error)) from error
        needs = share_held(plan, [case.demand for case in cases], sized)
        priced = tuple(
            price(plan, case.settings, case.demand, each, need, here, bare=True)
            for case, each, need in zip(cases, sized, needs, strict=True)
        )
        demand = cases[0].demand
        held = committed_usd([c.to_commitment() for c in plan.settings.commitments], demand.days)
        spend = plan_spend(plan.settings, priced, held, np.zeros_like(demand.requests))
        days = plan.settings.horizons_days[0]
        gpus = np.sum(
            [hosting_need(each, found, days)[1] for each, found in zip(sized, priced, strict=True)], axis=0
        )
        usd = None if spend.unpriced else spend.usd
        return Outcome(usd=usd, gpus=gpus, sized=sized, priced=priced, needs=needs)

    def _lost(self, outcome: Outcome, lever: LeverSettings, first: int, moves: Moves) -> Outcome:
        """Return the outcome with a share of the reserved GPUs gone: paid on, and bought anew on demand.

        GPUs by the hour and APIs are asked for elsewhere at the same price; what is reserved is paid twice.
        """
        last = self.start_of(lever) + lever.lost_days - first
        if lever.region_lost is None or outcome.usd is None or last <= 0:
            return outcome
        usd, gpus, most = outcome.usd.copy(), outcome.gpus.copy(), [0] * len(self.cases)
        horizons = _with_horizons(self.plan, len(self.days) - first).settings.horizons_days
        for n, (case, priced) in enumerate(zip(self.cases, outcome.priced, strict=True)):
            if lever.workloads is not None and case.settings.name not in lever.workloads:
                continue
            for begin, end, choice in stretches(horizons, priced.choices):
                cost, inside = chosen_cost(priced.costs, choice), slice(begin, min(end, last))
                if cost is None or cost.gpu is None or inside.start >= inside.stop:
                    continue
                spot = next(each.offers for each in outcome.sized[n] if each.gpu == cost.gpu).get("on-demand")
                if spot is None:
                    return replace(outcome, usd=None)
                lost = np.ceil(_reserved_in_use(cost, outcome.needs[n])[:, inside] * lever.region_lost)
                moved = moves.get(PriceItem("gpu", cost.gpu))
                by = 1.0 if moved is None or spot.contract else moved[:, first:][:, inside]
                usd[:, inside] += lost.sum(axis=2) * spot.usd_per_gpu_hour * by
                gpus[:, inside] += lost.max(axis=2, initial=0.0).astype(np.int64)
                most[n] = max(most[n], int(np.ceil(lost.mean(axis=0).max())))
        return replace(outcome, usd=usd, gpus=gpus, lost_gpus=tuple(most))


def _reserved_in_use(cost: DailyCost, needs: Needs) -> Floats:
    """Return (S, D, 24) reserved GPUs of an option that the need uses: in force already, and of its own terms."""
    gpu = str(cost.gpu)
    if cost.held_gpus is None:
        return needs.held[gpu]
    return np.asarray(needs.held[gpu] + np.minimum(needs.buy[gpu], cost.held_gpus[None, :, None]))


def _contending(case: Case, sized: Sequence[SizedGpu], priced: Priced, horizons: Sequence[int]) -> Case:
    """Return the case with the GPUs that could be chosen, and their fleets as known replicas."""
    last = horizons[-1]
    best: dict[str, float] = {}
    for each in priced.lines[last]:
        if each.line.gpu is not None and each.line.usd is not None:
            best[each.line.gpu] = min(best.get(each.line.gpu, np.inf), each.line.usd.mean)
    least = min(best.values(), default=np.inf)
    hosting = {hosting_gpu(priced, days) for days in horizons}
    near = {gpu for gpu, usd in best.items() if usd <= CONTENDER * least}
    kept = hosting | near | set(sorted(best, key=best.__getitem__)[:2])
    fleets = {each.gpu: each.fleet for each in sized if each.fleet is not None and (each.gpu in kept or not best)}
    return replace(case, known=fleets)


def _with_horizons(plan: LoadedPlan, days: int) -> LoadedPlan:
    """Return the plan with its horizons cut to the days that are left."""
    horizons = sorted({min(each, days) for each in plan.settings.horizons_days})
    if horizons == plan.settings.horizons_days:
        return plan
    return plan.model_copy(update={"settings": plan.settings.model_copy(update={"horizons_days": horizons})})
