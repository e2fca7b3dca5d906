"""One term on one GPU: how much of it, what it wins and risks, until when to decide, and why in one sentence."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt

from data.errors import UserError
from forecasting.spread import Spread
from sizing.bands import Band, busy_hours
from sizing.commit.market import MarketTerm
from sizing.commit.recourse import DAY_HOURS, Case, Recourse

Floats = npt.NDArray[np.float64]
Action = Literal["commit", "hedge", "watch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TermDecision:
    """What to do about one term on one GPU, and why.

    term: the catalog's name of it, or the file's. gpus: GPUs that the rule reserves (whole units of unit_gpus), of
    which firm_gpus pay even at the 10th percentile of each band over the paths. usd_total is for the whole term,
    upfront_usd the part of it due on `start`. saving_usd, chance_of_loss and regret_p95_usd are over its
    known_days, the days that the paths cover: the saving against buying the same need without the term; the share
    of paths on which it is negative; and the 95th percentile of what the units that were best in hindsight would
    have saved more. breakeven_utilisation is 1 - discount; expected_utilisation that of the reserved GPUs by the
    need and by work that can wait, None where none is reserved. decide_by: the last day on which signing still
    gives `start`; `end` is the term's last.
    """

    gpu: str
    term: str
    name: str
    action: Action
    gpus: int
    unit_gpus: int
    firm_gpus: int
    usd_per_gpu_hour: float
    on_demand_usd_per_gpu_hour: float
    usd_per_hour: float
    usd_total: float
    upfront_usd: float
    start: date
    end: date
    known_days: int
    saving_usd: Spread
    breakeven_utilisation: float
    expected_utilisation: float | None
    chance_of_loss: float
    regret_p95_usd: float
    decide_by: date
    reason: str
    bands: tuple[Band, ...]
    source: str
    checked: date | None


def action_for(days: int) -> Action:
    """Return what a horizon of so many days is for: commit up to 45, hedge up to 180, watch beyond.

    >>> [action_for(days) for days in (30, 90, 365)]
    ['commit', 'hedge', 'watch']
    """
    return "commit" if days <= 45 else "hedge" if days <= 180 else "watch"


def units_that_pay(case: Case, worth: Recourse, term: MarketTerm, first: int, *, below: int = 0) -> int:
    """Return how many units of a term from day `first` make the expected bill least, above `below` bands held.

    The closed form: the k-th unit is worth E[v_k], which falls with k, so the units that pay are the first ones.
    """
    value, price = term_values(case, worth, term, first, below=below)
    return most_to_buy(int(np.count_nonzero(_pays(value.mean(axis=0), price))), term)


def most_to_buy(units: int, term: MarketTerm) -> int:
    """Return the units, or as many as are to be had."""
    return units if term.max_gpus is None else min(units, term.max_gpus // term.unit_gpus)


def term_values(
    case: Case, worth: Recourse, term: MarketTerm, first: int, *, below: int = 0
) -> tuple[Floats, float]:
    """Return (S, N) what each unit of a term is worth over its days within the plan, and what one costs.

    The price is that of the day it starts on, in the mean over the paths.
    """
    ratio = term.unit_gpus // worth.unit_gpus
    bands = worth.value_usd[:, worth.between(first, first + term.days), below:].sum(axis=1)
    short = -bands.shape[1] % ratio
    value = np.pad(bands, ((0, 0), (0, short))).reshape(len(bands), -1, ratio).sum(axis=2)
    hours = worth.unit_hours(first, first + term.days) * ratio
    return value, float(case.index[:, first].mean() * term.usd_per_gpu_hour * hours)


def decide_term(
    case: Case,
    worth: Recourse,
    term: MarketTerm,
    first: int,
    *,
    action: Action | None = None,
    below: int = 0,
    units: int | None = None,
    code: str | None = None,
) -> TermDecision:
    """Return the decision on a term that starts `first` days in, above `below` bands that are held already.

    units: as decided elsewhere; None = those that pay (`units_that_pay`). Where the paths end before the term
    does, it is judged on the days that they cover, and the reason says so. `first` and the term's end must be
    bounds of worth.
    """
    if first >= case.days:
        raise UserError(f"The term {term.name} starts {first} days in, past the {case.days} planned.")
    value, price = term_values(case, worth, term, first, below=below)
    bought = most_to_buy(int(np.count_nonzero(_pays(value.mean(axis=0), price))), term) if units is None else units
    firm = int(np.count_nonzero(_pays(np.quantile(value, 0.1, axis=0), price)))
    saving = value[:, :bought].sum(axis=1) - bought * price
    best = np.maximum(value - price, 0.0)[:, : most_to_buy(value.shape[1], term)].sum(axis=1)
    known = min(term.days, case.days - first)
    rows = _bands(case, worth, term, first, below=below, bought=bought)
    used = _used_share(case, worth, term, first, below=below, bought=bought)
    begins = case.start + timedelta(days=first)
    gpus, usd = bought * term.unit_gpus, float(case.index[:, first].mean() * term.usd_per_gpu_hour)
    act = action or action_for(term.days)
    total = gpus * usd * term.days * DAY_HOURS
    return TermDecision(
        gpu=case.market.gpu,
        term=code or term.option or term.name,
        name=term.name,
        action=act,
        gpus=gpus,
        unit_gpus=term.unit_gpus,
        firm_gpus=min(firm, bought) * term.unit_gpus,
        usd_per_gpu_hour=usd,
        on_demand_usd_per_gpu_hour=case.market.on_demand_usd_per_gpu_hour,
        usd_per_hour=gpus * usd,
        usd_total=total,
        upfront_usd=total * term.upfront_fraction,
        start=begins,
        end=begins + timedelta(days=term.days - 1),
        known_days=known,
        saving_usd=Spread.of(saving),
        breakeven_utilisation=rows[0].needed_share if rows else usd / case.market.on_demand_usd_per_gpu_hour,
        expected_utilisation=used,
        chance_of_loss=float((saving < -1e-9).mean()),
        regret_p95_usd=float(np.quantile(best - saving, 0.95)),
        decide_by=begins - timedelta(days=case.market.lead_days),
        reason=_reason(case, term, act, usd, gpus, min(firm, bought) * term.unit_gpus, used, saving, known, rows),
        bands=rows,
        source=term.source,
        checked=term.checked,
    )


def _pays(worth: Floats, price: float) -> npt.NDArray[np.bool_]:
    """Whether each unit pays; equal is enough, whatever the last bit of a sum says."""
    return np.asarray(worth >= price * (1 - 1e-12))


def _bands(
    case: Case, worth: Recourse, term: MarketTerm, first: int, *, below: int, bought: int
) -> tuple[Band, ...]:
    """Return each unit of the need above what is held as a row, and whether it is among those bought."""
    last = min(first + term.days, case.days)
    held = case.held()[None, first:last, None] + below * worth.unit_gpus
    need = np.maximum(case.need[:, first:last] - held, 0.0)
    weight = np.broadcast_to(case.index[:, first:last, None], need.shape)
    share = busy_hours(need, unit_gpus=term.unit_gpus, weight=weight) / weight.sum(axis=(1, 2))[:, None]
    if not share.shape[1]:
        return ()
    value, price = term_values(case, worth, term, first, below=below)
    whole = case.market.on_demand_usd_per_gpu_hour * term.unit_gpus * float(weight.sum(axis=(1, 2)).mean())
    mean, (p10, p90) = share.mean(axis=0), np.quantile(share, (0.1, 0.9), axis=0)
    at = below * worth.unit_gpus
    return tuple(
        Band(
            gpu=case.market.gpu,
            first_gpu=at + k * term.unit_gpus + 1,
            last_gpu=at + (k + 1) * term.unit_gpus,
            busy_share=float(mean[k]),
            busy_share_p10=float(p10[k]),
            busy_share_p90=float(p90[k]),
            needed_share=price / whole,
            commit=k < bought,
            worth_share=float(value[:, k].mean() / whole) if k < value.shape[1] else 0.0,
        )
        for k in range(share.shape[1])
    )


def _used_share(
    case: Case, worth: Recourse, term: MarketTerm, first: int, *, below: int, bought: int
) -> float | None:
    """Return the share of the reserved hours that the need uses, and work that can wait in the others."""
    if not bought:
        return None
    last = min(first + term.days, case.days)
    level = case.held()[None, first:last, None] + below * worth.unit_gpus
    gpus = bought * term.unit_gpus
    used = float(np.clip(case.need[:, first:last] - level, 0.0, gpus).mean()) / gpus
    left = worth.left_gpu_hours
    if left is None:
        return used
    periods, top = worth.between(first, last), below + gpus // worth.unit_gpus
    placed = float((left[:, periods, below] - left[:, periods, min(top, left.shape[2] - 1)]).sum(axis=1).mean())
    return used + placed / (gpus * (last - first) * DAY_HOURS)


def _reason(
    case: Case,
    term: MarketTerm,
    action: Action,
    usd: float,
    gpus: int,
    firm: int,
    used: float | None,
    saving: Floats,
    known_days: int,
    rows: tuple[Band, ...],
) -> str:
    """Return one sentence: the units, the band that decides, and what is won or lost."""
    gpu, days = case.market.gpu, term.days
    price = f"${usd:,.2f} an hour against ${case.market.on_demand_usd_per_gpu_hour:,.2f} on demand"
    tail = "" if known_days >= days else f", judged on the {known_days} days that are planned"
    if not rows and not gpus:
        return f"No {gpu} is needed over these {days} days."
    if used is None:
        first = rows[0]
        return (
            f"Reserve no {gpu} for {days} days: at {price} the first must be busy"
            f" {first.needed_share:.0%} of hours and is busy {first.busy_share:.0%}{tail}."
        )
    p10, p50, p90 = (_usd(float(x)) for x in np.quantile(saving, (0.1, 0.5, 0.9)))
    won = f"saves {p50} ({p10} to {p90}) with a {float((saving < -1e-9).mean()):.0%} chance of loss"
    last = next((row for row in reversed(rows) if row.commit), None)
    band = "all of it is for work that can wait" if last is None else last.reason
    count = f"{gpus} x {gpu} for {days} days at {price}"
    if action == "commit":
        return f"Commit to {count}: {band}, and the term {won}{tail}."
    if action == "hedge":
        return f"Hedge with {count}, {firm} of them firm (pay on nine paths in ten): {band}; the term {won}{tail}."
    return f"Watch {count}: {band}; signed today the term {won}{tail}."


def _usd(value: float) -> str:
    return f"-${-value:,.0f}" if value <= -0.5 else f"${abs(value):,.0f}"
