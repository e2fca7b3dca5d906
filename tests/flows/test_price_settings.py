from datetime import date

import pytest
from pydantic import ValidationError

from data.catalog.price_jumps import load_jumps
from flows.price_settings import PriceSettings
from sizing.scenarios.prices import PriceChange


def test_prices_jump_where_nothing_is_said_and_never_fall_smoothly():
    prices = PriceSettings()

    assert prices.scenario.jumps
    assert prices.scenario.yearly_fall is None
    assert (
        prices.jumps_of("api", load_jumps()["api"]) is load_jumps()["api"]
        or prices.jumps_of("api", load_jumps()["api"]) == load_jumps()["api"]
    )


def test_a_stated_rate_takes_the_catalogs_place_and_the_rest_stays():
    prices = PriceSettings.model_validate({"jumps": {"gpu": {"cuts_per_year": 0.5}}})
    ours = load_jumps()["gpu"]

    found = prices.jumps_of("gpu", ours)

    assert (found.cuts_per_year, found.raises_per_year) == (0.5, ours.raises_per_year)
    assert found.source == "plan.toml, prices.jumps"
    assert prices.jumps_of("api", load_jumps()["api"]).source == load_jumps()["api"].source


def test_an_announced_change_is_read():
    prices = PriceSettings.model_validate({"changes": [{"date": date(2027, 1, 1), "what": "api", "factor": 1.5}]})

    assert prices.changes[0].to_change() == PriceChange(on=date(2027, 1, 1), what="api", factor=1.5)


@pytest.mark.parametrize(
    "wrong",
    [
        {"scenario": {"jumps": True, "yearly_fall": 0.5}},
        {"scenario": {"yearly_fall": 1.0}},
        {"changes": [{"date": date(2027, 1, 1), "what": "api", "factor": 0}]},
        {"jumps": {"api": {"cut_factors": [1.5]}}},
        {"jumps": {"api": {"raise_factors": []}}},
        {"jumps": {"spot": {}}},
    ],
)
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(ValidationError):
        PriceSettings.model_validate(wrong)
