"""What to commit to, and what is won or lost by it: one reserved offer over one term, and the ladder of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt

from data.catalog.prices import TERM_DAYS, GpuOffer, Term
from data.errors import UserError
from forecasting.spread import Spread
from sizing.bands import Band, bands, busy_hours, price_weight, units_to_commit

__all__ = [
    "Action",
    "Band",
    "TermDecision",
    "action_for",
    "bands",
    "busy_hours",
    "decide_term",
    "ladder",
    "saving_usd",
    "units_to_commit",
]

Floats = npt.NDArray[np.float64]
Action = Literal["commit", "hedge", "watch"]

_DAY_HOURS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class TermDecision:
    """What to do about one term on one GPU, and why.

    gpus: GPUs that the rule reserves (whole units of unit_gpus); firm_gpus: those that pay even at the 10th
    percentile of each band over the paths. usd_total is for the whole term; saving_usd is for its known_days, the
    days that the paths cover, against the same need on demand. breakeven_utilisation is 1 - discount;
    expected_utilisation that of the reserved GPUs, None where none is reserved. chance_of_loss: share of paths on
    which the term costs more than on demand. end and decide_by are days; end is the term's last.
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


def saving_usd(
    hourly_gpus: Floats, gpus: int, *, reserved_usd_per_gpu_hour: float, on_demand_usd_per_gpu_hour: float | Floats
) -> Floats:
    """Return (S,) USD saved by reserving `gpus` for all the hours given, against buying the need on demand."""
    weight = price_weight(hourly_gpus, on_demand_usd_per_gpu_hour)
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
    offers: Mapping[Term, GpuOffer],
    start: date,
    lead_days: int = 7,
    unit_gpus: int = 1,
) -> tuple[TermDecision, ...]:
    """Return the ladder over the paths: commit on 30 days, hedge on 90, watch on 365.

    A term signed on `start` begins lead_days later, so the first is to be decided by `start`. The 30-day offer is
    decided for that term (commit) and for the two after it (hedge), the one-year offer for the year (watch). A
    term without an offer, or past the planned days, has no row.
    """
    spot, month, year = offers.get("on-demand"), offers.get("reserved-30d"), offers.get("reserved-1y")
    if spot is None:
        return ()
    steps: list[tuple[GpuOffer | None, int, Action]] = [
        (month, lead_days, "commit"),
        (month, lead_days + 30, "hedge"),
        (month, lead_days + 60, "hedge"),
        (year, lead_days, "watch"),
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
            f"Reserve no {offer.gpu} for {days} days: at {price} the first must be busy"
            f" {first.needed_share:.0%} of hours and is busy {first.busy_share:.0%}{tail}."
        )
    last = next(row for row in reversed(rows) if row.commit)
    p10, p50, p90 = (f"${x:,.0f}" for x in np.quantile(saving, (0.1, 0.5, 0.9)))
    won = f"saves {p50} ({p10} to {p90}) with a {float((saving < 0).mean()):.0%} chance of loss"
    band = f"#{last.last_gpu} is busy {last.busy_share:.0%} of hours and needs {last.needed_share:.0%}"
    count = f"{gpus} x {offer.gpu} for {days} days at {price}"
    if action == "commit":
        return f"Commit to {count}: {band}, and the term {won}{tail}."
    if action == "hedge":
        return f"Hedge with {count}, {firm} of them firm (pay on nine paths in ten): {band}; the term {won}{tail}."
    return f"Watch {count}: {band}; signed today the term {won}{tail}."
