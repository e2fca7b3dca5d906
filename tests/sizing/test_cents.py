"""Cents: what is split adds up again, and no line moves by a cent."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from sizing.cents import CENT, split_to_cents, to_cents

usd = st.floats(-1e9, 1e9, allow_nan=False)


@given(st.lists(usd, max_size=30))
def test_the_split_adds_up_to_the_sum_rounded_once(parts):
    exact = sum((Decimal(part) for part in parts), Decimal(0))

    assert sum(split_to_cents(parts), Decimal(0)) == exact.quantize(CENT)


@given(st.lists(usd, min_size=1, max_size=30))
def test_no_part_moves_by_a_cent(parts):
    for part, cents in zip(parts, split_to_cents(parts), strict=True):
        assert abs(cents - Decimal(part)) < CENT
        assert cents == cents.quantize(CENT)


def test_who_loses_most_gets_the_missing_cent():
    assert [str(c) for c in split_to_cents([0.125, 0.003, 0.004])] == ["0.13", "0.00", "0.00"]
    assert [str(c) for c in split_to_cents([-0.004, 10.0])] == ["0.00", "10.00"]


def test_nothing_is_split_into_nothing():
    assert split_to_cents([]) == []
    assert to_cents(0.0) == Decimal("0.00")
