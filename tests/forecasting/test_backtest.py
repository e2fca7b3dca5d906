"""The backtest sees nothing after a cutoff, gives one row per window and day, and refuses what is unclear."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.errors import UserError
from forecasting.backtest import OUT_COLUMNS, check_backtest, run_backtest

SHARED = Path(__file__).parents[3] / "shared"


def series(days=200, names=("a", "b")):
    rng = np.random.default_rng(0)
    ds = pd.date_range("2026-01-01", periods=days)
    return pd.concat(
        [
            pd.DataFrame({"unique_id": n, "ds": ds, "y": np.round(1000 * np.exp(0.1 * rng.standard_normal(days)))})
            for n in names
        ]
    )


def windows(*rows):
    return pd.DataFrame(
        rows or [("b", "2026-06-01", 30), ("a", "2026-05-01", 7)], columns=["unique_id", "cutoff", "horizon"]
    )


def plain(frame):
    return frame.drop(columns="fit_s")


def test_each_window_has_a_row_for_each_day_after_its_cutoff_in_the_order_asked():
    found = run_backtest(series(), windows())

    assert tuple(found.columns) == OUT_COLUMNS
    assert found["unique_id"].tolist() == ["b"] * 30 + ["a"] * 7
    assert found["ds"].iloc[0] == pd.Timestamp("2026-06-02")
    assert (np.diff(found[[c for c in OUT_COLUMNS if c.startswith("q")]].to_numpy(), axis=1) >= 0).all()


def test_what_comes_after_the_cutoff_changes_nothing():
    known = series()
    after = pd.to_datetime(known["ds"]) > "2026-05-01"
    changed = known.assign(y=np.where(after, known["y"] * 100, known["y"]))
    one = windows(("a", "2026-05-01", 30), ("b", "2026-05-01", 30))

    assert plain(run_backtest(known, one)).equals(plain(run_backtest(changed, one)))


def test_other_series_and_windows_change_nothing():
    alone = run_backtest(series(names=("a",)), windows(("a", "2026-05-01", 7)))

    both = run_backtest(series(), windows())

    assert plain(both[both["unique_id"] == "a"].reset_index(drop=True)).equals(plain(alone))


def test_what_the_workers_are_sent_ends_at_the_cutoff():
    backtest = check_backtest(series(), windows(("a", "2026-05-01", 30)))

    ((name, first, y, horizon),) = next(backtest.batches(1))

    assert (name, str(first), horizon) == ("a", "2026-01-01", 30)
    assert len(y) == 121, "1 January to 1 May"


def test_batches_are_cut_only_when_they_are_asked_for_and_keep_the_order():
    many = windows(*[("a", str(day.date()), 3) for day in pd.date_range("2026-03-01", periods=40)])
    batches = list(check_backtest(series(), many).batches(16))

    assert [len(batch) for batch in batches] == [16, 16, 8]
    assert [len(y) for _, _, y, _ in batches[0]] == list(range(60, 76))


def test_the_order_of_rows_and_of_series_is_irrelevant():
    known = series()
    shuffled = known.sample(frac=1.0, random_state=3)

    assert plain(run_backtest(known, windows())).equals(plain(run_backtest(shuffled, windows())))


def test_two_workers_give_the_same_as_one_and_count_to_the_end():
    seen = []

    one, two = (
        run_backtest(series(), windows()),
        run_backtest(series(), windows(), workers=2, progress=lambda *a: seen.append(a)),
    )

    assert plain(one).equals(plain(two))
    assert seen == [(1, 2), (2, 2)]


def test_missing_days_are_gaps_and_not_zeros():
    known = series(names=("a",))
    holes = known[pd.to_datetime(known["ds"]).dt.day % 5 != 0]

    found = run_backtest(holes, windows(("a", "2026-06-01", 30)))

    assert found["q0.5"].median() == pytest.approx(1000, rel=0.1)


def test_a_cutoff_after_the_data_bridges_the_gap():
    found = run_backtest(series(), windows(("a", "2026-08-01", 3)))

    assert found["ds"].iloc[0] == pd.Timestamp("2026-08-02")


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (
            {"y": [1.0, np.nan]},
            "Row 2 .* y = nan for a on 2026-01-02; give a number of 0 or more, or leave",
        ),
        ({"y": [1.0, "many"]}, "'many'"),
        ({"ds": ["2026-01-01", "someday"]}, "'someday', which is no date"),
        ({"ds": ["2026-01-01", "2026-01-02 13:00"]}, "not a whole day"),
        ({"ds": ["2026-01-01", "2026-01-01"]}, "twice"),
        ({"y": [1.0, -2.0]}, "Row 2 .* y = -2.0 for a"),
        ({"y": [1.0, np.inf]}, "Row 2 .* y = inf for a"),
    ],
)
def test_unclear_series_are_refused_in_one_sentence(wrong, sentence):
    frame = pd.DataFrame({"unique_id": "a", "ds": ["2026-01-01", "2026-01-02"], "y": [1.0, 2.0], **wrong})

    with pytest.raises(UserError, match=sentence):
        run_backtest(frame, windows(("a", "2026-01-02", 3)))


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (("c", "2026-05-01", 7), "series 'c', which the series file does not have"),
        (("a", "2020-05-01", 7), "before the series begins"),
        (("a", "2026-05-01", 0), "whole days from 1"),
        (("a", "2026-05-01", 2.5), "whole days from 1"),
        (("a", "nonsense", 7), "no date"),
    ],
)
def test_unclear_windows_are_refused_in_one_sentence(row, sentence):
    with pytest.raises(UserError, match=sentence):
        run_backtest(series(), windows(row))


def test_a_missing_column_is_named_with_those_there_are():
    with pytest.raises(UserError, match=r"lack the column y; they have unique_id, ds, value"):
        run_backtest(series().rename(columns={"y": "value"}), windows())


def test_a_real_series_beats_the_naive_and_holds_its_interval():
    path = SHARED / "data/traffic/daily_series.csv.gz"
    if not path.exists():
        pytest.skip("needs ../shared/data/traffic, which is not in the repository")
    known = pd.read_csv(path)
    known = known[known["unique_id"] == "cta_bus_boardings"]
    actual = known.assign(ds=pd.to_datetime(known["ds"])).set_index("ds")["y"]

    found = run_backtest(known, windows(("cta_bus_boardings", "2018-01-31", 90))).set_index("ds")

    inside = (actual[found.index] >= found["q0.1"]) & (actual[found.index] <= found["q0.9"])
    assert 0.6 < inside.mean() <= 1.0
    assert np.abs(found["q0.5"] - actual[found.index]).mean() < 0.15 * actual[found.index].mean()
