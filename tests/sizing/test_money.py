"""A cost line survives being written and read, and an unknown price stays unknown on the way."""

from datetime import date

import pytest
from pydantic import TypeAdapter, ValidationError

from forecasting.spread import Spread
from sizing.money import CostLine

ADAPTER = TypeAdapter(CostLine)


def line(**changed):
    fields = {
        "workload": "chat",
        "horizon_days": 30,
        "option": "on-demand",
        "label": "h100 on demand",
        "usd": Spread.of([1.0, 2.0, 3.0]),
        "usd_low": 1.5,
        "usd_high": 2.5,
        "usd_per_mtok": 0.4,
        "gpu": "h100",
        "gpu_hours": 12.0,
        "source": "worked example",
        "checked": date(2026, 11, 23),
    }
    return CostLine(**(fields | changed))


def test_a_line_reads_back_as_it_was_written():
    assert ADAPTER.validate_json(ADAPTER.dump_json(line())) == line()


def test_an_unknown_price_is_written_as_null_and_read_as_none():
    unknown = line(usd=None, usd_low=None, usd_high=None, note="No price is known.")

    text = ADAPTER.dump_json(unknown)

    assert b'"usd":null' in text
    assert ADAPTER.validate_json(text).usd is None


@pytest.mark.parametrize("option", ["api", "api-batch", "on-demand", "reserved-30d", "reserved-1y", "committed"])
def test_every_option_that_is_priced_may_stand_on_a_line(option):
    assert ADAPTER.validate_json(ADAPTER.dump_json(line(option=option))).option == option


def test_an_option_that_nobody_prices_is_refused():
    text = ADAPTER.dump_json(line()).replace(b'"on-demand"', b'"lottery"')

    with pytest.raises(ValidationError, match="option"):
        ADAPTER.validate_json(text)
