"""What to commit to: the need cut into bands, and each band bought the way that costs least.

The k-th band of a need is busy in the hours in which the need reaches k. A reserved band is paid in every hour of
its term, an on-demand band only when it is busy, so a band is worth reserving exactly when it is busy often enough.
docs/money.md derives the rule and its limits.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt

from data.catalog.prices import TERM_DAYS, GpuOffer, Term
from data.errors import UserError
from forecasting.spread import Spread

Floats = npt.NDArray[np.float64]
Action = Literal["commit", "hedge", "watch"]

_DAY_HOURS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """One unit of a need, from GPU first_gpu to last_gpu, and how often it is busy.

    busy_share: mean over the paths of its busy share of the term's hours, each hour weighted by its on-demand
    price; p10 and p90 over the paths. needed_share: what the reserved price asks, 1 - discount.
    """

    gpu: str
    first_gpu: int
    last_gpu: int
    busy_share: float
    busy_share_p10: float
    busy_share_p90: float
    needed_share: float
    commit: bool

    @property
    def sentence(self) -> str:
        """Return the row as a person reads it."""
        name = f"{self.gpu} #{self.first_gpu}"
        if self.last_gpu > self.first_gpu:
            name += f"-{self.last_gpu}"
        verdict = "commit" if self.commit else "leave on demand"
        return f"{name} is busy {self.busy_share:.0%} of hours, needs {self.needed_share:.0%}: {verdict}."


@dataclass(frozen=True, slots=True, kw_only=True)
class TermDecision:
    """What to do about one term on one GPU, and why.

    gpus: GPUs that the rule reserves (whole units of unit_gpus); firm_gpus: those that pay even at the 10th
    percentile of each band over the paths. usd_total is for the whole term, saving for its days that the paths cover
    (known_days), both against the same need on demand. breakeven_utilisation is 1 - discount; expected_utilisation
    that of the reserved GPUs, None where none is reserved. chance_of_loss: share of paths on which the term costs
    more than on demand. end and decide_by are days; end is the term's last.
    """

    gpu: str
    term: Term
    action: Action
    provider: str
    gpus: int
    unit_gpus: int
    firm_gpus: int
    usd_per_gpu_hour: float
    on_demand_usd_per_gpu_hour: float
    usd_per_hour: float
    usd_total: float
    start: date
    end: date
    known_days: int
    saving_usd: Spread
    breakeven_utilisation: float
    expected_utilisation: float | None
    chance_of_loss: float
    decide_by: date
    reason: str
    bands: tuple[Band, ...]
    source: str
    checked: date


def action_for(days: int) -> Action:
    """Return what a horizon of so many days is for: commit up to 45, hedge up to 180, watch beyond.

    >>> [action_for(days) for days in (30, 90, 365)]
    ['commit', 'hedge', 'watch']
    """
    return "commit" if days <= 45 else "hedge" if days <= 180 else "watch"


def busy_hours(hourly_gpus: Floats, *, unit_gpus: int = 1, weight: Floats | None = None) -> Floats:
    """Return (S, K): hours in which each unit of the need is busy on each path, K units up to the largest need.

        N_k = sum over hours of w_h clip(need_h / unit - (k - 1), 0, 1)

    hourly_gpus: (S, D, 24). weight: (D, 24) hours' weights, 1 by default. A unit that is partly needed counts by
    its part, so that sum_k N_k is the need itself.
    """
    if unit_gpus < 1:
        raise UserError(f"unit_gpus = {unit_gpus} must be at least 1.")
    need = np.reshape(hourly_gpus, (hourly_gpus.shape[0], -1)) / unit_gpus
    hours = np.ones(need.shape[1]) if weight is None else np.ravel(weight)
    full = np.floor(need).astype(np.int64)
    units = int(np.ceil(need.max(initial=0.0)))
    row = np.arange(need.shape[0])[:, None] * (units + 2)
    size = need.shape[0] * (units + 2)
    weights = np.broadcast_to(hours, need.shape)
    whole = np.bincount(np.ravel(row + full), np.ravel(weights), size).reshape(-1, units + 2)
    part = np.bincount(np.ravel(row + full + 1), np.ravel(weights * (need - full)), size).reshape(-1, units + 2)
    at_least = np.cumsum(whole[:, ::-1], axis=1)[:, ::-1]
    return np.asarray((at_least + part)[:, 1 : units + 1])


def units_to_commit(
    hourly_gpus: Floats,
    *,
    reserved_usd_per_gpu_hour: float,
    on_demand_usd_per_gpu_hour: float | Floats,
    unit_gpus: int = 1,
) -> int:
    """Return the number of units whose reservation makes the expected cost of the need least.

    Reserving n units costs n r H, and on demand serves the rest; unit n + 1 changes that by r H - sum_h p_h busy_h.
    Busy hours fall with k, so the expected cost is convex in n and the units that pay are the first ones:

        reserve k  <=>  sum_h p_h E[busy_kh] / sum_h p_h  >=  r H / sum_h p_h = 1 - discount

    on_demand_usd_per_gpu_hour: one price, or (D, 24) prices. The need is (S, D, 24) over the whole term.
    """
    weight = _price_weight(hourly_gpus, on_demand_usd_per_gpu_hour)
    if weight.sum() == 0:
        return 0
    share = busy_hours(hourly_gpus, unit_gpus=unit_gpus, weight=weight).mean(axis=0) / weight.sum()
    return int(np.count_nonzero(share >= _needed_share(weight, reserved_usd_per_gpu_hour)))


def bands(
    hourly_gpus: Floats,
    *,
    gpu: str,
    reserved_usd_per_gpu_hour: float,
    on_demand_usd_per_gpu_hour: float | Floats,
    unit_gpus: int = 1,
) -> tuple[Band, ...]:
    """Return each unit of the need as an explainable row, first unit first."""
    weight = _price_weight(hourly_gpus, on_demand_usd_per_gpu_hour)
    needed = _needed_share(weight, reserved_usd_per_gpu_hour)
    share = busy_hours(hourly_gpus, unit_gpus=unit_gpus, weight=weight) / weight.sum()
    mean, (p10, p90) = share.mean(axis=0), np.quantile(share, (0.1, 0.9), axis=0)
    return tuple(
        Band(
            gpu=gpu,
            first_gpu=k * unit_gpus + 1,
            last_gpu=(k + 1) * unit_gpus,
            busy_share=float(mean[k]),
            busy_share_p10=float(p10[k]),
            busy_share_p90=float(p90[k]),
            needed_share=needed,
            commit=bool(mean[k] >= needed),
        )
        for k in range(share.shape[1])
    )


def saving_usd(
    hourly_gpus: Floats, gpus: int, *, reserved_usd_per_gpu_hour: float, on_demand_usd_per_gpu_hour: float | Floats
) -> Floats:
    """Return (S,) USD saved by reserving `gpus` for all the hours given, against buying the need on demand."""
    weight = _price_weight(hourly_gpus, on_demand_usd_per_gpu_hour)
    served = np.minimum(hourly_gpus, gpus)
    avoided = np.einsum("sdh,dh->s", served, weight)
    return np.asarray(avoided - gpus * reserved_usd_per_gpu_hour * weight.size)


def decide_term(
    hourly_gpus: Floats,
    *,
    offer: GpuOffer,
    on_demand: GpuOffer,
    start: date,
    first_day: int = 0,
    action: Action | None = None,
    lead_days: int = 7,
    unit_gpus: int = 1,
) -> TermDecision:
    """Return what the band rule says about one reserved offer, for the term that starts `first_day` days in.

    hourly_gpus: (S, D, 24), its first day `start`. lead_days: days between signing and the first hour. Where the
    paths end before the term does, the term is judged on the days that they cover, and the reason says so.
    """
    days = _term_days(offer)
    need = hourly_gpus[:, first_day : first_day + days]
    if need.shape[1] == 0:
        raise UserError(
            f"The {offer.term} term starts {first_day} days in, past the {hourly_gpus.shape[1]} planned."
        )
    reserved, spot = offer.usd_per_gpu_hour, on_demand.usd_per_gpu_hour
    rows = bands(
        need,
        gpu=offer.gpu,
        reserved_usd_per_gpu_hour=reserved,
        on_demand_usd_per_gpu_hour=spot,
        unit_gpus=unit_gpus,
    )
    gpus = unit_gpus * sum(row.commit for row in rows)
    firm = unit_gpus * sum(row.busy_share_p10 >= row.needed_share for row in rows)
    saving = saving_usd(need, gpus, reserved_usd_per_gpu_hour=reserved, on_demand_usd_per_gpu_hour=spot)
    used = float(np.minimum(need, gpus).mean()) / gpus if gpus else None
    begins = start + timedelta(days=first_day)
    act = action or action_for(first_day + days)
    return TermDecision(
        gpu=offer.gpu,
        term=offer.term,
        action=act,
        provider=offer.provider,
        gpus=gpus,
        unit_gpus=unit_gpus,
        firm_gpus=firm,
        usd_per_gpu_hour=reserved,
        on_demand_usd_per_gpu_hour=spot,
        usd_per_hour=gpus * reserved,
        usd_total=gpus * reserved * days * _DAY_HOURS,
        start=begins,
        end=begins + timedelta(days=days - 1),
        known_days=need.shape[1],
        saving_usd=Spread.of(saving),
        breakeven_utilisation=reserved / spot,
        expected_utilisation=used,
        chance_of_loss=float((saving < 0).mean()),
        decide_by=begins - timedelta(days=lead_days),
        reason=_reason(act, offer, on_demand, gpus, firm, used, saving, need.shape[1], rows),
        bands=rows,
        source=offer.source,
        checked=offer.checked,
    )


def ladder(
    hourly_gpus: Floats,
    *,
    offers: dict[Term, GpuOffer],
    start: date,
    lead_days: int = 7,
    unit_gpus: int = 1,
) -> tuple[TermDecision, ...]:
    """Return the ladder over the paths: commit on 30 days, hedge on 90, watch on 365.

    The 30-day offer is decided for the term that starts now (commit) and for the two after it (hedge), the one-year
    offer for the year (watch). A term without an offer, or past the planned days, has no row.
    """
    spot, month, year = offers.get("on-demand"), offers.get("reserved-30d"), offers.get("reserved-1y")
    if spot is None:
        return ()
    steps: list[tuple[GpuOffer | None, int, Action]] = [
        (month, 0, "commit"),
        (month, 30, "hedge"),
        (month, 60, "hedge"),
        (year, 0, "watch"),
    ]
    return tuple(
        decide_term(
            hourly_gpus,
            offer=offer,
            on_demand=spot,
            start=start,
            first_day=first_day,
            action=action,
            lead_days=lead_days,
            unit_gpus=unit_gpus,
        )
        for offer, first_day, action in steps
        if offer is not None and first_day < hourly_gpus.shape[1]
    )


def _term_days(offer: GpuOffer) -> int:
    if offer.term not in TERM_DAYS:
        raise UserError(
            f"{offer.gpu} at {offer.provider} is offered {offer.term}, which is no term to commit to;"
            f" terms are {', '.join(TERM_DAYS)}."
        )
    return TERM_DAYS[offer.term]


def _price_weight(hourly_gpus: Floats, usd_per_gpu_hour: float | Floats) -> Floats:
    """Return (D, 24) on-demand USD per GPU-hour."""
    return np.array(np.broadcast_to(np.asarray(usd_per_gpu_hour, dtype=np.float64), hourly_gpus.shape[1:]))


def _needed_share(weight: Floats, reserved_usd_per_gpu_hour: float) -> float:
    return float(reserved_usd_per_gpu_hour * weight.size / weight.sum())


def _reason(
    action: Action,
    offer: GpuOffer,
    on_demand: GpuOffer,
    gpus: int,
    firm: int,
    used: float | None,
    saving: Floats,
    known_days: int,
    rows: tuple[Band, ...],
) -> str:
    """Return one sentence: the units, the band that decides, and what is won or lost."""
    days = _term_days(offer)
    price = f"${offer.usd_per_gpu_hour:,.2f} an hour against ${on_demand.usd_per_gpu_hour:,.2f} on demand"
    tail = "" if known_days >= days else f", judged on the {known_days} days that are planned"
    if not rows:
        return f"No {offer.gpu} is needed over these {days} days."
    if used is None:
        first = rows[0]
        return (
            f"Reserve no {offer.gpu} for {days} days: at {price} the first must be busy {first.needed_share:.0%} of"
            f" hours and is busy {first.busy_share:.0%}{tail}."
        )
    last = next(row for row in reversed(rows) if row.commit)
    p10, p50, p90 = (f"${x:,.0f}" for x in np.quantile(saving, (0.1, 0.5, 0.9)))
    won = f"saves {p50} ({p10} to {p90}) with a {float((saving < 0).mean()):.0%} chance of loss"
    band = f"#{last.last_gpu} is busy {last.busy_share:.0%} of hours and needs {last.needed_share:.0%}"
    count = f"{gpus} x {offer.gpu} for {days} days at {price}"
    if action == "commit":
        return f"Commit to {count}: {band}, and the term {won}{tail}."
    if action == "hedge":
        return f"Hedge with {count}, {firm} of them firm (they pay on nine paths in ten): {band}; the term {won}{tail}."
    return f"Watch {count}: {band}; signed today the term {won}{tail}."
