"""Money to the cent: lines that add up to their total exactly, whatever was lost in rounding each."""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal

CENT = Decimal("0.01")


def to_cents(usd: float) -> Decimal:
    """Return USD rounded to the cent, halves to the even one (IEEE 754's rule, which does not drift).

    >>> to_cents(2.675), to_cents(-0.004)
    (Decimal('2.67'), Decimal('0.00'))
    """
    return Decimal(usd).quantize(CENT, rounding=ROUND_HALF_EVEN) + Decimal("0.00")


def split_to_cents(parts_usd: Sequence[float]) -> list[Decimal]:
    """Return the parts in whole cents, their sum being that of the parts rounded once.

    Each part is rounded down to the cent; the cents that are missing go to those that lost most (Hamilton's
    method, the largest remainder), the first of equals first. No part moves by a cent or more.

    >>> split_to_cents([1 / 3, 1 / 3, 1 / 3])
    [Decimal('0.34'), Decimal('0.33'), Decimal('0.33')]
    """
    exact = [Decimal(part) for part in parts_usd]
    floors = [part // CENT * CENT if part >= 0 else -(-part // CENT + (-part % CENT > 0)) * CENT for part in exact]
    total = sum(exact, Decimal(0)).quantize(CENT, rounding=ROUND_HALF_EVEN)
    missing = int((total - sum(floors, Decimal(0))) / CENT)
    losers = sorted(range(len(exact)), key=lambda n: floors[n] - exact[n])[:missing]
    return [floor + (CENT if n in losers else 0) for n, floor in enumerate(floors)]
