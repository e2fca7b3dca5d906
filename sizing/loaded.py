"""What own GPUs cost beyond the work: idle hours, cold spares, networking, staff. And GPUs that are owned."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from data.errors import UserError
from sizing.cents import split_to_cents

YEAR_HOURS = 8_760


@dataclass(frozen=True, slots=True, kw_only=True)
class Overheads:
    """What comes on top of a GPU bill, as named shares of it. All three are assumptions that the page prints.

    spares: GPUs kept for repair beside the fleet's own spare replica. networking: traffic out, load balancers and
    storage. staff: people who run it.
    """

    spares: float = 0.03
    networking: float = 0.05
    staff: float = 0.15

    def __post_init__(self) -> None:
        """Refuse shares that take away."""
        for name in ("spares", "networking", "staff"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise UserError(f"The overhead {name} = {getattr(self, name)} must be 0 or more; 0.05 adds 5%.")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedCost:
    """A GPU bill taken apart, in whole cents that add up to the total exactly.

    work_usd: the hours that serve requests, at the line's own mean price: what the traffic costs incrementally.
    idle_usd: the paid hours that do not (headroom, peaks, whole replicas, the spare replica, unused terms).
    """

    work_usd: Decimal
    idle_usd: Decimal
    spares_usd: Decimal
    networking_usd: Decimal
    staff_usd: Decimal

    @property
    def total_usd(self) -> Decimal:
        """The fully loaded bill."""
        return self.work_usd + self.idle_usd + self.spares_usd + self.networking_usd + self.staff_usd


def loaded_cost(usd: float, *, work_share: float, overheads: Overheads) -> LoadedCost:
    """Return a GPU bill with what stands on top of it, in whole cents.

    work_share: of the paid GPU-hours that serve requests. Spares come on the bill, networking and staff on both.

    >>> loaded_cost(1_000.0, work_share=0.6, overheads=Overheads(spares=0.05, networking=0.1, staff=0.2)).total_usd
    Decimal('1365.00')
    """
    if not 0 <= work_share <= 1:
        raise UserError(f"work_share = {work_share} must lie between 0 and 1: the share of paid hours that work.")
    spares = usd * overheads.spares
    parts = (
        usd * work_share,
        usd * (1 - work_share),
        spares,
        (usd + spares) * overheads.networking,
        (usd + spares) * overheads.staff,
    )
    work, idle, spare, networking, staff = split_to_cents(parts)
    return LoadedCost(work_usd=work, idle_usd=idle, spares_usd=spare, networking_usd=networking, staff_usd=staff)


def loaded_factor(overheads: Overheads) -> float:
    """Return the fully loaded bill over the GPU bill.

    >>> round(loaded_factor(Overheads(spares=0.05, networking=0.1, staff=0.2)), 4)
    1.365
    """
    return (1 + overheads.spares) * (1 + overheads.networking + overheads.staff)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedGpu:
    """A GPU that is bought: what it cost with its share of the host, how long it is written off, what it draws.

    upkeep_per_year: service and spare parts, as a share of the price. kw: drawn under load, host included;
    idle_kw: when nothing runs. pue: of the building.
    """

    gpu: str
    capex_usd: float
    life_years: float
    kw: float
    usd_per_kwh: float
    pue: float
    source: str
    checked: date
    residual: float = 0.0
    upkeep_per_year: float = 0.0
    idle_kw: float = 0.0

    @property
    def standing_usd_per_hour(self) -> float:
        """USD an hour whether used or not: what it loses in value, upkeep, and the power of an idle machine."""
        wear = self.capex_usd * ((1 - self.residual) / self.life_years + self.upkeep_per_year) / YEAR_HOURS
        return wear + self.idle_kw * self.pue * self.usd_per_kwh

    @property
    def work_usd_per_hour(self) -> float:
        """USD that an hour of work adds: the power above idle. This is what an idle hour costs a scheduled job.

        >>> from datetime import date
        >>> gpu = OwnedGpu(gpu="h100", capex_usd=35_040.0, life_years=4, kw=1.2, usd_per_kwh=0.1, pue=1.25,
        ...                source="", checked=date(2026, 11, 24))
        >>> gpu.standing_usd_per_hour, round(gpu.work_usd_per_hour, 3)
        (1.0, 0.15)
        """
        return (self.kw - self.idle_kw) * self.pue * self.usd_per_kwh
