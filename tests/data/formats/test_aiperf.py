import json

import pytest


@pytest.mark.parametrize(("unit", "value"), [("ms", 250), ("s", 0.25), ("us", 250_000), ("ns", 250_000_000)])
def test_the_unit_of_a_latency_is_the_one_it_states(take, stored, unit, value):
    record = {
        "metadata": {"request_start_ns": 1793512800_000_000_000, "request_end_ns": 1793512801_000_000_000},
        "metrics": {"time_to_first_token": {"value": value, "unit": unit}},
    }

    take(json.dumps(record) + "\n")

    assert stored("first_token_s, duration_s") == [(0.25, 1.0)]
