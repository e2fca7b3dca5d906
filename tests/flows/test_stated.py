from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from flows.stated import source_of, widened

NAMES = ("p50", "p99")


def traffic(basis: str, widths: dict[str, Any] | None = None) -> Any:
    daily = pd.DataFrame(
        {
            "requests": [10.0, np.nan, 5.0],
            "throttled_requests": [1.0, 0.0, 0.0],
            "failed_requests": [2.0, np.nan, 0.0],
            "missing_tok_requests": [0.0, 0.0, 3.0],
        }
    )
    return SimpleNamespace(
        daily=daily, source_kind="aggregates", percentile_basis=basis, percentile_widths=widths or {}
    )


def test_what_was_stated_is_counted_over_the_days_and_gaps_count_nothing():
    source = source_of(traffic("none"))

    assert (source.requests, source.throttled_requests, source.failed_requests) == (15, 1, 2)
    assert source.missing_tok_requests == 3
    assert "unavailable from this source" in source.sentence


def test_how_far_a_histogram_is_off_is_the_furthest_of_its_steps():
    widths = {"prompt": np.array([[0.5, 1.25], [0.4, 2.0]]), "output": np.array([[np.nan, np.nan], [0.8, 2.4]])}

    assert "may be 2.5 times as long or as short" in source_of(traffic("histogram", widths)).sentence
    assert "they are unknown" in source_of(traffic("histogram")).sentence


def test_ranges_are_widened_by_the_step_and_medians_stay():
    rows = {"p50": [80.0, 90.0, 100.0, 110.0, 120.0], "p99": [800.0, 900.0, 1000.0, 1100.0, 1200.0]}

    found = widened(rows, np.array([[0.5, 2.0], [np.nan, np.nan]]), NAMES)

    assert found == {"p50": [40, 45, 100, 220, pytest.approx(240)]}
    assert widened(rows, None, NAMES) == rows
