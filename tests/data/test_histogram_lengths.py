import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.histogram_lengths import as_stated, by_day, quantiles, widths
from data.traffic import PERCENTILES

STEPS = np.array([1.0, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000])
ABOVE = np.array([0.0, *STEPS[:-1]])
DAY = pd.Timestamp("2026-11-01")


def table(counts: list[float], field: str = "prompt", day: pd.Timestamp = DAY) -> pd.DataFrame:
    return pd.DataFrame({"window_utc": day, "field": field, "above": ABOVE, "upto": STEPS, "requests": counts})


def test_a_percentile_lies_in_the_step_that_holds_it_evenly_in_logarithms():
    found = quantiles(np.array([100.0]), np.array([400.0]), np.array([10.0]), (0.5,))

    assert found.tolist() == [[100.0, pytest.approx(200.0), 400.0]]


@given(st.lists(st.integers(1, 4999), min_size=1, max_size=300))
def test_the_bounds_hold_the_true_percentile(lengths):
    counts, _ = np.histogram(lengths, bins=np.array([0.5, *(STEPS + 0.5)]))

    found = quantiles(ABOVE, STEPS, counts.astype(float))

    true = np.quantile(lengths, PERCENTILES, method="inverted_cdf")
    assert (found[:, 0] < true + 1e-9).all()
    assert (true <= found[:, 2]).all()
    assert ((found[:, 0] <= found[:, 1]) & (found[:, 1] <= found[:, 2])).all()
    assert (np.diff(found[:, 1]) >= -1e-9).all()


def test_a_last_step_without_an_end_says_nothing_of_what_lies_in_it():
    found = quantiles(np.array([0.0, 100.0]), np.array([100.0, np.inf]), np.array([95.5, 4.5]))

    assert np.isfinite(found[:3]).all()
    assert np.isnan(found[3]).all()


def test_nothing_counted_is_unknown():
    assert np.isnan(quantiles(ABOVE, STEPS, np.zeros(len(STEPS)))).all()


def test_windows_of_a_day_are_pooled_and_become_rows_without_a_mean():
    counts = [0.0] * len(STEPS)
    low, high = counts.copy(), counts.copy()
    low[6], high[9] = 60.0, 40.0
    both = pd.concat([table(low), table(high).assign(window_utc=DAY + pd.Timedelta(hours=5))])

    days = by_day(both)
    rows = as_stated(days, both.groupby(["field", both["window_utc"].dt.floor("D")])["requests"].sum())

    assert list(days) == [("prompt", DAY)]
    assert rows.loc[0, "requests"] == 100
    assert rows["mean_tok"].isna().all()
    assert 50 < rows.loc[0, "p50_tok"] <= 100
    assert 500 < rows.loc[0, "p90_tok"] <= 1000


def test_widths_are_the_furthest_bounds_since_a_day():
    counts = [0.0] * len(STEPS)
    counts[7] = 10.0
    days = by_day(
        pd.concat([table(counts), table([10.0, *counts[1:7], 0.0, *counts[8:]], day=DAY - pd.Timedelta("9D"))])
    )

    found = widths(days, DAY)["prompt"]

    assert found[:, 0] == pytest.approx([100 / each for each in days["prompt", DAY][:, 1]])
    assert found[:, 1] == pytest.approx([200 / each for each in days["prompt", DAY][:, 1]])
    assert widths(days, DAY + pd.Timedelta("1D")) == {}
