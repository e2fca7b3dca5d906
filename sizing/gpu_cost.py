"""What GPUs cost: by the hour, or reserved for a term with the overflow by the hour."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from data.catalog.prices import TERM_DAYS, GpuOffer
from data.errors import UserError
from sizing.bands import units_to_commit

Floats = npt.NDArray[np.float64]

_DAY_HOURS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment:
    """A reservation in force: so many GPUs, paid in every hour. `end` is its last day."""

    gpu: str
    units: int
    usd_per_gpu_hour: float
    start: date
    end: date
    provider: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservedCost:
    """A need served by rolling terms of n reserved GPUs each, and on demand above n.

    usd: (S, D) all of it. reserved_usd: (D,) the terms alone. usd_low, usd_high: (D,) mean over the paths at the
    ends of both price ranges, n staying as decided. held_gpus: (D,) GPUs reserved on each day, gpus the n of each
    term in order. paid_gpu_hours: (S, D).
    idle_share: share of the reserved GPU-hours that nobody uses, None where none is reserved.
    """

    usd: Floats
    reserved_usd: Floats
    usd_low: Floats
    usd_high: Floats
    held_gpus: Floats
    gpus: tuple[int, ...]
    paid_gpu_hours: Floats
    idle_share: float | None


def on_demand_usd(hourly_gpus: Floats, offer: GpuOffer) -> Floats:
    """Return (S, D) USD of buying every GPU-hour of the need (S, D, 24) at the middle of the offer's range."""
    return np.asarray(hourly_gpus.sum(axis=2) * offer.usd_per_gpu_hour)


def on_demand_range_usd(hourly_gpus: Floats, offer: GpuOffer) -> tuple[Floats, Floats]:
    """Return two (D,): mean USD a day over the paths at the low and at the high end of the offer's range."""
    hours = hourly_gpus.sum(axis=2).mean(axis=0)
    return np.asarray(hours * offer.usd_per_gpu_hour_low), np.asarray(hours * offer.usd_per_gpu_hour_high)


def reserved_usd(
    hourly_gpus: Floats,
    offer: GpuOffer,
    on_demand: GpuOffer,
    *,
    unit_gpus: int = 1,
    gpus: int | None = None,
    first_day: int = 0,
    max_gpus: int | None = None,
) -> ReservedCost:
    """Return what the need costs on terms of this offer, renewed back to back, with the overflow on demand.

    Each term reserves the n GPUs that the band rule gives for its own days (`sizing.bands.units_to_commit`), or
    `gpus`, and never more than max_gpus. The first term starts on first_day; until then all is on demand. The last
    term may reach past the planned days: it is decided on, and pays for, the planned ones.
    """
    _same_gpu(offer, on_demand)
    if offer.term not in TERM_DAYS:
        raise UserError(
            f"{offer.gpu} at {offer.provider}: {offer.term} is no reserved term ({', '.join(TERM_DAYS)})."
        )
    reserved = _reserved_gpus(hourly_gpus, offer, on_demand, unit_gpus=unit_gpus, gpus=gpus, first_day=first_day)
    if max_gpus is not None:
        reserved = np.minimum(reserved, max_gpus // unit_gpus * unit_gpus)
    overflow = np.maximum(hourly_gpus - reserved[None, :, None], 0.0).sum(axis=2)
    held = reserved * _DAY_HOURS
    low = held * offer.usd_per_gpu_hour_low + overflow.mean(axis=0) * on_demand.usd_per_gpu_hour_low
    high = held * offer.usd_per_gpu_hour_high + overflow.mean(axis=0) * on_demand.usd_per_gpu_hour_high
    used = float((hourly_gpus.sum(axis=2) - overflow).mean(axis=0).sum())
    total = float(held.sum())
    return ReservedCost(
        usd=held[None] * offer.usd_per_gpu_hour + overflow * on_demand.usd_per_gpu_hour,
        reserved_usd=held * offer.usd_per_gpu_hour,
        usd_low=low,
        usd_high=high,
        held_gpus=reserved,
        gpus=tuple(int(n) for n in reserved[first_day :: TERM_DAYS[offer.term]]),
        paid_gpu_hours=held[None] + overflow,
        idle_share=1 - used / total if total else None,
    )


def committed_gpus(commitments: Sequence[Commitment], gpu: str, days: npt.NDArray[np.datetime64]) -> Floats:
    """Return (D,): GPUs of this kind that commitments in force hold on each day."""
    held = np.zeros(len(days))
    for commitment in commitments:
        if commitment.gpu == gpu:
            held += commitment.units * _in_force(commitment, days)
    return held


def committed_usd(commitments: Sequence[Commitment], days: npt.NDArray[np.datetime64]) -> Floats:
    """Return (D,): USD that commitments in force cost on each day, used or not."""
    usd = np.zeros(len(days))
    for commitment in commitments:
        daily = commitment.units * commitment.usd_per_gpu_hour * _DAY_HOURS
        usd += daily * _in_force(commitment, days)
    return usd


def use_held(needs: Sequence[Floats], held_gpus: Floats) -> tuple[list[Floats], Floats]:
    """Serve needs (S, D, 24) from GPUs already held (D,), in the order given.

    Returns what each need still has to buy, and the held GPUs that stay idle, (S, D, 24), for scheduled jobs.
    """
    idle = np.array(np.broadcast_to(held_gpus[None, :, None], needs[0].shape)) if needs else np.empty((0, 0, 0))
    rest = []
    for need in needs:
        served = np.minimum(need, idle)
        idle = idle - served
        rest.append(need - served)
    return rest, idle


def held_usd(gpus: int | None, *, days: int, usd_per_gpu_hour: float | None) -> float | None:
    """Return USD of GPUs that run in every hour of so many days, None where either is unknown.

    >>> held_usd(8, days=30, usd_per_gpu_hour=2.5)
    14400.0
    """
    if gpus is None or usd_per_gpu_hour is None:
        return None
    return gpus * days * _DAY_HOURS * usd_per_gpu_hour


def _reserved_gpus(
    hourly_gpus: Floats, offer: GpuOffer, on_demand: GpuOffer, *, unit_gpus: int, gpus: int | None, first_day: int
) -> Floats:
    """Return (D,): GPUs reserved on each day."""
    term = TERM_DAYS[offer.term]
    held = np.zeros(hourly_gpus.shape[1])
    for first in range(first_day, len(held), term):
        need = hourly_gpus[:, first : first + term]
        units = units_to_commit(
            need,
            reserved_usd_per_gpu_hour=offer.usd_per_gpu_hour,
            on_demand_usd_per_gpu_hour=on_demand.usd_per_gpu_hour,
            unit_gpus=unit_gpus,
        )
        held[first : first + term] = units * unit_gpus if gpus is None else gpus
    return held


def _in_force(commitment: Commitment, days: npt.NDArray[np.datetime64]) -> Floats:
    first, last = np.datetime64(commitment.start, "D"), np.datetime64(commitment.end, "D")
    return np.asarray((days >= first) & (days <= last), dtype=np.float64)


def _same_gpu(offer: GpuOffer, on_demand: GpuOffer) -> None:
    if offer.gpu != on_demand.gpu or on_demand.term != "on-demand":
        raise UserError(
            f"A {offer.term} price of {offer.gpu} needs its own on-demand price for the overflow,"
            f" not {on_demand.term} of {on_demand.gpu}."
        )
