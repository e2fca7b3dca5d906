"""What GPUs can be bought for in each month of a replay: on demand, and by the term at a discount."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

UNSERVED_TIMES = 3.0
"""An hour that nobody serves costs so many times the on-demand price."""
SEEN_MONTHS = 12
"""Months of prices that are known before the first decision, as a year of demand is."""
MONTH_DISCOUNT = 0.10
"""Discount of a 30-day term where OFFERS states none; never more than the one-year term's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayTerm:
    """A term of whole calendar months, sold at the on-demand price of the month of signing, less a discount."""

    months: int
    discount: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PricePath:
    """How the on-demand price moves: the month's price over that of the first decision.

    change_per_year: a steady change, applied month by month; it was under way before the first decision too, as
    the demand was. jump_month, jump_to: from that month on (the first decision's is 0) everything is multiplied by
    jump_to. multipliers: the months' prices one by one instead, the last one held.
    """

    name: str
    change_per_year: float = 0.0
    jump_month: int | None = None
    jump_to: float = 1.0
    multipliers: tuple[float, ...] = ()

    def over(self, months: int) -> Floats:
        """Return (months,).

        >>> PricePath(name="cut", jump_month=2, jump_to=0.5).over(4)
        array([1. , 1. , 0.5, 0.5])
        """
        month = np.arange(months)
        if self.multipliers:
            return np.array(self.multipliers)[np.minimum(month, len(self.multipliers) - 1)]
        steady = (1 + self.change_per_year) ** (month / 12)
        jumped = month >= (months if self.jump_month is None else self.jump_month)
        return np.asarray(np.where(jumped, steady * self.jump_to, steady))

    def before(self, months: int) -> Floats:
        """Return (months,) the prices of the months before the first decision, over that of the first decision."""
        if self.multipliers:
            return np.full(months, self.multipliers[0])
        return np.asarray((1 + self.change_per_year) ** (np.arange(-months, 0) / 12))


DISCOUNTS = (0.0, 0.1, 0.2, 0.3, 0.45, 0.6)
PRICE_PATHS = (
    PricePath(name="flat"),
    PricePath(name="-30% a year", change_per_year=-0.3),
    PricePath(name="-50% a year", change_per_year=-0.5),
    PricePath(name="halved in month 6", jump_month=6, jump_to=0.5),
    PricePath(name="+20% a year", change_per_year=0.2),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayMarket:
    """One cell of the grid. terms: shortest first, one a length. on_demand_max_gpus: None = any number."""

    on_demand_usd_per_gpu_hour: float
    terms: tuple[ReplayTerm, ...]
    path: PricePath = field(default_factory=lambda: PRICE_PATHS[0])
    on_demand_max_gpus: int | None = None

    @property
    def one_year_discount(self) -> float:
        """Discount of the one-year term; 0 where none is sold."""
        return next((term.discount for term in self.terms if term.months == 12), 0.0)

    def prices(self, months: int) -> Floats:
        """Return (months,) on-demand USD per GPU-hour."""
        return self.on_demand_usd_per_gpu_hour * self.path.over(months)

    def seen_prices(self, months: int) -> Floats:
        """Return (SEEN_MONTHS + months,): the same with the prices of the year before the first decision."""
        before = self.on_demand_usd_per_gpu_hour * self.path.before(SEEN_MONTHS)
        return np.concatenate([before, self.prices(months)])


def terms_for(one_year_discount: float, stated: Sequence[ReplayTerm] = ()) -> tuple[ReplayTerm, ...]:
    """Return 30-day, 90-day and one-year terms, with the discounts that are stated for the shorter ones.

    Where none is, 30 days take MONTH_DISCOUNT off and 90 days lie between by the logarithm of their length. No
    term gives more off than a longer one, because nobody sells one that does.

    >>> [round(term.discount, 3) for term in terms_for(0.3)]
    [0.1, 0.188, 0.3]
    >>> [term.discount for term in terms_for(0.0)]
    [0.0, 0.0, 0.0]
    """
    own = {term.months: term.discount for term in stated}
    month = min(own.get(1, MONTH_DISCOUNT), one_year_discount)
    between = month + (one_year_discount - month) * float(np.log(3) / np.log(12))
    quarter = min(max(own.get(3, between), month), one_year_discount)
    return (
        ReplayTerm(months=1, discount=month),
        ReplayTerm(months=3, discount=quarter),
        ReplayTerm(months=12, discount=one_year_discount),
    )


def paid_twice(busy: Floats, on_demand_max_gpus: int | None) -> Floats:
    """Return busy hours (..., K) by what they cost, in on-demand hours, when fewer GPUs are held.

        w_k = N_k + (3 - 1) N_(k + cap)

    With `cap` GPUs to be had on demand, one GPU fewer held is one more on demand, and the need above it unserved
    reaches one GPU lower. Without a cap w = N.
    """
    if on_demand_max_gpus is None or on_demand_max_gpus >= busy.shape[-1]:
        return busy
    moved = np.zeros_like(busy)
    moved[..., : busy.shape[-1] - on_demand_max_gpus] = busy[..., on_demand_max_gpus:]
    return busy + (UNSERVED_TIMES - 1) * moved
