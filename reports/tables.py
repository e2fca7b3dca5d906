"""The rows behind the charts: the report's values regrouped, never recomputed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from data.catalog.prices import TERM_DAYS
from data.catalog.provisioned import PROVISIONED_DAYS
from reports.budget import FleetRow, Horizon, OptionChoice, Series, Workload
from sizing.money import PROVISIONED_OPTIONS, SHOWN_ONLY, CostLine

LOGICS = (
    ("mean_plan_gpus", "mean work"),
    ("p95_lengths_gpus", "p95 lengths"),
    ("windowed_p95_gpus", "windows, p95"),
    ("windowed_p99_gpus", "windows, p99"),
)
"""Four ways to ask for GPUs, by the field of FleetRow that holds each."""

BLOCK_DAYS = 7
SHOWN_HISTORY_DAYS = 406
"""A year and the weeks beside it; demand.csv has all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Mean of up to seven days: of what was seen (value), or of each daily quantile of the forecast."""

    start: date
    end: date
    value: float | None
    q2_5: float = math.nan
    q10: float = math.nan
    q50: float = math.nan
    q90: float = math.nan
    q97_5: float = math.nan

    @property
    def middle(self) -> float:
        """The middle of the block as a proleptic ordinal, for the axis of dates."""
        return (self.start.toordinal() + self.end.toordinal() + 1) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One way to pay for a workload, over each horizon."""

    name: str
    kind: str
    gpu: str | None
    lines: dict[int, CostLine]

    @property
    def any_line(self) -> CostLine:
        """The line of the shortest horizon: source, date and note are the same for all."""
        return self.lines[min(self.lines)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One (GPU, TP, precision) over each horizon."""

    gpu: str
    tp: int
    precision: str
    rows: dict[int, FleetRow]
    chosen_days: tuple[int, ...]

    @property
    def first(self) -> FleetRow:
        """The row of the shortest horizon, whose operating point the table prints."""
        return self.rows[min(self.rows)]


def history_blocks(series: Series) -> list[Block]:
    """Return the past in blocks of seven days that end where the forecast starts, oldest first."""
    days, values = series.history_days[-SHOWN_HISTORY_DAYS:], series.history[-SHOWN_HISTORY_DAYS:]
    blocks: list[Block] = []
    for end in range(len(days), 0, -BLOCK_DAYS):
        cut = slice(max(0, end - BLOCK_DAYS), end)
        seen = [v for v in values[cut] if v is not None and math.isfinite(v)]
        mean = math.fsum(seen) / len(seen) if seen else None
        blocks.append(Block(start=days[cut][0], end=days[cut][-1], value=mean))
    return blocks[::-1]


def forecast_blocks(series: Series) -> list[Block]:
    """Return the forecast in blocks of seven days from its first day; a last one under four days is left out."""
    blocks: list[Block] = []
    for start in range(0, len(series.days), BLOCK_DAYS):
        cut = slice(start, start + BLOCK_DAYS)
        days = series.days[cut]
        if len(days) < 4 and blocks:
            continue
        mean = {key: math.fsum(getattr(series, key)[cut]) / len(days) for key in _QUANTILES}
        blocks.append(Block(start=days[0], end=days[-1], value=mean.pop("mean"), **mean))
    return blocks


def options(horizons: Sequence[Horizon]) -> list[Option]:
    """Return the cost lines of all horizons, one entry per option, in the order in which they first appear."""
    found: dict[tuple[str, str, str | None], dict[int, CostLine]] = {}
    for horizon in horizons:
        for line in horizon.costs:
            found.setdefault((line.option, line.label, line.gpu), {})[horizon.days] = line
    return [Option(name=label, kind=kind, gpu=gpu, lines=lines) for (kind, label, gpu), lines in found.items()]


def charted(workload: Workload) -> list[Option]:
    """Return the options worth a bar, at most twelve: the API's, and those of the GPUs that are planned on."""
    gpus = {row.gpu for _, row in planned_rows(workload.horizons)}
    every = options(workload.horizons)
    return [o for o in every if o.gpu is None or o.gpu in gpus][:12]


def candidates(horizons: Sequence[Horizon]) -> list[Candidate]:
    """Return the fleets of all horizons, one entry per candidate, in the order in which they first appear."""
    found: dict[tuple[str, int, str], dict[int, FleetRow]] = {}
    for horizon in horizons:
        for row in horizon.fleets:
            found.setdefault((row.gpu, row.tp, row.precision), {})[horizon.days] = row
    shown = dict(planned_rows(horizons))
    return [
        Candidate(
            gpu=g, tp=tp, precision=p, rows=rows, chosen_days=tuple(d for d in rows if shown.get(d) == rows[d])
        )
        for (g, tp, p), rows in found.items()
    ]


def planned_rows(horizons: Sequence[Horizon]) -> list[tuple[int, FleetRow]]:
    """Return (days, row) of the fleet that each horizon is planned on.

    The chosen GPU's feasible row; where no GPU was chosen (the API is), that of the GPU with the cheapest cost
    line, so that the page can still say what an own fleet would take. Horizons without a
    feasible row are left out.
    """
    found = []
    for horizon in horizons:
        feasible = [row for row in horizon.fleets if row.feasible]
        chosen = [row for row in feasible if row.gpu == horizon.chosen_gpu] or feasible
        if chosen:
            usd = _least_by_gpu(horizon)
            best = min(chosen, key=lambda row: (usd.get(row.gpu, math.inf), _size(row)))
            found.append((horizon.days, best))
    return found


def cheapest(horizon: Horizon) -> CostLine | None:
    """Return the line with the least expected cost, None where no price is known.

    Only lines that `may_choose` count.
    """
    priced = [
        (line.usd.mean, i)
        for i, line in enumerate(horizon.costs)
        if line.usd is not None and may_choose(line.option, horizon.days)
    ]
    return horizon.costs[min(priced)[1]] if priced else None


def may_choose(option: str, days: int) -> bool:
    """Say whether an option can be compared over a horizon.

    A term that outlasts it cannot: over 30 days one month of a year's commitment is not its price. What is
    committed already is paid either way, and some options are only shown.
    """
    return option != "committed" and option not in SHOWN_ONLY and not outlasts(option, days)


def outlasts(option: str, days: int) -> bool:
    """Say whether taking an option binds for longer than the horizon."""
    units = {PROVISIONED_OPTIONS[term]: length for term, length in PROVISIONED_DAYS.items()}
    return any(term == option and length > days for term, length in (*TERM_DAYS.items(), *units.items()))


def choice(workload: Workload, days: int) -> OptionChoice | None:
    """Return what to do with a workload over one horizon, None where the plan has no such horizon."""
    return next((h.decision for h in workload.horizons if h.days == days), None)


def by_size(workloads: Sequence[Workload]) -> list[Workload]:
    """Return the workloads, dearest decision over the longest horizon first; unknown cost last."""
    return sorted(workloads, key=lambda w: -_cost(w))


_QUANTILES = ("mean", "q2_5", "q10", "q50", "q90", "q97_5")


def _least_by_gpu(horizon: Horizon) -> dict[str, float]:
    """Return the least expected cost of each GPU that has a priced line."""
    found: dict[str, float] = {}
    for line in horizon.costs:
        if line.gpu is not None and line.usd is not None:
            found[line.gpu] = min(line.usd.mean, found.get(line.gpu, math.inf))
    return found


def _size(row: FleetRow) -> float:
    return math.inf if row.gpus_p80 is None else row.gpus_p80


def _cost(workload: Workload) -> float:
    usd = workload.horizons[-1].decision.usd if workload.horizons else None
    return -1.0 if usd is None else usd
