from dataclasses import replace
from datetime import date

import pytest

from data.catalog.price_jumps import load_jumps
from data.errors import UserError


def test_every_kind_of_price_has_jumps_with_source_and_date():
    jumps = load_jumps()

    assert set(jumps) == {"api", "gpu"}
    assert all(each.source and each.checked >= date(2026, 11, 1) for each in jumps.values())


def test_api_prices_mostly_stand():
    api = load_jumps()["api"]

    assert 0.05 <= api.cuts_per_year <= 0.15
    assert api.raises_per_year < api.cuts_per_year


@pytest.mark.parametrize(
    "wrong",
    [{"cut_factors": (1.2,)}, {"raise_factors": (0.9,)}, {"cut_factors": (), "cuts_per_year": 0.1}],
)
def test_a_cut_cuts_and_a_raise_raises(wrong):
    with pytest.raises(UserError, match="factors"):
        replace(load_jumps()["api"], **wrong)
